import type { Choice, ConflictView, DiffSides } from '../../protocol/conflictPanel.ts';
import { codeBlock } from './codeView.ts';
import { button, element, icon, setAttributes } from './dom.ts';
import { ExtrasView } from './extrasView.ts';
import type { PanelState } from './panelState.ts';
import { decisionsToApply, decisionsToPreview, partnersOf, selectedConflict } from './panelState.ts';
import { exactTime, relativeTime } from '../../core/relativeTime.ts';
import type { Segment } from './wordDiff.ts';
import { diffWords, uniteSegments } from './wordDiff.ts';

export interface DetailActions {
  choose(choice: Choice): void;
  apply(): void;
  skip(): void;
  edit(): void;
  ask(): void;
  cancelAsk(): void;
  showRequest(): void;
  preview(): void;
  select(key: string): void;
  openDiff(sides: DiffSides): void;
  openFile(): void;
}

/** Further ones are in the list. */
const MAX_PARTNERS = 4;

interface Side {
  readonly root: HTMLElement;
  readonly chooser: HTMLButtonElement | undefined;
}

/** The right side: one conflict with its three texts and what can be done with it. Built anew for another conflict only. */
export class DetailView {
  readonly root = element('section', { class: 'detail', 'aria-label': 'Selected conflict' });
  readonly #actions: DetailActions;
  #shown: string | undefined;
  #sides: Partial<Record<Choice, Side>> = {};
  #apply: HTMLButtonElement | undefined;
  #both: HTMLButtonElement | undefined;
  #ask: HTMLButtonElement | undefined;
  #preview: HTMLButtonElement | undefined;
  #extras: ExtrasView | undefined;
  #time: HTMLElement | undefined;
  #hint: HTMLElement | undefined;

  constructor(actions: DetailActions) {
    this.#actions = actions;
  }

