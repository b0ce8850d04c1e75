import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { DocumentHead, LogEntry } from './entry.ts';

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
  /** Entries of one document, newest first. */
  history(docId: DocId, limit: number): Promise<readonly LogEntry[]>;
  /**
   * Forgets old entries as the policy says, and answers with the horizon after that. What the entries that stay need
   * in order to be rebuilt is stored first, so every head and every later revision keeps its text.
   */
  compact(policy: CompactionPolicy): Promise<LogIndex>;
  close(): Promise<void>;
}

/** An entry is forgotten when either is true of it. */
export interface CompactionPolicy {
  /** Appended before this moment, in milliseconds of the wall clock. */
  readonly olderThan: number;
  /** The entries after it hold at least this many UTF-16 units. */
  readonly keepUnits: number;
}

export const LOG_START = 0 as LogIndex;

/** The index that follows. */
export function nextIndex(index: LogIndex): LogIndex {
  return (index + 1) as LogIndex;
}
