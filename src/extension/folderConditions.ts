import type { FolderStatus } from '../peer/folderSession.ts';

/** Whether Keep in Step and Join… make sense: a folder joins on each branch by itself. */
export function canKeepInStep(status: FolderStatus): boolean {
  if (status.unjoinedBranch !== undefined) return true;
  return !status.hasConsent && (status.phase === 'asleep' || status.phase === 'failed');
}

/** Whether Start makes sense. */
export function canStart(status: FolderStatus): boolean {
  return status.hasConsent && (status.phase === 'asleep' || status.phase === 'failed');
}

/** Whether Stop and Sync Now make sense. Where another window keeps the folder in step, they are that one's. */
export function canStop(status: FolderStatus): boolean {
  return status.phase !== 'asleep' && status.phase !== 'failed' && status.phase !== 'attached';
}

/** Whether Forget This Library makes sense: while another window keeps the folder in step, it is in use. */
export function canForget(status: FolderStatus): boolean {
  return status.hasConsent && status.phase !== 'attached';
}
