import { Emitter } from '../../../src/core/event.ts';
import { applySplices } from '../../../src/core/merge/splices.ts';
import type { SavedText, WorkingFiles, WriteOutcome, WriteRequest } from '../../../src/core/workingFiles.ts';
import { workingText } from '../../../src/core/workingText.ts';
import type { DocumentLayout } from '../../../src/peer/replica/documentLayout.ts';
import type { FolderWatcher } from '../../../src/peer/replica/replicaOptions.ts';
import type { FileReading, Hindrance, StableReader, WorkGuard } from '../../../src/peer/replica/replicaPorts.ts';
import type { Event } from '../../../src/core/event.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';
import type { CrashPoint } from './simulatedStore.ts';

const QUIET_MS = 50;
const MAX_WATCH_MS = 120;
const MAX_WRITE_MS = 4;

/** What the simulation wants to know of a folder. */
export interface FolderChecks {
  /** The program begins to write. */
  onWriting(file: string): void;
  /** The program has written. */
  onWritten(path: string, before: string | undefined, after: string): void;
  /** The program has moved a file. */
  onMoved(from: string, to: string): void;
  fail(what: string): void;
}

/** One workspace folder: its files, its editor's unsaved buffers, and git's state. All of it outlives processes. */
export class SimulatedFolder {
  readonly root: string;
  /** Raw characters by local path. */
  readonly files = new Map<string, string>();
  /** Unsaved buffers by local path, raw. */
  readonly buffers = new Map<string, string>();
  /** What git keeps for later while another branch is checked out. */
  readonly stashes = new Map<string, string>();
  hindrance: Hindrance | undefined;
  /** When `hindrance` began. */
  hinderedSince = 0;
  /** With these probabilities a write or a reading fails. */
  failing = 0;
  /** Grows with every change of a text. */
  version = 0;
  readonly #checks: FolderChecks;
  readonly #stamps = new Map<string, number>();
  #view: FolderView | undefined;

  constructor(name: string, checks: FolderChecks) {
    this.root = `/${name}`;
    this.#checks = checks;
  }

  /** The file as a revision; undefined where it is not there. */
  text(path: string): string | undefined {
    const raw = this.files.get(path);
    return raw === undefined ? undefined : workingText(raw).text;
  }

  /** What a person has in front of it: the buffer, else the file. */
  seen(path: string): string | undefined {
    const raw = this.buffers.get(path) ?? this.files.get(path);
    return raw === undefined ? undefined : workingText(raw).text;
  }

  fileOf(path: string): string {
    return `${this.root}/${path}`;
  }

  pathOf(file: string): string {
    return file.slice(this.root.length + 1);
  }

  stampOf(path: string): number {
    return this.#stamps.get(path) ?? 0;
  }

  put(path: string, raw: string | undefined): void {
    if (raw === undefined) this.files.delete(path);
    else this.files.set(path, raw);
    this.#stamps.set(path, this.stampOf(path) + 1);
    this.version += 1;
  }

  /** A person saves in the editor, or another program writes (no `saved`). */
  save(path: string, raw: string, saved: 'byHand' | 'auto' | undefined): void {
    this.put(path, raw);
    if (saved !== undefined)
      this.#view?.tellSaved({ file: this.fileOf(path), text: raw, isAutoSave: saved === 'auto' });
    this.#view?.tellWatched(path);
  }

  remove(path: string): void {
    this.put(path, undefined);
    this.#view?.tellWatched(path);
  }

  /** A person renames a file: the watcher tells of both names in any order. */
  rename(from: string, to: string): void {
    const raw = this.files.get(from);
    if (raw === undefined || this.files.has(to)) return;
    this.put(to, raw);
    this.put(from, undefined);
    this.#view?.tellWatched(from);
    this.#view?.tellWatched(to);
  }

  /** Typing: the buffer differs from the file from now on; undefined: saved or thrown away. */
  setBuffer(path: string, raw: string | undefined): void {
    const was = this.buffers.has(path);
    if (raw === undefined) this.buffers.delete(path);
    else this.buffers.set(path, raw);
    this.version += 1;
    if (was !== (raw !== undefined)) this.#view?.tellUnsaved(this.fileOf(path));
  }

