import type { LibraryId, PeerId } from '../core/ids.ts';
import type { Ambient } from '../core/ports.ts';
import type { Connection } from '../core/replication/connection.ts';
import { Leader } from '../core/replication/leader.ts';
import type { FollowerState } from '../core/replication/leader.ts';
import { describeError } from '../core/replication/syncError.ts';
import { TransactionManager } from '../core/replication/transactionManager.ts';
import { LogCompaction } from './logCompaction.ts';
import type { Retention } from './logCompaction.ts';
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

/** What a peer that holds the library's lock does with it, until `stop`. */
export interface LockTenure {
  /** Who is connected here. */
  readonly followers: readonly FollowerState[];
  /** A connection from within the same process, for this peer's own replica. */
  connect(): Connection;
  /** Gives everything back, the lock included; never rejects. */
  stop(): Promise<void>;
}

/** Everything a peer holds while it leads: the log, the leader and its published address. Whoever makes one holds the library's lock; `stop` gives it back. */
export class SyncLeadership implements LockTenure {
  readonly #options: LeadershipOptions;
  readonly #transactions: TransactionManager;
  readonly #leader: Leader;
  readonly #listener: LeaderListener;
  #stopped: Promise<void> | undefined;
  readonly #compaction: LogCompaction;

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
    this.#compaction = new LogCompaction(transactions, options.retention, options.ambient);
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

  get followers(): readonly FollowerState[] {
    return this.#leader.followers;
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
    this.#compaction.dispose();
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
}
