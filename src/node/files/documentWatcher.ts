import { basename, dirname } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { Emitter, type Event } from '../../core/event.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import { isCandidateName } from './diskFiles.ts';

export interface FileEvent {
  readonly file: string;
  readonly kind: 'changed' | 'removed';
}

/**
 * Watches the folders of known documents, each without its subfolders, and says which files that may be documents
 * changed there. An atomic save (unlink and add, or rename over) is one change.
 */
export class DocumentWatcher implements Disposable {
  readonly #events: Emitter<FileEvent>;
  readonly #logger: Logger;
  readonly #folders = new Set<string>();
  #watcher: FSWatcher | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#events = new Emitter((error) =>
      logger.error('A listener of the document watcher failed.', { error: String(error) }),
    );
  }

  get onDidChange(): Event<FileEvent> {
    return this.#events.event;
  }

  /** Watches the folders of these files too; resolves when changes from now on are seen. */
  async watchFoldersOf(files: readonly string[]): Promise<void> {
    const added = [...new Set(files.map(dirname))].filter((folder) => !this.#folders.has(folder));
    if (added.length === 0) return;
    for (const folder of added) this.#folders.add(folder);
    if (this.#watcher !== undefined) {
      this.#watcher.add(added);
      return;
    }
    const watcher = watch(added, {
      depth: 0,
      ignoreInitial: true,
      ignored: (path, stats) => stats?.isFile() === true && !isCandidateName(basename(path)),
    });
    this.#watcher = watcher;
    watcher.on('add', (file) => this.#events.fire({ file, kind: 'changed' }));
    watcher.on('change', (file) => this.#events.fire({ file, kind: 'changed' }));
    watcher.on('unlink', (file) => this.#events.fire({ file, kind: 'removed' }));
    watcher.on('error', (error) => this.#logger.warn('Watching a folder failed.', { error: String(error) }));
    await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  }

  dispose(): void {
    this.#events.dispose();
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher
      ?.close()
      .catch((error: unknown) => this.#logger.debug('Closing the watcher failed.', { error: String(error) }));
  }
}
