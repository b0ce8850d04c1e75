import type { DocId, LogIndex, ReplicaId, RevisionHash } from '../ids.ts';
import type { Proposal } from './entry.ts';

/** What a replica knows of one document, as it survives a crash. */
export interface StoredDocument {
  readonly docId: DocId;
  /** Where the library has it, by the newest entry that was taken in. */
  readonly libraryPath: string;
  /** The path that both had last, where the library has given the document another one that this copy does not have yet. */
  readonly agreedPath?: string | undefined;
  /** The entry as of which `libraryPath` is known: an older release takes entries in and leaves their paths out. */
  readonly pathAt?: LogIndex | undefined;
  /** Where the library had it before, the oldest first: what it read like there is no new text of what is there now. */
  readonly formerPaths?: readonly string[] | undefined;
  /** This copy's place, relative to the workspace folder, with `/`; undefined: the document has no copy here. */
  readonly localPath: string | undefined;
  /** The last agreed revision that was merged into the file; undefined before first contact. */
  readonly shadow: StoredRevision | undefined;
  /** The base of the next merge where something is held; undefined: the shadow itself. */
  readonly heldBase: string | undefined;
  /** The newest revision that the log gave us; it may be ahead of the shadow, never behind it. */
  readonly head: StoredRevision | undefined;
  /** A head that may be in the file although the shadow does not say so: it was put into the unsaved buffer (Merge Now), or a write of it was interrupted. */
  readonly perhapsIn?: StoredRevision | undefined;
  /** What something outside (git stash, reset) set the file back to, until the person has answered for it: who edits it meanwhile edits this. */
  readonly setBackTo?: StoredRevision | undefined;
  /** The file's own time when it was last read (0: it was not there), in milliseconds: what git wrote later came after. */
  readonly fileTime?: number | undefined;
  /** A revision of the library, by its name alone: its text could not be had yet, and nothing is sent until it is ([BLK-05]). */
  readonly wanted?: WantedRevision | undefined;
  /**
   * The library has deleted the document. `head` is what it was before. While `localPath` is there, the file still has
   * to go, or is in conflict with the deletion; afterwards this is a tombstone.
   */
  readonly deleted?: StoredDeletion | undefined;
  /** By conflict id: who made the library's side, and when. */
  readonly attribution: Readonly<Record<string, StoredAuthor>>;
}

export interface StoredRevision {
  readonly text: string;
  readonly hash: RevisionHash;
  readonly index: LogIndex;
}

export interface WantedRevision {
  readonly hash: RevisionHash;
  readonly index: LogIndex;
  readonly author: StoredAuthor;
}

export interface StoredDeletion {
  /** The entry that deleted it. */
  readonly index: LogIndex;
  readonly author: StoredAuthor;
  /** Whether it was deleted here: then a file that is there again was put back, and is never removed without asking. */
  readonly isOwn: boolean;
}

export interface StoredAuthor {
  readonly name: string;
  readonly at: number;
}

/** A proposal whose fate is not known yet, with what becomes of the document when it is committed. */
export interface OutboxItem {
  readonly proposal: Proposal;
  /** The proposed revision's text; '' for a deletion. */
  readonly text: string;
  /** The held base after the commit; undefined where nothing will be held. */
  readonly heldBase: string | undefined;
}

/** A write under way: after a crash, a file that reads as `after` was written, one that reads otherwise was not. */
export interface WriteIntent {
  readonly docId: DocId;
  /** Hashes of the file's revision form. */
  readonly beforeHash: RevisionHash | undefined;
  readonly afterHash: RevisionHash;
  /** What the document becomes once the file is written. */
  readonly document: StoredDocument;
}

/** How far a replica has come in the log. */
export interface SyncedPosition {
  readonly index: LogIndex;
  /** Of the log after the entry at `index`; undefined where it is not known (an older release wrote the index). */
  readonly runningHash: string | undefined;
}

export interface ReplicaState {
  readonly synced: SyncedPosition;
  /** The next proposal's number. */
  readonly nextProposalNumber: number;
  readonly documents: readonly StoredDocument[];
  readonly outbox: readonly OutboxItem[];
  readonly intents: readonly WriteIntent[];
}

/** What one transaction changes; what is not named stays. */
export interface ReplicaChange {
  readonly synced?: SyncedPosition;
  readonly nextProposalNumber?: number;
  readonly putDocuments?: readonly StoredDocument[];
  /** After `putDocuments`. */
  readonly removeDocuments?: readonly DocId[];
  readonly putOutbox?: readonly OutboxItem[];
  readonly removeOutbox?: readonly string[];
  readonly putIntents?: readonly WriteIntent[];
  readonly removeIntents?: readonly DocId[];
}

/** A replica's durable state. `commit` resolves when the change is on disk as a whole, and rejects when none of it is. */
export interface ReplicaStore {
  readonly replicaId: ReplicaId;
  load(): Promise<ReplicaState>;
  commit(change: ReplicaChange): Promise<void>;
  /** Names of the shadows that were wholly in the document's file (`isInFile`), newest first; of the older ones ever fewer. */
  formerShadows(docId: DocId): Promise<readonly RevisionHash[]>;
  close(): Promise<void>;
}

/**
 * Whether the file has all that the shadow has. Where something is held, it does not: as a base that shadow would make
 * what the other side has there look as if it had been taken out here.
 */
export function isInFile(document: StoredDocument): document is StoredDocument & { readonly shadow: StoredRevision } {
  return document.shadow !== undefined && document.heldBase === undefined;
}
