import type { BulkMemory } from '../../core/history/bulkMemory.ts';
import type { DocId, RevisionHash } from '../../core/ids.ts';
import type { Disposable } from '../../core/ports.ts';
import { documentEntries } from '../../core/replication/bulkEntry.ts';
import type { BulkEntry, DocumentEntry } from '../../core/replication/entry.ts';
import type { SyncedPosition } from '../../core/replication/replicaStore.ts';
import type { BulkArrivals } from './bulkArrivals.ts';
import { type CrossReferences, textOf } from './crossReferences.ts';
import type { DocumentReplica } from './documentReplica.ts';
import type { DocumentTable } from './documentTable.ts';
import type { DocumentContext } from './replicaPorts.ts';
import { SharedCommit } from './sharedCommit.ts';

/** Texts that are asked of the leader at the same time; it allows a peer 32 questions. */
const FETCHES_AT_ONCE = 8;
/** A text that the leader could not give is asked for again this often. */
const ASK_AGAIN_MS = 5_000;

/** One document's part of a bulk. */
interface Part {
  readonly document: DocumentReplica;
  readonly change: DocumentEntry;
}

/**
 * Takes bulk entries in: finds the text of each document by its hash where it is nearest ([BLK-05]), and records all of
 * them in one transaction ([BLK-04]). A text that cannot be had is asked for again alone, and keeps nobody else waiting.
 */
export class BulkIntake implements Disposable {
  readonly #documents: DocumentTable;
  readonly #context: DocumentContext;
  readonly #arrivals: BulkArrivals;
  readonly #memory: BulkMemory;
  readonly #references: CrossReferences;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(
    documents: DocumentTable,
    context: DocumentContext,
    arrivals: BulkArrivals,
    memory: BulkMemory,
    references: CrossReferences,
  ) {
    this.#documents = documents;
    this.#context = context;
    this.#arrivals = arrivals;
    this.#memory = memory;
    this.#references = references;
  }

  /**
   * Resolves when all that it brings is durable, together with the position.
   * @param putOff told of each document whose file is written later, with what follows; undefined: each is written at once.
   */
  async take(entry: BulkEntry, synced: SyncedPosition, putOff?: (document: DocumentReplica) => void): Promise<void> {
    const parts = documentEntries(entry).flatMap((change): Part[] => {
      const document = this.#documents.get(change.docId);
      return document === undefined ? [] : [{ document, change }];
    });
    const { store } = this.#context;
    if (parts.length === 0) {
      await store.commit({ synced });
      return;
    }
    const { proposalId: id, index, author, reason, documents } = entry;
    // Before it is taken in: after a crash in between it comes once more.
    await this.#memory.remember(
      { id, index, authorName: author.name, reason, documentCount: documents.length },
      documents,
    );
    const texts = await this.#textsOf(entry, parts);
    const together = new SharedCommit(store, parts.length, { synced });
    const ofOthers = parts.filter(({ change }) => !this.#context.isOwn(change.proposalId));
    this.#arrivals.expect(
      entry,
      ofOthers.map(({ document }) => document.docId),
    );
    const before = new Map(parts.map(({ document }) => [document.docId, textOf(document)]));
    for (const { document, change } of parts) {
      putOff?.(document);
      document.intake.applyPart(change, texts.get(change.docId), together, putOff !== undefined);
    }
    await together.done;
    for (const { document, change } of parts) {
      const { docId, proposalId } = change;
      const isOwn = this.#context.isOwn(proposalId);
      const [was, after] = [before.get(docId), textOf(document)];
      this.#references.took({ index, docId, authorName: author.name, isOwn, before: was, after, patch: undefined });
    }
    if (texts.size < parts.length) this.askLater();
  }

  /** Texts that could not be had are asked for again, until nothing is wanted any more. */
  askLater(): void {
    if (this.#isDisposed || this.#timer !== undefined) return;
    this.#timer = this.#context.ambient.scheduler.after(ASK_AGAIN_MS, () => {
      this.#timer = undefined;
      this.#askWanted().catch((error: unknown) => {
        if (!this.#isDisposed)
          this.#context.ambient.logger.warn('A revision could not be asked for.', { error: String(error) });
      });
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
  }

  async #askWanted(): Promise<void> {
    const wanting = [...this.#documents.all()].filter(({ stored }) => stored.wanted !== undefined);
    for (const document of wanting) {
      const { wanted } = document.stored;
      const link = this.#context.link();
      if (this.#isDisposed || wanted === undefined || link?.status.connection !== 'connected') continue;
      const text = await link.fetchRevision(document.docId, wanted.hash);
      if (text !== undefined) await document.intake.takeWanted(text);
    }
    if ([...this.#documents.all()].some(({ stored }) => stored.wanted !== undefined)) this.askLater();
  }

  async #textsOf({ headCommit }: BulkEntry, parts: readonly Part[]): Promise<ReadonlyMap<DocId, string>> {
    const { hashText } = this.#context.ambient;
    const texts = new Map<DocId, string>();
    const open: { readonly docId: DocId; readonly hash: RevisionHash; readonly file: string | undefined }[] = [];
    for (const { document, change } of parts) {
      const { docId, hash } = change;
      if (hash === undefined) continue;
      const known = document.textOf(hash);
      if (known !== undefined) texts.set(docId, known);
      else open.push({ docId, hash, file: document.localPath === undefined ? undefined : document.status.file });
    }
    if (headCommit !== undefined && open.length > 0) {
      const files = open.flatMap(({ file }) => file ?? []);
      const committed = await this.#context.committed?.textsAt(headCommit, files);
      for (const { docId, hash, file } of open) {
        const text = file === undefined ? undefined : committed?.get(file);
        if (text !== undefined && hashText(text) === hash) texts.set(docId, text);
      }
    }
    const toFetch = open.filter(({ docId }) => !texts.has(docId));
    const fetchNext = async (): Promise<void> => {
      for (let one = toFetch.shift(); one !== undefined; one = toFetch.shift()) {
        const text = await this.#context.link()?.fetchRevision(one.docId, one.hash);
        if (text !== undefined && hashText(text) === one.hash) texts.set(one.docId, text);
      }
    };
    await Promise.all(Array.from({ length: FETCHES_AT_ONCE }, fetchNext));
    return texts;
  }
}
