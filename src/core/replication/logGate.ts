import type { Event } from '../event.ts';
import type { DocId, LogIndex, RevisionHash, Term } from '../ids.ts';
import type { Author, BulkProposal, DocumentEntry, DocumentHead, LogEntry, Proposal, ProposeResult } from './entry.ts';
import type { Standing } from './messages.ts';
import type { LogPage, LogPosition, PageLimit, SkeletonRow } from './replicatedLog.ts';

/** A place in a log as somebody else names it; one that keeps no running hash is believed by its index. */
export interface ClaimedPosition {
  readonly index: LogIndex;
  readonly runningHash: string | undefined;
}

/**
 * What a `Leader` serves its followers from: the log itself where this host leads (`TransactionManager`), or this host's
 * copy of it and the way to the leader (`RelayedLog`).
 */
export interface LogGate {
  /** The leadership in whose name is served. */
  readonly term: Term;
  /** The newest durable entry. */
  readonly position: LogPosition;
  /** Fires after each transaction, when it is durable, with its entries in order. */
  readonly onDidCommit: Event<readonly LogEntry[]>;
  /** All heads as of `position`, tombstones included. */
  heads(): readonly DocumentHead[];
  /** See `TransactionManager.append`. */
  append(proposal: Proposal, author: Author, term: Term): Promise<ProposeResult>;
  /** See `TransactionManager.appendBulk`. */
  appendBulk(bulk: BulkProposal, author: Author, term: Term): Promise<readonly ProposeResult[]>;
  /** A follower has heard of a leadership with this number. */
  raiseTerm(above: number): Promise<Term>;
  entries(since: LogIndex, limit: PageLimit): Promise<LogPage>;
  /** Where a follower stands, seen from this log. */
  standingOf(position: ClaimedPosition): Promise<Standing>;
  runningHashAt(index: LogIndex): Promise<string | undefined>;
  skeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[]>;
  revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined>;
  history(docId: DocId, limit: number): Promise<readonly DocumentEntry[]>;
}
