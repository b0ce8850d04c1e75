import { applySplices, checkSplices } from '../../core/merge/splices.ts';
import type { DocId, LogIndex } from '../../core/ids.ts';
import type { DocumentEntry, DocumentHead, LogEntry } from '../../core/replication/entry.ts';
import { BadEntryError, type EntrySink, type HeadsReason } from '../../core/replication/libraryLink.ts';
import type { SyncedPosition } from '../../core/replication/replicaStore.ts';
import { BETWEEN_LOGS } from '../../core/replication/runningHash.ts';
import type { BulkIntake } from './bulkIntake.ts';
import { type CrossReferences, textOf } from './crossReferences.ts';
import type { DocumentPlaces } from './documentPlaces.ts';
import { newDocument } from './documentRecord.ts';
import { DocumentReplica } from './documentReplica.ts';
import type { DocumentTable } from './documentTable.ts';
import type { DocumentContext } from './replicaPorts.ts';
import type { ReplicaOptions } from './replicaOptions.ts';

/** Whoever comes back after long sees something happen, also where it takes long until everything is there. */
const MAX_PUT_OFF_MS = 5_000;

/** What taking in needs beside the documents. */
export interface LibraryIntakeOptions {
  readonly options: Pick<ReplicaOptions, 'ambient' | 'layout'>;
  readonly context: DocumentContext;
  readonly places: DocumentPlaces;
  /** What was taken in last. */
  readonly synced: SyncedPosition;
  /** Documents whose path may be another one in the library. */
  readonly unsurePaths: Iterable<DocId>;
  readonly bulks: BulkIntake;
  readonly references: CrossReferences;
  /** Something of the library was taken in. */
  readonly onTaken: () => void;
}

/** Takes the library's entries and heads in, each by the document that it is of, and makes room for new documents. */
export class LibraryIntake implements EntrySink {
  readonly #options: LibraryIntakeOptions['options'];
  readonly #context: DocumentContext;
  readonly #documents: DocumentTable;
  readonly #places: DocumentPlaces;
  readonly #bulks: BulkIntake;
  readonly #references: CrossReferences;
  readonly #onTaken: () => void;
  readonly #unsurePaths: Set<DocId>;
  /** Documents that have taken entries in which are not in their files yet, because more was to follow. */
  readonly #putOff = new Set<DocumentReplica>();
  #putOffSinceMs: number | undefined;
  #synced: SyncedPosition;

  constructor(
    documents: DocumentTable,
    { options, context, places, bulks, references, synced, unsurePaths, onTaken }: LibraryIntakeOptions,
  ) {
    this.#documents = documents;
    this.#options = options;
    this.#context = context;
    this.#places = places;
    this.#bulks = bulks;
    this.#references = references;
    this.#synced = synced;
    this.#unsurePaths = new Set(unsurePaths);
    this.#onTaken = onTaken;
  }

  lastSyncedIndex(): LogIndex {
    return this.#synced.index;
  }

  lastSyncedHash(): string | undefined {
    return this.#synced.runningHash;
  }

  lastDurableIndex(): LogIndex {
    return this.#context.store.durableIndex;
  }

