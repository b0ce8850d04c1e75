import type { UserProblem } from '../../core/workingFiles.ts';

/** What a person asked for was not done, and why. */
export function notDone(
  code: string,
  message: string,
  remedy?: string,
): { readonly isDone: false; readonly problem: UserProblem } {
  return { isDone: false, problem: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
}

export function fileMissing(file: string): UserProblem {
  return {
    code: 'file-missing',
    message: `${fileName(file)} is not there any more.`,
    remedy: 'Bring it back, or delete it for everybody; until then nobody else loses it.',
  };
}

export function fileBehind(file: string): UserProblem {
  return {
    code: 'file-behind',
    message: `${fileName(file)} was set back to an older version, not by typing.`,
    remedy: 'Bring the newer version back, or keep yours and send it.',
  };
}

export const libraryRevisionUnreadable: UserProblem = {
  code: 'library-revision-unreadable',
  message: 'The library has a revision of this document that cannot be read.',
  remedy: 'Ask its author to mend it; your file stays as it is.',
};

export const libraryBusy = notDone('not-yet', 'The library is busy with this file.', 'Try again when it is in step.');

export const nothingIsWritten = notDone(
  'not-now',
  'Nothing is written at the moment.',
  'Choose "Show Status" to see what it waits for.',
);

export const stateNotWritten: UserProblem = {
  code: 'state-not-written',
  message: 'What happened to this file could not be recorded.',
  remedy: 'It is tried again; see the log.',
};

function fileName(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}
