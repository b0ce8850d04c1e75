import type {
  Choice,
  ConflictView,
  Decision,
  DraftView,
  ExtrasMessage,
  OutcomeMessage,
  ProposalView,
  SavedPanelState,
  StateMessage,
} from '../../protocol/conflictPanel.ts';

/** What came of asking an AI, and what the person wrote themself. */
export interface Extra {
  readonly proposal?: ProposalView | undefined;
  readonly draft?: DraftView | undefined;
}

/** Everything that the panel shows; each event makes a new one. */
export interface PanelState {
  readonly isReady: boolean;
  readonly emptyText: string;
  readonly canUndo: boolean;
  readonly conflicts: readonly ConflictView[];
  readonly selectedKey: string | undefined;
  /** What was chosen and not applied yet, by key. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** By key. */
  readonly extras: ReadonlyMap<string, Extra>;
  /** Whether the extras were told since the page was loaded. */
  readonly hasExtras: boolean;
  /** An AI is being asked. */
  readonly isAsking: boolean;
  /** Something was applied or undone and is not answered yet. */
  readonly isBusy: boolean;
  /** A choice was taken back: what it settled comes back with one of the next messages. */
  readonly isUndoing: boolean;
  /** What was applied and is not answered yet, by key. */
  readonly sent: ReadonlySet<string>;
  /** The line below the title; also what a screen reader says. */
  readonly note: { readonly text: string; readonly isProblem: boolean } | undefined;
}

/** Before the first message, with what was kept from before a reload. */
export function initialState(saved: SavedPanelState): PanelState {
  return {
    isReady: false,
    emptyText: '',
    canUndo: false,
    conflicts: [],
    selectedKey: saved.selectedKey,
    decisions: new Map(saved.decisions.map((decision) => [decision.key, decision])),
    extras: new Map(),
    hasExtras: false,
    isAsking: false,
    isBusy: false,
    isUndoing: false,
    sent: new Set(),
    note: undefined,
  };
}

/** What is kept over a reload. */
export function toSavedState(state: PanelState): SavedPanelState {
  const decisions = [...state.decisions.values()];
  return state.selectedKey === undefined ? { decisions } : { selectedKey: state.selectedKey, decisions };
}

/**
 * The conflicts as they are now. A choice is dropped where its texts changed: it was made for other ones. It is kept where
 * the conflict is not there now: if it comes back with the same texts (a folder is opened again, a merge runs anew), the
 * choice is still the person's.
 */
export function receiveState(state: PanelState, message: StateMessage): PanelState {
  const fingerprints = new Map(message.conflicts.map((conflict) => [conflict.key, conflict.fingerprint]));
  const isKept = ({ key, fingerprint }: Decision): boolean => (fingerprints.get(key) ?? fingerprint) === fingerprint;
  const decisions = new Map([...state.decisions].filter(([, decision]) => isKept(decision)));
  const known = new Set(state.conflicts.map(({ key }) => key));
  // What Undo brings back is what the person wants to see, and no news to them.
  const back = state.isUndoing ? message.conflicts.find(({ key }) => !known.has(key))?.key : undefined;
  return {
    ...state,
    isReady: message.isReady,
    emptyText: message.emptyText,
    canUndo: message.canUndo,
    conflicts: message.conflicts,
    decisions,
    selectedKey: message.isReady ? (back ?? selectedAfter(state, message.conflicts)) : state.selectedKey,
    isUndoing: state.isUndoing && back === undefined,
    note: (back === undefined ? noteAfter(state, message) : undefined) ?? state.note,
  };
}

/** Proposals and edits as they are now. A choice for one that is not there, or cannot be taken, is none. */
export function receiveExtras(state: PanelState, message: ExtrasMessage): PanelState {
  const extras = new Map(message.extras.map(({ key, proposal, draft }): [string, Extra] => [key, { proposal, draft }]));
  const shown = new Set(state.conflicts.map(({ key }) => key));
  const isKept = ({ key, choice }: Decision): boolean => !shown.has(key) || canChoose(extras.get(key), choice);
  const decisions = new Map([...state.decisions].filter(([, decision]) => isKept(decision)));
  // What the person has just saved is what they want.
  for (const { key, fingerprint } of state.conflicts) {
    const [before, now] = [state.extras.get(key)?.draft, extras.get(key)?.draft];
    const isNew = now !== undefined && now.problem === undefined && now.text !== before?.text;
    if (isNew && state.hasExtras) decisions.set(key, { key, fingerprint, choice: 'edit' });
  }
  const answered = state.isAsking && !message.isAsking ? information(proposalsText(extras)) : state.note;
  const note = message.isAsking && !state.isAsking ? undefined : answered;
  return { ...state, extras, hasExtras: true, isAsking: message.isAsking, decisions, note };
}

