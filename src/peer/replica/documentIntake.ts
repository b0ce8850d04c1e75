import type { LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { DocumentEntry, DocumentHead } from '../../core/replication/entry.ts';
import type { HeadsReason } from '../../core/replication/libraryLink.ts';
import type {
  ReplicaChange,
  StoredAuthor,
  StoredDeletion,
  StoredRevision,
  SyncedPosition,
  WantedRevision,
} from '../../core/replication/replicaStore.ts';
import type { DocumentChoices } from './documentChoices.ts';
import type { DocumentParts } from './documentParts.ts';
import type { DocumentPath } from './documentPath.ts';
import type { DocumentProposals } from './documentProposals.ts';
import { type DocumentRecord, unknownToLibrary } from './documentRecord.ts';
import type { DocumentRemoval } from './documentRemoval.ts';
import type { DocumentSettling } from './documentSettling.ts';
import type { LibraryAuthors } from './libraryAuthors.ts';
import { meetOtherLog } from './otherLog.ts';
import type { DocumentContext } from './replicaPorts.ts';
import type { RevisionHistory } from './revisionHistory.ts';
import { QueueClosedError, type SerialQueue } from './serialQueue.ts';
import type { SharedCommit } from './sharedCommit.ts';

const NEVER = 0 as LogIndex;

/**
 * Takes in what the library says of one document: its entries, or its head and tombstone where those are not to be had.
 * Each in the document's turn, and what came in is then brought into the file.
 */
export class DocumentIntake {
  readonly #ctx: DocumentContext;
  readonly #record: DocumentRecord;
  readonly #proposals: DocumentProposals;
  readonly #history: RevisionHistory;
  readonly #libraryAuthors: LibraryAuthors;
  readonly #choices: DocumentChoices;
  readonly #path: DocumentPath;
  readonly #removal: DocumentRemoval;
  readonly #settling: DocumentSettling;
  readonly #queue: SerialQueue;

  constructor(parts: DocumentParts, settling: DocumentSettling, queue: SerialQueue) {
    this.#ctx = parts.record.ctx;
    this.#record = parts.record;
    this.#proposals = parts.proposals;
    this.#history = parts.history;
    this.#libraryAuthors = parts.libraryAuthors;
    this.#choices = parts.choices;
    this.#path = parts.path;
    this.#removal = parts.removal;
    this.#settling = settling;
    this.#queue = queue;
  }

  /** The document is the library's, whose head comes next: what the file reads like is no new document. */
  awaitHead(index: LogIndex): void {
    this.#proposals.awaitHead(index);
  }

  /** Takes an entry of the log in; resolves when that is durable, which is before the file is written. */
  applyEntry(entry: DocumentEntry, newText: string | undefined, synced: SyncedPosition): Promise<void> {
    return new Promise((resolve, reject) => {
      const taken = this.#queue.run(async () => {
        try {
          await this.#takeEntry(entry, newText, synced);
          this.#settling.endPutOff();
          // A head that can be merged at once is recorded together with the write that it causes.
          await this.#settling.settleAndRecord(resolve);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#settling.fail(error);
        }
      });
      // The step itself never rejects; a queue that was closed before its turn does, and the caller has to hear of it.
      taken.catch(reject);
    });
  }

  /**
   * The same for an entry that others follow at once: the file is written when `settlePutOff` is called. Resolves when the
   * entry was taken in; it is durable before anything that comes after it is.
   */
  applyEntryFollowed(entry: DocumentEntry, newText: string | undefined, synced: SyncedPosition): Promise<void> {
    return this.#queue.run(async () => {
      await this.#takeEntry(entry, newText, synced);
      this.#record.commitPostponedLater();
      this.#settling.putOff();
    });
  }

  /** Brings what was put off into the file. */
  settlePutOff(): void {
    this.#queue.post(() => {
      this.#settling.endPutOff();
      return this.#settling.settleAndRecord();
    });
  }

  /**
   * Takes its part of a bulk in, together with the other documents', and goes on from there ([BLK-04]).
   * @param isPutOff the file is written when `settlePutOff` is called, because others follow at once.
   */
  applyPart(entry: DocumentEntry, text: string | undefined, together: SharedCommit, isPutOff: boolean): void {
    const taken = this.#queue.run(async () => {
      try {
        await this.#takePart(entry, text, together);
      } catch (error) {
        // Nothing has changed here; whoever takes the bulk in hears of it, and is offered it again.
        together.fail(error);
        return;
      }
      if (isPutOff) this.#settling.putOff();
      else await this.#settling.settleAndRecord();
    });
    taken.catch((error: unknown) => {
      if (error instanceof QueueClosedError) together.withdraw();
      else this.#settling.fail(error);
    });
  }

  /** The text of the revision that is wanted, where it still is, has been found. */
  takeWanted(text: string): Promise<void> {
    return this.#queue.runIfServed(async () => {
      const { wanted } = this.#record.stored;
      if (wanted !== undefined && this.#ctx.ambient.hashText(text) === wanted.hash)
        await this.#takeHead({ text, hash: wanted.hash, index: wanted.index }, wanted.author, [], undefined, {});
      await this.#settling.settleAndRecord();
    });
  }

  /**
   * Takes the library's head in where the entries that led to it are not to be had; `why` decides what is a merge base
   * ([REC-04]). Rejects where the leader that gave the heads is gone.
   */
  applyHead(head: DocumentHead, hash: RevisionHash, why: HeadsReason): Promise<void> {
    return this.#queue.run(async () => {
      await this.#takeLooseHead(head, hash, why);
      await this.#settling.settleAndRecord();
    });
  }

  /** The library's tombstone, where the entry that deleted the document is not to be had. */
  applyTombstone(head: DocumentHead): Promise<void> {
    return this.#queue.run(async () => {
      await this.#takeTombstone(head);
      await this.#settling.settleAndRecord();
    });
  }

  /** The log that is there now never had this document: what is here is created in it anew ([REC-04]). */
  becomeNew(): Promise<void> {
    return this.#queue.run(async () => {
      await this.#askInFlight(undefined);
      this.#history.forget();
      await this.#record.becomeNew();
      this.#proposals.logChanged();
    });
  }

  /** The library has the document again, as an entry says that comes next; it has a copy here. */
  comeBackTo(localPath: string, libraryPath: string): Promise<void> {
    return this.#queue.run(() => {
      this.#removal.revived();
      return this.#record.takePlace({ ...unknownToLibrary(this.#record.stored), localPath, libraryPath });
    });
  }

  /** The library's path, where this release has not taken it in by itself. */
  learnPath(libraryPath: string): Promise<void> {
    return this.#queue.run(async () => {
      this.#path.take(libraryPath, false);
      await this.#record.commit({ putDocuments: [this.#record.stored] });
      await this.#settling.settle();
    });
  }

  /** @param newText what the document reads like after the entry; undefined where there is no text, or it cannot be had. */
  async #takeEntry(entry: DocumentEntry, newText: string | undefined, synced: SyncedPosition): Promise<void> {
    this.#history.add(entry);
    this.#libraryAuthors.add(entry);
    const author = { name: entry.author.name, at: entry.at };
    if (entry.kind === 'delete') {
      this.#takeDeletion({ index: entry.index, author }, entry.proposalId, { synced });
    } else if (entry.hash === undefined) {
      await this.#record.commit({ synced });
    } else {
      this.#proposals.takeRename(entry.proposalId);
      if (entry.path !== undefined) this.#path.take(entry.path, this.#ctx.isOwn(entry.proposalId));
      if (newText === undefined) {
        await this.#want({ hash: entry.hash, index: entry.index, author }, synced);
        return;
      }
      const head = { text: newText, hash: entry.hash, index: entry.index };
      // What a new document came from is nothing that changed.
      const changes = entry.kind === 'create' ? [] : entry.changes;
      await this.#takeHead(head, author, changes, entry.proposalId, { synced });
    }
  }

  /**
   * Its part of a bulk, durable together with the others' ([BLK-04]); nothing is changed here where that fails.
   * @param text undefined where it could not be had: the revision is wanted from then on.
   */
  async #takePart(entry: DocumentEntry, text: string | undefined, together: SharedCommit): Promise<void> {
    const record = this.#record;
    const { hash, index, proposalId } = entry;
    const author = { name: entry.author.name, at: entry.at };
    const head = text === undefined || hash === undefined ? undefined : { text, hash, index };
    const own = head === undefined ? undefined : await this.#proposals.planOwn(head, proposalId);
    const wanted = head === undefined && hash !== undefined ? { hash, index, author } : undefined;
    const { stored } = record;
    const next = own?.stored ?? { ...stored, head: head ?? stored.head, deleted: undefined, wanted };
    const removeOutbox = own === undefined ? [] : [own.proposalId];
    await record.commitWith(together, { putDocuments: [next], removeOutbox });
    const isMerged = record.newHead === undefined;
    record.stored = next;
    this.#history.add(entry);
    this.#libraryAuthors.add(entry);
    if (own !== undefined) this.#proposals.ended();
    if (own?.stored !== undefined) return;
    if (stored.deleted !== undefined) this.#removal.revived();
    if (head === undefined) this.#proposals.awaitHead(index);
    record.noteHead(author, [], isMerged);
  }

  async #want(wanted: WantedRevision, synced: SyncedPosition): Promise<void> {
    this.#proposals.awaitHead(wanted.index);
    this.#record.stored = { ...this.#record.stored, wanted };
    await this.#record.commit({ synced, putDocuments: [this.#record.stored] });
  }

  /** Made durable with what comes next. */
  #wantLoose(wanted: WantedRevision, path: string): void {
    this.#ctx.ambient.logger.error('The library does not give the revision that it names; it is asked for again', {
      path,
      hash: wanted.hash,
    });
    if (this.#record.stored.deleted !== undefined) this.#removal.revived();
    this.#proposals.awaitHead(wanted.index);
    this.#record.stored = { ...this.#record.stored, deleted: undefined, wanted };
    this.#record.postpone({ putDocuments: [this.#record.stored] });
  }

  /**
   * A revision that the library cannot give is wanted from then on, and keeps nobody else waiting ([REP-17]). Rejects where
   * the leader that gave the heads is gone.
   */
  async #takeLooseHead(head: DocumentHead, hash: RevisionHash, why: HeadsReason): Promise<void> {
    await this.#askInFlight(head);
    if (why === 'unknown') {
      this.#history.forget();
      await meetOtherLog(this.#record, head);
      this.#proposals.logChanged();
    }
    // A log that was put back knows no newer name than we do.
    this.#path.take(head.path, why === 'unknown');
    if (hash !== this.#record.stored.head?.hash) {
      const link = this.#ctx.link();
      if (link === undefined) throw new Error('Heads can be taken in only over a link.');
      const { index } = head;
      const author = { name: head.author.name, at: head.at };
      const text = await link.fetchRevision(head.docId, hash, 'heads');
      if (text === undefined) this.#wantLoose({ hash, index, author }, head.path);
      else await this.#takeHead({ text, hash, index }, author, [], undefined, {});
    } else if (this.#record.stored.wanted !== undefined) {
      this.#proposals.awaitHead(NEVER);
      this.#record.stored = { ...this.#record.stored, wanted: undefined };
      this.#record.postpone({ putDocuments: [this.#record.stored] });
    }
  }

  async #takeTombstone(head: DocumentHead): Promise<void> {
    await this.#askInFlight(head);
    const author = { name: head.author.name, at: head.at };
    if (this.#record.stored.deleted?.index !== head.index)
      this.#takeDeletion({ index: head.index, author }, undefined, {});
  }

  async #takeHead(
    head: StoredRevision,
    author: StoredAuthor,
    changes: readonly string[],
    proposalId: ProposalId | undefined,
    change: Pick<ReplicaChange, 'synced'>,
  ): Promise<void> {
    const isUndo = this.#proposals.isTakingBack;
    if (this.#record.stored.deleted !== undefined) this.#removal.revived();
    if (await this.#proposals.takeOwn(head, proposalId, change)) {
      if (isUndo) this.#choices.endUndo({ isDone: true });
      return;
    }
    const isMerged = this.#record.newHead === undefined;
    this.#record.stored = { ...this.#record.stored, head, deleted: undefined, wanted: undefined };
    this.#record.noteHead(author, changes, isMerged);
    this.#record.postpone({ ...change, putDocuments: [this.#record.stored] });
  }

  /** The library has deleted the document: what becomes of the file is decided when work may be done. */
  #takeDeletion(
    deletion: Omit<StoredDeletion, 'isOwn'>,
    proposalId: ProposalId | undefined,
    change: Pick<ReplicaChange, 'synced'>,
  ): void {
    const isOwn = this.#proposals.takeRemoval(proposalId);
    this.#record.stored = { ...this.#record.stored, deleted: { ...deletion, isOwn }, wanted: undefined };
    this.#record.noteHead(deletion.author, [], true);
    this.#record.postpone({ ...change, putDocuments: [this.#record.stored] });
  }

  /**
   * The entries that would have told what became of the proposal in flight do not come: the leader is asked. Without
   * that, what others took out of it since would come back as ours.
   */
  async #askInFlight(head: DocumentHead | undefined): Promise<void> {
    const isUndo = this.#proposals.isTakingBack;
    if ((await this.#proposals.ask(head?.index ?? NEVER)) && isUndo) this.#choices.endUndo({ isDone: true });
  }
}
