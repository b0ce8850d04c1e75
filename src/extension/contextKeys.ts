import type { FolderStatus } from '../peer/folderSession.ts';
import type { ContextKey } from './commandTable.ts';
import { contextKeys } from './commandTable.ts';
import { canForget, canKeepInStep, canStart, canStop } from './folderConditions.ts';

interface FolderFacts {
  readonly status: FolderStatus;
  readonly canUndoResolution: boolean;
}

/** What the live sources of all folders are doing. */
export interface SourceFacts {
  readonly runningCount: number;
  readonly pausedCount: number;
  readonly toAllowCount: number;
}

/** The value of every context key, from what the folders and their sources are doing. */
export function contextKeyValues(
  isReady: boolean,
  folders: readonly FolderFacts[],
  sources: SourceFacts,
): ReadonlyMap<ContextKey, boolean> {
  const has = (test: (status: FolderStatus) => boolean): boolean => folders.some((folder) => test(folder.status));
  return new Map<ContextKey, boolean>([
    [contextKeys.isReady, isReady],
    [contextKeys.canKeepInStep, has(canKeepInStep)],
    [contextKeys.hasConsent, has((status) => status.hasConsent)],
    [contextKeys.canForget, has(canForget)],
    [contextKeys.canStart, has(canStart)],
    [contextKeys.canStop, has(canStop)],
    [contextKeys.canPause, has((status) => status.phase === 'running')],
    [contextKeys.canResume, has((status) => status.phase === 'paused')],
    [contextKeys.hasConflicts, has((status) => status.conflictCount > 0)],
    [contextKeys.hasWaiting, has((status) => status.documents.some((document) => document.state === 'waiting'))],
    [contextKeys.hasSources, sources.runningCount + sources.pausedCount > 0],
    [contextKeys.canPauseSources, sources.runningCount > 0],
    [contextKeys.canResumeSources, sources.pausedCount > 0],
    [contextKeys.hasSourcesToAllow, sources.toAllowCount > 0],
    [contextKeys.canUndoResolution, folders.some((folder) => folder.canUndoResolution)],
  ]);
}