/** Whether a choice means something for a conflict with these extras. */
function canChoose(extra: Extra | undefined, choice: Choice): boolean {
  if (choice === 'ai') return extra?.proposal?.state === 'ready' && extra.proposal.canTake;
  if (choice === 'edit') return extra?.draft !== undefined && extra.draft.problem === undefined;
  return true;
}

function proposalsText(extras: ReadonlyMap<string, Extra>): string {
  const proposals = [...extras.values()].flatMap(({ proposal }) => proposal ?? []);
  const good = proposals.filter((proposal) => proposal.state === 'ready' && proposal.canTake).length;
  if (good === 0) return 'There is no proposal that could be taken.';
  return `${plural(good, 'proposal')} to look at. Nothing is applied before you do.`;
}

/** The answer to Apply or Undo. */
export function receiveOutcome(state: PanelState, message: OutcomeMessage): PanelState {
  const left = state.conflicts.length;
  const rest =
    message.isDone && message.sentence !== '' && left > 0 && !state.isUndoing
      ? ` ${left === 1 ? '1 is' : `${left.toLocaleString('en-US')} are`} left.`
      : '';
  // What was settled is not chosen any more, should Undo bring it back.
  const isOpen = (key: string): boolean => !message.isDone && state.conflicts.some((conflict) => conflict.key === key);
  const decisions = new Map([...state.decisions].filter(([key]) => !state.sent.has(key) || isOpen(key)));
  const note = message.sentence === '' ? state.note : { text: message.sentence + rest, isProblem: !message.isDone };
  return { ...state, decisions, isBusy: false, isUndoing: state.isUndoing && message.isDone, sent: new Set(), note };
}

/**
 * Chooses something for a conflict, without applying it; the same choice again takes it back. What belongs together is
 * decided alike, as far as the same can be chosen there.
 */
export function choose(state: PanelState, key: string, choice: Choice): PanelState {
  const conflict = state.conflicts.find((one) => one.key === key);
  if (conflict === undefined || state.isBusy || !isOffered(state, conflict, choice)) return state;
  const decisions = new Map(state.decisions);
  const isTakenBack = decisions.get(key)?.choice === choice;
  const alike = choice === 'edit' ? [conflict] : [conflict, ...partnersOf(state, conflict)];
  for (const one of alike) {
    if (isTakenBack) decisions.delete(one.key);
    else if (isOffered(state, one, choice))
      decisions.set(one.key, { key: one.key, fingerprint: one.fingerprint, choice });
  }
  return { ...state, decisions, isUndoing: false, note: undefined };
}

/** Whether a choice can be made for a conflict now. */
export function isOffered(state: PanelState, conflict: ConflictView, choice: Choice): boolean {
  return choice === 'both' ? conflict.canTakeBoth : canChoose(state.extras.get(conflict.key), choice);
}

/** The other conflicts that are decided together with one. */
export function partnersOf(state: PanelState, conflict: ConflictView): readonly ConflictView[] {
  const { groupKey, key } = conflict;
  if (groupKey === undefined) return [];
  return state.conflicts.filter((one) => one.groupKey === groupKey && one.key !== key);
}

/** Leaves a conflict undecided and goes on to the next one that is. */
export function skip(state: PanelState): PanelState {
  const at = state.conflicts.findIndex(({ key }) => key === state.selectedKey);
  const current = state.conflicts[at];
  if (current === undefined || state.isBusy) return state;
  const decisions = new Map(state.decisions);
  for (const { key } of [current, ...partnersOf(state, current)]) decisions.delete(key);
  const order = [...state.conflicts.slice(at + 1), ...state.conflicts.slice(0, at)];
  const next = order.find(({ key }) => !decisions.has(key)) ?? order[0];
  return { ...state, decisions, selectedKey: next?.key ?? current.key, note: undefined };
}

export function select(state: PanelState, key: string): PanelState {
  return state.conflicts.some((conflict) => conflict.key === key)
    ? { ...state, selectedKey: key, isUndoing: false }
    : state;
}

/** Goes on by some places; stops at the ends. */
export function selectBy(state: PanelState, delta: number): PanelState {
  const at = state.conflicts.findIndex((conflict) => conflict.key === state.selectedKey);
  const next = state.conflicts[Math.min(Math.max(at + delta, 0), state.conflicts.length - 1)];
  return next === undefined ? state : { ...state, selectedKey: next.key, isUndoing: false };
}

