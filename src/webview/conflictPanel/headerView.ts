import { button, element, icon } from './dom.ts';
import type { PanelState } from './panelState.ts';
import { counterText, decisionsToApply, keysToAsk, progressText } from './panelState.ts';

export interface HeaderActions {
  readonly previous: () => void;
  readonly next: () => void;
  readonly undo: () => void;
  readonly askAll: () => void;
  readonly cancelAsk: () => void;
  readonly applyAll: () => void;
}

/** The top of the panel: how many, how far, and what concerns all of them. */
export class HeaderView {
  readonly root: HTMLElement;
  readonly #counter = element('h1');
  readonly #progress = element('span', { class: 'progress' });
  /** Said politely by a screen reader whenever its text changes. */
  readonly #note = element('div', { class: 'note', role: 'status', 'aria-live': 'polite' });
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  readonly #ask: HTMLButtonElement;
  readonly #cancelAsk: HTMLButtonElement;
  readonly #applyAll: HTMLButtonElement;
  #noteText = '';

  constructor(actions: HeaderActions) {
    this.#previous = button({
      label: 'Previous Conflict (Shift+F7)',
      icon: 'arrow-up',
      kind: 'icon',
      shortcut: 'Shift+F7',
      onClick: actions.previous,
    });
    this.#next = button({
      label: 'Next Conflict (F7)',
      icon: 'arrow-down',
      kind: 'icon',
      shortcut: 'F7',
      onClick: actions.next,
    });
    this.#undo = button({
      label: 'Undo',
      title: 'Take back the last choice that was applied (U)',
      icon: 'discard',
      kind: 'secondary',
      shortcut: 'U',
      onClick: actions.undo,
    });
    this.#ask = button({
      label: 'Ask AI for All',
      title: 'Let an AI propose something for every conflict that is open; you decide',
      icon: 'sparkle',
      kind: 'secondary',
      onClick: actions.askAll,
    });
    this.#cancelAsk = button({ label: 'Cancel', icon: 'stop-circle', kind: 'secondary', onClick: actions.cancelAsk });
    this.#cancelAsk.setAttribute('aria-label', 'Cancel asking the AI');
    this.#applyAll = button({
      label: 'Apply All',
      title: 'Apply every choice made below (Shift+Enter)',
      icon: 'check-all',
      kind: 'primary',
      shortcut: 'Shift+Enter',
      onClick: actions.applyAll,
    });
    const tools = element(
      'div',
      { class: 'tools' },
      this.#previous,
      this.#next,
      this.#ask,
      this.#cancelAsk,
      this.#undo,
      this.#applyAll,
    );
    const title = element('div', { class: 'title' }, this.#counter, this.#progress);
    this.root = element('header', { class: 'header' }, element('div', { class: 'bar' }, title, tools), this.#note);
  }

  show(state: PanelState): void {
    const isEmpty = state.conflicts.length === 0;
    const chosen = decisionsToApply(state, 'all').length;
    // The empty state says it itself; what is left is a note or Undo.
    this.root.hidden = isEmpty && !state.canUndo && state.note === undefined;
    this.#counter.hidden = isEmpty;
    this.#counter.textContent = state.isReady ? counterText(state) : 'Conflicts';
    this.#progress.textContent = progressText(state);
    // One alone has its own Apply, and nothing to go on to.
    const isOne = state.conflicts.length < 2;
    this.#previous.hidden = isOne;
    this.#next.hidden = isOne;
    this.#ask.hidden = isOne || state.isAsking;
    this.#ask.disabled = keysToAsk(state).length === 0;
    this.#cancelAsk.hidden = !state.isAsking;
    this.#undo.hidden = !state.canUndo;
    this.#undo.disabled = state.isBusy;
    this.#applyAll.hidden = isOne;
    this.#applyAll.disabled = chosen === 0;
    this.#showNote(state);
  }

  #showNote(state: PanelState): void {
    const text = state.note?.text ?? '';
    this.#note.classList.toggle('is-problem', state.note?.isProblem === true);
    if (text === this.#noteText) return;
    this.#noteText = text;
    if (text === '') this.#note.replaceChildren();
    else
      this.#note.replaceChildren(icon(state.note?.isProblem === true ? 'warning' : 'info'), element('span', {}, text));
  }
}
