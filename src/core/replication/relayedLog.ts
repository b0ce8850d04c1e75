import type { Event } from '../event.ts';
import type { DocId, LogIndex, RevisionHash, Term } from '../ids.ts';
import { namedIndex } from './entry.ts';
import type { Author, BulkProposal, DocumentEntry, DocumentHead, LogEntry, Proposal, ProposeResult } from './entry.ts';
import type { Follower } from './follower.ts';
import type { ClaimedPosition, LogGate } from './logGate.ts';
import type { Standing } from './messages.ts';
import type { LogPage, LogPosition, PageLimit, SkeletonRow } from './replicatedLog.ts';
import { SyncError } from './syncError.ts';
import type { TransactionManager } from './transactionManager.ts';

export interface RelayedLogOptions {
  /** This host's copy. */
  readonly log: TransactionManager;
  /** This host's way to the leader. */
  readonly follower: Follower;
  /** A peer has heard of a leadership with a higher number than the one that we follow. */
  readonly onHigherTerm: (number: number) => void;
}

/**
 * The library's log for the peers of a host whose leader is elsewhere ([REP-27]): reads come from the copy, proposals go
 * on to the leader, and `committed` is answered only when the entry is in the copy too.
 */
export class RelayedLog implements LogGate {
  readonly #options: RelayedLogOptions;

  constructor(options: RelayedLogOptions) {
    this.#options = options;
  }

  get term(): Term {
    return this.#options.log.term;
  }

  get position(): LogPosition {
    return this.#options.log.position;
  }

  get onDidCommit(): Event<readonly LogEntry[]> {
    return this.#options.log.onDidCommit;
  }

  heads(): readonly DocumentHead[] {
    return this.#options.log.heads();
  }

  async append(proposal: Proposal, author: Author): Promise<ProposeResult> {
    const { follower } = this.#options;
    const result = await follower.proposeOnce(proposal, author);
    // Until it is here, the leader's successor may lack what the answer speaks of.
    if (result === undefined || !(await follower.untilApplied(namedIndex(result))))
      throw new SyncError('connection-failed', 'The leader cannot be reached at the moment.');
    return result;
  }

  async appendBulk(bulk: BulkProposal, author: Author): Promise<readonly ProposeResult[]> {
    const { follower } = this.#options;
    const results = await follower.proposeBulkOnce(bulk, author);
    const newest = Math.max(0, ...(results ?? []).map(namedIndex)) as LogIndex;
    if (results === undefined || !(await follower.untilApplied(newest)))
      throw new SyncError('connection-failed', 'The leader cannot be reached at the moment.');
    return results;
  }

  raiseTerm(above: number): Promise<Term> {
    if (above > this.term.number) this.#options.onHigherTerm(above);
    return Promise.resolve(this.term);
  }

  entries(since: LogIndex, limit: PageLimit): Promise<LogPage> {
    return this.#options.log.entries(since, limit);
  }

  standingOf(position: ClaimedPosition): Promise<Standing> {
    return this.#options.log.standingOf(position);
  }

  runningHashAt(index: LogIndex): Promise<string | undefined> {
    return this.#options.log.runningHashAt(index);
  }

  skeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[]> {
    return this.#options.log.skeleton(since, limit);
  }

  /** The leader's log may reach further back than a copy that began later. */
  async revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    const { log, follower } = this.#options;
    return (await log.revisionText(docId, hash)) ?? (await follower.fetchRevisionOnce(docId, hash));
  }

  history(docId: DocId, limit: number): Promise<readonly DocumentEntry[]> {
    return this.#options.log.history(docId, limit);
  }
}
