import { elementLabel } from '../../core/openapi/elementLabel.ts';
import { formatPointer, referencePath } from '../../core/openapi/jsonPointer.ts';
import type { ReferenceTarget } from '../../core/references/fileReferences.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { FILE_CARRIED, type Outcome } from '../folderSession.ts';
import type { LibraryStep } from './crossReferences.ts';

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

/** Git has left another branch's uncommitted text in the file. */
export function fileCarried(file: string): UserProblem {
  return {
    code: FILE_CARRIED,
    message: `${fileName(file)} still has what it had on the branch before.`,
    remedy: 'Bring back what this branch has, or keep yours and send it.',
  };
}

/** The file cannot be read. @param error what a parser says of it, which of git's marks is nothing that helps. */
export function fileInvalid(text: string, error: { readonly code: string; readonly message: string }): UserProblem {
  if (GIT_MARK.test(text)) {
    return {
      code: 'git-conflict-marks',
      message: 'Git has left conflict marks (<<<<<<<) in this file.',
      remedy: 'Nothing is sent until you have chosen what is to stay.',
    };
  }
  return { code: error.code, message: error.message, remedy: 'Nothing is sent until it is mended.' };
}

/** The file differs from what others have by its formatting only. @param names whose formatting it would take back. */
export function formattersDisagree(path: string, names: readonly string[]): UserProblem {
  const [name] = names;
  const whose = names.length === 1 && name !== undefined ? `${name}'s` : "other people's";
  return {
    code: 'formatters-disagree',
    message: `Your formatter and ${whose} disagree about ${path}; your formatting stays in your copy.`,
    remedy: 'Use the same formatter settings everywhere. What you change beside that is sent.',
  };
}

/** Both sides have given the file a new name. */
export function nameQuestion(localPath: string, libraryPath: string): UserProblem {
  return {
    code: 'two-names',
    message: `${localPath} was renamed here, and to ${libraryPath} by somebody else.`,
    remedy: 'Take the other name, or keep yours for everybody.',
  };
}

/** The name that one side wants is another document's on the other side. */
export function nameTaken(localPath: string, libraryPath: string): UserProblem {
  return {
    code: 'name-taken',
    message: `${localPath} cannot get the same name everywhere: another file has it. Others have it as ${libraryPath}.`,
    remedy: 'Take the name that others have, or rename the file that stands in the way.',
  };
}

/** The library's name leads out of the folder, is ignored here, or is no name of an API document. */
export function nameImpossible(localPath: string, libraryPath: string): UserProblem {
  return {
    code: 'name-impossible',
    message: `${localPath} was renamed to ${libraryPath} by others, which has no place in this folder.`,
    remedy: 'Its content is kept in step all the same.',
  };
}

/**
 * A reference leads nowhere since two changes came together.
 * @param removal what took out what is meant.
 * @param referrer who has brought the reference, and the document that it stands in.
 */
export function danglingReference(
  removal: LibraryStep,
  { path, fragment }: ReferenceTarget,
  referrer: { readonly who: string; readonly path: string },
): UserProblem {
  const { isOwn, authorName, after } = removal;
  const part = fragment.startsWith('#/') ? elementLabel(formatPointer(referencePath(fragment))) : path;
  const [deed, remedy] =
    after === undefined
      ? [`deleted ${path}`, 'Refer to another file, or bring it back.']
      : after.path !== path
        ? [`renamed ${path} to ${after.path}`, `Refer to ${after.path} instead.`]
        : [`took ${part} out of ${path}`, 'Refer to something that is there, or put it back.'];
  const message = `${isOwn ? 'You' : authorName} ${deed} while ${referrer.who} referred to it in ${referrer.path}.`;
  return { code: 'dangling-reference', message, remedy };
}

/** Another document has the name in the library. */
export const PATH_TAKEN = 'path-taken';

export const placeTaken = notDone(
  PATH_TAKEN,
  'Another document has its place now.',
  'Rename that one first, then try again.',
);

export const bulkForgotten = notDone(
  'nothing-to-undo',
  'These changes cannot be taken back together any more.',
  'The history of each file has the version before.',
);

export const revisionForgotten = notDone('version-gone', 'The library does not have the text from before any more.');

export const libraryOutOfReach = notDone(
  'not-connected',
  'The library cannot be asked for the texts from before.',
  'Try again when it is connected.',
);

/**
 * What became of taking many files back together: those that could not be stay as they are.
 * @param elsewhere how many documents have no file in this folder.
 */
export function outcomeOfTakingBack(
  outcomes: readonly (Outcome & { readonly isNothing?: boolean })[],
  elsewhere: number,
): Outcome {
  const failed = outcomes.filter(({ isDone }) => !isDone).length;
  if (failed > 0)
    return notDone(
      'changed-since',
      failed === outcomes.length
        ? 'No file was brought back: all of them were changed since in the same places, or cannot be written now.'
        : `${failed} of ${outcomes.length} files stay as they are: they were changed since in the same places, or cannot be written now.`,
      'The history of each file has the version before.',
    );
  if (outcomes.every(({ isNothing }) => isNothing === true))
    return notDone('nothing-to-undo', 'Nothing of these changes is left in the files of this folder.');
  if (elsewhere === 0) return { isDone: true };
  return notDone(
    'not-here',
    `The files of this folder were brought back; ${elsewhere} more documents have no file here, and stay as they are.`,
    'Take the changes back in a folder that has them, too.',
  );
}

/** The person has stopped it. @param tried of `all` files: those that it had come to by then. */
export function takingBackStopped(tried: number, all: number): Outcome {
  return notDone(
    'stopped',
    tried === 0
      ? 'Nothing was taken back.'
      : `It was stopped after ${tried} of ${all} files; the others stay as they are.`,
    'Take the changes back again to go on.',
  );
}

export const libraryRevisionUnreadable: UserProblem = {
  code: 'library-revision-unreadable',
  message: 'The library has a revision of this document that cannot be read.',
  remedy: 'Ask its author to mend it; your file stays as it is.',
};

export const libraryRevisionMissing: UserProblem = {
  code: 'library-revision-missing',
  message: 'The library has lost the newest version of this document.',
  remedy: 'Your file stays as it is; it goes on when somebody who has that version changes it.',
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

const GIT_MARK = /^<{7} /m;

function fileName(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}
