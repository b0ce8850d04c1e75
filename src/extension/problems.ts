import type { UserProblem } from '../peer/folderSession.ts';

/** A problem as a person reads it: what happened, what to do, and the code to search for. */
export function problemSentence(problem: UserProblem): string {
  return [problem.message, problem.remedy, `[${problem.code}]`]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

/** The problems that the extension itself can have; a peer brings its own. */
export const problems = {
  sqliteMissing: (nodeVersion: string): UserProblem => ({
    code: 'sqlite-missing',
    message: `This editor's Node (${nodeVersion}) has no SQLite, which API Live Sync needs.`,
    remedy: 'Update the editor to VS Code 1.103 or newer.',
  }),
  peerNotLoaded: (): UserProblem => ({
    code: 'peer-not-loaded',
    message: 'API Live Sync could not be started.',
    remedy: 'Reload the window; if that does not help, install the extension again.',
  }),
  folderNotOpened: (folderName: string): UserProblem => ({
    code: 'folder-not-opened',
    message: `API Live Sync could not be started for ${folderName}.`,
    remedy: 'Reload the window to try again.',
  }),
  unexpected: (): UserProblem => ({
    code: 'unexpected',
    message: 'API Live Sync could not do that.',
    remedy: 'The log says more.',
  }),
  saveFailed: (fileName: string): UserProblem => ({
    code: 'save-failed',
    message: `The editor could not save ${fileName}.`,
    remedy: 'Save it yourself, or look whether the file may be written.',
  }),
} as const;
