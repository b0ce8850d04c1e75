import type { FolderStatus } from '../peer/folderSession.ts';
import type { ContextKey } from './commandTable.ts';
import { contextKeys } from './commandTable.ts';
import { canForget, canKeepInStep, canStart, canStop } from './statusBarModel.ts';

interface FolderFacts {
  readonly status: FolderStatus;
  readonly canUndoResolution: boolean;
}

/** The value of every context key, from what the folders are doing. */
export function contextKeyValues(isReady: boolean, folders: readonly FolderFacts[]): ReadonlyMap<ContextKey, boolean> {
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
    [contextKeys.canUndoResolution, folders.some((folder) => folder.canUndoResolution)],
  ]);
}
