import * as vscode from 'vscode';
import type { Disposable, Logger } from '../core/ports.ts';
import { FILE_CARRIED, type DocumentStatus, type FolderSession, type FolderStatus } from '../peer/folderSession.ts';
import { behindSentence, carriedSentence, misnamedSentence, missingSentence, settledSentence } from './sentences.ts';
import type { UserMessages } from './userMessages.ts';

/** What is asked about files in one state. */
interface Question {
  readonly state: 'behind' | 'missing' | 'misnamed';
  /** The answer that takes what the library has. */
  readonly takeLabel: string;
  /** @param codes of the documents' problems. */
  readonly sentence: (paths: readonly string[], codes: readonly (string | undefined)[]) => string;
  /** The answer that sends what became of the file. */
  readonly keepLabel: string;
}

/** Something outside (git stash, reset, a restored backup) set the file back. */
export const behindQuestion: Question = {
  state: 'behind',
  sentence: (paths, codes) => (codes.every((code) => code === FILE_CARRIED) ? carriedSentence : behindSentence)(paths),
  takeLabel: 'Bring Back',
  keepLabel: 'Keep Mine',
};
/** The file is gone: with its folder, with many others, or by git. */
export const missingQuestion: Question = {
  state: 'missing',
  sentence: missingSentence,
  takeLabel: 'Bring Back',
  keepLabel: 'Delete for Everybody',
};
/** The file was renamed here, and the library has another name for it, or another document of that name. */
export const misnamedQuestion: Question = {
  state: 'misnamed',
  sentence: misnamedSentence,
  takeLabel: 'Take the Other Name',
  keepLabel: 'Keep My Name',
};

/** A folder with what it is doing, read once for all who look at it. */
export interface FolderLook {
  readonly session: FolderSession;
  readonly status: FolderStatus;
}

interface AskedDocument {
  readonly session: FolderSession;
  readonly file: string;
  readonly path: string;
  readonly code: string | undefined;
}

/** Asks what to do with files of which only the person knows what they are to be; one question at a time. */
export class FileQuestion implements Disposable {
  readonly #question: Question;
  readonly #messages: UserMessages;
  readonly #logger: Logger;
  /** Files that were asked about since they came into that state; Show Status asks again. */
  readonly #asked = new Set<string>();
  /** What the question that stands there is about. */
  #open: readonly AskedDocument[] | undefined;
  #isDisposed = false;

  constructor(question: Question, messages: UserMessages, logger: Logger) {
    this.#question = question;
    this.#messages = messages;
    this.#logger = logger;
  }

  /** Asks about what came into that state since the last question. */
  update(folders: readonly FolderLook[]): void {
    const documents = this.#find(folders);
    const files = new Set(documents.map(({ file }) => file));
    for (const file of this.#asked) if (!files.has(file)) this.#asked.delete(file);
    // No message can be taken away: one whose files have settled by themselves keeps no other from being asked about.
    if (this.#open?.every(({ file }) => !files.has(file)) === true) this.#open = undefined;
    const unasked = documents.filter((document) => !this.#asked.has(document.file));
    if (unasked.length > 0) this.#askInBackground(unasked);
  }

  /** The person came back to one of them. */
  askAgain(folders: readonly FolderLook[], file: string): void {
    this.#askInBackground(this.#find(folders).filter((document) => document.file === file));
  }

  dispose(): void {
    this.#isDisposed = true;
  }

  #askInBackground(documents: readonly AskedDocument[]): void {
    if (this.#open !== undefined || this.#isDisposed || documents.length === 0) return;
    this.#open = documents;
    for (const document of documents) this.#asked.add(document.file);
    this.#ask(documents)
      .catch((error: unknown) => this.#logger.error('Asking about a file failed.', { error: String(error) }))
      .finally(() => {
        if (this.#open === documents) this.#open = undefined;
      });
  }

  async #ask(documents: readonly AskedDocument[]): Promise<void> {
    const { takeLabel, keepLabel } = this.#question;
    const sentence = this.#question.sentence(
      documents.map(({ path }) => path),
      documents.map(({ code }) => code),
    );
    const label = await vscode.window.showWarningMessage(sentence, takeLabel, keepLabel);
    if (label === undefined || this.#isDisposed) return;
    const choice = label === takeLabel ? 'bringBack' : 'keepMine';
    // They may be as they should while the question still stands there.
    const left = documents.filter(({ session, file }) =>
      session.status.documents.some((document) => document.file === file && this.#isAbout(document)),
    );
    if (left.length === 0) this.#messages.answer(settledSentence(documents.map(({ path }) => path)));
    for (const { session, file } of left) {
      if (!this.#messages.report(await session.leaveBehind(file, choice))) return;
    }
  }

  #find(folders: readonly FolderLook[]): AskedDocument[] {
    return folders.flatMap(({ session, status }) =>
      status.documents
        .filter((document) => this.#isAbout(document))
        .map(({ file, path, problem }) => ({ session, file, path, code: problem?.code })),
    );
  }

  #isAbout({ state }: DocumentStatus): boolean {
    return state === this.#question.state;
  }
}
