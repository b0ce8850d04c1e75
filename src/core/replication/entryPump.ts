import type { DocId, LogIndex, RevisionHash } from '../ids.ts';
import type { Ambient, Disposable } from '../ports.ts';
import type { DocumentHead, LogEntry } from './entry.ts';
import { parseLogEntry } from './entrySchema.ts';
import { BadEntryError } from './libraryLink.ts';
import type { EntrySink, HeadsReason } from './libraryLink.ts';
import { MAX_ENTRIES_PER_PAGE } from './limits.ts';
import type { ClaimedPosition } from './logGate.ts';
import type { RawEntry, Standing } from './messages.ts';
import { LOG_START, nextIndex } from './replicatedLog.ts';
import type { LogPosition, SkeletonRow } from './replicatedLog.ts';
import { nextRunningHash } from './runningHash.ts';
import { describeError } from './syncError.ts';

export interface EntryPage {
  readonly entries: readonly RawEntry[];
  readonly hasMore: boolean;
}

export interface HeadsAt {
  readonly heads: readonly DocumentHead[];
  readonly position: LogPosition;
}

type PageAnswer = EntryPage | HeadsReason | undefined;

/** A page that was asked for before its turn. */
interface PageAhead {
  readonly since: LogIndex;
  readonly answer: Promise<PageAnswer>;
}

/** Where entries come from as long as one connection lasts. Undefined answers mean that it is over. */
export interface EntrySource {
  requestEntries(since: LogIndex, limit: number): Promise<PageAnswer>;
  fetchHeads(): Promise<HeadsAt | undefined>;
  /** The running hashes at these indexes, in their order; null where the log never had one. Only for hosts. */
  fetchHashes(indexes: readonly LogIndex[]): Promise<readonly (string | null)[] | undefined>;
  /** See `ReplicatedLog.skeleton`. Only for hosts. */
  fetchSkeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[] | undefined>;
  /** Null where whoever was asked does not have it. */
  fetchRevision(docId: DocId, hash: RevisionHash): Promise<string | null | undefined>;
  acknowledge(index: LogIndex): void;
}

/** An entry that was put aside, for the log channel and the diagnostics. */
export interface QuarantinedEntry {
  readonly index: LogIndex;
  readonly reason: string;
}

export interface EntryPumpOptions {
  readonly sink: EntrySink;
  readonly ambient: Ambient;
  readonly onQuarantined: (entry: QuarantinedEntry) => void;
  /** The sink does not stand where the leader was told that it does: the connection has to begin anew. */
  readonly onMoved: () => void;
  /** The sink refused: nothing more is offered until the next `connect`. */
  readonly onSinkFailed: (error: unknown) => void;
}

/** Entries waiting for the sink; what does not fit is fetched when its turn comes. */
const MAX_BUFFERED_ENTRIES = 2 * MAX_ENTRIES_PER_PAGE;
/** A page of a large document's entries takes half a second: after so long, whoever shares the thread gets a turn (I8). */
const TURN_MS = 15;

/**
 * Hands a replica its entries: each once, in the order of the log, one at a time, wherever they come from. Whether a
 * page was fetched to catch up or an announcement carried the entry makes no difference here, so the two never
 * interleave. A gap is fetched; what the log cannot give, or what is no entry, is replaced by the heads.
 */
export class EntryPump implements Disposable {
  readonly #options: EntryPumpOptions;
  readonly #buffer = new Map<LogIndex, RawEntry>();
  #source: EntrySource | undefined;
  /** The leader reads the next page while the sink takes in this one. */
  #ahead: PageAhead | undefined;
  #target = LOG_START;
  /** Set where entries cannot bring the replica further. */
  #needsHeads: HeadsReason | undefined;
  #isRunning = false;
  /** Outlives a connection: what the sink has begun with the heads of one, it ends under the next. */
  #headsGiver: EntrySource | undefined;
  /** Outlives a connection, too. */
  #isReconciling = false;
  #acknowledged = LOG_START;
  #entriesTaken = 0;
  #headsTaken = 0;
  #entriesPutAside = 0;
  /** The running hash at the index that the sink stands at, as far as it is known. */
  #position: LogPosition | undefined;
  /** Where the present leader believes us to be, until we have found that it is so. */
  #said: ClaimedPosition | undefined;
  readonly #waiting = new Set<() => void>();
  #pause: Disposable | undefined;

  constructor(options: EntryPumpOptions) {
    this.#options = options;
    const hash = options.sink.lastSyncedHash?.();
    if (hash !== undefined) this.#position = { index: options.sink.lastSyncedIndex(), runningHash: hash };
  }

