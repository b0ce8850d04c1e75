import { Emitter } from '../event.ts';
import type { Event } from '../event.ts';
import { compareTerms } from '../ids.ts';
import type { DocId, LogIndex, PeerId, RevisionHash, Term } from '../ids.ts';
import type { Ambient } from '../ports.ts';
import type { Author, DocumentHead, LogEntry, Proposal, ProposeResult } from './entry.ts';
import { HeadTable } from './headTable.ts';
import type { Standing } from './messages.ts';
import type { CompactionPolicy, HeadText, LogPage, LogPosition, PageLimit, ReplicatedLog } from './replicatedLog.ts';
import { SyncError, describeError } from './syncError.ts';
import { TextCache } from './textCache.ts';
import { TransactionDraft } from './transactionDraft.ts';

/** Proposals that arrive while a transaction is being written share the next one, and its fsync. */
const MAX_PROPOSALS_PER_TRANSACTION = 256;
const MAX_CACHED_TEXT_UNITS = 32 * 1024 * 1024;

export interface TransactionManagerOptions {
  readonly log: ReplicatedLog;
  readonly leaderId: PeerId;
  readonly ambient: Ambient;
  /** The highest term number that was seen anywhere; the new term goes above it. Default 0. */
  readonly aboveTerm?: number;
}

interface QueuedProposal {
  readonly proposal: Proposal;
  readonly author: Author;
  readonly resolve: (result: ProposeResult) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The only gate to a library's log. What it commits is one transaction: entries, heads and texts together, or nothing.
 * It never merges; it compares and appends. Everything that reads the log reads through it as well.
 */
export class TransactionManager {
  readonly #log: ReplicatedLog;
  readonly #ambient: Ambient;
  readonly #leaderId: PeerId;
  readonly #heads = new HeadTable();
  readonly #texts = new TextCache(MAX_CACHED_TEXT_UNITS);
  readonly #onDidCommit: Emitter<readonly LogEntry[]>;
  readonly #onDidLoseLog: Emitter<SyncError>;
  readonly #queue: QueuedProposal[] = [];
  #term: Term;
  #last: LogPosition;
  /** What is under way and must be over before the next thing touches the log. */
  #work: Promise<unknown> = Promise.resolve();
  #isDraining = false;
  #isInDoubt = false;
  #isClosed = false;

  private constructor(options: TransactionManagerOptions, term: Term, last: LogPosition) {
    this.#log = options.log;
    this.#ambient = options.ambient;
    this.#leaderId = options.leaderId;
    this.#term = term;
    this.#last = last;
    const reportListener = (error: unknown): void => {
      options.ambient.logger.error('A listener of the log failed', { error: describeError(error) });
    };
    this.#onDidCommit = new Emitter(reportListener);
    this.#onDidLoseLog = new Emitter(reportListener);
  }

  /** Begins a leadership: raises the log's term and reads its heads. Rejects with a `SyncError`. */
  static async open(options: TransactionManagerOptions): Promise<TransactionManager> {
    const term = await options.log.raiseTerm(options.leaderId, options.aboveTerm ?? 0);
    const { last } = await options.log.state();
    const manager = new TransactionManager(options, term, last);
    manager.#heads.replaceAll(await options.log.heads());
    return manager;
  }

  /** Fires after each transaction, when it is durable, with its entries in order. */
  get onDidCommit(): Event<readonly LogEntry[]> {
    return this.#onDidCommit.event;
  }

  /** Fires when the log says that somebody else writes it now: this leadership is over. */
  get onDidLoseLog(): Event<SyncError> {
    return this.#onDidLoseLog.event;
  }

  get term(): Term {
    return this.#term;
  }

  /** The newest durable entry. */
  get position(): LogPosition {
    return this.#last;
  }

  /** All heads as of `position`, tombstones included. */
  heads(): readonly DocumentHead[] {
    return this.#heads.all();
  }

