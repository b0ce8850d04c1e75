import type { LibraryId, PeerId } from '../core/ids.ts';
import type { Ambient, Disposable } from '../core/ports.ts';
import type { Connection } from '../core/replication/connection.ts';
import { Leader } from '../core/replication/leader.ts';
import { describeError } from '../core/replication/syncError.ts';
import { TransactionManager } from '../core/replication/transactionManager.ts';
import type { LeaderListener, SyncHost } from './syncHost.ts';

export interface LeadershipOptions {
  readonly host: SyncHost;
  readonly libraryId: LibraryId;
  readonly peerId: PeerId;
  readonly ambient: Ambient;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  /** The highest term number that this peer has heard of. */
  readonly aboveTerm: number;
  readonly retention: Retention;
  /** Called once when this leadership cannot go on: the log has failed, or is somebody else's. */
  readonly onFailed: () => void;
}

/** How much history a library keeps. */
export interface Retention {
  /** In milliseconds, counted back from the newest entry, so that a clock that jumps forgets nothing. */
  readonly ageMs: number;
  /** In UTF-16 units of entries. */
  readonly units: number;
}

/** The first compaction waits until those that were away have had a chance to come back. */
const FIRST_COMPACTION_MS = 60_000;
const COMPACTION_INTERVAL_MS = 3_600_000;

/** Everything a peer holds while it leads: the log, the leader and its published address. Whoever makes one holds the library's lock; `stop` gives it back. */
export class SyncLeadership {
  readonly #options: LeadershipOptions;
  readonly #transactions: TransactionManager;
  readonly #leader: Leader;
  readonly #listener: LeaderListener;
  #stopped: Promise<void> | undefined;
  #compaction: Disposable | undefined;

  private constructor(
    options: LeadershipOptions,
    transactions: TransactionManager,
    leader: Leader,
    listener: LeaderListener,
  ) {
    this.#options = options;
    this.#transactions = transactions;
    this.#leader = leader;
    this.#listener = listener;
  }

  /** Rejects with a `SyncError` where the log cannot be had; nothing is left open then. */
  static async begin(options: LeadershipOptions): Promise<SyncLeadership> {
    const { host, libraryId, peerId, ambient, heartbeatMs, timeoutMs, aboveTerm } = options;
    const log = await host.openLog();
    let leader: Leader | undefined;
    try {
      const transactions = await TransactionManager.open({ log, leaderId: peerId, ambient, aboveTerm });
      const newLeader = new Leader({ libraryId, transactions, ambient, heartbeatMs, timeoutMs });
      leader = newLeader;
      const listener = await host.listen(transactions.term, (connection) => {
        newLeader.accept(connection);
      });
      const leadership = new SyncLeadership(options, transactions, newLeader, listener);
      leadership.#scheduleCompaction(FIRST_COMPACTION_MS);
      transactions.onDidLoseLog(() => {
        options.onFailed();
      });
      void log.whenStopped().then(() => {
        if (leadership.#stopped === undefined) options.onFailed();
      });
      return leadership;
    } catch (error) {
      leader?.dispose();
      await log.close();
      throw error;
    }
  }

  get leader(): Leader {
    return this.#leader;
  }

  get transactions(): TransactionManager {
    return this.#transactions;
  }

  /** A connection to this leader from within the same process. */
  connect(): Connection {
    const [mine, leaders] = this.#options.host.connectWithin();
    this.#leader.accept(leaders);
    return mine;
  }

  /**
   * Ends the leadership so that the next one can begin at once: the transaction under way is finished and answered, the
   * log closed, the lock given back, and only then the followers are told. Never rejects.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { ambient, host } = this.#options;
    this.#compaction?.dispose();
    try {
      await this.#transactions.close();
      await this.#listener.withdraw();
    } catch (error) {
      // The lock goes either way, and the next leader opens the log as a crash would have left it.
      ambient.logger.warn('The log was not closed cleanly', { error: describeError(error) });
    }
    host.releaseLock();
    this.#leader.dispose();
    this.#listener.dispose();
  }

  #scheduleCompaction(delayMs: number): void {
    this.#compaction = this.#options.ambient.scheduler.after(delayMs, () => {
      void this.#compact().finally(() => {
        if (this.#stopped === undefined) this.#scheduleCompaction(COMPACTION_INTERVAL_MS);
      });
    });
  }

  async #compact(): Promise<void> {
    const { ambient, retention } = this.#options;
    const newestAt = this.#transactions.heads().reduce((newest, { at }) => Math.max(newest, at), 0);
    try {
      const horizon = await this.#transactions.compact({
        olderThan: newestAt - retention.ageMs,
        keepUnits: retention.units,
      });
      ambient.logger.debug('The log has been looked through for what is too old', { horizon });
    } catch (error) {
      // Nothing is lost by keeping more than we have to; the next time may work.
      ambient.logger.warn('The log could not be compacted', { error: describeError(error) });
    }
  }
}
