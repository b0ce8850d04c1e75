import type { UserProblem } from '../core/workingFiles.ts';

/** Why a folder could not be served, for a person; an error that the system raised is for the log. */
export function servingProblem(error: unknown): UserProblem {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'not-started';
  if (code === 'library-missing') {
    const message = 'The library of this folder is not on this machine any more.';
    return { code, message, remedy: 'Choose "Leave", then "Keep in Step" or "Join…".' };
  }
  const isOurs = error instanceof Error && /^[a-z-]+$/.test(code) && code !== 'not-started';
  const message = isOurs ? error.message : 'Keeping in step could not be started.';
  return { code, message, remedy: 'See the log; choose "Start" to try again.' };
}