  show(state: PanelState): void {
    const conflict = selectedConflict(state);
    const partners = conflict === undefined ? [] : partnersOf(state, conflict);
    const shown =
      conflict === undefined
        ? undefined
        : JSON.stringify([conflict.key, conflict.fingerprint, conflict.theirsName, partners.map(({ key }) => key)]);
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#build(conflict, partners);
    }
    if (conflict === undefined) return;
    const choice = state.decisions.get(conflict.key)?.choice;
    for (const name of ['ours', 'theirs'] as const) this.#showChosen(name, choice === name, state.isBusy);
    setAttributes(this.root, { 'aria-busy': state.isBusy ? 'true' : undefined });
    const isChosen = decisionsToApply(state, 'selected').length > 0;
    if (this.#apply !== undefined) this.#apply.disabled = !isChosen;
    if (this.#hint !== undefined && !state.isBusy)
      this.#hint.textContent = isChosen ? 'Nothing changes until you apply.' : 'Choose a version, then apply it.';
    if (this.#preview !== undefined) this.#preview.disabled = decisionsToPreview(state).length === 0;
    if (this.#ask !== undefined) this.#ask.disabled = state.isAsking;
    this.#both?.setAttribute('aria-pressed', String(choice === 'both'));
    this.#extras?.show(
      conflict,
      state.extras.get(conflict.key),
      choice === 'ai' || choice === 'edit' ? choice : undefined,
      state.isBusy,
    );
    this.tick(conflict);
  }

  /** Lets "5 minutes ago" grow older. */
  tick(conflict: ConflictView | undefined): void {
    if (this.#time === undefined || conflict?.theirsAt === undefined) return;
    this.#time.textContent = relativeTime(conflict.theirsAt, Date.now());
  }

  #build(conflict: ConflictView | undefined, partners: readonly ConflictView[]): void {
    this.#sides = {};
    this.#both = undefined;
    this.#extras = undefined;
    this.#apply = undefined;
    this.#time = undefined;
    this.#hint = undefined;
    if (conflict === undefined) {
      this.root.replaceChildren();
      return;
    }
    const texts = markedTexts(conflict);
    const compare = (sides: DiffSides, label: string): HTMLButtonElement | undefined =>
      conflict.base === undefined
        ? undefined
        : button({ label, icon: 'git-compare', kind: 'icon', onClick: () => this.#actions.openDiff(sides) });
    const ours = makeSide({
      name: 'Yours',
      note: conflict.ours === conflict.base ? 'not changed' : 'in your file now',
      segments: texts.ours,
      absent: 'You deleted this.',
      compare: compare('baseOurs', 'Compare Yours with the Base'),
      chooser: { label: 'Keep Yours', shortcut: '1', onClick: () => this.#actions.choose('ours') },
    });
    const theirs = makeSide({
      name: `From ${conflict.theirsName}`,
      note: conflict.theirs === conflict.base ? 'not changed' : '',
      segments: texts.theirs,
      absent: `${conflict.theirsName} deleted this.`,
      compare: compare('baseTheirs', 'Compare Theirs with the Base'),
      chooser: { label: 'Take Theirs', shortcut: '2', onClick: () => this.#actions.choose('theirs') },
    });
    const base = makeSide({
      name: 'Base',
      note: 'before both changes',
      segments: texts.base,
      absent: 'It did not exist.',
    });
    this.#sides = { ours, theirs };
    this.#apply = button({
      label: 'Apply',
      title: 'Apply what you chose here (Enter)',
      kind: 'primary',
      shortcut: 'Enter',
      onClick: () => this.#actions.apply(),
    });
    this.#extras = new ExtrasView({
      ...this.#actions,
      chooseProposal: () => this.#actions.choose('ai'),
      chooseDraft: () => this.#actions.choose('edit'),
    });
    this.#hint = element('span', { class: 'hint' });
    this.root.replaceChildren(
      this.#header(conflict, partners),
      element(
        'div',
        { class: 'texts' },
        element('div', { class: 'sides' }, ours.root, theirs.root, base.root),
        this.#extras.root,
      ),
      element('footer', { class: 'detail-actions' }, this.#apply, ...this.#moreChoices(conflict), this.#hint),
    );
    showFirstMarks(this.root);
  }

  #moreChoices(conflict: ConflictView): readonly HTMLElement[] {
    const secondary = (label: string, title: string, shortcut: string, onClick: () => void): HTMLButtonElement =>
      button({ label, title: `${title} (${shortcut})`, kind: 'secondary', shortcut, onClick });
    this.#both = conflict.canTakeBoth
      ? secondary('Take Both', 'Keep what both added', '3', () => this.#actions.choose('both'))
      : undefined;
    this.#both?.classList.add('toggle');
    this.#ask = secondary('Ask AI', 'Let an AI propose something; you decide', 'A', () => this.#actions.ask());
    this.#preview = secondary('Preview', 'Compare the file with what your choices make of it', 'P', () =>
      this.#actions.preview(),
    );
    return [
      ...(this.#both === undefined ? [] : [this.#both]),
      secondary('Edit…', 'Write it yourself', 'E', () => this.#actions.edit()),
      this.#ask,
      secondary('Skip', 'Leave it for later', 'S', () => this.#actions.skip()),
      this.#preview,
      secondary('Open Diff', 'Compare yours with theirs in an editor', 'D', () => this.#actions.openDiff('oursTheirs')),
    ];
  }

  #header(conflict: ConflictView, partners: readonly ConflictView[]): HTMLElement {
    const facts = element('p', { class: 'facts' }, element('span', {}, conflict.kindText));
    if (conflict.theirsAt !== undefined) {
      this.#time = element('time', {
        title: exactTime(conflict.theirsAt),
        datetime: new Date(conflict.theirsAt).toISOString(),
      });
      facts.append(this.#time);
    }
    facts.append(
      button({
        label: conflict.documentName,
        title: 'Go to this place in the file',
        kind: 'link',
        onClick: () => this.#actions.openFile(),
      }),
    );
    return element(
      'header',
      { class: 'detail-header' },
      element('h2', {}, conflict.label),
      facts,
      conflict.explanation === undefined
        ? undefined
        : element('p', { class: 'explanation' }, icon('info'), element('span', {}, conflict.explanation)),
      partners.length === 0 ? undefined : this.#partners(partners),
    );
  }

  #partners(partners: readonly ConflictView[]): HTMLElement {
    const links = partners
      .slice(0, MAX_PARTNERS)
      .map(({ key, label }) => button({ label, kind: 'link', onClick: () => this.#actions.select(key) }));
    const more = partners.length - links.length;
    return element(
      'p',
      { class: 'partners' },
      element('span', {}, 'Decided together with'),
      ...links,
      more === 0 ? undefined : element('span', {}, `${String(more)} more`),
    );
  }

  #showChosen(name: Choice, isChosen: boolean, isBusy: boolean): void {
    const side = this.#sides[name];
    side?.root.classList.toggle('is-chosen', isChosen);
    if (side?.chooser === undefined) return;
    side.chooser.setAttribute('aria-pressed', String(isChosen));
    side.chooser.disabled = isBusy;
  }
}

interface SideOptions {
  readonly name: string;
  readonly note: string;
  /** Undefined where the element does not exist on this side. */
  readonly segments: readonly Segment[] | undefined;
  readonly absent: string;
  readonly compare?: HTMLButtonElement | undefined;
  readonly chooser?: { readonly label: string; readonly shortcut: string; readonly onClick: () => void };
}

function makeSide(options: SideOptions): Side {
  const content =
    options.segments === undefined ? element('p', { class: 'absent' }, options.absent) : codeBlock(options.segments);
  const chooser =
    options.chooser === undefined
      ? undefined
      : button({
          ...options.chooser,
          icon: 'check',
          kind: 'secondary',
          title: `${options.chooser.label} (${options.chooser.shortcut})`,
        });
  chooser?.classList.add('chooser');
  const root = element(
    'article',
    { class: `side${options.chooser === undefined ? ' base' : ''}` },
    element(
      'div',
      { class: 'side-header' },
      element(
        'h3',
        {},
        options.name,
        options.note === '' ? undefined : element('span', { class: 'side-note' }, options.note),
      ),
      options.compare,
    ),
    // Long lines and long elements scroll here, also by keyboard.
    element('div', { class: 'side-text', role: 'region', tabindex: '0', 'aria-label': options.name }, content),
    chooser === undefined ? undefined : element('div', { class: 'side-actions' }, chooser),
  );
  return { root, chooser };
}

/** Scrolls what is too long to be seen whole to the first difference. */
function showFirstMarks(root: HTMLElement): void {
  for (const text of root.querySelectorAll<HTMLElement>('.side-text')) {
    const mark = text.querySelector('mark');
    if (mark === null || text.scrollHeight <= text.clientHeight) continue;
    const distance = mark.getBoundingClientRect().top - text.getBoundingClientRect().top;
    text.scrollTop = Math.max(0, distance - text.clientHeight / 3);
  }
}

/** The three texts with what differs from the base marked; without a base, what differs between the two sides. */
function markedTexts(conflict: ConflictView): Record<'base' | 'ours' | 'theirs', readonly Segment[] | undefined> {
  const { base, ours, theirs } = conflict;
  if (base === undefined) {
    if (ours === undefined || theirs === undefined)
      return { base: undefined, ours: whole(ours), theirs: whole(theirs) };
    const words = diffWords(ours, theirs);
    return { base: undefined, ours: words.before, theirs: words.after };
  }
  const toOurs = ours === undefined ? undefined : diffWords(base, ours);
  const toTheirs = theirs === undefined ? undefined : diffWords(base, theirs);
  const plain = [{ text: base, isChanged: false }];
  return {
    base: uniteSegments(toOurs?.before ?? plain, toTheirs?.before ?? plain),
    ours: toOurs?.after,
    theirs: toTheirs?.after,
  };
}

function whole(text: string | undefined): readonly Segment[] | undefined {
  return text === undefined ? undefined : [{ text, isChanged: false }];
}