/** What Apply sends: the selected conflict's choice, or all choices. */
export function decisionsToApply(state: PanelState, which: 'selected' | 'all'): readonly Decision[] {
  if (state.isBusy) return [];
  if (which === 'all') return state.conflicts.flatMap((conflict) => state.decisions.get(conflict.key) ?? []);
  const conflict = selectedConflict(state);
  if (conflict === undefined || !state.decisions.has(conflict.key)) return [];
  return [conflict, ...partnersOf(state, conflict)].flatMap(({ key }) => state.decisions.get(key) ?? []);
}

/** What is chosen in a document. */
export function decisionsOf(state: PanelState, documentKey: string): readonly Decision[] {
  return state.conflicts.flatMap((conflict) =>
    conflict.documentKey === documentKey ? (state.decisions.get(conflict.key) ?? []) : [],
  );
}

/** What a preview shows: all that is chosen in the selected conflict's document. */
export function decisionsToPreview(state: PanelState): readonly Decision[] {
  const documentKey = selectedConflict(state)?.documentKey;
  return documentKey === undefined ? [] : decisionsOf(state, documentKey);
}

/** Whom an AI can be asked about: all that nothing is chosen for and no proposal is there for. */
export function keysToAsk(state: PanelState): readonly string[] {
  return state.conflicts.flatMap(({ key }) =>
    state.decisions.has(key) || state.extras.get(key)?.proposal?.state === 'ready' ? [] : [key],
  );
}

/** Waits for the answer to Apply with these decisions. */
export function startWork(state: PanelState, decisions: readonly Decision[]): PanelState {
  const sent = new Set(decisions.map((decision) => decision.key));
  return { ...state, isBusy: true, isUndoing: false, sent, note: undefined };
}

/** Waits for the answer to Undo. */
export function startUndo(state: PanelState): PanelState {
  return { ...startWork(state, []), isUndoing: true };
}

export function selectedConflict(state: PanelState): ConflictView | undefined {
  return state.conflicts.find((conflict) => conflict.key === state.selectedKey);
}

/** "3 conflicts in 2 documents" */
export function counterText(state: PanelState): string {
  const { conflicts } = state;
  const documents = new Set(conflicts.map((conflict) => conflict.documentKey)).size;
  if (conflicts.length === 0) return 'No conflicts';
  return `${plural(conflicts.length, 'conflict')} in ${plural(documents, 'document')}`;
}

/** "2 of 3 chosen" */
export function progressText(state: PanelState): string {
  const chosen = decisionsToApply({ ...state, isBusy: false }, 'all').length;
  return chosen === 0
    ? ''
    : `${chosen.toLocaleString('en-US')} of ${state.conflicts.length.toLocaleString('en-US')} chosen`;
}

/** Stays where it was; where that conflict is gone, goes to the one that took its place. */
function selectedAfter(state: PanelState, conflicts: readonly ConflictView[]): string | undefined {
  if (conflicts.some((conflict) => conflict.key === state.selectedKey)) return state.selectedKey;
  const at = state.conflicts.findIndex((conflict) => conflict.key === state.selectedKey);
  const stillThere = new Set(conflicts.map((conflict) => conflict.key));
  const following = state.conflicts.slice(Math.max(at, 0)).find((conflict) => stillThere.has(conflict.key));
  return following?.key ?? (at > 0 ? conflicts.at(-1)?.key : conflicts[0]?.key);
}

/** What came while the panel was open, in words; what the person did themself is said by its outcome. */
function noteAfter(state: PanelState, message: StateMessage): PanelState['note'] {
  if (!state.isReady || !message.isReady || state.isBusy) return undefined;
  const before = new Map(state.conflicts.map((conflict) => [conflict.key, conflict]));
  const dropped = message.conflicts.find((conflict) => {
    const decision = state.decisions.get(conflict.key);
    return decision !== undefined && decision.fingerprint !== conflict.fingerprint;
  });
  if (dropped !== undefined) return information(`${dropped.label} has changed meanwhile: choose again.`);
  const added = message.conflicts.filter((conflict) => !before.has(conflict.key)).length;
  const settled = state.conflicts.length + added - message.conflicts.length;
  const changed = message.conflicts.filter((conflict) => {
    const old = before.get(conflict.key);
    return old !== undefined && old.fingerprint !== conflict.fingerprint;
  });
  const sentences = [
    added > 0 ? `${plural(added, 'new conflict')}.` : '',
    settled > 0 ? `${plural(settled, 'conflict')} settled meanwhile.` : '',
    changed.length > 0
      ? `${changed.length === 1 ? (changed[0]?.label ?? '') : plural(changed.length, 'conflict')} changed meanwhile.`
      : '',
  ].filter((sentence) => sentence !== '');
  return sentences.length === 0 ? undefined : information(sentences.join(' '));
}

function information(text: string): { text: string; isProblem: boolean } {
  return { text, isProblem: false };
}

function plural(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}
