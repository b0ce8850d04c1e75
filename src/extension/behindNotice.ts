import * as vscode from 'vscode';
import type { Disposable, Logger } from '../core/ports.ts';
import type { FolderSession } from '../peer/folderSession.ts';
import { behindSentence } from './sentences.ts';
import type { UserMessages } from './userMessages.ts';

const bringBackLabel = 'Bring Back';
const keepMineLabel = 'Keep Mine';

interface BehindDocument {
  readonly session: FolderSession;
  readonly file: string;
  readonly path: string;
}

/** Asks what to do with files that something outside (git stash, reset, a restored backup) set back; one question at a time. */
export class BehindNotice implements Disposable {
  readonly #messages: UserMessages;
  readonly #logger: Logger;
  /** Files that were asked about since they fell behind; Show Status asks again. */
  readonly #asked = new Set<string>();
  #isAsking = false;
  #isDisposed = false;

  constructor(messages: UserMessages, logger: Logger) {
    this.#messages = messages;
    this.#logger = logger;
  }

  /** Asks about what fell behind since the last question. */
  update(sessions: readonly FolderSession[]): void {
    const behind = behindDocuments(sessions);
    for (const file of this.#asked) if (!behind.some((document) => document.file === file)) this.#asked.delete(file);
    const unasked = behind.filter((document) => !this.#asked.has(document.file));
    if (unasked.length > 0) this.#askInBackground(unasked);
  }

  /** The person came back to one of them. */
  askAgain(sessions: readonly FolderSession[], file: string): void {
    this.#askInBackground(behindDocuments(sessions).filter((document) => document.file === file));
  }

  dispose(): void {
    this.#isDisposed = true;
  }

  #askInBackground(documents: readonly BehindDocument[]): void {
    if (this.#isAsking || this.#isDisposed || documents.length === 0) return;
    this.#isAsking = true;
    for (const document of documents) this.#asked.add(document.file);
    this.#ask(documents)
      .catch((error: unknown) =>
        this.#logger.error('Asking about a file that fell behind failed.', { error: String(error) }),
      )
      .finally(() => (this.#isAsking = false));
  }

  async #ask(documents: readonly BehindDocument[]): Promise<void> {
    const sentence = behindSentence(documents.map((document) => document.path));
    const label = await vscode.window.showWarningMessage(sentence, bringBackLabel, keepMineLabel);
    if (label === undefined || this.#isDisposed) return;
    const choice = label === bringBackLabel ? 'bringBack' : 'keepMine';
    for (const { session, file } of documents) {
      // It may have caught up by itself while the question stood there.
      if (!isBehind(session, file)) continue;
      if (!this.#messages.report(await session.leaveBehind(file, choice))) return;
    }
  }
}

function behindDocuments(sessions: readonly FolderSession[]): BehindDocument[] {
  return sessions.flatMap((session) =>
    session.status.documents
      .filter((document) => document.state === 'behind')
      .map(({ file, path }) => ({ session, file, path })),
  );
}

function isBehind(session: FolderSession, file: string): boolean {
  return session.status.documents.some((document) => document.file === file && document.state === 'behind');
}
