import { Emitter } from '../event.ts';
import type { Event } from '../event.ts';
import { compareTerms } from '../ids.ts';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { Ambient } from '../ports.ts';
import { bulkEdits } from './bulkEntry.ts';
import { CommittedState } from './committedState.ts';
import type { Author, BulkProposal, DocumentEntry, DocumentHead, LogEntry, Proposal, ProposeResult } from './entry.ts';
import { BadEntryError } from './libraryLink.ts';
import type { ClaimedPosition, LogGate } from './logGate.ts';
import type { Standing } from './messages.ts';
import type {
  CompactionPolicy,
  LogPage,
  LogPosition,
  LogReplacement,
  PageLimit,
  ReplicatedLog,
  SkeletonRow,
} from './replicatedLog.ts';
import { LOG_START } from './replicatedLog.ts';
import { SyncError, describeError } from './syncError.ts';
import type { TransactionDraft } from './transactionDraft.ts';

/** Proposals that arrive while a transaction is being written share the next one, and its fsync. */
const MAX_PROPOSALS_PER_TRANSACTION = 256;

export interface TransactionManagerOptions {
  readonly log: ReplicatedLog;
  readonly leaderId: PeerId;
  readonly ambient: Ambient;
  /** The highest term number that was seen anywhere; the new term goes above it. Default 0. */
  readonly aboveTerm?: number;
}

export type LogCopyOptions = Omit<TransactionManagerOptions, 'aboveTerm'>;

interface QueuedProposal {
  /** Several only where they are one bulk. */
  readonly proposals: readonly Proposal[];
  readonly bulk: BulkProposal | undefined;
  readonly author: Author;
  /** The results stand in the order of the proposals. */
  readonly resolve: (results: readonly ProposeResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The only gate to a library's log. What it commits is one transaction: entries, heads and texts together, or nothing.
 * It never merges; it compares and appends. Everything that reads the log reads through it as well.
 */
export class TransactionManager implements LogGate {
  readonly #log: ReplicatedLog;
  readonly #ambient: Ambient;
  readonly #leaderId: PeerId;
  readonly #state: CommittedState;
  readonly #onDidCommit: Emitter<readonly LogEntry[]>;
  readonly #onDidLoseLog: Emitter<SyncError>;
  readonly #queue: QueuedProposal[] = [];
  #term: Term;
  /** What is under way and must be over before the next thing touches the log. */
  #work: Promise<unknown> = Promise.resolve();
  #isDraining = false;
  #isInDoubt = false;
  #isClosed = false;
  /** Whether proposals are decided here; a copy takes in what the leader of another host has decided. */
  #isLeading: boolean;

  private constructor(options: LogCopyOptions, term: Term, state: CommittedState, isLeading: boolean) {
    this.#isLeading = isLeading;
    this.#log = options.log;
    this.#ambient = options.ambient;
    this.#leaderId = options.leaderId;
    this.#term = term;
    this.#state = state;
    const reportListener = (error: unknown): void => {
      options.ambient.logger.error('A listener of the log failed', { error: describeError(error) });
    };
    this.#onDidCommit = new Emitter(reportListener);
    this.#onDidLoseLog = new Emitter(reportListener);
  }

  /** Begins a leadership: raises the log's term and reads its heads. Rejects with a `SyncError`. */
  static async open(options: TransactionManagerOptions): Promise<TransactionManager> {
    const term = await options.log.raiseTerm(options.leaderId, options.aboveTerm ?? 0);
    const { state } = await CommittedState.read(options.log, options.ambient);
    return new TransactionManager(options, term, state, true);
  }

  /** Opens the log without leading: for a host that may follow the leader of another one. Rejects with a `SyncError`. */
  static async openCopy(options: LogCopyOptions): Promise<TransactionManager> {
    const { state, term } = await CommittedState.read(options.log, options.ambient);
    const none = { number: 0, leaderId: options.leaderId };
    return new TransactionManager(options, term ?? none, state, false);
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
    return this.#state.last;
  }

  /** All heads as of `position`, tombstones included. */
  heads(): readonly DocumentHead[] {
    return this.#state.heads.all();
  }

  /**
   * Commits a proposal or says why not. A proposal that the log knows is answered with its index. Rejects with a
   * `SyncError` where nothing is decided: `stale-term` (the caller's leadership is over), `log-unavailable` (ask again).
   */
  async append(proposal: Proposal, author: Author, term: Term): Promise<ProposeResult> {
    const [result] = await this.#enqueue([proposal], undefined, author, term);
    if (result === undefined) throw new Error('A proposal was not decided.');
    return result;
  }

  /**
   * Commits the edits of a bulk that fit, as one entry, and says of each of the others why not ([BLK-03]); the results
   * stand in the order of the documents. Rejects like `append`.
   */
  appendBulk(bulk: BulkProposal, author: Author, term: Term): Promise<readonly ProposeResult[]> {
    return this.#enqueue(bulkEdits(bulk), bulk, author, term);
  }

  #enqueue(
    proposals: readonly Proposal[],
    bulk: BulkProposal | undefined,
    author: Author,
    term: Term,
  ): Promise<readonly ProposeResult[]> {
    if (this.#isClosed) return Promise.reject(new SyncError('closed', 'The log is closed.'));
    if (!this.#isLeading || compareTerms(term, this.#term) !== 0)
      return Promise.reject(new SyncError('stale-term', 'A newer leader writes this log.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ proposals, bulk, author, resolve, reject });
      this.#drain();
    });
  }

  /** Goes above a term that was met elsewhere: this log is the one that counts on this machine, whatever a backup brought back. */
  async raiseTerm(above: number): Promise<Term> {
    await this.#changing(async () => {
      if (above >= this.#term.number) this.#term = await this.#log.raiseTerm(this.#leaderId, above);
    });
    return this.#term;
  }

  /** Begins to lead in a new term above `above`; rejects with a `SyncError` where that cannot be made durable. */
  async lead(above: number): Promise<Term> {
    await this.#changing(async () => {
      this.#term = await this.#log.raiseTerm(this.#leaderId, above);
      this.#isLeading = true;
    });
    return this.#term;
  }

