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

/** @param file the name that the damaged one has now. */
export function statePutAside(folder: string, file: string): UserProblem {
  return {
    code: 'state-put-aside',
    message: `What was remembered of ${folder} was damaged, and its files meet the library anew.`,
    remedy: `Nothing in them is lost: you are asked where they differ. The damaged file is kept as ${file}.`,
  };
}

/** The same of the library's log. */
export function logPutAside(folder: string, file: string): UserProblem {
  return {
    code: 'log-put-aside',
    message: `The history of the library of ${folder} was damaged, and begins anew with the files of its folders.`,
    remedy: `Nothing in them is lost. The damaged file is kept as ${file}.`,
  };
}
