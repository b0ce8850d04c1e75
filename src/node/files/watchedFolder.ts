import { statSync, watch as watchOnce, type FSWatcher as AncestorWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import type { Disposable } from '../../core/ports.ts';
import { isErrorWithCode } from '../errorCode.ts';
import { isCandidateName } from './diskFiles.ts';

/** A folder that tells nothing for so long (a network drive that has gone) must not keep the rest waiting. */
const READY_LIMIT_MS = 10_000;

/** What a watched folder tells. */
export interface FolderListener {
  file(file: string, kind: 'changed' | 'removed'): void;
  /** A subfolder that was not there before. */
  newFolder(folder: string): void;
  /** What was watched is gone. @param isBack another folder of that name is there already; else it is waited for. */
  lost(isBack: boolean): void;
  failed(error: unknown): void;
}

/**
 * One folder, watched without its subfolders, whether it is there or not: what is removed and made again (a checkout, a
 * generator, `rm -rf`) is another folder to the operating system, which goes on watching the old one.
 */
export class WatchedFolder implements Disposable {
  /** Resolves when changes from now on are seen; also where they will not be, which the listener is told. */
  readonly ready: Promise<void>;
  readonly #folder: string;
  readonly #listener: FolderListener;
  #isDisposed = false;
  #watcher: FSWatcher | undefined;
  /** Ends the wait for `#watcher`, which tells nothing any more once it is closed. */
  #endWait: () => void = () => undefined;
  /** The folder that `#watcher` is on. */
  #identity: string | undefined;
  #ancestor: { readonly identity: string; readonly watcher: AncestorWatcher } | undefined;

  /** @param isNew whether the files that are in it already are told too. */
  constructor(folder: string, isNew: boolean, listener: FolderListener) {
    this.#folder = folder;
    this.#listener = listener;
    this.ready = this.#watch(isNew);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#ancestor?.watcher.close();
    this.#ancestor = undefined;
    this.#closeWatcher();
  }

  async #watch(isNew: boolean): Promise<void> {
    const identity = identityOf(this.#folder);
    if (identity === undefined) {
      this.#awaitFolder();
      return;
    }
    const watcher = watch(this.#folder, {
      depth: 0,
      ignoreInitial: !isNew,
      ignored: (path, stats) => stats?.isFile() === true && !isCandidateName(basename(path)),
    });
    this.#watcher = watcher;
    this.#identity = identity;
    watcher.on('add', (file) => this.#listener.file(file, 'changed'));
    watcher.on('change', (file) => this.#listener.file(file, 'changed'));
    watcher.on('unlink', (file) => this.#listener.file(file, 'removed'));
    watcher.on('addDir', (folder) => {
      if (folder !== this.#folder) this.#listener.newFolder(folder);
    });
    watcher.on('raw', () => this.#look());
    watcher.on('unlinkDir', () => this.#look());
    watcher.on('error', (error) => this.#listener.failed(error));
    await this.#untilReady(watcher);
    this.#look();
  }

  /** A folder that cannot be read (too many open files, another thing of that name since) is never told to be ready. */
  async #untilReady(watcher: FSWatcher): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#endWait = () => resolve(undefined);
    const limit = setTimeout(() => {
      if (this.#watcher === watcher) this.#listener.failed(new Error(`${this.#folder} could not be read in time.`));
      resolve(undefined);
    }, READY_LIMIT_MS);
    watcher.once('ready', () => resolve(undefined));
    watcher.once('error', () => resolve(undefined));
    await promise;
    clearTimeout(limit);
  }

  /** Whether the folder is still the one that is watched. */
  #look(): void {
    if (this.#isDisposed || this.#watcher === undefined || identityOf(this.#folder) === this.#identity) return;
    this.#closeWatcher();
    this.#awaitFolder();
    this.#listener.lost(this.#isWatching());
  }

  /** Watches the nearest folder above that is there, until this one is. */
  #awaitFolder(): void {
    while (!this.#isDisposed && this.#watcher === undefined) {
      const { folder, identity } = nearestFolder(this.#folder);
      if (folder === this.#folder || identity !== this.#ancestor?.identity) this.#ancestor?.watcher.close();
      if (folder === this.#folder) {
        this.#ancestor = undefined;
        this.#watch(true).catch((error: unknown) => this.#listener.failed(error));
        return;
      }
      // Looked at once more since it is watched: what was made in between would be missed.
      if (identity === this.#ancestor?.identity) return;
      this.#ancestor = undefined;
      if (!this.#watchAncestor(folder, identity)) return;
    }
  }

  #watchAncestor(folder: string, identity: string): boolean {
    try {
      const watcher = watchOnce(folder, () => this.#awaitFolder());
      watcher.on('error', (error) => {
        // Windows tells so of a folder that is removed.
        if (identityOf(folder) === identity) this.#listener.failed(error);
        else this.#awaitFolder();
      });
      this.#ancestor = { identity, watcher };
      return true;
    } catch (error) {
      if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return true;
      this.#listener.failed(error);
      return false;
    }
  }

  #isWatching(): boolean {
    return this.#watcher !== undefined;
  }

  #closeWatcher(): void {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    this.#endWait();
    if (watcher === undefined) return;
    // A file that is found to be gone only now would have it watch the folder again, for good.
    watcher.add = () => watcher;
    watcher.close().catch((error: unknown) => this.#listener.failed(error));
  }
}

function nearestFolder(folder: string): { readonly folder: string; readonly identity: string } {
  const identity = identityOf(folder);
  if (identity !== undefined) return { folder, identity };
  const parent = dirname(folder);
  return parent === folder ? { folder, identity: '' } : nearestFolder(parent);
}

/** Tells a folder from another one of the same name; an inode number is soon used again. */
function identityOf(folder: string): string | undefined {
  try {
    const stats = statSync(folder, { bigint: true });
    return stats.isDirectory() ? `${stats.dev}:${stats.ino}:${stats.birthtimeNs}` : undefined;
  } catch {
    // Not there, or closed to us, which is the same to a watcher.
    return undefined;
  }
}
