import type { CheckView, ConflictView, DraftView, ProposalView } from '../../protocol/conflictPanel.ts';
import { codeBlock } from './codeView.ts';
import { button, element, icon } from './dom.ts';
import type { Extra } from './panelState.ts';
import { diffWords } from './wordDiff.ts';

export interface ExtrasActions {
  chooseProposal(): void;
  chooseDraft(): void;
  edit(): void;
  ask(): void;
  cancelAsk(): void;
  showRequest(): void;
}

/** What stands below the versions of a conflict: what the person wrote themself, and what an AI proposes. Built anew only where it changes. */
export class ExtrasView {
  readonly root = element('div', { class: 'extras' });
  readonly #actions: ExtrasActions;
  #shown = '';
  #proposal: Card | undefined;
  #draft: Card | undefined;

  constructor(actions: ExtrasActions) {
    this.#actions = actions;
  }

  show(conflict: ConflictView, extra: Extra | undefined, chosen: 'ai' | 'edit' | undefined, isBusy: boolean): void {
    const { proposal, draft } = extra ?? {};
    // The note of a running request changes often; the card around it must not flicker or lose the focus.
    const key = JSON.stringify([conflict.key, conflict.fingerprint, proposal, draft]);
    if (key !== this.#shown) {
      const hadFocus = this.root.contains(document.activeElement);
      this.#shown = key;
      this.#draft = draft === undefined ? undefined : this.#makeDraft(conflict, draft);
      this.#proposal = proposal === undefined ? undefined : this.#makeProposal(conflict, proposal);
      this.root.replaceChildren(...[this.#draft, this.#proposal].flatMap((card) => card?.root ?? []));
      this.root.hidden = draft === undefined && proposal === undefined;
      if (hadFocus) this.root.querySelector('button')?.focus();
    }
    showChosen(this.#draft, chosen === 'edit', isBusy);
    showChosen(this.#proposal, chosen === 'ai', isBusy);
  }

  #makeDraft(conflict: ConflictView, draft: DraftView): Card {
    const chooser = button({
      label: 'Use Your Edit',
      icon: 'check',
      kind: 'secondary',
      onClick: () => this.#actions.chooseDraft(),
    });
    const isUsable = draft.problem === undefined;
    return makeCard({
      heading: 'Your edit',
      content: [
        markedText(conflict, draft.text, 'Your edit'),
        isUsable ? undefined : element('p', { class: 'problem' }, icon('error'), element('span', {}, draft.problem)),
      ],
      chooser: isUsable ? chooser : undefined,
      more: [button({ label: 'Edit Again', kind: 'secondary', onClick: () => this.#actions.edit() })],
    });
  }

  #makeProposal(conflict: ConflictView, proposal: ProposalView): Card {
    const again = button({ label: 'Ask Again', kind: 'secondary', onClick: () => this.#actions.ask() });
    const sent = button({ label: 'What Is Sent', kind: 'link', onClick: () => this.#actions.showRequest() });
    switch (proposal.state) {
      case 'asking':
        return makeCard({
          heading: 'AI proposal',
          content: [element('p', { class: 'asking' }, icon('loading'), element('span', {}, proposal.note))],
          more: [button({ label: 'Cancel', kind: 'secondary', onClick: () => this.#actions.cancelAsk() })],
        });
      case 'failed':
        return makeCard({
          heading: 'AI proposal',
          content: [element('p', { class: 'problem' }, icon('warning'), element('span', {}, proposal.sentence))],
          more: [again, sent],
        });
      case 'declined':
        return makeCard({
          heading: 'AI proposal: none',
          note: proposal.by,
          content: [element('p', { class: 'reason' }, proposal.reason)],
          more: [again, sent],
        });
      case 'ready':
        return makeCard({
          heading: `AI proposal: ${proposal.title}`,
          note: `${confidenceWords[proposal.confidence]} · ${proposal.by}`,
          content: [
            element('p', { class: 'reason' }, proposal.reason),
            proposal.text === undefined ? undefined : markedText(conflict, proposal.text, 'AI proposal'),
            checkList(proposal.checks),
          ],
          chooser: proposal.canTake
            ? button({
                label: 'Take Proposal',
                icon: 'check',
                kind: 'secondary',
                shortcut: '4',
                title: 'Take Proposal (4)',
                onClick: () => this.#actions.chooseProposal(),
              })
            : undefined,
          more: [again, sent],
        });
    }
  }
}

interface Card {
  readonly root: HTMLElement;
  readonly chooser: HTMLButtonElement | undefined;
}

interface CardOptions {
  readonly heading: string;
  readonly note?: string;
  readonly content: readonly (HTMLElement | undefined)[];
  /** Undefined where it cannot be chosen. */
  readonly chooser?: HTMLButtonElement | undefined;
  readonly more: readonly HTMLElement[];
}

const confidenceWords = {
  high: 'sure of it',
  medium: 'fairly sure',
  low: 'not sure',
} as const;

function makeCard({ heading, note, content, chooser, more }: CardOptions): Card {
  const root = element(
    'article',
    { class: 'side extra' },
    element(
      'div',
      { class: 'side-header' },
      element('h3', {}, heading, note === undefined ? undefined : element('span', { class: 'side-note' }, note)),
    ),
    element('div', { class: 'extra-content' }, ...content),
    element('div', { class: 'side-actions' }, chooser, ...more),
  );
  chooser?.classList.add('chooser');
  return { root, chooser };
}

function showChosen(card: Card | undefined, isChosen: boolean, isBusy: boolean): void {
  card?.root.classList.toggle('is-chosen', isChosen);
  if (card?.chooser === undefined) return;
  card.chooser.setAttribute('aria-pressed', String(isChosen));
  card.chooser.disabled = isBusy;
}

/** A text with what differs from the common base marked, or from yours where there is none. */
function markedText(conflict: ConflictView, text: string, label: string): HTMLElement {
  const other = conflict.base ?? conflict.ours ?? conflict.theirs;
  const segments = other === undefined ? [{ text, isChanged: false }] : diffWords(other, text).after;
  return element(
    'div',
    { class: 'side-text', role: 'region', tabindex: '0', 'aria-label': label },
    codeBlock(segments),
  );
}

/** Failed ones first: they are what has to be read. */
function checkList(checks: readonly CheckView[]): HTMLElement {
  const order = { failed: 0, passed: 1, skipped: 2 };
  const look = { failed: 'error', passed: 'pass', skipped: 'circle-slash' };
  const words = { failed: 'Failed', passed: 'Passed', skipped: 'Not asked' };
  const sorted = [...checks].sort((a, b) => order[a.outcome] - order[b.outcome]);
  return element(
    'ul',
    { class: 'checks', 'aria-label': 'Checks' },
    ...sorted.map(({ outcome, sentence }) =>
      element(
        'li',
        { class: `check is-${outcome}` },
        icon(look[outcome]),
        element('span', { class: 'only-read' }, `${words[outcome]}: `),
        element('span', {}, sentence),
      ),
    ),
  );
}
