import * as z from 'zod/mini';

/**
 * What the conflict panel and the extension say to each other. Both sides check what they receive: the panel shows
 * texts that other people wrote.
 */

const conflictKind = z.enum(['edit-edit', 'edit-delete', 'add-add', 'move-move', 'semantic']);

const conflictView = z.object({
  /** Names the conflict for as long as it is held. */
  key: z.string(),
  /** Changes with any of the three texts: a choice made for other texts does not count any more. */
  fingerprint: z.string(),
  /** What groups the list: one copy of one document. */
  documentKey: z.string(),
  documentName: z.string(),
  /** `PUT /users/{id} · response 200` */
  label: z.string(),
  kind: conflictKind,
  /** "You changed it, alice deleted it" */
  kindText: z.string(),
  explanation: z.optional(z.string()),
  /** Conflicts with the same one are decided alike: each alone would leave the document broken. */
  groupKey: z.optional(z.string()),
  canTakeBoth: z.boolean(),
  /** The element's texts; one that is not there does not exist on that side. */
  base: z.optional(z.string()),
  ours: z.optional(z.string()),
  theirs: z.optional(z.string()),
  theirsName: z.string(),
  /** Milliseconds of the wall clock. */
  theirsAt: z.optional(z.number()),
});

export type ConflictView = z.infer<typeof conflictView>;

const choice = z.enum(['ours', 'theirs', 'both', 'edit', 'ai']);
/** `edit` and `ai` stand for the text that the extension keeps: what is written never comes from the panel. */
export type Choice = z.infer<typeof choice>;

const check = z.object({ outcome: z.enum(['passed', 'failed', 'skipped']), sentence: z.string() });

const proposal = z.discriminatedUnion('state', [
  z.object({ state: z.literal('asking'), note: z.string() }),
  z.object({
    state: z.literal('ready'),
    /** "Take yours", "Take both", "A text that brings both together" */
    title: z.string(),
    /** The element as proposed, where it is a text of its own. */
    text: z.optional(z.string()),
    reason: z.string(),
    confidence: z.enum(['high', 'medium', 'low']),
    /** Who proposed it. */
    by: z.string(),
    checks: z.readonly(z.array(check)),
    /** Whether all checks are good: only then it can be chosen. */
    canTake: z.boolean(),
  }),
  z.object({ state: z.literal('declined'), reason: z.string(), by: z.string() }),
  z.object({ state: z.literal('failed'), sentence: z.string() }),
]);

export type ProposalView = z.infer<typeof proposal>;
export type CheckView = z.infer<typeof check>;

const draft = z.object({
  /** The element as the person wrote and saved it. */
  text: z.string(),
  /** Why it cannot be applied. */
  problem: z.optional(z.string()),
});

export type DraftView = z.infer<typeof draft>;

const stateMessage = z.object({
  type: z.literal('state'),
  /** False until the folders have been opened: then "no conflicts" would be a guess. */
  isReady: z.boolean(),
  /** What to say where there is nothing to settle. */
  emptyText: z.string(),
  canUndo: z.boolean(),
  conflicts: z.readonly(z.array(conflictView)),
});

const outcomeMessage = z.object({
  type: z.literal('outcome'),
  isDone: z.boolean(),
  /** One plain sentence: what was done, or why not and what to do. */
  sentence: z.string(),
});

/** What belongs to single conflicts and changes more often than they: all of it, in one message. */
const extrasMessage = z.object({
  type: z.literal('extras'),
  isAsking: z.boolean(),
  extras: z.readonly(z.array(z.object({ key: z.string(), proposal: z.optional(proposal), draft: z.optional(draft) }))),
});

/** Somebody came from a place in the file, or from a view beside. */
const selectMessage = z.object({ type: z.literal('select'), key: z.string() });

const hostToPanel = z.discriminatedUnion('type', [stateMessage, outcomeMessage, extrasMessage, selectMessage]);

export type StateMessage = z.infer<typeof stateMessage>;
export type OutcomeMessage = z.infer<typeof outcomeMessage>;
export type ExtrasMessage = z.infer<typeof extrasMessage>;
export type HostToPanel = z.infer<typeof hostToPanel>;

const decision = z.object({ key: z.string(), fingerprint: z.string(), choice });

export type Decision = z.infer<typeof decision>;

/** More than anybody settles in one click, and still a message of bounded size. */
const MAX_DECISIONS = 10_000;

const decisions = z.readonly(z.array(decision).check(z.minLength(1), z.maxLength(MAX_DECISIONS)));

/** Which two versions of an element are compared: yours with theirs, or one of them with what was there before both. */
const diffSides = z.enum(['oursTheirs', 'baseOurs', 'baseTheirs']);
export type DiffSides = z.infer<typeof diffSides>;

const panelToHost = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('apply'), decisions }),
  /** Shows what the decisions would make of the file, in the editor's difference view. */
  z.object({ type: z.literal('preview'), decisions }),
  /** Settles all conflicts of one document, after a question. */
  z.object({ type: z.literal('takeAll'), documentKey: z.string(), choice: z.enum(['ours', 'theirs']) }),
  z.object({
    type: z.literal('ask'),
    keys: z.readonly(z.array(z.string()).check(z.minLength(1), z.maxLength(MAX_DECISIONS))),
  }),
  z.object({ type: z.literal('cancelAsk') }),
  z.object({ type: z.literal('showRequest'), key: z.string() }),
  z.object({ type: z.literal('edit'), key: z.string() }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('openDiff'), key: z.string(), sides: diffSides }),
  z.object({ type: z.literal('openFile'), key: z.string() }),
]);

export type PanelToHost = z.infer<typeof panelToHost>;

/** What the panel keeps over a reload of the window. */
const savedPanelState = z.object({
  selectedKey: z.optional(z.string()),
  decisions: z.readonly(z.array(decision)),
});

export type SavedPanelState = z.infer<typeof savedPanelState>;

/** A message from the extension, or undefined where it is none. */
export function readHostToPanel(message: unknown): HostToPanel | undefined {
  return hostToPanel.safeParse(message).data;
}

/** A message from the panel, or undefined where it is none. */
export function readPanelToHost(message: unknown): PanelToHost | undefined {
  return panelToHost.safeParse(message).data;
}

/** What was kept, or nothing where it cannot be read: an older version may have written it. */
export function readSavedPanelState(state: unknown): SavedPanelState {
  return savedPanelState.safeParse(state).data ?? { decisions: [] };
}
