import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { JoinOffer } from '../peer/folderSession.ts';
import type { FolderSessions, OpenFolder } from './folderSessions.ts';
import { autoStartRule } from './readSettings.ts';
import type { UserMessages } from './userMessages.ts';
import { offerSentence } from './sentences.ts';

const keepInStepLabel = 'Keep in Step';
const notNowLabel = 'Not Now';
const neverHereLabel = 'Never Here';

/**
 * Asks once per folder and window whether to keep it in step with a neighbour, and starts what was agreed to before.
 * Until somebody says yes, nothing of a folder runs.
 */
export class Consent implements Disposable {
  readonly #store = new DisposableStore();
  readonly #messages: UserMessages;
  readonly #logger: Logger;
  readonly #onDidChange: () => void;
  /** Folders with a neighbour that nobody answered yet. */
  readonly #offers = new Set<string>();
  /** Folders that were opened and may yet start by themselves. */
  readonly #starting = new Set<OpenFolder>();
  /** Folders whose notice was shown (or answered with Not Now) in this window. */
  readonly #asked = new Set<string>();

  constructor(sessions: FolderSessions, messages: UserMessages, logger: Logger, onDidChange: () => void) {
    this.#messages = messages;
    this.#logger = logger;
    this.#onDidChange = onDidChange;
    this.#store.add(
      sessions.onDidOpen((folder) => {
        this.#starting.add(folder);
        this.#opened(folder)
          .catch((error: unknown) => this.#failed(error))
          .finally(() => this.#settle(folder));
      }),
    );
  }

  hasOffer(folder: OpenFolder): boolean {
    return this.#offers.has(folder.path) && !folder.session.status.hasConsent;
  }

  /** Whether a folder that was just opened may still start by itself: what it holds is not known until then. */
  isStarting(folder: OpenFolder): boolean {
    return this.#starting.has(folder) || folder.session.status.phase === 'starting';
  }

  dispose(): void {
    this.#store.dispose();
  }

  #settle(folder: OpenFolder): void {
    if (this.#starting.delete(folder)) this.#onDidChange();
  }

  async #opened(folder: OpenFolder): Promise<void> {
    if (autoStartRule(folder.path).autoStart === 'off') return;
    if (folder.session.status.hasConsent) {
      if (folder.mayStart) this.#messages.report(await folder.session.start());
      return;
    }
    // From here on it waits for a person.
    this.#settle(folder);
    const offer = await folder.session.findOffer();
    if (offer !== undefined) await this.#found(folder, offer);
  }

  async #found(folder: OpenFolder, offer: JoinOffer): Promise<void> {
    const rule = autoStartRule(folder.path);
    if (this.#hasBeenDisposed() || rule.autoStart === 'off' || hasConsent(folder)) return;
    this.#offers.add(folder.path);
    this.#onDidChange();
    if (rule.autoStart === 'on' && rule.isFromUser) {
      this.#logger.info('Kept in step without asking, as the settings say.', { folder: folder.name });
      this.#messages.report(await folder.session.keepInStep());
      return;
    }
    if (this.#asked.has(folder.path)) return;
    this.#asked.add(folder.path);
    const choice = await vscode.window.showInformationMessage(
      offerSentence(offer),
      keepInStepLabel,
      notNowLabel,
      neverHereLabel,
    );
    if (this.#hasBeenDisposed() || hasConsent(folder)) return;
    if (choice === keepInStepLabel) {
      this.#messages.report(await folder.session.keepInStep());
    } else if (choice === neverHereLabel) {
      this.#offers.delete(folder.path);
      await folder.session.neverHere();
    }
    this.#onDidChange();
  }

  /** Behind an await, where the compiler believes what it saw before. */
  #hasBeenDisposed(): boolean {
    return this.#store.isDisposed;
  }

  #failed(error: unknown): void {
    this.#logger.error('Starting a folder failed.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

/** Read anew each time: another window may have said yes meanwhile. */
function hasConsent(folder: OpenFolder): boolean {
  return folder.session.status.hasConsent;
}
