import { DisposableStore } from '../../core/disposableStore.ts';
import { Emitter, type Event } from '../../core/event.ts';
import type { BulkMemory } from '../../core/history/bulkMemory.ts';
import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat } from '../../core/merge/types.ts';
import type { Disposable } from '../../core/ports.ts';
import type { DocumentHead, LogEntry } from '../../core/replication/entry.ts';
import type { EntrySink, HeadsReason, LibraryLink } from '../../core/replication/libraryLink.ts';
import type { ReplicaState } from '../../core/replication/replicaStore.ts';
import { workingText } from '../../core/workingText.ts';
import type {
  AppliedBulk,
  AppliedChange,
  BrokenReference,
  DocumentStatus,
  HeldConflict,
  Outcome,
  Resolutions,
} from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { BulkArrivals } from './bulkArrivals.ts';
import { BulkIntake } from './bulkIntake.ts';
import { BulkProposals } from './bulkProposals.ts';
import { BulkTakeBack } from './bulkTakeBack.ts';
import { placeTaken } from './documentProblems.ts';
import { isPathUnsure } from './documentRecord.ts';
import { CrossReferences } from './crossReferences.ts';
import { DocumentReplica } from './documentReplica.ts';
import { DocumentSearch } from './documentSearch.ts';
import { DocumentTable } from './documentTable.ts';
import { GroupedCommits } from './groupedCommits.ts';
import { LibraryIntake } from './libraryIntake.ts';
import { ManyRemovals } from './manyRemovals.ts';
import type { ReplicaOptions } from './replicaOptions.ts';
import type { DocumentContext } from './replicaPorts.ts';
import type { ResolutionUndo } from './resolution.ts';
import { SourceChanges } from './sourceChanges.ts';
import { WorkPermit } from './workPermit.ts';

/** Auto-saves are sent after so much quiet (DESIGN §5, "Consent and joining"). */
const AUTO_SAVE_QUIET_MS = 2_000;
/** Statuses of many documents change together: they are told together. */
const STATUS_WINDOW_MS = 50;

/** Each keeps six whole texts; nobody takes back more than these in one sitting. */
const MAX_UNDOS = 20;

/** One workspace folder's copy of a library's documents: takes entries in, sends what people change (DESIGN §2, §5). */
export class Replica implements EntrySink, Disposable {
  readonly #options: ReplicaOptions & { readonly store: GroupedCommits };
  readonly #documents: DocumentTable;
  readonly #sourceChanges = new SourceChanges();
  readonly #disposables = new DisposableStore();
  readonly #autoSaves = new Map<string, Disposable>();
  readonly #undos: ResolutionUndo[] = [];
  readonly #changed: Emitter<void>;
  readonly #appliedChange: Emitter<AppliedChange>;
  readonly #appliedBulk: Emitter<AppliedBulk>;
  readonly #bulkArrivals: BulkArrivals;
  readonly #bulkProposals: BulkProposals;
  readonly #bulks: BulkIntake;
  readonly #bulkTakeBack: BulkTakeBack;
  readonly #references: CrossReferences;
  readonly #context: DocumentContext;
  readonly #permit: WorkPermit;
  readonly #intake: LibraryIntake;
  readonly #search: DocumentSearch;
  #nextProposalNumber: number;
  #link: LibraryLink | undefined;
  #statusTimer: Disposable | undefined;
  #isCaughtUp = false;
  #waitsForLink = true;

