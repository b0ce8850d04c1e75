import { DisposableStore } from '../core/disposableStore.ts';
import type { Event } from '../core/event.ts';
import { Emitter } from '../core/event.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { FolderSession, UserProblem, WorkingFiles } from '../peer/folderSession.ts';
import type { CreatePeer, Peer, PeerOptions } from '../peer/index.ts';
import { problems } from './problems.ts';

/** A workspace folder as the editor names it. */
export interface Folder {
  readonly path: string;
  readonly name: string;
}

/** A workspace folder with its session. */
export interface OpenFolder extends Folder {
  /** False where it was opened anew after the person had stopped it: then it does not start by itself. */
  readonly mayStart: boolean;
  readonly session: FolderSession;
}

export interface FolderSessionsOptions {
  readonly loadPeer: () => Promise<{ readonly createPeer: CreatePeer }>;
  readonly peerOptions: () => PeerOptions;
  readonly createFiles: (folder: Folder) => WorkingFiles;
  readonly logger: Logger;
  readonly onProblem: (problem: UserProblem) => void;
}

interface Entry extends OpenFolder {
  readonly store: DisposableStore;
}

/**
 * One session per workspace folder, all of one peer, which is loaded when the first folder is opened. Opening and
 * closing happen one after the other, so that a folder is never served twice.
 */
export class FolderSessions implements Disposable {
  readonly #options: FolderSessionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #changed: Emitter<void>;
  readonly #opened: Emitter<OpenFolder>;
  #peer: Peer | undefined;
  #work: Promise<void> = Promise.resolve();
  #isDisposed = false;
  #closed: Promise<void> = Promise.resolve();

  /** Any folder, status or conflict changed. */
  readonly onDidChange: Event<void>;
  readonly onDidOpen: Event<OpenFolder>;

  constructor(options: FolderSessionsOptions) {
    this.#options = options;
    const onListenerError = (error: unknown): void =>
      options.logger.error('A listener failed.', { error: String(error) });
    this.#changed = new Emitter<void>(onListenerError);
    this.#opened = new Emitter<OpenFolder>(onListenerError);
    this.onDidChange = this.#changed.event;
    this.onDidOpen = this.#opened.event;
  }

  get folders(): readonly OpenFolder[] {
    return [...this.#entries.values()];
  }

  get hasLoadedPeer(): boolean {
    return this.#peer !== undefined;
  }

  /** Resolves when every session has let go of its locks and files; meaningful after `dispose`. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Opens the folders that are not open yet, and closes the ones that are not among them. */
  async setFolders(folders: readonly Folder[]): Promise<void> {
    await this.#inOrder(async () => {
      for (const entry of this.folders) {
        if (!folders.some((folder) => folder.path === entry.path)) this.#close(entry.path);
      }
      for (const folder of folders) {
        if (this.#isDisposed) return;
        if (!this.#entries.has(folder.path)) await this.#open(folder);
      }
    });
  }

  /** Opens everything anew with a new peer; what ran may start again. For settings that a peer takes at its birth. */
  async restart(): Promise<void> {
    await this.#inOrder(async () => {
      const before = this.folders;
      const awake = new Set(before.filter(({ session }) => session.status.phase !== 'asleep').map(({ path }) => path));
      for (const entry of before) this.#close(entry.path);
      await this.#closePeer();
      for (const folder of before) {
        if (this.#isDisposed) return;
        await this.#open(folder, awake.has(folder.path) || !folder.session.status.hasConsent);
      }
    });
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const { path } of this.folders) this.#close(path);
    this.#closed = this.#closePeer();
    this.#changed.dispose();
    this.#opened.dispose();
  }

  async #open(folder: Folder, mayStart = true): Promise<void> {
    const store = new DisposableStore();
    try {
      const peer = await this.#loadedPeer();
      if (peer === undefined || this.#isDisposed) return;
      const session = await peer.openFolder(folder.path, store.add(this.#options.createFiles(folder)));
      store.add(session);
      if (this.#hasBeenDisposed()) {
        store.dispose();
        return;
      }
      const entry: Entry = { path: folder.path, name: folder.name, mayStart, session, store };
      this.#entries.set(folder.path, entry);
      store.add(session.onDidChangeStatus(() => this.#changed.fire()));
      store.add(session.onDidChangeConflicts(() => this.#changed.fire()));
      this.#opened.fire(entry);
      this.#changed.fire();
    } catch (error) {
      store.dispose();
      this.#options.logger.error('A folder could not be opened.', { folder: folder.name, error: describe(error) });
      this.#options.onProblem(problems.folderNotOpened(folder.name));
    }
  }

  async #loadedPeer(): Promise<Peer | undefined> {
    if (this.#peer !== undefined) return this.#peer;
    try {
      const { createPeer } = await this.#options.loadPeer();
      if (this.#isDisposed) return undefined;
      this.#peer = createPeer(this.#options.peerOptions());
      return this.#peer;
    } catch (error) {
      this.#options.logger.error('The peer could not be loaded.', { error: describe(error) });
      this.#options.onProblem(problems.peerNotLoaded());
      return undefined;
    }
  }

  #close(path: string): void {
    const entry = this.#entries.get(path);
    this.#entries.delete(path);
    entry?.store.dispose();
    this.#changed.fire();
  }

  async #closePeer(): Promise<void> {
    const peer = this.#peer;
    this.#peer = undefined;
    peer?.dispose();
    await peer?.closed;
  }

  /** `#isDisposed` behind an await, where the compiler believes what it saw before. */
  #hasBeenDisposed(): boolean {
    return this.#isDisposed;
  }

  async #inOrder(run: () => Promise<void>): Promise<void> {
    const next = this.#work.then(run);
    // Who asked hears of a failure; the next in line goes on.
    this.#work = next.catch(() => undefined);
    await next;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
