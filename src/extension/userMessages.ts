import * as vscode from 'vscode';
import type { Logger } from '../core/ports.ts';
import type { Outcome, UserProblem } from '../peer/folderSession.ts';
import { commandIds } from './commandTable.ts';
import { problemSentence } from './problems.ts';

const showLogLabel = 'Show Log';

/** The one place that speaks to the person: problems with a code and a way to the log, answers in one sentence. */
export interface UserMessages {
  /** A problem: what happened, what to do next, and the log one click away. Does not wait for the click. */
  showProblem(problem: UserProblem): void;
  /** A plain answer to something the person asked for. */
  answer(sentence: string): void;
  /** Shows the problem of an outcome, if it has one; says whether it was done. */
  report(outcome: Outcome): boolean;
}

/** Makes the messages; `logger` gets each problem too. */
export function createUserMessages(logger: Logger): UserMessages {
  const showProblem = (problem: UserProblem): void => {
    logger.warn(problem.message, { code: problem.code });
    vscode.window.showErrorMessage(problemSentence(problem), showLogLabel).then(
      (choice) => {
        if (choice === showLogLabel) void vscode.commands.executeCommand(commandIds.showLog);
      },
      (error: unknown) => logger.debug('A message could not be shown.', { error: String(error) }),
    );
  };
  return {
    showProblem,
    answer: (sentence) => {
      logger.debug(sentence);
      vscode.window
        .showInformationMessage(sentence)
        .then(undefined, (error: unknown) => logger.debug('A message could not be shown.', { error: String(error) }));
    },
    report: (outcome) => {
      if (outcome.isDone) return true;
      showProblem(outcome.problem);
      return false;
    },
  };
}
