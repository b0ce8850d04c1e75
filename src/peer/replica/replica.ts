import { applySplices, checkSplices } from '../../core/merge/splices.ts';
import { Emitter, type Event } from '../../core/event.ts';
import { DisposableStore } from '../../core/disposableStore.ts';
import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat } from '../../core/merge/types.ts';
import type { Ambient, Disposable, Merger } from '../../core/ports.ts';
import type { DocumentHead, LogEntry } from '../../core/replication/entry.ts';
import {
  BadEntryError,
  type EntrySink,
  type HeadsReason,
  type LibraryLink,
} from '../../core/replication/libraryLink.ts';
import type {
  ReplicaState,
  ReplicaStore,
  StoredDocument,
  SyncedPosition,
} from '../../core/replication/replicaStore.ts';
import { BETWEEN_LOGS } from '../../core/replication/runningHash.ts';
import type { WorkingFiles } from '../../core/workingFiles.ts';
import type { AppliedChange, DocumentStatus, HeldConflict, Outcome, Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { DocumentReplica } from './documentReplica.ts';
import type { DocumentLayout } from './documentLayout.ts';
import { placeTaken } from './documentProblems.ts';
import { isPathUnsure } from './documentRecord.ts';
import { DocumentTable } from './documentTable.ts';
import { ManyRemovals } from './manyRemovals.ts';
import type { CommittedTexts, DocumentContext, StableReader, WorkGuard } from './replicaPorts.ts';
import { pairRenames } from './renamedFiles.ts';
import type { ResolutionUndo } from './resolution.ts';
import { SourceChanges } from './sourceChanges.ts';
import { WorkPermit } from './workPermit.ts';

/** Auto-saves are sent after so much quiet (DESIGN §5, "Consent and joining"). */
const AUTO_SAVE_QUIET_MS = 2_000;
/** Statuses of many documents change together: they are told together. */
const STATUS_WINDOW_MS = 50;

/** Each keeps six whole texts; nobody takes back more than these in one sitting. */
const MAX_UNDOS = 20;

/** New files that could not be read are looked at again after so long. */
const LOOK_AGAIN_MS = 5_000;
const MAX_UNCLEAR_LOOKS = 3;
/** More files than these that appear in one go are no renamed documents. */
const MAX_APPEARED = 1_000;

/** Files that changed in the folders of known documents. */
export interface FolderWatcher extends Disposable {
  readonly onDidChange: Event<{ readonly file: string; readonly kind: 'changed' | 'removed' }>;
  watchFoldersOf(files: readonly string[]): Promise<void>;
}

export interface ReplicaOptions {
  readonly ambient: Ambient;
  readonly files: WorkingFiles;
  readonly store: ReplicaStore;
  readonly merger: Merger;
  readonly reader: StableReader;
  readonly guard: WorkGuard & { readonly onMayHaveChanged: Event<void> };
  /** Undefined outside of git. */
  readonly committed?: CommittedTexts | undefined;
  readonly watcher: FolderWatcher;
  readonly layout: DocumentLayout;
  readonly infoVersion: 'ask' | 'higher' | 'ours' | 'theirs';
  /** Absolute paths of this folder's documents, found by their content. */
  readonly discover: () => Promise<readonly string[]>;
  /** Whether a file is a document by itself; `unclear` where only a search can tell. */
  readonly inspect: (file: string) => Promise<'root' | 'other' | 'unclear'>;
}

/** One workspace folder's copy of a library's documents: takes entries in, sends what people change (DESIGN §2, §5). */
export class Replica implements EntrySink, Disposable {
  readonly #options: ReplicaOptions;
  readonly #documents = new DocumentTable();
  readonly #sourceChanges = new SourceChanges();
  readonly #disposables = new DisposableStore();
  /** Files that were told of and are no documents yet, since files were looked for last. */
  readonly #appeared = new Set<string>();
  readonly #autoSaves = new Map<string, Disposable>();
  readonly #undos: ResolutionUndo[] = [];
  readonly #changed: Emitter<void>;
  readonly #appliedChange: Emitter<AppliedChange>;
  readonly #context: DocumentContext;
  readonly #permit: WorkPermit;
  /** Documents whose path may be another one in the library. */
  readonly #unsurePaths = new Set<DocId>();
  #synced: SyncedPosition;
  #nextProposalNumber: number;
  #link: LibraryLink | undefined;
  #statusTimer: Disposable | undefined;
  #nextLook: Disposable | undefined;
  #unclearLooks = 0;
  #announcing: Promise<void> | undefined;
  #wantsAnnouncement = true;
  #isCaughtUp = false;
  #waitsForLink = true;

  private constructor(options: ReplicaOptions, state: ReplicaState) {
    const { ambient } = options;
    const onListenerError = (error: unknown): void =>
      ambient.logger.error('A listener of the replica failed.', { error: String(error) });
    this.#options = options;
    this.#changed = this.#disposables.add(new Emitter<void>(onListenerError));
    this.#appliedChange = this.#disposables.add(new Emitter<AppliedChange>(onListenerError));
    this.#permit = this.#disposables.add(new WorkPermit(ambient, options.guard));
    this.#synced = state.synced;
    this.#nextProposalNumber = state.nextProposalNumber;
    this.#context = this.#createContext();
    for (const stored of state.documents) {
      const inFlight = state.outbox.find((item) => item.proposal.docId === stored.docId);
      this.#documents.add(new DocumentReplica(this.#context, stored, inFlight));
      if (isPathUnsure(stored)) this.#unsurePaths.add(stored.docId);
    }
  }

  /** Loads what is durable and finishes the writes that a crash interrupted. Rejects where the store cannot be read. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const state = await options.store.load();
    const replica = new Replica(options, state);
    for (const intent of state.intents) await replica.#documents.get(intent.docId)?.recover(intent);
    return replica;
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get onDidApplyChange(): Event<AppliedChange> {
    return this.#appliedChange.event;
  }

  get documents(): readonly DocumentStatus[] {
    return this.#documents.local().map((document) => document.status);
  }

  get conflicts(): readonly HeldConflict[] {
    return this.#documents.local().flatMap((document) => document.heldConflicts);
  }

  get isPaused(): boolean {
    return this.#permit.isPaused;
  }

  /** Whether what the library had when it was last heard of has come in, and what this folder has has been looked for. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp && this.#announcing === undefined;
  }

  /** Why nothing is sent or written although it is not paused. */
  get hindrance(): string | undefined {
    return this.#permit.hindrance;
  }

  get canUndoResolution(): boolean {
    return this.#undos.length > 0;
  }

  /** Goes to work: from now on files are watched and the library is followed. */
  async start(link: LibraryLink): Promise<void> {
    const { files, watcher } = this.#options;
    this.#link = link;
    this.#disposables.add(link.onDidChangeStatus(() => this.#linkChanged()));
    this.#disposables.add(files.onDidSave((saved) => this.#saved(saved.file, saved.text, saved.isAutoSave)));
    this.#disposables.add(files.onDidChangeUnsaved((file) => this.#byFile(file)?.wake()));
    this.#disposables.add(watcher.onDidChange(({ file, kind }) => this.#fileEvent(file, kind)));
    this.#disposables.add(
      this.#permit.onDidChange(({ isFreeAgain }) => {
        if (isFreeAgain) this.#readAll();
        else this.#tellChanged();
      }),
    );
    await watcher.watchFoldersOf(this.#documents.local().map((document) => document.status.file));
    await Promise.all(this.#documents.local().map((document) => document.fileChanged()));
    for (const document of this.#documents.all()) document.resendInFlight();
    this.#linkChanged();
  }

  // ---- EntrySink ----

  lastSyncedIndex(): LogIndex {
    return this.#synced.index;
  }

  lastSyncedHash(): string | undefined {
    return this.#synced.runningHash;
  }

  async applySyncEntry(entry: LogEntry, runningHash?: string): Promise<void> {
    if (entry.index <= this.#synced.index) return;
    const synced = { index: entry.index, runningHash };
    const path = entry.kind === 'create' ? entry.path : undefined;
    const known = this.#documents.get(entry.docId);
    if (known !== undefined && path !== undefined) await this.#placeAgain(known, path, entry.index);
    const document = known ?? (await this.#adopt(path, entry.docId, entry.index));
    if (document === undefined || entry.kind === 'leader') {
      await this.#options.store.commit({ synced });
    } else {
      await document.applyEntry(entry, await this.#textAfter(document, entry), synced);
    }
    this.#synced = synced;
    this.#linkChanged();
  }

  async applyHeads(
    heads: readonly DocumentHead[],
    index: LogIndex,
    runningHash?: string,
    why: HeadsReason = 'compacted',
  ): Promise<void> {
    if (why === 'unknown') await this.#stand({ index: this.#synced.index, runningHash: BETWEEN_LOGS });
    const isKnown = new Set(heads.map(({ docId }) => docId));
    // Before the heads, because a document that is ours alone gives its place to the library's at the same path.
    const onlyHere = why === 'unknown' ? [...this.#documents.all()].filter(({ docId }) => !isKnown.has(docId)) : [];
    for (const document of onlyHere) if (document.stored.shadow !== undefined) await document.becomeNew();
    for (const head of heads) {
      const known = this.#documents.get(head.docId);
      if (head.hash === undefined) {
        await (known ?? this.#bury(head)).applyTombstone(head);
        continue;
      }
      if (known !== undefined) await this.#placeAgain(known, head.path, head.index);
      const document = known ?? (await this.#adopt(head.path, head.docId, head.index));
      await document?.applyHead(head, head.hash, why);
    }
    await this.#stand({ index, runningHash });
    for (const document of onlyHere) document.wake();
    this.#linkChanged();
  }

  async #stand(synced: SyncedPosition): Promise<void> {
    await this.#options.store.commit({ synced });
    this.#synced = synced;
  }

  // ---- what a person asks for ----

  pause(): void {
    this.#permit.setPaused(true);
  }

  resume(): void {
    this.#permit.setPaused(false);
  }

  /** Reads every file again; resolves when nothing is under way any more or something stands in the way. */
  async syncNow(timeoutMs: number): Promise<boolean> {
    await Promise.all(this.#documents.local().map((document) => document.fileChanged()));
    this.#wantsAnnouncement = true;
    this.#linkChanged();
    return this.#untilAtRest(timeoutMs);
  }

  async resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    const document = this.#documents.get(docId);
    if (document === undefined)
      return { isDone: false, problem: { code: 'document-gone', message: 'This document is no longer kept in step.' } };
    const outcome = await document.resolve(resolutions);
    if (outcome.undo !== undefined) this.#undos.push(outcome.undo);
    if (this.#undos.length > MAX_UNDOS) this.#undos.shift();
    return outcome;
  }

  /** The person is about to bring an earlier version of a document back. */
  expectVersion(docId: DocId, hash: RevisionHash): void {
    this.#documents.get(docId)?.expectVersion(hash);
  }

  /** How a document is written; undefined where it is none of this replica. */
  formatOf(docId: DocId): DocumentFormat | undefined {
    return this.#documents.get(docId)?.format;
  }

  /** A source is about to change a document's file from one text to another: what exactly that is goes out in its name. */
  expectSourceChange(source: string, before: RevisionHash | undefined, after: RevisionHash): void {
    this.#sourceChanges.expect(source, before, after);
  }

  /** The revision that the library and this copy last agreed on, by the copy's path. */
  agreedHash(path: string): RevisionHash | undefined {
    return this.#documents.local().find(({ status }) => status.path === path)?.agreedHash;
  }

  /** What is held in a document, as it is now. */
  heldDocument(docId: DocId): HeldDocument | undefined {
    return this.#documents.get(docId)?.heldDocument;
  }

  async undoResolution(): Promise<Outcome> {
    const undo = this.#undos.pop();
    const document = undo === undefined ? undefined : this.#documents.get(undo.docId);
    if (undo === undefined || document === undefined)
      return { isDone: false, problem: { code: 'nothing-to-undo', message: 'There is no choice to take back.' } };
    const outcome = await document.undoResolution(undo);
    if (!outcome.isDone && outcome.problem.code !== 'changed-since') this.#undos.push(undo);
    return outcome;
  }

  mergeNow(file: string): Promise<Outcome> {
    return this.#byFile(file)?.mergeIntoBuffer() ?? Promise.resolve(unknownFile);
  }

  leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#byFile(file)?.leaveBehind(choice) ?? Promise.resolve(unknownFile);
  }

  async bringBack(docId: DocId): Promise<Outcome> {
    const document = this.#documents.get(docId);
    const place = document === undefined ? undefined : await this.#options.layout.placeFor(document.stored.libraryPath);
    if (document === undefined || place === undefined) return unknownFile;
    const owner = this.#documents.at(place);
    if (owner !== undefined && owner !== document) return placeTaken;
    const outcome = await document.revive(place);
    this.#documents.add(document);
    await document.fileChanged();
    return outcome;
  }

  /** A file that may be a document turned up, or one that is none was saved: that is no reason to search the folder. */
  fileAppeared(file: string): void {
    const known = this.#byFile(file);
    if (known !== undefined) {
      this.#read(known);
      return;
    }
    // It may be a document that is missing at its place, or will be found missing in a moment.
    if (this.#appeared.size < MAX_APPEARED) this.#appeared.add(file);
    const isOneMissing = this.#documents.local().some((document) => document.isMissing);
    (isOneMissing ? Promise.resolve(true) : this.#mayBeDocument(file)).then(
      (mayBe) => {
        if (!mayBe || this.#disposables.isDisposed) return;
        this.#wantsAnnouncement = true;
        this.#linkChanged();
      },
      (error: unknown) => {
        if (!this.#disposables.isDisposed)
          this.#options.ambient.logger.error('A new file could not be looked at.', { error: String(error) });
      },
    );
  }

  /** A person has renamed a file or a folder. */
  fileRenamed(from: string, to: string): void {
    const moves = this.#documents.local().flatMap((document) => {
      const { file } = document.status;
      const isBelow = file === from || file.startsWith(`${from}/`) || file.startsWith(`${from}\\`);
      return isBelow && document.mayHaveMoved ? [{ document, target: to + file.slice(from.length) }] : [];
    });
    const move = async (): Promise<void> => {
      for (const { document, target } of moves) {
        const isThere = (await this.#options.reader.read(target, undefined, undefined)).kind === 'text';
        if (isThere && (await this.#mayLieAt(target))) await this.#moveHere(document, target);
      }
    };
    move().catch((error: unknown) => {
      if (!this.#disposables.isDisposed)
        this.#options.ambient.logger.error('A renamed file could not be followed.', { error: String(error) });
    });
  }

  dispose(): void {
    this.#disposables.dispose();
    this.#statusTimer?.dispose();
    this.#nextLook?.dispose();
    for (const timer of this.#autoSaves.values()) timer.dispose();
    for (const document of this.#documents.all()) document.dispose();
  }

  /** Resolves when the steps that were running at `dispose` have ended: until then a file may still be written. */
  get closed(): Promise<void> {
    return Promise.all([...this.#documents.all()].map((document) => document.ended)).then(() => undefined);
  }

  // ---- documents ----

  #byFile(file: string): DocumentReplica | undefined {
    const localPath = this.#options.layout.localPathOf(file);
    return localPath === undefined ? undefined : this.#documents.at(localPath);
  }

  /** A file that is no root is a document where another one refers to it, and then its name stands there. */
  async #mayBeDocument(file: string): Promise<boolean> {
    const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
    if (this.#documents.local().some((document) => document.names(name))) return true;
    return (await this.#options.inspect(file)) !== 'other';
  }

  /** A document that was deleted before it ever came here: known, so that an old copy of its file is no new document. */
  #bury(head: DocumentHead): DocumentReplica {
    const document = new DocumentReplica(this.#context, newDocument(head.docId, head.path, undefined), undefined);
    this.#documents.add(document);
    return document;
  }

  /** A document that was deleted is in the library again, perhaps at another path. */
  async #placeAgain(document: DocumentReplica, libraryPath: string, headIndex: LogIndex): Promise<void> {
    if (document.stored.deleted === undefined || document.localPath !== undefined) return;
    const localPath = await this.#options.layout.placeFor(libraryPath);
    const release = localPath === undefined ? undefined : this.#takePlace(localPath);
    if (localPath === undefined || release === undefined) return;
    document.awaitHead(headIndex);
    await release();
    await document.comeBackTo(localPath, libraryPath);
    this.#documents.add(document);
    await this.#options.watcher.watchFoldersOf([document.status.file]);
    await document.fileChanged();
  }

  /**
   * Makes room for a document of the library: the place is free when this returns, and what was there has let go of it
   * when the answer was called; if that fails, it has its place again. Undefined where the place belongs to another
   * document of the library.
   */
  #takePlace(localPath: string): (() => Promise<void>) | undefined {
    const there = this.#documents.at(localPath);
    if (there === undefined) return () => Promise.resolve();
    const isTombstone = there.stored.deleted !== undefined;
    // Two peers have created the document at this path; the library's is the one that counts.
    if (!isTombstone && there.stored.shadow !== undefined) return undefined;
    if (isTombstone) this.#documents.unplace(there.docId);
    else this.#documents.remove(there);
    return async () => {
      try {
        await (isTombstone ? there.giveUpPlace() : there.letGo());
      } catch (error) {
        this.#documents.add(there);
        throw error;
      }
    };
  }

  /** Takes up a document of the library: at its place here, or without a copy where the layout has none for it. */
  async #adopt(
    libraryPath: string | undefined,
    docId: DocId,
    headIndex: LogIndex,
  ): Promise<DocumentReplica | undefined> {
    if (libraryPath === undefined) return undefined;
    const localPath = await this.#options.layout.placeFor(libraryPath);
    const release = localPath === undefined ? undefined : this.#takePlace(localPath);
    // Where another document of the library still has the place, this one waits until that has its new name.
    const place = release === undefined ? undefined : localPath;
    const document = new DocumentReplica(this.#context, newDocument(docId, libraryPath, place), undefined);
    document.awaitHead(headIndex);
    // In one go, so that nobody finds the file to be no document's and creates a third one.
    this.#documents.add(document);
    try {
      await release?.();
    } catch (error) {
      // The entry is offered again, and meets the same state as now.
      this.#documents.remove(document);
      throw error;
    }
    if (place !== undefined) {
      await this.#options.watcher.watchFoldersOf([document.status.file]);
      await document.fileChanged();
    }
    return document;
  }

  async #textAfter(document: DocumentReplica, entry: LogEntry): Promise<string | undefined> {
    if (entry.hash === undefined) return undefined;
    const { hashText } = this.#options.ambient;
    const before = entry.kind === 'create' ? { text: '', hash: undefined } : document.stored.head;
    if (
      before !== undefined &&
      before.hash === entry.baseHash &&
      checkSplices(entry.patch, before.text.length).length === 0
    ) {
      const text = applySplices(before.text, entry.patch);
      if (hashText(text) === entry.hash) return text;
    }
    const fetched = await this.#link?.fetchRevision(entry.docId, entry.hash);
    if (fetched !== undefined && hashText(fetched) === entry.hash) return fetched;
    throw new BadEntryError(`Entry ${entry.index} does not give the revision that it names.`);
  }

  /** Creates in the library what this folder has and the library has not, once everything that it has came in. */
  #linkChanged(): void {
    this.#tellChanged();
    const link = this.#link;
    const isConnected = link?.status.connection === 'connected';
    this.#isCaughtUp = isConnected && link.status.lastIndex <= this.#synced.index;
    if (!isConnected) this.#waitsForLink = true;
    if (!this.#isCaughtUp) return;
    // What could not be sent without a link can be now; entries wake only the documents that they are about.
    if (this.#waitsForLink) for (const document of this.#documents.local()) document.wake();
    this.#waitsForLink = false;
    if (!this.#wantsAnnouncement || this.#permit.isPaused || this.#announcing !== undefined) return;
    this.#wantsAnnouncement = false;
    this.#announcing = this.#announceDocuments()
      .catch((error: unknown) => {
        // Let go of in the middle of the search: who serves this replica next looks again.
        if (this.#disposables.isDisposed) return;
        this.#options.ambient.logger.error('New documents could not be looked for.', { error: String(error) });
      })
      .finally(() => {
        this.#announcing = undefined;
        this.#tellChanged();
        // While git is at work it is not asked again and again: when it is at rest, everything is looked at.
        if (this.#wantsAnnouncement && this.#permit.hindrance === undefined) this.#linkChanged();
      });
  }

  async #announceDocuments(): Promise<void> {
    if (!(await this.#permit.check())) {
      this.#wantsAnnouncement = true;
      return;
    }
    await this.#learnPaths();
    await this.#placeWaiting();
    if (!this.#options.layout.createsDocuments) return;
    const created: DocumentReplica[] = [];
    const tombstones = await this.#tombstonePlaces();
    const found = await this.#options.discover();
    const isNew = (file: string): boolean =>
      this.#options.layout.localPathOf(file) !== undefined && this.#byFile(file) === undefined;
    const appeared = [...this.#appeared].filter((file) => !found.includes(file));
    this.#appeared.clear();
    const isClear = await this.#followRenames(found, [...found, ...appeared].filter(isNew));
    this.#unclearLooks = isClear ? 0 : this.#unclearLooks + 1;
    // What can never be read must not keep everything else from being found.
    if (!isClear && this.#unclearLooks <= MAX_UNCLEAR_LOOKS) {
      for (const file of appeared) this.#appeared.add(file);
      this.#lookLater();
      return;
    }
    for (const file of found) {
      const localPath = this.#options.layout.localPathOf(file);
      if (localPath === undefined || !isNew(file)) continue;
      const tombstone = tombstones.get(localPath);
      if (tombstone !== undefined && (await this.#isOldCopy(file, tombstone))) {
        await tombstone.placeAt(localPath, tombstone.stored.libraryPath);
        this.#documents.add(tombstone);
        await this.#options.watcher.watchFoldersOf([file]);
        await tombstone.fileChanged();
        continue;
      }
      const docId = this.#options.ambient.random.uuid() as DocId;
      const document = new DocumentReplica(this.#context, newDocument(docId, localPath, localPath), undefined);
      this.#documents.add(document);
      created.push(document);
    }
    if (created.length === 0) return;
    await this.#options.store.commit({ putDocuments: created.map((document) => document.stored) });
    await this.#options.watcher.watchFoldersOf(created.map((document) => document.status.file));
    await Promise.all(created.map((document) => document.fileChanged()));
  }

  /** An older release that served this replica took entries in and left their paths out: the heads have them. */
  async #learnPaths(): Promise<void> {
    const link = this.#link;
    if (link === undefined || this.#unsurePaths.size === 0) return;
    for (const { docId, path, hash, index } of await link.fetchHeads()) {
      const document = hash === undefined || !this.#unsurePaths.has(docId) ? undefined : this.#documents.get(docId);
      const isOutdated = index < (document?.stored.head?.index ?? 0);
      if (document !== undefined && !isOutdated) await document.learnPath(path);
    }
    this.#unsurePaths.clear();
  }

  /** Documents of the library whose place another one had get it now. */
  async #placeWaiting(): Promise<void> {
    for (const document of this.#documents.withoutCopy()) {
      const { libraryPath } = document.stored;
      const place = await this.#options.layout.placeFor(libraryPath);
      if (place === undefined || !this.#documents.reserve(document, place)) continue;
      try {
        await document.placeAt(place, libraryPath);
      } finally {
        this.#documents.add(document);
      }
      await this.#options.watcher.watchFoldersOf([document.status.file]);
      await document.fileChanged();
    }
  }

  /**
   * Files that were found at new places and are documents that are missing at theirs: those have a new name ([REN-01]).
   * `false` where one of them could not be read, so that nobody knows.
   */
  async #followRenames(found: readonly string[], newFiles: readonly string[]): Promise<boolean> {
    if (newFiles.length === 0) return true;
    const there = new Set(found);
    const candidates = this.#documents.local().filter((one) => one.mayHaveMoved && !there.has(one.status.file));
    if (candidates.length === 0) return true;
    const { reader } = this.#options;
    const missing = [];
    for (const document of candidates) {
      const { kind } = await reader.read(document.status.file, undefined, undefined);
      if (kind === 'missing') missing.push({ key: document, path: document.status.path, texts: document.knownTexts });
      else if (kind === 'failed') return false;
    }
    if (missing.length === 0) return true;
    const appeared = [];
    for (const file of newFiles) {
      const reading = await reader.read(file, undefined, undefined);
      if (reading.kind === 'text') appeared.push({ key: file, path: file, text: reading.working.text });
      else if (reading.kind === 'failed') return false;
    }
    for (const [document, file] of pairRenames(missing, appeared)) await this.#moveHere(document, file);
    return true;
  }

  #lookLater(): void {
    this.#nextLook?.dispose();
    this.#nextLook = this.#options.ambient.scheduler.after(LOOK_AGAIN_MS, () => {
      this.#nextLook = undefined;
      this.#wantsAnnouncement = true;
      this.#linkChanged();
    });
  }

  /** Whether a document of this folder may have this file. */
  async #mayLieAt(file: string): Promise<boolean> {
    const { layout } = this.#options;
    const localPath = layout.localPathOf(file);
    if (localPath === undefined || this.#byFile(file) !== undefined) return false;
    return !layout.createsDocuments || (await layout.placeFor(localPath)) !== undefined;
  }

  async #moveHere(document: DocumentReplica, file: string): Promise<void> {
    const localPath = this.#options.layout.localPathOf(file);
    if (localPath === undefined || !this.#documents.reserve(document, localPath)) return;
    try {
      await document.moveHere(localPath);
    } finally {
      this.#documents.add(document);
    }
    await this.#options.watcher.watchFoldersOf([document.status.file]);
    await document.fileChanged();
  }

  /** By local path: the documents that the library has deleted and that are not here any more. */
  async #tombstonePlaces(): Promise<ReadonlyMap<string, DocumentReplica>> {
    const places = new Map<string, DocumentReplica>();
    for (const document of this.#documents.tombstones()) {
      const place = await this.#options.layout.placeFor(document.stored.libraryPath);
      if (place !== undefined) places.set(place, document);
    }
    return places;
  }

  /** Whether a file is what the deleted document once was: then it is a deletion that comes back, and no new document ([DEL-05]). */
  async #isOldCopy(file: string, tombstone: DocumentReplica): Promise<boolean> {
    const reading = await this.#options.reader.read(file, undefined, undefined);
    if (reading.kind !== 'text') return false;
    const hash = this.#options.ambient.hashText(reading.working.text);
    if (hash === tombstone.stored.head?.hash) return true;
    return (await this.#link?.fetchRevision(tombstone.docId, hash)) !== undefined;
  }

  // ---- events ----

  #saved(file: string, text: string, isAutoSave: boolean): void {
    this.#autoSaves.get(file)?.dispose();
    this.#autoSaves.delete(file);
    const document = this.#byFile(file);
    if (document === undefined) {
      this.fileAppeared(file);
    } else if (isAutoSave) {
      this.#autoSaves.set(
        file,
        this.#options.ambient.scheduler.after(AUTO_SAVE_QUIET_MS, () => {
          this.#autoSaves.delete(file);
          this.#read(document, text);
        }),
      );
    } else {
      this.#read(document, text);
    }
  }

  #fileEvent(file: string, kind: 'changed' | 'removed'): void {
    // An auto-save's own event: its text is sent when the quiet is over.
    if (this.#autoSaves.has(file)) return;
    const document = this.#byFile(file);
    if (document !== undefined) this.#read(document);
    else if (kind === 'changed') this.fileAppeared(file);
    if (document === undefined || kind === 'changed' || this.#appeared.size === 0) return;
    this.#wantsAnnouncement = true;
    this.#linkChanged();
  }

  #read(document: DocumentReplica, savedText?: string): void {
    void document.fileChanged(savedText);
  }

  /** What git or anybody left behind meanwhile is read before anything is done with it. */
  #readAll(): void {
    for (const document of this.#documents.local()) this.#read(document);
    this.#linkChanged();
  }

  #tellChanged(): void {
    if (this.#disposables.isDisposed) return;
    this.#statusTimer ??= this.#options.ambient.scheduler.after(STATUS_WINDOW_MS, () => {
      this.#statusTimer = undefined;
      this.#changed.fire();
    });
  }

  #untilAtRest(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = new DisposableStore();
      const finish = (isAtRest: boolean): void => {
        waiting.dispose();
        resolve(isAtRest);
      };
      const look = (): void => {
        const isBlocked = this.#permit.isPaused || this.#permit.hindrance !== undefined;
        if (isBlocked || (this.isCaughtUp && this.#documents.local().every((document) => document.isAtRest)))
          finish(!isBlocked);
      };
      waiting.add(this.onDidChange(look));
      waiting.add(this.#options.ambient.scheduler.after(timeoutMs, () => finish(false)));
      look();
    });
  }

  #moved(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined) return;
    this.#documents.add(document);
    if (document.localPath !== undefined)
      this.#inBackground(this.#options.watcher.watchFoldersOf([document.status.file]));
    // Somebody may have waited for the place that is free now.
    for (const other of this.#documents.local()) if (other !== document && other.isNameOpen) other.wake();
    if (this.#documents.withoutCopy().length === 0) return;
    this.#wantsAnnouncement = true;
    this.#linkChanged();
  }

  #forget(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined) return;
    this.#documents.remove(document);
    this.#inBackground(document.letGo());
    this.#tellChanged();
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#disposables.isDisposed)
        this.#options.ambient.logger.error('What follows a renamed file failed.', { error: String(error) });
    });
  }

  #createContext(): DocumentContext {
    const { ambient, files, store, merger, reader, committed, layout, infoVersion } = this.#options;
    return {
      ambient,
      files,
      store,
      merger,
      reader,
      committed,
      infoVersion,
      link: () => this.#link,
      isOwn: (proposalId: ProposalId) => proposalId.startsWith(`${store.replicaId}:`),
      takeProposalNumber: () => {
        const number = this.#nextProposalNumber++;
        return {
          proposalId: `${store.replicaId}:${number}` as ProposalId,
          nextProposalNumber: this.#nextProposalNumber,
        };
      },
      mayWork: () => this.#permit.check(),
      hindranceCount: () => this.#permit.hindranceCount,
      sourceOf: (before, after) => this.#sourceChanges.sourceOf(before, after),
      changed: () => this.#tellChanged(),
      applied: (change) => this.#appliedChange.fire(change),
      fileOf: (localPath) => layout.fileOf(localPath),
      sharesPaths: layout.createsDocuments,
      placeFor: (libraryPath) => layout.placeFor(libraryPath),
      reservePlace: (localPath, docId) => {
        const document = this.#documents.get(docId);
        return document !== undefined && this.#documents.reserve(document, localPath);
      },
      moved: (docId) => this.#moved(docId),
      forget: (docId) => this.#forget(docId),
      syncedIndex: () => this.#synced.index,
      isLookingForFiles: () =>
        this.#announcing !== undefined || this.#wantsAnnouncement || this.#nextLook !== undefined,
      removals: new ManyRemovals(ambient.clock, () => this.#documents.local().length),
      gone: (docId) => {
        this.#documents.unplace(docId);
        // Somebody may have put a file there in the same moment, and told nobody but the document that is gone.
        this.#wantsAnnouncement = true;
        this.#linkChanged();
      },
    };
  }
}

function newDocument(docId: DocId, libraryPath: string, localPath: string | undefined): StoredDocument {
  return {
    docId,
    libraryPath,
    localPath,
    shadow: undefined,
    heldBase: undefined,
    head: undefined,
    attribution: {},
  };
}

const unknownFile: Outcome = {
  isDone: false,
  problem: { code: 'file-not-kept', message: 'This file is not kept in step.' },
};
