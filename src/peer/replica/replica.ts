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
import type { AppliedBulk, AppliedChange, BrokenReference, DocumentStatus, HeldConflict } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { BulkArrivals } from './bulkArrivals.ts';
import { BulkIntake } from './bulkIntake.ts';
import { BulkProposals } from './bulkProposals.ts';
import { BulkTakeBack } from './bulkTakeBack.ts';
import { isPathUnsure } from './documentRecord.ts';
import { CrossReferences } from './crossReferences.ts';
import { DocumentPlaces } from './documentPlaces.ts';
import { DocumentReplica } from './documentReplica.ts';
import { DocumentSearch } from './documentSearch.ts';
import { DocumentTable } from './documentTable.ts';
import { FileEvents } from './fileEvents.ts';
import { GroupedCommits } from './groupedCommits.ts';
import { LibraryIntake } from './libraryIntake.ts';
import { ManyRemovals } from './manyRemovals.ts';
import { ReplicaChoices } from './replicaChoices.ts';
import type { ReplicaOptions } from './replicaOptions.ts';
import type { DocumentContext } from './replicaPorts.ts';
import { SourceChanges } from './sourceChanges.ts';
import { WorkPermit } from './workPermit.ts';

/** Statuses of many documents change together: they are told together. */
const STATUS_WINDOW_MS = 50;

/** One workspace folder's copy of a library's documents: takes entries in, sends what people change (DESIGN §2, §5). */
export class Replica implements EntrySink, Disposable {
  readonly choices: ReplicaChoices;
  readonly bulkTakeBack: BulkTakeBack;
  readonly #options: ReplicaOptions & { readonly store: GroupedCommits };
  readonly #documents: DocumentTable;
  readonly #places: DocumentPlaces;
  readonly #sourceChanges = new SourceChanges();
  readonly #disposables = new DisposableStore();
  readonly #changed: Emitter<void>;
  readonly #appliedChange: Emitter<AppliedChange>;
  readonly #appliedBulk: Emitter<AppliedBulk>;
  readonly #bulkArrivals: BulkArrivals;
  readonly #bulkProposals: BulkProposals;
  readonly #bulks: BulkIntake;
  readonly #references: CrossReferences;
  readonly #context: DocumentContext;
  readonly #permit: WorkPermit;
  readonly #intake: LibraryIntake;
  readonly #search: DocumentSearch;
  readonly #fileEvents: FileEvents;
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
        changedCount: () => this.#documents.local().filter(({ isChanged }) => isChanged).length,
        origin: options.bulkOrigin,
      }),
    );
    this.#nextProposalNumber = state.nextProposalNumber;
    this.#documents = new DocumentTable(options.layout);
    this.#places = this.#disposables.add(
      new DocumentPlaces(this.#documents, options.watcher, ambient.logger, () => this.#search.want()),
    );
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
    this.bulkTakeBack = new BulkTakeBack({
      documents: this.#documents,
      context: this.#context,
      memory: options.bulkMemory,
      look: (docId, work) => this.#bulkProposals.look(docId, work),
    });
    this.#intake = new LibraryIntake(this.#documents, {
      options,
      context: this.#context,
      places: this.#places,
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
        places: this.#places,
      }),
    );
    this.#fileEvents = this.#disposables.add(
      new FileEvents(this.#documents, {
        options,
        removals: this.#context.removals,
        search: this.#search,
        bulkProposals: this.#bulkProposals,
      }),
    );
    this.choices = new ReplicaChoices(this.#documents, options.layout, this.#places);
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

  /** Goes to work: from now on files are watched and the library is followed. */
  async start(link: LibraryLink): Promise<void> {
    this.#link = link;
    this.#disposables.add(link.onDidChangeStatus(() => this.#linkChanged()));
    this.#disposables.add(
      this.#permit.onDidChange(({ isFreeAgain }) => {
        if (isFreeAgain) this.#readAll();
        else this.#tellChanged();
      }),
    );
    await this.#fileEvents.start();
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

  // ---- what is asked of it ----

  pause(): void {
    this.#permit.setPaused(true);
  }

  resume(): void {
    this.#permit.setPaused(false);
  }

  /** Reads every file again; resolves when nothing is under way any more or something stands in the way. */
  async syncNow(timeoutMs: number): Promise<boolean> {
    await this.#fileEvents.lookAtAll();
    this.#search.want();
    return this.#untilAtRest(timeoutMs);
  }

  /** The person is about to bring an earlier version of a document back. */
  expectVersion(docId: DocId, hash: RevisionHash): void {
    this.#documents.get(docId)?.requests.expectVersion(hash);
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

  /** The same of all copies. */
  get agreedHashes(): ReadonlyMap<string, RevisionHash> {
    const hashes = new Map<string, RevisionHash>();
    for (const { localPath, agreedHash } of this.#documents.local())
      if (localPath !== undefined && agreedHash !== undefined) hashes.set(localPath, agreedHash);
    return hashes;
  }

  /** What is held in a document, as it is now. */
  heldDocument(docId: DocId): HeldDocument | undefined {
    return this.#documents.get(docId)?.heldDocument;
  }

  /** See `BulkMemory`. */
  bulksOf(docId: DocId): ReturnType<BulkMemory['bulksOf']> {
    return this.#options.bulkMemory.bulksOf(docId);
  }

  /** Whether a document's file has taken in this text, which is an earlier revision, and what came after it. */
  async holdsRevision(file: string, raw: string): Promise<boolean> {
    const hash = this.#options.ambient.hashText(workingText(raw).text);
    return (await this.#documents.ofFile(file)?.inGit.holdsRevision(hash)) ?? false;
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
    return document.inGit.foreignAuthors(revision, committed.versions(file, commit));
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
    for (const document of this.#documents.all()) document.dispose();
  }

  /** Resolves when the steps that were running at `dispose` have ended: until then a file may still be written. */
  get closed(): Promise<void> {
    return Promise.all([...this.#documents.all()].map((document) => document.untilIdle)).then(() =>
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

  /** What git or anybody left behind meanwhile is read before anything is done with it. */
  #readAll(): void {
    // Fails never: see there.
    void this.#fileEvents.lookAtAll();
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

  #createContext(): DocumentContext {
    const { ambient, runName, files, store, merger, reader, committed, layout, infoVersion } = this.#options;
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
          proposalId: `${store.replicaId}:${runName}-${number}` as ProposalId,
          nextProposalNumber: this.#nextProposalNumber,
        };
      },
      mayWork: () => this.#permit.check(),
      hindranceCount: () => this.#permit.hindranceCount,
      carriedHash: (localPath) => (localPath === undefined ? undefined : this.#options.carried?.get(localPath)),
      sourceOf: (before, after) => this.#sourceChanges.sourceOf(before, after),
      changed: () => this.#tellChanged(),
      send: (proposal, source, mayGo) => this.#bulkProposals.propose(proposal, source, mayGo),
      applied: (change, step) => {
        if (!this.#bulkArrivals.take(change, step)) this.#appliedChange.fire(change);
      },
      fileOf: (localPath) => layout.fileOf(localPath),
      sharesPaths: layout.createsDocuments,
      placeFor: (libraryPath) => layout.placeFor(libraryPath),
      formerlyAt: (libraryPath) => this.#documents.formerlyAt(libraryPath),
      syncedIndex: () => this.#intake.lastSyncedIndex(),
      isLookingForFiles: () => this.#search.isOpen,
      places: this.#places,
      removals: new ManyRemovals(ambient.clock, () => this.#documents.local().length),
    };
  }
}
