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
  /** The element's texts; one that is not there does not exist on that side. */
  base: z.optional(z.string()),
  ours: z.optional(z.string()),
  theirs: z.optional(z.string()),
  theirsName: z.string(),
  /** Milliseconds of the wall clock. */
  theirsAt: z.optional(z.number()),
});

export type ConflictView = z.infer<typeof conflictView>;
export type Choice = 'ours' | 'theirs';

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

const hostToPanel = z.discriminatedUnion('type', [stateMessage, outcomeMessage]);

export type StateMessage = z.infer<typeof stateMessage>;
export type OutcomeMessage = z.infer<typeof outcomeMessage>;
export type HostToPanel = z.infer<typeof hostToPanel>;

const decision = z.object({ key: z.string(), fingerprint: z.string(), choice: z.enum(['ours', 'theirs']) });

export type Decision = z.infer<typeof decision>;

/** More than anybody settles in one click, and still a message of bounded size. */
const MAX_DECISIONS = 10_000;

const panelToHost = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({
    type: z.literal('apply'),
    decisions: z.readonly(z.array(decision).check(z.minLength(1), z.maxLength(MAX_DECISIONS))),
  }),
  z.object({ type: z.literal('undo') }),
  z.object({ type: z.literal('openDiff'), key: z.string() }),
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