  /** Decides nothing any more. Resolves when the transaction under way is over and `position` is what the log holds. */
  async retire(): Promise<void> {
    this.#isLeading = false;
    for (const { reject } of this.#queue.splice(0))
      reject(new SyncError('stale-term', 'The leader has changed in the meantime.'));
    await this.#alone(async () => {
      if (this.#isInDoubt) await this.#reload();
    });
  }

  /** Makes the leadership durable whose entries are taken in from here on ([ELE-09]). */
  async adoptTerm(term: Term): Promise<void> {
    if (compareTerms(term, this.#term) === 0 && !this.#isInDoubt) return;
    await this.#changing(async () => {
      await this.#log.adoptTerm(term);
      this.#term = term;
    });
  }

  /**
   * Appends an entry that the leader of another host has ordered, as it is. Rejects with `BadEntryError` where the entry
   * does not follow from what is here, and with a `SyncError` where it could not be made durable.
   */
  async take(entry: LogEntry): Promise<void> {
    await this.#following(async () => {
      // A write that failed may have been durable all the same; then the entry is offered once more.
      if (await this.#state.has(entry)) return;
      const draft = this.#state.draft(this.#term);
      const fault = await draft.take(entry);
      if (fault !== undefined) throw new BadEntryError(fault);
      await this.#log.append(draft.records, this.#state.last.index, this.#term);
      this.#state.accept(draft);
      this.#onDidCommit.fire([entry]);
    });
  }

  /** See `ReplicatedLog.rewind`. */
  async rewind(to: LogIndex): Promise<void> {
    await this.#following(async () => {
      await this.#log.rewind(to);
      await this.#reload();
    });
  }

  /** See `ReplicatedLog.replace`. */
  async replace(replacement: LogReplacement): Promise<void> {
    await this.#following(async () => {
      await this.#log.replace(replacement);
      await this.#reload();
    });
  }

  /** See `ReplicatedLog.orphans`. */
  orphans(limit: number): Promise<readonly LogEntry[]> {
    return this.#log.orphans(limit);
  }

  /** Whether the proposal is in the log. */
  async knows(proposalId: ProposalId): Promise<boolean> {
    return (await this.#log.findProposals([proposalId])).has(proposalId);
  }

  /** The newest entry of a document; 0 where there is none. */
  headIndex(docId: DocId): LogIndex {
    return this.#state.heads.head(docId)?.index ?? LOG_START;
  }

  async forgetOrphans(proposalIds: readonly ProposalId[]): Promise<void> {
    await this.#alone(() => this.#log.forgetOrphans(proposalIds));
  }

  runningHashAt(index: LogIndex): Promise<string | undefined> {
    return this.#log.runningHashAt(index);
  }

  skeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[]> {
    return this.#log.skeleton(since, limit);
  }

  entries(since: LogIndex, limit: PageLimit): Promise<LogPage> {
    return this.#log.entries(since, limit);
  }

  async standingOf(position: ClaimedPosition): Promise<Standing> {
    if (position.index > this.#state.last.index) return 'unknown';
    const runningHash = await this.#log.runningHashAt(position.index);
    const isOurs = position.runningHash === undefined || position.runningHash === runningHash;
    if (runningHash === undefined || !isOurs) return 'unknown';
    const { horizon } = await this.#log.state();
    return position.index < horizon ? 'compacted' : 'onLog';
  }

  revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    const cached = this.#state.cachedText(docId, hash);
    return cached === undefined ? this.#log.revisionText(docId, hash) : Promise.resolve(cached);
  }

  history(docId: DocId, limit: number): Promise<readonly DocumentEntry[]> {
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
    const asked = batch.flatMap(({ proposals }) => proposals.map(({ proposalId }) => proposalId));
    const known = await this.#log.findProposals(asked);
    const draft = this.#state.draft(this.#term);
    const results: { readonly queued: QueuedProposal; readonly results: readonly ProposeResult[] }[] = [];
    for (const queued of batch) results.push({ queued, results: await decide(queued, draft, known) });
    if (draft.records.length > 0) await this.#log.append(draft.records, this.#state.last.index, this.#term);
    this.#state.accept(draft);
    for (const { queued, results: decided } of results) queued.resolve(decided);
    if (draft.records.length > 0) this.#onDidCommit.fire(draft.records.map(({ entry }) => entry));
  }

  /** What comes from another leader changes nothing once this host leads itself, however long it was on its way. */
  async #following(work: () => Promise<void>): Promise<void> {
    await this.#changing(async () => {
      if (this.#isLeading) throw new SyncError('stale-term', 'This host leads now.');
      await work();
    });
  }

  /** Changes the log otherwise than by proposals; like those, in doubt where it failed. */
  async #changing(work: () => Promise<void>): Promise<void> {
    await this.#alone(async () => {
      if (this.#isInDoubt) await this.#reload();
      try {
        await work();
      } catch (error) {
        this.#isInDoubt = true;
        if (error instanceof SyncError && error.code === 'log-moved') this.#onDidLoseLog.fire(error);
        throw error;
      }
    });
  }

  /** After a failed append nobody knows whether it is on disk: what the log says now counts, and is announced if it is more than we knew. */
  async #reload(): Promise<void> {
    const { term, found } = await this.#state.reload();
    // A leader that finds another term here has lost the log, and is told so by its next transaction.
    if (!this.#isLeading && term !== undefined) this.#term = term;
    this.#isInDoubt = false;
    if (found.length > 0) this.#onDidCommit.fire(found);
  }
}

/** What becomes of each proposal in the transaction: one that is known is not looked at again ([REP-05]). */
async function decide(
  { proposals, bulk, author }: QueuedProposal,
  draft: TransactionDraft,
  known: ReadonlyMap<ProposalId, LogIndex>,
): Promise<readonly ProposeResult[]> {
  const decided = proposals.map(({ proposalId }) => known.get(proposalId) ?? draft.indexOf(proposalId));
  const open = proposals.filter((_, at) => decided[at] === undefined);
  const outcomes = bulk === undefined ? await draft.addEach(open, author) : await draft.addBulk(open, bulk, author);
  let next = 0;
  return decided.map((index) => {
    const outcome = index ?? outcomes[next++];
    if (outcome === undefined) throw new Error('A proposal was not decided.');
    return typeof outcome === 'number' ? { kind: 'committed', index: outcome } : outcome;
  });
}