  /** Where the replica stands, for `hello`. */
  get position(): ClaimedPosition {
    const index = this.#options.sink.lastSyncedIndex();
    if (index === LOG_START) return { index, runningHash: '' };
    const isKnown = this.#position?.index === index;
    return { index, runningHash: isKnown ? this.#position?.runningHash : this.#options.sink.lastSyncedHash?.() };
  }

  /**
   * Heads are wanted, or being handed over, in place of entries: by this leader, or still by the one of the connection
   * before, in which case the sink may yet be brought to where that one's log stands.
   */
  get isTakingHeads(): boolean {
    return this.#needsHeads !== undefined || this.#headsGiver !== undefined || this.#isReconciling;
  }

  /** Whose heads the sink is taking in. */
  get headsGiver(): EntrySource | undefined {
    return this.#headsGiver;
  }

  /** Resolves when the sink has taken something in, or the connection is over. */
  untilNextStep(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** The newest index that is known to be in the log. */
  get target(): LogIndex {
    return this.#target;
  }

  /** What was handed over since the start. */
  get counts(): { readonly entriesTaken: number; readonly headsTaken: number; readonly entriesPutAside: number } {
    return { entriesTaken: this.#entriesTaken, headsTaken: this.#headsTaken, entriesPutAside: this.#entriesPutAside };
  }

  /** A leader has welcomed us: `last` is the end of its log, and `standing` is where on it we have said to be. */
  connect(source: EntrySource, last: LogPosition, standing: Standing, said: ClaimedPosition): void {
    this.#source = source;
    this.#said = standing === 'unknown' ? undefined : said;
    this.#target = last.index;
    // A replica that an older release left without a hash is believed by its index, and has one from here on.
    const { index, runningHash } = this.position;
    if (standing === 'onLog' && runningHash === undefined && index === last.index) this.#position = last;
    this.#needsHeads = standing === 'onLog' ? undefined : standing;
    this.#acknowledged = LOG_START;
    this.#forgetPages();
    this.#start();
  }

  disconnect(): void {
    this.#source = undefined;
    this.#forgetPages();
    this.#wake();
  }

  /** The leader has told of the entries from `from` to `to`, and perhaps brought them along. */
  announce(from: LogIndex, to: LogIndex, entries: readonly RawEntry[]): void {
    if (to > this.#target) this.#target = to;
    this.#keep(from, entries);
    this.#start();
  }

  /** The leader has found that the log cannot give what comes next. */
  requireHeads(why: HeadsReason): void {
    this.#needsHeads = why;
    this.#start();
  }

  dispose(): void {
    this.disconnect();
    this.#pause?.dispose();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #keep(from: LogIndex, entries: readonly RawEntry[]): void {
    let index = from;
    for (const entry of entries) {
      if (this.#buffer.size >= MAX_BUFFERED_ENTRIES) return;
      this.#buffer.set(index, entry);
      index = nextIndex(index);
    }
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { clock, scheduler } = this.#options.ambient;
    void (async () => {
      try {
        let begunMs = clock.monotonicNow();
        while (this.#source !== undefined && (await this.#step(this.#source))) {
          if (clock.monotonicNow() - begunMs < TURN_MS) continue;
          await new Promise<void>((resolve) => (this.#pause = scheduler.after(0, resolve)));
          begunMs = clock.monotonicNow();
        }
      } catch (error) {
        this.#source = undefined;
        this.#options.onSinkFailed(error);
      } finally {
        this.#isRunning = false;
      }
      // A new connection may have come while the last step was under way.
      if (this.#source !== undefined && this.#hasWork()) this.#start();
    })();
  }

  #hasWork(): boolean {
    return this.#needsHeads !== undefined || this.#options.sink.lastSyncedIndex() < this.#target;
  }

  /** Does the next thing; false where there is nothing to do. Rejects only where the sink does. */
  async #step(source: EntrySource): Promise<boolean> {
    const said = this.#said;
    this.#said = undefined;
    if (said !== undefined && !(await this.#isWhereSaid(source, said))) {
      if (this.#source === source) this.#options.onMoved();
      return false;
    }
    if (this.#needsHeads !== undefined) return await this.#takeHeads(source, this.#needsHeads);
    const applied = this.#options.sink.lastSyncedIndex();
    if (applied >= this.#target) {
      this.#acknowledge(source, applied);
      return false;
    }
    const index = nextIndex(applied);
    if (!this.#buffer.has(index)) {
      this.#acknowledge(source, applied);
      return await this.#fetch(source, applied);
    }
    const raw = this.#buffer.get(index);
    this.#buffer.delete(index);
    const entry = parseLogEntry(raw);
    if (entry?.index !== index) {
      this.#quarantine(index, 'It is not an entry that this release can read.');
      return true;
    }
    await this.#apply(entry);
    if (applied + 1 - this.#acknowledged >= MAX_ENTRIES_PER_PAGE) this.#acknowledge(source, entry.index);
    return true;
  }

  /**
   * Whether we stand where this leader was told that we do, or where its own entries lead from there: what the last
   * connection had under way may have been taken in since, and another leader may not have it.
   */
  async #isWhereSaid(source: EntrySource, said: ClaimedPosition): Promise<boolean> {
    const { index, runningHash } = this.position;
    if (said.runningHash === undefined) return said.index === index;
    if (said.index === index) return said.runningHash === runningHash;
    const page = index > said.index ? await source.requestEntries(said.index, MAX_ENTRIES_PER_PAGE) : undefined;
    if (page === undefined || typeof page === 'string') return false;
    let reached = said.runningHash;
    for (const entry of page.entries.slice(0, index - said.index).map(parseLogEntry)) {
      if (entry === undefined) return false;
      reached = nextRunningHash(reached, entry, this.#options.ambient.hashText);
    }
    return reached === runningHash;
  }

  async #fetch(source: EntrySource, since: LogIndex): Promise<boolean> {
    const page = await this.#nextPage(source, since);
    if (this.#source !== source) return true;
    if (page === undefined) return false;
    // Nothing where there must be something is a hole that only the heads can fill.
    if (page === 'compacted' || page === 'unknown') {
      this.#needsHeads = page;
      return true;
    }
    if (page.entries.length === 0) {
      this.#needsHeads = 'compacted';
      return true;
    }
    this.#buffer.clear();
    this.#keep(nextIndex(since), page.entries);
    if (page.hasMore) {
      const last = (since + page.entries.length) as LogIndex;
      this.#ahead = { since: last, answer: source.requestEntries(last, MAX_ENTRIES_PER_PAGE) };
    }
    return true;
  }

  #nextPage(source: EntrySource, since: LogIndex): Promise<PageAnswer> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead?.since === since ? ahead.answer : source.requestEntries(since, MAX_ENTRIES_PER_PAGE);
  }

  #forgetPages(): void {
    this.#buffer.clear();
    this.#ahead = undefined;
  }

  async #apply(entry: LogEntry): Promise<void> {
    const { sink, ambient } = this.#options;
    const before = this.position;
    const runningHash =
      before.runningHash === undefined ? undefined : nextRunningHash(before.runningHash, entry, ambient.hashText);
    try {
      await sink.applySyncEntry(entry, runningHash, entry.index < this.#target);
    } catch (error) {
      if (!(error instanceof BadEntryError)) throw error;
      this.#quarantine(entry.index, describeError(error));
      return;
    }
    this.#expectProgress(entry.index);
    this.#entriesTaken += 1;
    this.#wake();
    if (runningHash !== undefined) this.#position = { index: entry.index, runningHash };
  }

  /** A copy of the log is not given heads; it finds out itself from where the leader's entries lead on. */
  async #reconcile(source: EntrySource, why: HeadsReason): Promise<boolean> {
    this.#isReconciling = true;
    let isDone: boolean | undefined;
    try {
      isDone = await this.#options.sink.reconcile?.(source, why);
    } finally {
      this.#isReconciling = false;
      this.#wake();
    }
    if (this.#source !== source) return true;
    // The leader gave no answer, or one that cannot be: another attempt begins with the next connection.
    if (isDone !== true) throw new Error('The log could not be reconciled.');
    this.#headsTaken += 1;
    this.#position = undefined;
    this.#needsHeads = undefined;
    this.#forgetPages();
    return true;
  }

  async #takeHeads(source: EntrySource, why: HeadsReason): Promise<boolean> {
    if (this.#options.sink.reconcile !== undefined) return await this.#reconcile(source, why);
    const answer = await source.fetchHeads();
    if (this.#source !== source) return true;
    if (answer === undefined) return false;
    const { index, runningHash } = answer.position;
    this.#headsGiver = source;
    this.#position = undefined;
    try {
      await this.#options.sink.applyHeads(answer.heads, index, runningHash, why);
    } finally {
      this.#headsGiver = undefined;
    }
    this.#expectProgress(index);
    this.#headsTaken += 1;
    this.#wake();
    this.#position = answer.position;
    // Another connection has come meanwhile, and what it found missing is still to be had.
    if (this.#source !== source) return true;
    this.#needsHeads = undefined;
    this.#forgetPages();
    if (index > this.#target) this.#target = index;
    this.#acknowledge(source, index);
    return true;
  }

  /** A sink that resolves without standing where it was put would be offered the same entry for ever, or miss the next. */
  #expectProgress(index: LogIndex): void {
    const recorded = this.#options.sink.lastSyncedIndex();
    if (recorded !== index) throw new Error(`The replica was given index ${index} and stands at ${recorded}.`);
  }

  #quarantine(index: LogIndex, reason: string): void {
    this.#options.ambient.logger.error('An entry was put aside; its document is taken from the heads', {
      index,
      reason,
    });
    this.#entriesPutAside += 1;
    this.#options.onQuarantined({ index, reason });
    this.#needsHeads = 'compacted';
  }

  #acknowledge(source: EntrySource, taken: LogIndex): void {
    const durable = this.#options.sink.lastDurableIndex?.() ?? taken;
    const index = durable < taken ? durable : taken;
    if (index <= this.#acknowledged) return;
    this.#acknowledged = index;
    source.acknowledge(index);
  }
}