  async applySyncEntry(entry: LogEntry, runningHash?: string, isFollowed = false): Promise<void> {
    if (entry.index <= this.#synced.index) return;
    const synced = { index: entry.index, runningHash };
    const isPutOff = isFollowed && this.#mayPutOff();
    if (entry.kind === 'bulk')
      await this.#bulks.take(entry, synced, isPutOff ? (document) => this.#putOff.add(document) : undefined);
    else await this.#applyEntry(entry, synced, isPutOff);
    this.#synced = synced;
    if (!isPutOff) this.settlePutOff();
    this.#onTaken();
  }

  async #applyEntry(entry: DocumentEntry, synced: SyncedPosition, isPutOff: boolean): Promise<void> {
    const path = entry.kind === 'create' ? entry.path : undefined;
    const known = this.#documents.get(entry.docId);
    if (known !== undefined && path !== undefined) await this.#placeAgain(known, path, entry.index);
    const document = known ?? (await this.#adopt(path, entry.docId, entry.index));
    if (document === undefined || entry.kind === 'leader') {
      if (isPutOff) this.#context.store.commitLater({ synced });
      else await this.#context.store.commit({ synced });
      return;
    }
    const text = await this.#textAfter(document, entry);
    const before = textOf(document);
    if (isPutOff) {
      this.#putOff.add(document);
      await document.intake.applyEntryFollowed(entry, text, synced);
    } else {
      this.#putOff.delete(document);
      await document.intake.applyEntry(entry, text, synced);
    }
    const isOwn = this.#context.isOwn(entry.proposalId);
    const { index, docId, author, patch } = entry;
    this.#references.took({ index, docId, authorName: author.name, isOwn, before, after: textOf(document), patch });
  }

  /** What came in is brought to disk and into the files, although more is to follow. */
  settlePutOff(): void {
    // Fails never: see there.
    void this.#context.store.flush();
    for (const document of this.#putOff) document.intake.settlePutOff();
    this.#putOff.clear();
    this.#putOffSinceMs = undefined;
  }

  #mayPutOff(): boolean {
    const now = this.#context.ambient.clock.monotonicNow();
    this.#putOffSinceMs ??= now;
    return now - this.#putOffSinceMs < MAX_PUT_OFF_MS;
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
    for (const document of onlyHere) if (document.stored.shadow !== undefined) await document.intake.becomeNew();
    for (const head of heads) {
      const known = this.#documents.get(head.docId);
      if (head.hash === undefined) {
        await (known ?? this.#bury(head)).intake.applyTombstone(head);
        continue;
      }
      if (known !== undefined) await this.#placeAgain(known, head.path, head.index);
      const document = known ?? (await this.#adopt(head.path, head.docId, head.index));
      await document?.intake.applyHead(head, head.hash, why);
    }
    await this.#stand({ index, runningHash });
    this.settlePutOff();
    for (const document of onlyHere) document.wake();
    if ([...this.#documents.all()].some(({ stored }) => stored.wanted !== undefined)) this.#bulks.askLater();
    this.#onTaken();
  }

  async #stand(synced: SyncedPosition): Promise<void> {
    await this.#context.store.commit({ synced });
    this.#synced = synced;
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
    document.intake.awaitHead(headIndex);
    await release();
    await document.intake.comeBackTo(localPath, libraryPath);
    this.#documents.add(document);
    await this.#places.arrived([document]);
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
    if (!isTombstone && there.isOfLibrary) return undefined;
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
    document.intake.awaitHead(headIndex);
    // In one go, so that nobody finds the file to be no document's and creates a third one.
    this.#documents.add(document);
    try {
      await release?.();
    } catch (error) {
      // The entry is offered again, and meets the same state as now.
      this.#documents.remove(document);
      throw error;
    }
    if (place !== undefined) await this.#places.adopted(document);
    return document;
  }

  async #textAfter(document: DocumentReplica, entry: DocumentEntry): Promise<string | undefined> {
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
    const fetched = await this.#context.link()?.fetchRevision(entry.docId, entry.hash);
    if (fetched !== undefined && hashText(fetched) === entry.hash) return fetched;
    // Its own base could not be had either, and the log may have forgotten both by now: the newest one is what is wanted.
    if (document.stored.wanted !== undefined) return undefined;
    throw new BadEntryError(`Entry ${entry.index} does not give the revision that it names.`);
  }

  /** An older release that served this replica took entries in and left their paths out: the heads have them. */
  async learnPaths(): Promise<void> {
    const link = this.#context.link();
    if (link === undefined || this.#unsurePaths.size === 0) return;
    for (const { docId, path, hash, index } of await link.fetchHeads()) {
      const document = hash === undefined || !this.#unsurePaths.has(docId) ? undefined : this.#documents.get(docId);
      const isOutdated = index < (document?.stored.head?.index ?? 0);
      if (document !== undefined && !isOutdated) await document.intake.learnPath(path);
    }
    this.#unsurePaths.clear();
  }
}
