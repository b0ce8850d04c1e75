import type { FolderStatus } from '../peer/folderSession.ts';

/** The worst first: what needs a person comes before what only takes time. */
const severity = [
  'failed',
  'held',
  'unwritable',
  'invalid',
  'missing',
  'misnamed',
  'behind',
  'waiting',
  'offline',
  'observing',
  'paused',
  'starting',
  'syncing',
  'inStep',
  'attached',
  'asleep',
] as const;

/** What a folder or a document is doing, as far as a person has to know at a glance. */
export type ShownState = (typeof severity)[number];

const ranks: ReadonlyMap<ShownState, number> = new Map(severity.map((state, rank) => [state, rank]));

/** The worst first: for sorting. */
export function bySeverity(a: ShownState, b: ShownState): number {
  return rankOf(a) - rankOf(b);
}

/** The worst of some; undefined of none. */
export function worstOf(states: Iterable<ShownState>): ShownState | undefined {
  let worst: ShownState | undefined;
  for (const state of states) if (worst === undefined || rankOf(state) < rankOf(worst)) worst = state;
  return worst;
}

/** The worst of what a folder and its documents are doing. */
export function folderState(status: FolderStatus): ShownState {
  if (status.phase === 'failed' || status.phase === 'asleep') return status.phase;
  const own = phaseState(status);
  return worstOf([own, ...status.documents.map(({ state }) => state)]) ?? own;
}

function phaseState(status: FolderStatus): ShownState {
  if (status.conflictCount > 0) return 'held';
  if (status.phase === 'running') {
    if (status.connection === 'offline') return 'offline';
    if (status.connection === 'connecting') return 'starting';
    // Documents that are still to come are not in the list yet.
    return status.isCaughtUp ? 'inStep' : 'syncing';
  }
  return status.phase;
}

function rankOf(state: ShownState): number {
  return ranks.get(state) ?? severity.length;
}
