import type { LogIndex } from '../ids.ts';
import type { Ambient, Disposable } from '../ports.ts';
import type { DocumentHead, LogEntry } from './entry.ts';
import { parseLogEntry } from './entrySchema.ts';
import { BadEntryError } from './libraryLink.ts';
import type { EntrySink, HeadsReason } from './libraryLink.ts';
import { MAX_ENTRIES_PER_PAGE } from './limits.ts';
import type { RawEntry, Standing } from './messages.ts';
import { LOG_START, nextIndex } from './replicatedLog.ts';
import type { LogPosition } from './replicatedLog.ts';
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

/** Where entries come from as long as one connection lasts. Undefined answers mean that it is over. */
export interface EntrySource {
  requestEntries(since: LogIndex, limit: number): Promise<EntryPage | HeadsReason | undefined>;
  fetchHeads(): Promise<HeadsAt | undefined>;
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
  /** The sink refused: nothing more is offered until the next `connect`. */
  readonly onSinkFailed: (error: unknown) => void;
}

/** Entries waiting for the sink; what does not fit is fetched when its turn comes. */
const MAX_BUFFERED_ENTRIES = 2 * MAX_ENTRIES_PER_PAGE;

/**
 * Hands a replica its entries: each once, in the order of the log, one at a time, wherever they come from. Whether a
 * page was fetched to catch up or an announcement carried the entry makes no difference here, so the two never
 * interleave. A gap is fetched; what the log cannot give, or what is no entry, is replaced by the heads.
 */
export class EntryPump implements Disposable {
  readonly #options: EntryPumpOptions;
  readonly #buffer = new Map<LogIndex, RawEntry>();
  #source: EntrySource | undefined;
  #target = LOG_START;
  /** Set where entries cannot bring the replica further. */
  #needsHeads: HeadsReason | undefined;
  #isRunning = false;
  #acknowledged = LOG_START;
  #entriesTaken = 0;
  #headsTaken = 0;
  #entriesPutAside = 0;
  /** The running hash at the index that the sink stands at, as far as it is known. */
  #position: LogPosition | undefined;

  constructor(options: EntryPumpOptions) {
    this.#options = options;
    const hash = options.sink.lastSyncedHash?.();
    if (hash !== undefined) this.#position = { index: options.sink.lastSyncedIndex(), runningHash: hash };
  }

  /** Where the replica stands, for `hello`. */
  get position(): { readonly index: LogIndex; readonly runningHash: string | undefined } {
    const index = this.#options.sink.lastSyncedIndex();
    if (index === LOG_START) return { index, runningHash: '' };
    return { index, runningHash: this.#position?.index === index ? this.#position.runningHash : undefined };
  }

  /** The newest index that is known to be in the log. */
  get target(): LogIndex {
    return this.#target;
  }

  /** What was handed over since the start. */
  get counts(): { readonly entriesTaken: number; readonly headsTaken: number; readonly entriesPutAside: number } {
    return { entriesTaken: this.#entriesTaken, headsTaken: this.#headsTaken, entriesPutAside: this.#entriesPutAside };
  }

  /** A leader has welcomed us: `last` is the end of its log, and `standing` is where we are on it. */
  connect(source: EntrySource, last: LogPosition, standing: Standing): void {
    this.#source = source;
    this.#target = last.index;
    // A replica that an older release left without a hash is believed by its index, and has one from here on.
    const { index, runningHash } = this.position;
    if (standing === 'onLog' && runningHash === undefined && index === last.index) this.#position = last;
    this.#needsHeads = standing === 'onLog' ? undefined : standing;
    this.#acknowledged = LOG_START;
    this.#buffer.clear();
    this.#start();
  }

  disconnect(): void {
    this.#source = undefined;
    this.#buffer.clear();
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
    void (async () => {
      try {
        while (this.#source !== undefined && (await this.#step(this.#source)));
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

  async #fetch(source: EntrySource, since: LogIndex): Promise<boolean> {
    const page = await source.requestEntries(since, MAX_ENTRIES_PER_PAGE);
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
    return true;
  }

  async #apply(entry: LogEntry): Promise<void> {
    const { sink, ambient } = this.#options;
    const before = this.position;
    const runningHash =
      before.runningHash === undefined ? undefined : nextRunningHash(before.runningHash, entry, ambient.hashText);
    try {
      await sink.applySyncEntry(entry, runningHash);
    } catch (error) {
      if (!(error instanceof BadEntryError)) throw error;
      this.#quarantine(entry.index, describeError(error));
      return;
    }
    this.#expectProgress(entry.index);
    this.#entriesTaken += 1;
    if (runningHash !== undefined) this.#position = { index: entry.index, runningHash };
  }

  async #takeHeads(source: EntrySource, why: HeadsReason): Promise<boolean> {
    const answer = await source.fetchHeads();
    if (this.#source !== source) return true;
    if (answer === undefined) return false;
    const { index, runningHash } = answer.position;
    await this.#options.sink.applyHeads(answer.heads, index, runningHash, why);
    this.#expectProgress(index);
    this.#headsTaken += 1;
    this.#position = answer.position;
    // Another connection has come meanwhile, and what it found missing is still to be had.
    if (this.#source !== source) return true;
    this.#needsHeads = undefined;
    this.#buffer.clear();
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

  #acknowledge(source: EntrySource, index: LogIndex): void {
    if (index <= this.#acknowledged) return;
    this.#acknowledged = index;
    source.acknowledge(index);
  }
}
