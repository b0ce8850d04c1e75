import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { DocumentEntry, DocumentHead, LogEntry } from './entry.ts';

/** A point in a log. Two logs that have the same running hash at an index hold the same entries up to it. */
export interface LogPosition {
  readonly index: LogIndex;
  /** Computed by whoever holds the log, never taken from another one; '' only for index 0. */
  readonly runningHash: string;
}

export interface LogState {
  readonly last: LogPosition;
  /** The newest index whose entry has been compacted away; 0 while the log is whole. */
  readonly horizon: LogIndex;
  /** The newest leadership that wrote here; undefined before the first. */
  readonly term: Term | undefined;
}

/** The text of a document at its head, and how many entries lie between it and the snapshot it was rebuilt from. */
export interface HeadText {
  readonly text: string;
  readonly depth: number;
}

/** What one append makes durable: an entry together with all that follows from it. */
export interface LogRecord {
  readonly entry: LogEntry;
  readonly runningHash: string;
  /** The documents' heads after this entry. */
  readonly heads: readonly DocumentHead[];
  /** Whole texts stored beside the entry, so that no revision needs a long chain of patches. */
  readonly snapshots: readonly DocumentSnapshot[];
}

export interface DocumentSnapshot {
  readonly docId: DocId;
  readonly hash: RevisionHash;
  readonly text: string;
}

/** `entry` is undefined where what is stored at the index cannot be read any more. */
export interface StoredEntry {
  readonly index: LogIndex;
  readonly entry: LogEntry | undefined;
}

export interface LogPage {
  readonly entries: readonly StoredEntry[];
  readonly hasMore: boolean;
}

export interface PageLimit {
  readonly count: number;
  /** UTF-16 units of entries after which the page ends; its first entry always fits. */
  readonly units: number;
}

/** What stays known of an entry for ever: which proposal it was, and the running hash after it. */
export interface SkeletonRow {
  readonly index: LogIndex;
  readonly proposalId: ProposalId;
  /** The further proposals of a bulk. */
  readonly further?: readonly ProposalId[] | undefined;
  readonly runningHash: string;
}

/** Another log's state, to be taken over in place of entries that nobody can give any more. */
export interface LogReplacement {
  /** Both logs are the same up to here. */
  readonly shared: LogIndex;
  /** The other log after that, without a gap, to its end. */
  readonly rows: readonly SkeletonRow[];
  /** All its heads, tombstones included. */
  readonly heads: readonly DocumentHead[];
  /** The text of every living head. */
  readonly texts: readonly DocumentSnapshot[];
}

/**
 * Where the entries of one library are kept. Written by one process at a time (the one that holds the library's lock)
 * and only through its `TransactionManager`. Every method rejects with a `SyncError`: `log-unavailable` where the
 * storage failed, and what else is said at the method.
 */
export interface ReplicatedLog {
  state(): Promise<LogState>;
  /** All heads, tombstones included. */
  heads(): Promise<readonly DocumentHead[]>;
  /** Makes a new term durable, higher than any that this log and `above` know. */
  raiseTerm(leaderId: PeerId, above: number): Promise<Term>;
  /** Makes the leadership of another host durable. `stale-term` where a newer one was here. */
  adoptTerm(term: Term): Promise<void>;
  /**
   * Appends all records or none, in one durable transaction. `after` is the index that the writer believes to be the
   * last (`log-moved` where it is not), `term` the writer's leadership (`stale-term` where a newer one was here).
   */
  append(records: readonly LogRecord[], after: LogIndex, term: Term): Promise<void>;
  /** The indexes at which these proposals were committed; those not found are left out. Compaction forgets none of them. */
  findProposals(proposalIds: readonly ProposalId[]): Promise<ReadonlyMap<ProposalId, LogIndex>>;
  /** Entries after `since`, oldest first. `log-compacted` where the first of them is gone. */
  entries(since: LogIndex, limit: PageLimit): Promise<LogPage>;
  /** Undefined where the log never had that index. Compaction forgets none of them, so that who comes from before the horizon is still recognised. */
  runningHashAt(index: LogIndex): Promise<string | undefined>;
  /** Undefined for a document that is unknown or deleted. */
  headText(docId: DocId): Promise<HeadText | undefined>;
  /** The text of a revision as far as the log reaches. */
  revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined>;
  /** Entries of one document, newest first; its part of a bulk as the edit that it is. */
  history(docId: DocId, limit: number): Promise<readonly DocumentEntry[]>;
  /**
   * Forgets old entries as the policy says, and answers with the horizon after that. What the entries that stay need
   * in order to be rebuilt is stored first, so every head and every later revision keeps its text.
   */
  compact(policy: CompactionPolicy): Promise<LogIndex>;
  /**
   * Puts the log back to what it was after `to`, in one transaction. The entries after it are set aside (`orphans`).
   * `log-compacted` where the log does not reach back that far, or cannot read what it would have to undo.
   */
  rewind(to: LogIndex): Promise<void>;
  /** Takes another log's state over, in one transaction. Entries that only this log has are set aside (`orphans`). */
  replace(replacement: LogReplacement): Promise<void>;
  /** Entries that were set aside and have not been dealt with, oldest first (by term and index, however they came here), at most `limit`. */
  orphans(limit: number): Promise<readonly LogEntry[]>;
  forgetOrphans(proposalIds: readonly ProposalId[]): Promise<void>;
  /** What stays known of the entries after `since`, oldest first, at most `limit` and `MAX_SKELETON_PROPOSALS`; compacted ones included. */
  skeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[]>;
  close(): Promise<void>;
}

/** An entry is forgotten when either is true of it. */
export interface CompactionPolicy {
  /**
   * It and all entries before it were appended before this moment, in milliseconds of the wall clock: one that was
   * written while the clock was wrong does not take those before it along.
   */
  readonly olderThan: number;
  /** The entries after it hold at least this many UTF-16 units. */
  readonly keepUnits: number;
}

export const LOG_START = 0 as LogIndex;

/** The index that follows. */
export function nextIndex(index: LogIndex): LogIndex {
  return (index + 1) as LogIndex;
}
