import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { SyncResult, SyncStatus } from './liveSyncService.ts';
import type { SourceAttempt } from './sourceSync.ts';

export const elsewhere: UserProblem = {
  code: 'served-elsewhere',
  message: 'Another window runs the live sources of this folder.',
  remedy: 'Do it in that window.',
};

export const withLeader: UserProblem = {
  code: 'served-by-leader',
  message: 'This source is shared: the window that leads the library runs it.',
  remedy: 'Do it in that window.',
};

/** What a shared source shows where another window runs it. */
export function atLeader(
  { sourceId, config, lastSyncAt, lastChangeAt }: SyncStatus,
  leaderName: string | undefined,
): SyncStatus {
  const name = leaderName === undefined ? {} : { leaderName };
  const nothing = { changes: [], conflictCount: 0, durationMs: undefined };
  return { sourceId, config, state: 'atLeader', lastSyncAt, lastChangeAt, ...nothing, ...name };
}

export const cancelled: UserProblem = {
  code: 'cancelled',
  message: 'It was cancelled.',
  remedy: 'The file stays as it is.',
};

export const unexpected: UserProblem = {
  code: 'unexpected',
  message: 'The source could not be synced.',
  remedy: 'It is tried again; the log says more.',
};

export function newStatus(config: LiveSourceConfig): SyncStatus {
  return {
    sourceId: config.id,
    config,
    state: 'new',
    lastSyncAt: undefined,
    lastChangeAt: undefined,
    changes: [],
    conflictCount: 0,
    durationMs: undefined,
  };
}

/** What a source shows after an attempt. @param now wall clock. */
export function statusAfter(
  before: SyncStatus,
  attempt: SourceAttempt,
  conflictCount: number,
  durationMs: number,
  now: number,
): SyncStatus {
  const { sourceId, config, state, lastSyncAt, lastChangeAt, changes } = before;
  // Whatever stood in the way before is not what stands in the way now.
  const status: SyncStatus = { sourceId, config, state, lastSyncAt, lastChangeAt, changes, durationMs, conflictCount };
  switch (attempt.kind) {
    case 'failed':
    case 'waiting':
      return { ...status, state: attempt.kind, problem: attempt.problem };
    case 'changesWaiting':
      return { ...status, state: 'changesWaiting', changes: attempt.changes };
    case 'unchanged':
      return { ...status, state: restingState(conflictCount), lastSyncAt: now };
    case 'changed':
      return {
        ...status,
        state: restingState(conflictCount),
        lastSyncAt: now,
        lastChangeAt: now,
        changes: attempt.changes,
      };
  }
}

/** A choice of a person may have ended the last conflict, or undo brought it back. */
export function withConflicts(status: SyncStatus, conflictCount: number): SyncStatus {
  const isResting = status.state === 'held' || status.state === 'inStep';
  return { ...status, conflictCount, state: isResting ? restingState(conflictCount) : status.state };
}

function restingState(conflictCount: number): 'held' | 'inStep' {
  return conflictCount > 0 ? 'held' : 'inStep';
}

export function resultOf(
  sourceId: string,
  attempt: SourceAttempt,
  conflictCount: number,
  durationMs: number,
): SyncResult {
  return {
    sourceId,
    kind: attempt.kind,
    changes: 'changes' in attempt ? attempt.changes : [],
    conflictCount,
    durationMs,
    ...('problem' in attempt ? { problem: attempt.problem } : {}),
  };
}

export function failedResult(sourceId: string, problem: UserProblem): SyncResult {
  return { sourceId, kind: 'failed', changes: [], conflictCount: 0, durationMs: 0, problem };
}
