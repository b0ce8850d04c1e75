import type { Choice, ConflictView } from '../../protocol/conflictPanel.ts';
import { element, icon, setAttributes } from './dom.ts';
import type { PanelState } from './panelState.ts';

interface Row {
  readonly root: HTMLElement;
  readonly mark: HTMLElement;
  conflict: ConflictView;
  choice: Choice | undefined;
}

/** The list on the left: conflicts by document. Rows are kept and only what changed is touched; rows out of sight cost no layout. */
export class ListView {
  readonly root: HTMLElement;
  readonly #rows = new Map<string, Row>();
  readonly #onSelect: (key: string) => void;
  #order = '';
  #nextId = 1;

  constructor(onSelect: (key: string) => void, onKey: (event: KeyboardEvent) => void) {
    this.#onSelect = onSelect;
    this.root = element('div', { class: 'list', role: 'listbox', tabindex: '0', 'aria-label': 'Conflicts' });
    this.root.addEventListener('keydown', onKey);
  }

  show(state: PanelState): void {
    this.#updateRows(state);
    const order = JSON.stringify(state.conflicts.map((conflict) => [conflict.documentName, conflict.key]));
    if (order !== this.#order) {
      this.#order = order;
      this.root.replaceChildren(...this.#groups(state.conflicts));
    }
    this.#showSelection(state);
  }

  focus(): void {
    this.root.focus();
  }

  #updateRows(state: PanelState): void {
    const keys = new Set(state.conflicts.map((conflict) => conflict.key));
    for (const key of [...this.#rows.keys()]) if (!keys.has(key)) this.#rows.delete(key);
    for (const conflict of state.conflicts) {
      const choice = state.decisions.get(conflict.key)?.choice;
      const row = this.#rows.get(conflict.key);
      if (
        row === undefined ||
        row.conflict.fingerprint !== conflict.fingerprint ||
        row.conflict.kindText !== conflict.kindText
      ) {
        const fresh = this.#makeRow(conflict);
        row?.root.replaceWith(fresh.root);
        this.#rows.set(conflict.key, fresh);
        showChoice(fresh, choice);
      } else if (row.choice !== choice) {
        showChoice(row, choice);
      }
    }
  }

  #groups(conflicts: readonly ConflictView[]): HTMLElement[] {
    const groups: HTMLElement[] = [];
    for (const [, members] of Map.groupBy(conflicts, (conflict) => conflict.documentKey)) {
      const id = `group-${String(this.#nextId++)}`;
      const name = members[0]?.documentName ?? '';
      const title = element(
        'div',
        { class: 'group-title', role: 'presentation' },
        icon('file-code'),
        element('span', { class: 'group-name', id, title: name }, name),
        element('span', { class: 'badge', 'aria-hidden': 'true' }, members.length.toLocaleString('en-US')),
      );
      const rows = members.flatMap((member) => this.#rows.get(member.key)?.root ?? []);
      groups.push(element('div', { class: 'group', role: 'group', 'aria-labelledby': id }, title, ...rows));
    }
    return groups;
  }

  #makeRow(conflict: ConflictView): Row {
    const mark = element('span', { class: 'row-mark' });
    const root = element(
      'div',
      { class: 'row', role: 'option', id: `row-${String(this.#nextId++)}`, 'aria-selected': 'false' },
      element('span', { class: `row-icon codicon codicon-${kindIcon(conflict)}`, 'aria-hidden': 'true' }),
      element(
        'span',
        { class: 'row-text' },
        element('span', { class: 'row-label', title: conflict.label }, ...withBreaks(conflict.label)),
        element('span', { class: 'row-kind' }, conflict.kindText),
      ),
      mark,
    );
    root.addEventListener('click', () => this.#onSelect(conflict.key));
    return { root, mark, conflict, choice: undefined };
  }

  /** Brings the selected row into sight, as after a change of the panel's size. */
  reveal(): void {
    this.root.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  #showSelection(state: PanelState): void {
    for (const selected of this.root.querySelectorAll('[aria-selected="true"]'))
      selected.setAttribute('aria-selected', 'false');
    const row = state.selectedKey === undefined ? undefined : this.#rows.get(state.selectedKey);
    setAttributes(this.root, { 'aria-activedescendant': row?.root.id });
    row?.root.setAttribute('aria-selected', 'true');
    this.reveal();
  }
}

/** A path may go on in the next line after a slash. */
function withBreaks(label: string): (string | HTMLElement)[] {
  return label.split(/(?<=\/)/).flatMap((part, at) => (at === 0 ? [part] : [element('wbr'), part]));
}

const choiceWords = { ours: 'Yours', theirs: 'Theirs', both: 'Both', edit: 'Edited', ai: 'AI' } as const;

function showChoice(row: Row, choice: Choice | undefined): void {
  row.choice = choice;
  if (choice === undefined) row.mark.replaceChildren();
  else row.mark.replaceChildren(icon('check'), element('span', {}, choiceWords[choice]));
}

/** The icon that VS Code's source control has for the same kind of change. */
function kindIcon(conflict: ConflictView): string {
  switch (conflict.kind) {
    case 'edit-edit':
      return 'diff-modified';
    case 'edit-delete':
      return 'diff-removed';
    case 'add-add':
      return 'diff-added';
    case 'move-move':
      return 'arrow-swap';
    case 'semantic':
      return 'warning';
  }
}
