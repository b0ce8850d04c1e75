import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { SyncResult, SyncStatus } from './liveSyncService.ts';
import type { SourceAttempt } from './sourceAttempt.ts';

/** What a shared source shows where another window runs it. */
export function atLeader(
  { sourceId, config, lastSyncAt, lastChangeAt }: SyncStatus,
  leaderName: string | undefined,
): SyncStatus {
  const name = leaderName === undefined ? {} : { leaderName };
  const nothing = { changes: [], conflictCount: 0, durationMs: undefined };
  return { sourceId, config, state: 'atLeader', lastSyncAt, lastChangeAt, ...nothing, ...name };
}

/** What a source shows before it was asked for the first time. */
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

/** What whoever waited for an attempt is told. */
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

/** The same where there was no attempt. */
export function failedResult(sourceId: string, problem: UserProblem): SyncResult {
  return { sourceId, kind: 'failed', changes: [], conflictCount: 0, durationMs: 0, problem };
}