  /**
   * Commits a proposal or says why not. A proposal that the log knows is answered with its index. Rejects with a
   * `SyncError` where nothing is decided: `stale-term` (the caller's leadership is over), `log-unavailable` (ask again).
   */
  append(proposal: Proposal, author: Author, term: Term): Promise<ProposeResult> {
    if (this.#isClosed) return Promise.reject(new SyncError('closed', 'The log is closed.'));
    if (compareTerms(term, this.#term) !== 0)
      return Promise.reject(new SyncError('stale-term', 'A newer leader writes this log.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ proposal, author, resolve, reject });
      this.#drain();
    });
  }

  /** Goes above a term that was met elsewhere: this log is the one that counts on this machine, whatever a backup brought back. */
  async raiseTerm(above: number): Promise<Term> {
    return await this.#alone(async () => {
      if (above < this.#term.number) return this.#term;
      this.#term = await this.#log.raiseTerm(this.#leaderId, above);
      return this.#term;
    });
  }

  entries(since: LogIndex, limit: PageLimit): Promise<LogPage> {
    return this.#log.entries(since, limit);
  }

  /** Where a follower stands, seen from this log; one that keeps no running hash is believed by its index. */
  async standingOf(position: {
    readonly index: LogIndex;
    readonly runningHash: string | undefined;
  }): Promise<Standing> {
    if (position.index > this.#last.index) return 'unknown';
    const runningHash = await this.#log.runningHashAt(position.index);
    const isOurs = position.runningHash === undefined || position.runningHash === runningHash;
    if (runningHash === undefined || !isOurs) return 'unknown';
    const { horizon } = await this.#log.state();
    return position.index < horizon ? 'compacted' : 'onLog';
  }

  revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    const cached = this.#texts.get(docId, hash);
    return cached === undefined ? this.#log.revisionText(docId, hash) : Promise.resolve(cached.text);
  }

  history(docId: DocId, limit: number): Promise<readonly LogEntry[]> {
    return this.#log.history(docId, limit);
  }

  async compact(policy: CompactionPolicy): Promise<LogIndex> {
    return await this.#alone(() => this.#log.compact(policy));
  }

  /** Lets the transaction under way finish, refuses what is queued behind it, and closes the log. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new SyncError('closed', 'The log is closed.'));
    await this.#alone(() => this.#log.close());
    this.#onDidCommit.dispose();
    this.#onDidLoseLog.dispose();
  }

  /** One thing at a time touches the log's state; a failure is the caller's and does not stop the next. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#work.then(work);
    this.#work = mine.catch(() => undefined);
    return await mine;
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    void this.#alone(async () => {
      const batch = this.#queue.splice(0, MAX_PROPOSALS_PER_TRANSACTION);
      try {
        await this.#commit(batch);
      } catch (error) {
        this.#isInDoubt = true;
        this.#ambient.logger.error('A transaction failed', { error: describeError(error), proposals: batch.length });
        for (const { reject } of batch) reject(error);
        if (error instanceof SyncError && (error.code === 'stale-term' || error.code === 'log-moved'))
          this.#onDidLoseLog.fire(error);
      }
    }).finally(() => {
      this.#isDraining = false;
      if (this.#queue.length > 0) this.#drain();
    });
  }

  async #commit(batch: readonly QueuedProposal[]): Promise<void> {
    if (this.#isInDoubt) await this.#reload();
    const known = await this.#log.findProposals(batch.map(({ proposal }) => proposal.proposalId));
    const draft = new TransactionDraft({
      heads: this.#heads,
      last: this.#last,
      term: this.#term,
      ambient: this.#ambient,
      headText: (docId, hash) => this.#headText(docId, hash),
    });
    const results: { readonly queued: QueuedProposal; readonly result: ProposeResult }[] = [];
    for (const queued of batch) {
      const { proposal, author } = queued;
      const index = known.get(proposal.proposalId) ?? draft.indexOf(proposal.proposalId);
      const outcome = index ?? (await draft.add(proposal, author));
      results.push({ queued, result: typeof outcome === 'number' ? { kind: 'committed', index: outcome } : outcome });
    }
    if (draft.records.length > 0) await this.#log.append(draft.records, this.#last.index, this.#term);
    this.#accept(draft);
    for (const { queued, result } of results) queued.resolve(result);
    if (draft.records.length > 0) this.#onDidCommit.fire(draft.records.map(({ entry }) => entry));
  }

  #accept(draft: TransactionDraft): void {
    this.#last = draft.last;
    for (const head of draft.changedHeads()) this.#heads.set(head);
    for (const [docId, text] of draft.texts) {
      if (text === undefined) this.#texts.delete(docId);
      else this.#texts.set(docId, text);
    }
  }

  async #headText(docId: DocId, hash: RevisionHash): Promise<HeadText | undefined> {
    const cached = this.#texts.get(docId, hash);
    if (cached !== undefined) return cached;
    const stored = await this.#log.headText(docId);
    if (stored === undefined || this.#ambient.hashText(stored.text) !== hash) {
      this.#ambient.logger.error('The log has lost the text of a document', { docId });
      return undefined;
    }
    this.#texts.set(docId, { ...stored, hash });
    return stored;
  }

  /** After a failed append nobody knows whether it is on disk: what the log says now counts, and is announced if it is more than we knew. */
  async #reload(): Promise<void> {
    const { last, horizon } = await this.#log.state();
    const heads = await this.#log.heads();
    // What was compacted in the meantime cannot be announced; its followers will be told to take the heads.
    const known = this.#last.index < horizon ? horizon : this.#last.index;
    const count = last.index - known;
    const page = count > 0 ? await this.#log.entries(known, { count, units: Infinity }) : undefined;
    this.#last = last;
    this.#heads.replaceAll(heads);
    this.#texts.clear();
    this.#isInDoubt = false;
    const found = page?.entries.flatMap(({ entry }) => entry ?? []) ?? [];
    if (found.length > 0) this.#onDidCommit.fire(found);
  }
}
