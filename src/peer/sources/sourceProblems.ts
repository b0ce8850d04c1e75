import type { UserProblem, WriteOutcome } from '../../core/workingFiles.ts';
import { failedAttempt, type FailedAttempt, type SourceAttempt } from './sourceAttempt.ts';

// ---- who may ask a source ----

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

// ---- what came of asking ----

function failed(code: string, message: string, remedy: string, canRetry: boolean): FailedAttempt {
  return failedAttempt({ code, message, remedy }, canRetry);
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

export function unusable(
  name: string,
  { code, message }: { readonly code: string; readonly message: string },
): SourceAttempt {
  const words = message.startsWith('with ') ? `${name} answered ${message}.` : `${name} answered, but ${message}.`;
  return failed(code, words, 'The file stays as it is; open the address to see what it answers.', true);
}

export function notModifiedWithoutReason(name: string): SourceAttempt {
  return failed(
    'unexpected-status',
    `${name} says that nothing changed since a version that nobody has.`,
    'It is asked again.',
    true,
  );
}

export function unsaved(target: string): SourceAttempt {
  const problem = {
    code: 'target-unsaved',
    message: `${target} has unsaved changes.`,
    remedy: 'It goes on when you save.',
  };
  return { kind: 'waiting', problem, isForSave: true };
}

export function targetMissing(target: string): SourceAttempt {
  return failed(
    'target-missing',
    `${target} was deleted.`,
    'Choose "Sync" to make it again, or remove the source.',
    false,
  );
}

export function targetBusy(target: string): SourceAttempt {
  return failed('target-busy', `${target} is being written all the time.`, 'It is tried again.', true);
}

export function targetUnreadable(target: string, reason: string): SourceAttempt {
  return failed(
    'target-unreadable',
    `${target} cannot be read as it is: ${reason}`,
    'Mend it and save; nothing is written until then.',
    false,
  );
}

/** @param activity what git is doing, as a person would say it. */
export function gitAtWork(activity: string): SourceAttempt {
  const problem = { code: 'git-at-work', message: `It waits: ${activity}.`, remedy: 'It goes on by itself.' };
  return { kind: 'waiting', problem, isForSave: false };
}

// ---- what came of a choice ----

export const conflictGone: UserProblem = {
  code: 'conflict-gone',
  message: 'This conflict is no longer there.',
  remedy: 'Look at the list again.',
};
export const conflictChanged: UserProblem = {
  code: 'conflict-changed',
  message: 'This conflict has changed meanwhile.',
  remedy: 'Look at it again, then choose.',
};
export const notResolved: UserProblem = {
  code: 'conflict-not-resolved',
  message: 'This choice cannot be put into the file as it is now.',
  remedy: 'Edit the file by hand and save it.',
};
export const changedSince: UserProblem = {
  code: 'changed-since',
  message: 'The file was changed again since; the choice cannot be taken back in one step.',
  remedy: 'Edit the file by hand and save it.',
};

export function choiceNotWritten(outcome: Exclude<WriteOutcome, { kind: 'written' }>): UserProblem {
  if (outcome.kind === 'failed') return outcome.problem;
  return outcome.kind === 'unsaved'
    ? {
        code: 'file-unsaved',
        message: 'The file has unsaved changes in the editor.',
        remedy: 'Save it, then choose again.',
      }
    : {
        code: 'file-changed',
        message: 'The file changed at the same moment.',
        remedy: 'Save the file, then choose again.',
      };
}