  hinder(hindrance: Hindrance | undefined, now: number): void {
    this.hindrance = hindrance;
    this.hinderedSince = now;
    this.#view?.tellGuard();
  }

  /** The folder as one process sees it. */
  open(process: SimulatedProcess, crash: CrashPoint): FolderView {
    this.#view = new FolderView(this, process, crash, this.#checks);
    return this.#view;
  }
}

/** The ports that a replica has to its folder, as long as its process lives. */
export class FolderView {
  readonly #folder: SimulatedFolder;
  readonly #process: SimulatedProcess;
  readonly #crash: CrashPoint;
  readonly #checks: FolderChecks;
  readonly #saved: Emitter<SavedText>;
  readonly #unsaved: Emitter<string>;
  readonly #watched: Emitter<{ readonly file: string; readonly kind: 'changed' | 'removed' }>;
  readonly #guarded: Emitter<void>;

  constructor(folder: SimulatedFolder, process: SimulatedProcess, crash: CrashPoint, checks: FolderChecks) {
    this.#folder = folder;
    this.#process = process;
    this.#crash = crash;
    this.#checks = checks;
    const onError = (error: unknown): void => {
      checks.fail(`a listener failed: ${String(error)}`);
    };
    this.#saved = new Emitter(onError);
    this.#unsaved = new Emitter(onError);
    this.#watched = new Emitter(onError);
    this.#guarded = new Emitter(onError);
  }

