import { button, element } from './dom.ts';
import type { PanelState } from './panelState.ts';
import { selectedConflict } from './panelState.ts';

/** Above the list: settles all conflicts of the selected conflict's document, where there are several. The extension asks first. */
export class BulkView {
  readonly root: HTMLElement;
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #name = element('span', { class: 'bulk-name', 'aria-hidden': 'true' });

  constructor(takeAll: (choice: 'ours' | 'theirs') => void) {
    this.#buttons = [
      button({ label: 'Keep All Yours', kind: 'link', onClick: () => takeAll('ours') }),
      button({ label: 'Take All Theirs', kind: 'link', onClick: () => takeAll('theirs') }),
    ];
    this.root = element('div', { class: 'bulk', role: 'group' }, this.#name, ...this.#buttons);
  }

  show(state: PanelState): void {
    const selected = selectedConflict(state);
    const name = selected?.documentName ?? '';
    const members = state.conflicts.filter(({ documentKey }) => documentKey === selected?.documentKey);
    this.root.hidden = members.length < 2;
    this.root.setAttribute('aria-label', `All conflicts in ${name}`);
    this.#name.textContent = `All ${members.length.toLocaleString('en-US')} in ${name}`;
    this.#name.title = name;
    for (const one of this.#buttons) one.disabled = state.isBusy;
  }
}
