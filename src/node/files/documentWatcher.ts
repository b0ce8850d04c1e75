import { dirname, relative, sep } from 'node:path';
import { Emitter, type Event } from '../../core/event.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { isErrorWithCode } from '../errorCode.ts';
import { WatchedFolder } from './watchedFolder.ts';

/** Folders that were made since the start are watched up to this number: a generator may make thousands. */
const MAX_NEW_FOLDERS = 200;

export interface FileEvent {
  readonly file: string;
  readonly kind: 'changed' | 'removed';
}

export interface DocumentWatcherOptions {
  /**
   * Also notices files in folders that are made in `root`, or in the folder of a document, after the start (docs/decisions/0006).
   * An editor has a watcher of its own for that.
   */
  readonly newFolders?: { readonly root: string; readonly isIgnored: (path: string) => boolean };
}

interface Entry {
  readonly watched: WatchedFolder;
  /** The documents that it is watched for. */
  readonly files: Set<string>;
}

/**
 * Watches the folders of known documents, each without its subfolders, and says which files that may be documents
 * changed there. An atomic save (unlink and add, or rename over) is one change. A folder that is not there is waited
 * for; the files of one that is back are told as changed.
 */
export class DocumentWatcher implements Disposable {
  readonly #events: Emitter<FileEvent>;
  readonly #failures: Emitter<UserProblem>;
  readonly #logger: Logger;
  readonly #newFolders: DocumentWatcherOptions['newFolders'];
  readonly #folders = new Map<string, Entry>();
  readonly #toldFailures = new Set<string>();
  #isDisposed = false;

  constructor(logger: Logger, options: DocumentWatcherOptions = {}) {
    this.#logger = logger;
    this.#newFolders = options.newFolders;
    const onListenerError = (error: unknown): void =>
      logger.error('A listener of the document watcher failed.', { error: String(error) });
    this.#events = new Emitter(onListenerError);
    this.#failures = new Emitter(onListenerError);
  }

  get onDidChange(): Event<FileEvent> {
    return this.#events.event;
  }

  /** Something keeps changes from being seen; each kind is told once. */
  get onDidFail(): Event<UserProblem> {
    return this.#failures.event;
  }

  /** Watches the folders of these files too; resolves when changes from now on are seen. */
  async watchFoldersOf(files: readonly string[]): Promise<void> {
    if (this.#isDisposed) return;
    const entries = files.map((file) => {
      const entry = this.#watch(dirname(file), false);
      entry.files.add(file);
      return entry;
    });
    if (this.#newFolders !== undefined) entries.push(this.#watch(this.#newFolders.root, false));
    await Promise.all(entries.map((entry) => entry.watched.ready));
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#events.dispose();
    this.#failures.dispose();
    for (const { watched } of this.#folders.values()) watched.dispose();
    this.#folders.clear();
  }

  #watch(folder: string, isNew: boolean): Entry {
    const known = this.#folders.get(folder);
    if (known !== undefined) return known;
    const files = new Set<string>();
    const watched = new WatchedFolder(folder, isNew, {
      file: (file, kind) => this.#events.fire({ file, kind }),
      newFolder: (path) => this.#folderAppeared(path),
      lost: (isBack) => this.#folderLost(folder, files, isBack),
      failed: (error) => this.#failed(folder, error),
    });
    const entry = { watched, files };
    this.#folders.set(folder, entry);
    return entry;
  }

  #folderAppeared(folder: string): void {
    const rule = this.#newFolders;
    if (rule === undefined || this.#isDisposed || this.#folders.has(folder)) return;
    const path = relative(rule.root, folder).split(sep).join('/');
    if (path === '' || path.startsWith('..') || rule.isIgnored(path)) return;
    const count = [...this.#folders.values()].filter(({ files }) => files.size === 0).length;
    if (count < MAX_NEW_FOLDERS) this.#watch(folder, true);
    else if (count === MAX_NEW_FOLDERS) this.#logger.debug('Too many new folders: further ones are not looked into.');
  }

  #folderLost(folder: string, files: ReadonlySet<string>, isBack: boolean): void {
    for (const file of files) this.#events.fire({ file, kind: 'removed' });
    // Nobody waits for a folder without documents; if it comes back, it is a new one.
    if (isBack || files.size > 0 || folder === this.#newFolders?.root) return;
    this.#folders.get(folder)?.watched.dispose();
    this.#folders.delete(folder);
  }

  #failed(folder: string, error: unknown): void {
    this.#logger.warn('Watching a folder failed.', { error: String(error) });
    const isLimit = isErrorWithCode(error, 'ENOSPC', 'EMFILE', 'ENFILE');
    const problem: UserProblem = isLimit
      ? {
          code: 'watch-limit',
          message:
            'The system allows no more watched files: changes that are made outside of the editor may go unseen.',
          remedy: 'Raise the limit (Linux: fs.inotify.max_user_watches) and start again, or choose "Sync Now".',
        }
      : {
          code: 'watch-failed',
          message: `${folder} cannot be watched: changes that are made outside of the editor may go unseen.`,
          remedy: 'See the log, or choose "Sync Now" after such a change.',
        };
    if (this.#toldFailures.has(problem.code)) return;
    this.#toldFailures.add(problem.code);
    this.#failures.fire(problem);
  }
}