  tellSaved(saved: SavedText): void {
    this.#later(2, () => {
      this.#saved.fire(saved);
    });
  }

  tellUnsaved(file: string): void {
    this.#later(2, () => {
      this.#unsaved.fire(file);
    });
  }

  tellWatched(path: string): void {
    this.#later(MAX_WATCH_MS, () => {
      const kind = this.#folder.files.has(path) ? 'changed' : 'removed';
      this.#watched.fire({ file: this.#folder.fileOf(path), kind });
    });
  }

  tellGuard(): void {
    this.#later(20, () => {
      this.#guarded.fire();
    });
  }

  get files(): WorkingFiles {
    const folder = this.#folder;
    return {
      hasUnsavedEdits: (file) => folder.buffers.has(folder.pathOf(file)),
      unsavedText: (file) => folder.buffers.get(folder.pathOf(file)),
      write: (request) => this.#write(request),
      remove: (file, before) => this.#remove(file, before),
      move: (from, to, before) => this.#move(from, to, before),
      editBuffer: async (file, splices) => {
        const path = folder.pathOf(file);
        const before = folder.buffers.get(path);
        await this.#process.delay(this.#process.random.between(0, 5));
        if (before === undefined || folder.buffers.get(path) !== before) return false;
        folder.setBuffer(path, applySplices(before, splices));
        return true;
      },
      onDidSave: this.#saved.event,
      onDidChangeUnsaved: this.#unsaved.event,
      findCandidates: () => Promise.resolve([...folder.files.keys()].map((path) => folder.fileOf(path))),
      dispose: () => undefined,
    };
  }

  get watcher(): FolderWatcher {
    return {
      onDidChange: this.#watched.event,
      watchFoldersOf: () => this.#process.delay(this.#process.random.between(0, 10)),
      dispose: () => undefined,
    };
  }

  get guard(): WorkGuard & { readonly onMayHaveChanged: Event<void> } {
    return {
      check: async () => {
        await this.#process.delay(this.#process.random.between(0, 1));
        return this.#folder.hindrance;
      },
      onMayHaveChanged: this.#guarded.event,
    };
  }

  get reader(): StableReader {
    return { read: (file, savedText) => this.#read(file, savedText) };
  }

  get layout(): DocumentLayout {
    const folder = this.#folder;
    return {
      createsDocuments: true,
      fileOf: (localPath) => folder.fileOf(localPath),
      localPathOf: (file) => (file.startsWith(`${folder.root}/`) ? folder.pathOf(file) : undefined),
      placeFor: (libraryPath) => Promise.resolve(libraryPath),
    };
  }

  async discover(): Promise<readonly string[]> {
    await this.#process.delay(this.#process.random.between(1, 30));
    const { files } = this.#folder;
    return [...files]
      .filter(([, raw]) => /^(?:openapi|swagger):/m.test(raw))
      .map(([path]) => this.#folder.fileOf(path));
  }

  async #read(file: string, savedText: string | undefined): Promise<FileReading> {
    const folder = this.#folder;
    const { random } = this.#process;
    const path = folder.pathOf(file);
    for (;;) {
      await this.#process.delay(random.between(0, 2));
      if (random.chance(folder.failing)) return { kind: 'failed', problem: { code: 'simulated', message: 'No.' } };
      const raw = folder.files.get(path);
      if (raw === undefined) return { kind: 'missing' };
      const working = workingText(raw);
      if (savedText !== undefined && workingText(savedText).text === working.text)
        return { kind: 'text', working, modifiedAt: folder.stampOf(path) };
      const stamp = folder.stampOf(path);
      await this.#process.delay(QUIET_MS);
      if (folder.stampOf(path) === stamp) return { kind: 'text', working, modifiedAt: stamp };
    }
  }

  async #write(request: WriteRequest): Promise<WriteOutcome> {
    const folder = this.#folder;
    const { random } = this.#process;
    const path = folder.pathOf(request.file);
    this.#checks.onWriting(path);
    this.#crash('before a write');
    await this.#process.delay(random.between(0, MAX_WRITE_MS));
    if (random.chance(folder.failing))
      return { kind: 'failed', problem: { code: 'simulated', message: 'The disk is full.' } };
    if (folder.buffers.has(path)) return { kind: 'unsaved' };
    const before = folder.files.get(path);
    if (before !== request.before) return { kind: 'changed' };
    if (request.before !== undefined && applySplices(request.before, request.splices) !== request.after)
      this.#checks.fail('splices do not give what is to be written');
    folder.put(path, request.after);
    this.#checks.onWritten(path, before, request.after);
    this.tellWatched(path);
    this.#crash('after a write');
    await this.#process.delay(random.between(0, MAX_WRITE_MS));
    return { kind: 'written' };
  }

  async #remove(file: string, before: string): Promise<WriteOutcome> {
    const folder = this.#folder;
    const { random } = this.#process;
    const path = folder.pathOf(file);
    this.#checks.onWriting(path);
    this.#crash('before a removal');
    await this.#process.delay(random.between(0, MAX_WRITE_MS));
    if (random.chance(folder.failing)) return { kind: 'failed', problem: { code: 'simulated', message: 'No.' } };
    if (folder.buffers.has(path)) return { kind: 'unsaved' };
    if (folder.files.get(path) !== before) return { kind: 'changed' };
    folder.put(path, undefined);
    this.#checks.onWritten(path, before, '');
    this.tellWatched(path);
    this.#crash('after a removal');
    await this.#process.delay(random.between(0, MAX_WRITE_MS));
    return { kind: 'written' };
  }

  async #move(fromFile: string, toFile: string, before: string): Promise<WriteOutcome> {
    const folder = this.#folder;
    const { random } = this.#process;
    const [from, to] = [folder.pathOf(fromFile), folder.pathOf(toFile)];
    this.#checks.onWriting(from);
    this.#crash('before a move');
    await this.#process.delay(random.between(0, MAX_WRITE_MS));
    if (random.chance(folder.failing)) return { kind: 'failed', problem: { code: 'simulated', message: 'No.' } };
    if (folder.buffers.has(from)) return { kind: 'unsaved' };
    if (folder.files.get(from) !== before) return { kind: 'changed' };
    if (folder.files.has(to)) return { kind: 'failed', problem: { code: 'file-not-renamed', message: 'In the way.' } };
    folder.put(to, before);
    folder.put(from, undefined);
    this.#checks.onMoved(from, to);
    this.tellWatched(from);
    this.tellWatched(to);
    this.#crash('after a move');
    await this.#process.delay(random.between(0, MAX_WRITE_MS));
    return { kind: 'written' };
  }

  #later(maxMs: number, run: () => void): void {
    this.#process.time.after(this.#process.random.between(0, maxMs), this.#process, run);
  }
}
