import * as vscode from 'vscode';
import type { Disposable, Logger } from '../core/ports.ts';
import type { AppliedBulk } from '../peer/folderSession.ts';
import { takeBackBulk } from './bulkTakeBack.ts';
import { tellAnswer } from './commands.ts';
import type { OpenFolder } from './folderSessions.ts';
import { pullSyncedChanges } from './pullCommand.ts';
import { appliedBulkSentence } from './sentences.ts';
import type { UserMessages } from './userMessages.ts';

const MOVE = 'Move to the Same Commit';
const TAKE_BACK = 'Take Back for Everybody';

/** The one notice of what somebody else changed in many files at once, with what can be done about it (DESIGN §6, "Bulk"). */
export class BulkNotices implements Disposable {
  readonly #messages: UserMessages;
  readonly #logger: Logger;
  #isDisposed = false;

  constructor(messages: UserMessages, logger: Logger) {
    this.#messages = messages;
    this.#logger = logger;
  }

  tell(folder: OpenFolder, bulk: AppliedBulk): void {
    this.#ask(folder, bulk).catch((error: unknown) =>
      this.#logger.error('What was chosen about many changes could not be done.', { error: String(error) }),
    );
  }

  dispose(): void {
    this.#isDisposed = true;
  }

  async #ask(folder: OpenFolder, bulk: AppliedBulk): Promise<void> {
    const { session } = folder;
    const canMove = bulk.commit !== undefined && (await session.canMoveTo(bulk.commit));
    const actions = canMove ? [MOVE, TAKE_BACK] : [TAKE_BACK];
    const chosen = await vscode.window.showInformationMessage(appliedBulkSentence(bulk), ...actions);
    if (chosen === undefined || this.#isDisposed) return;
    if (chosen === MOVE) tellAnswer(await pullSyncedChanges(folder, this.#logger, bulk.commit), this.#messages);
    else this.#messages.report(await takeBackBulk(session, bulk.id));
  }
}