  private constructor(options: ReplicaOptions & { readonly store: GroupedCommits }, state: ReplicaState) {
    const { ambient } = options;
    const onListenerError = (error: unknown): void =>
      ambient.logger.error('A listener of the replica failed.', { error: String(error) });
    this.#options = options;
    this.#changed = this.#disposables.add(new Emitter<void>(onListenerError));
    this.#appliedChange = this.#disposables.add(new Emitter<AppliedChange>(onListenerError));
    this.#appliedBulk = this.#disposables.add(new Emitter<AppliedBulk>(onListenerError));
    this.#bulkArrivals = this.#disposables.add(new BulkArrivals(ambient, (bulk) => this.#appliedBulk.fire(bulk)));
    this.#permit = this.#disposables.add(new WorkPermit(ambient, options.guard));
    this.#bulkProposals = this.#disposables.add(
      new BulkProposals({
        ambient,
        bulkDocuments: options.bulkDocuments,
        link: () => this.#link,
        mayWork: () => this.#permit.check(),
        origin: options.bulkOrigin,
      }),
    );
    this.#nextProposalNumber = state.nextProposalNumber;
    this.#documents = new DocumentTable(options.layout);
    this.#context = this.#createContext();
    for (const stored of state.documents) {
      const inFlight = state.outbox.find((item) => item.proposal.docId === stored.docId);
      this.#documents.add(new DocumentReplica(this.#context, stored, inFlight));
    }
    this.#references = this.#disposables.add(
      new CrossReferences(this.#documents, {
        merger: options.merger,
        memory: options.referenceMemory,
        logger: ambient.logger,
        onChange: () => this.#tellChanged(),
      }),
    );
    this.#bulks = this.#disposables.add(
      new BulkIntake(this.#documents, this.#context, this.#bulkArrivals, options.bulkMemory, this.#references),
    );
    this.#bulkTakeBack = new BulkTakeBack({
      documents: this.#documents,
      context: this.#context,
      memory: options.bulkMemory,
      look: (docId, work) => this.#bulkProposals.look(docId, work),
    });
    this.#intake = new LibraryIntake(this.#documents, {
      options,
      context: this.#context,
      bulks: this.#bulks,
      references: this.#references,
      synced: state.synced,
      unsurePaths: state.documents.filter(isPathUnsure).map(({ docId }) => docId),
      onTaken: () => this.#linkChanged(),
    });
    this.#search = this.#disposables.add(
      new DocumentSearch(this.#documents, options, this.#context, {
        onWanted: () => this.#linkChanged(),
        onEnded: () => this.#tellChanged(),
        learnPaths: () => this.#intake.learnPaths(),
      }),
    );
  }

  /** Loads what is durable and finishes the writes that a crash interrupted. Rejects where the store cannot be read. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const store = new GroupedCommits(options.store);
    const state = await store.load();
    const replica = new Replica({ ...options, store }, state);
    for (const intent of state.intents) await replica.#documents.get(intent.docId)?.recover(intent);
    return replica;
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get onDidApplyChange(): Event<AppliedChange> {
    return this.#appliedChange.event;
  }

  /** In place of `onDidApplyChange` for each document of a bulk. */
  get onDidApplyBulk(): Event<AppliedBulk> {
    return this.#appliedBulk.event;
  }

  get documents(): readonly DocumentStatus[] {
    return this.#documents.local().map((document) => document.status);
  }

  get conflicts(): readonly HeldConflict[] {
    return this.#documents.local().flatMap((document) => document.heldConflicts);
  }

  get brokenReferences(): readonly BrokenReference[] {
    return this.#references.broken;
  }

  get isPaused(): boolean {
    return this.#permit.isPaused;
  }

  /** Whether what the library had when it was last heard of has come in, and what this folder has has been looked for. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp && !this.#search.isLooking;
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
    this.#disposables.add(files.onDidChangeUnsaved((file) => this.#documents.ofFile(file)?.wake()));
    this.#disposables.add(watcher.onDidChange(({ file, kind }) => this.#fileEvent(file, kind)));
    this.#disposables.add(
      this.#permit.onDidChange(({ isFreeAgain }) => {
        if (isFreeAgain) this.#readAll();
        else this.#tellChanged();
      }),
    );
    await watcher.watchFoldersOf(this.#documents.local().map((document) => document.status.file));
    await Promise.all(this.#documents.local().map((document) => this.#lookAt(document)));
    this.#bulkProposals.together(() => {
      for (const document of this.#documents.all()) document.resendInFlight();
    });
    this.#bulks.askLater();
    this.#linkChanged();
  }

  // ---- EntrySink ----

  lastSyncedIndex(): LogIndex {
    return this.#intake.lastSyncedIndex();
  }

  lastSyncedHash(): string | undefined {
    return this.#intake.lastSyncedHash();
  }

  lastDurableIndex(): LogIndex {
    return this.#intake.lastDurableIndex();
  }

  applySyncEntry(entry: LogEntry, runningHash?: string, isFollowed?: boolean): Promise<void> {
    return this.#intake.applySyncEntry(entry, runningHash, isFollowed);
  }

  applyHeads(heads: readonly DocumentHead[], index: LogIndex, runningHash?: string, why?: HeadsReason): Promise<void> {
    return this.#intake.applyHeads(heads, index, runningHash, why);
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
    await Promise.all(this.#documents.local().map((document) => this.#lookAt(document)));
    this.#search.want();
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

  /** See `BulkMemory`. */
  bulksOf(docId: DocId): ReturnType<BulkMemory['bulksOf']> {
    return this.#options.bulkMemory.bulksOf(docId);
  }

  /** See `BulkTakeBack`. */
  takeBackBulk(id: ProposalId): Promise<Outcome> {
    return this.#bulkTakeBack.takeBack(id);
  }

  mergeNow(file: string): Promise<Outcome> {
    return this.#documents.ofFile(file)?.mergeIntoBuffer() ?? Promise.resolve(unknownFile);
  }

  leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#documents.ofFile(file)?.leaveBehind(choice) ?? Promise.resolve(unknownFile);
  }

  /** Whether a document's file has taken in this text, which is an earlier revision, and what came after it. */
  async holdsRevision(file: string, raw: string): Promise<boolean> {
    const hash = this.#options.ambient.hashText(workingText(raw).text);
    return (await this.#documents.ofFile(file)?.holdsRevision(hash)) ?? false;
  }

  /** Whose changes a document's text holds beside one's own that are not in a commit yet; undefined where the file is none. */
  async foreignAuthors(
    file: string,
    text: () => Promise<string | undefined>,
    commit: string,
  ): Promise<readonly string[] | undefined> {
    const document = this.#documents.ofFile(file);
    const { committed } = this.#options;
    const revision = document === undefined ? undefined : await text();
    if (document === undefined || committed === undefined || revision === undefined) return undefined;
    return document.foreignAuthors(revision, committed.versions(file, commit));
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

  /** See `DocumentSearch.fileAppeared`. */
  fileAppeared(file: string): void {
    this.#search.fileAppeared(file);
  }

  /** A person has renamed a file or a folder. */
  fileRenamed(from: string, to: string): void {
    this.#search.fileRenamed(from, to);
  }

  dispose(): void {
    this.#disposables.dispose();
    this.#statusTimer?.dispose();
    for (const timer of this.#autoSaves.values()) timer.dispose();
    for (const document of this.#documents.all()) document.dispose();
  }

  /** Resolves when the steps that were running at `dispose` have ended: until then a file may still be written. */
  get closed(): Promise<void> {
    return Promise.all([...this.#documents.all()].map((document) => document.ended)).then(() =>
      this.#context.store.flush(),
    );
  }

  // ---- the library ----

  /** Creates in the library what this folder has and the library has not, once everything that it has came in. */
  #linkChanged(): void {
    this.#tellChanged();
    const link = this.#link;
    const isConnected = link?.status.connection === 'connected';
    this.#isCaughtUp = isConnected && link.status.lastIndex <= this.#intake.lastSyncedIndex();
    if (!isConnected) {
      this.#waitsForLink = true;
      this.#intake.settlePutOff();
    }
    if (!this.#isCaughtUp) return;
    // What could not be sent without a link can be now; entries wake only the documents that they are about.
    if (this.#waitsForLink) {
      for (const document of this.#documents.local()) {
        document.wake();
        this.#bulkProposals.look(document.docId, document.untilIdle);
      }
    }
    this.#waitsForLink = false;
    if (!this.#permit.isPaused) this.#search.look(() => this.#permit.hindrance !== undefined);
  }

  // ---- events ----

  #saved(file: string, text: string, isAutoSave: boolean): void {
    this.#autoSaves.get(file)?.dispose();
    this.#autoSaves.delete(file);
    const document = this.#documents.ofFile(file);
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
    const document = this.#documents.ofFile(file);
    if (document !== undefined) {
      this.#context.removals.toldAgain(document.docId);
      this.#read(document);
    } else if (kind === 'changed') this.#search.fileAppeared(file);
    if (document !== undefined && kind === 'removed') this.#search.fileGone();
  }

  #read(document: DocumentReplica, savedText?: string): void {
    // Fails never: see there.
    void this.#lookAt(document, savedText);
  }

  #lookAt(document: DocumentReplica, savedText?: string): Promise<void> {
    const looked = document.fileChanged(savedText);
    this.#bulkProposals.look(document.docId, looked);
    return looked;
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
    this.#placeIsFree(docId);
  }

  /** Documents of the library that another one kept from having a copy here may get it now. */
  #placeIsFree(left: DocId): void {
    this.#wakeWaiting(left);
    if (this.#documents.withoutCopy().length > 0) this.#search.want();
  }

  #stayed(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined || !this.#documents.release(document)) return;
    this.#wakeWaiting(docId);
    this.#search.want();
  }

  /** Somebody may have waited for the place that a document has left. */
  #wakeWaiting(left: DocId): void {
    for (const other of this.#documents.local()) if (other.docId !== left && other.waitsForName) other.wake();
  }

  #forget(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined) return;
    this.#documents.remove(document);
    this.#inBackground(document.letGo());
    this.#tellChanged();
    this.#placeIsFree(docId);
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
      send: (proposal, source, isWanted) => this.#bulkProposals.propose(proposal, source, isWanted),
      applied: (change, step) => {
        if (!this.#bulkArrivals.take(change, step)) this.#appliedChange.fire(change);
      },
      fileOf: (localPath) => layout.fileOf(localPath),
      sharesPaths: layout.createsDocuments,
      placeFor: (libraryPath) => layout.placeFor(libraryPath),
      reservePlace: (localPath, docId) => {
        const document = this.#documents.get(docId);
        return document !== undefined && this.#documents.reserve(document, localPath);
      },
      moved: (docId) => this.#moved(docId),
      stayed: (docId) => this.#stayed(docId),
      forget: (docId) => this.#forget(docId),
      formerlyAt: (libraryPath) => this.#documents.formerlyAt(libraryPath),
      syncedIndex: () => this.#intake.lastSyncedIndex(),
      isLookingForFiles: () => this.#search.isOpen,
      removals: new ManyRemovals(ambient.clock, () => this.#documents.local().length),
      gone: (docId) => {
        this.#documents.unplace(docId);
        this.#wakeWaiting(docId);
        // Somebody may have put a file there in the same moment, and told nobody but the document that is gone.
        this.#search.want();
      },
    };
  }
}

const unknownFile: Outcome = {
  isDone: false,
  problem: { code: 'file-not-kept', message: 'This file is not kept in step.' },
};
