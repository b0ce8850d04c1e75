import * as vscode from 'vscode';
import type { Logger } from '../core/ports.ts';
import type { FolderLook } from './fileQuestion.ts';
import { problemSentence } from './problems.ts';

/** Under this key VS Code keeps of which files it was said, so that it is said once and not after each reload. */
const STORAGE_KEY = 'saidFormatting';
/** More than anybody formats by hand. */
const MAX_REMEMBERED = 1_000;

/** Says once of each file that its formatting stays in this copy, because it would only take somebody else's back. */
export class FormattingNotice {
  readonly #storage: vscode.Memento;
  readonly #logger: Logger;

  constructor(storage: vscode.Memento, logger: Logger) {
    this.#storage = storage;
    this.#logger = logger;
  }

  update(folders: readonly FolderLook[]): void {
    const own = folders.flatMap(({ status }) =>
      status.documents.filter(({ problem }) => problem?.code === 'formatters-disagree'),
    );
    if (own.length === 0) return;
    const said = this.#storage.get<readonly string[]>(STORAGE_KEY, []);
    const fresh = own.filter(({ file }) => !said.includes(file));
    const [first] = fresh;
    if (first?.problem === undefined) return;
    void this.#storage.update(STORAGE_KEY, [...said, ...fresh.map(({ file }) => file)].slice(-MAX_REMEMBERED));
    // The status has the others; their formatter is the same.
    vscode.window
      .showInformationMessage(problemSentence(first.problem))
      .then(undefined, (error: unknown) =>
        this.#logger.debug('A notice could not be shown.', { error: String(error) }),
      );
  }
}
