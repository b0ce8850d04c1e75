import { join } from 'node:path';
import type { LibraryId, PeerId } from '../core/ids.ts';
import type { Ambient } from '../core/ports.ts';
import type { Connection } from '../core/replication/connection.ts';
import { Leader } from '../core/replication/leader.ts';
import { describeError } from '../core/replication/syncError.ts';
import { TransactionManager } from '../core/replication/transactionManager.ts';
import { LOG_FILE } from '../node/libraryDirectory.ts';
import { SqliteReplicatedLog } from '../node/log/sqliteReplicatedLog.ts';
import { createConnectionPair } from '../node/transport/memoryConnection.ts';
import { TransportServer } from '../node/transport/webSocketServer.ts';
import { publishLeaderAddress, withdrawLeaderAddress } from './syncLeaderAddress.ts';

export interface LeadershipOptions {
  readonly libraryId: LibraryId;
  readonly libraryDirectory: string;
  readonly peerId: PeerId;
  readonly token: string;
  readonly ambient: Ambient;
  readonly logWorkerPath: string | undefined;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  /** The highest term number that this peer has heard of. */
  readonly aboveTerm: number;
  /** Called once when this leadership cannot go on: the log has failed, or is somebody else's. */
  readonly onFailed: () => void;
}

/**
 * Everything a peer holds while it leads: the log, the leader, the listening socket and the published address. Whoever
 * makes one holds the library's lock, and releases it when `stop` has come to `releaseLock`.
 */
export class SyncLeadership {
  readonly #options: LeadershipOptions;
  readonly #transactions: TransactionManager;
  readonly #leader: Leader;
  readonly #server: TransportServer;
  #stopped: Promise<void> | undefined;

  private constructor(
    options: LeadershipOptions,
    transactions: TransactionManager,
    leader: Leader,
    server: TransportServer,
  ) {
    this.#options = options;
    this.#transactions = transactions;
    this.#leader = leader;
    this.#server = server;
  }

  /** Rejects with a `SyncError` where the log cannot be had; nothing is left open then. */
  static async begin(options: LeadershipOptions): Promise<SyncLeadership> {
    const { libraryId, libraryDirectory, peerId, token, ambient, heartbeatMs, timeoutMs } = options;
    const log = await SqliteReplicatedLog.open({
      path: join(libraryDirectory, LOG_FILE),
      ...(options.logWorkerPath === undefined ? {} : { workerPath: options.logWorkerPath }),
    });
    let server: TransportServer | undefined;
    let leader: Leader | undefined;
    try {
      const transactions = await TransactionManager.open({
        log,
        leaderId: peerId,
        ambient,
        aboveTerm: options.aboveTerm,
      });
      const newLeader = new Leader({ libraryId, transactions, ambient, heartbeatMs, timeoutMs });
      leader = newLeader;
      server = await TransportServer.listen({
        libraryId,
        token,
        ambient,
        onConnection: (connection) => {
          newLeader.accept(connection);
        },
      });
      await publishLeaderAddress(libraryDirectory, { port: server.port, term: transactions.term, pid: process.pid });
      const leadership = new SyncLeadership(options, transactions, newLeader, server);
      transactions.onDidLoseLog(() => {
        options.onFailed();
      });
      void log.whenStopped().then(() => {
        leadership.#noteLogStopped();
      });
      return leadership;
    } catch (error) {
      server?.dispose();
      leader?.dispose();
      await log.close();
      throw error;
    }
  }

  get leader(): Leader {
    return this.#leader;
  }

  /** A connection to this leader from within the same process. */
  connect(): Connection {
    const [mine, leaders] = createConnectionPair();
    this.#leader.accept(leaders);
    return mine;
  }

  /**
   * Ends the leadership so that the next one can begin at once: the transaction under way is finished and answered, the
   * log closed, the lock released, and only then the followers are told. Never rejects.
   */
  stop(releaseLock: () => void): Promise<void> {
    this.#stopped ??= this.#stop(releaseLock);
    return this.#stopped;
  }

  async #stop(releaseLock: () => void): Promise<void> {
    const { ambient, libraryDirectory } = this.#options;
    try {
      await this.#transactions.close();
      await withdrawLeaderAddress(libraryDirectory);
    } catch (error) {
      // The lock goes either way, and the next leader opens the log as a crash would have left it.
      ambient.logger.warn('The log was not closed cleanly', { error: describeError(error) });
    }
    releaseLock();
    this.#leader.dispose();
    this.#server.dispose();
  }

  #noteLogStopped(): void {
    if (this.#stopped === undefined) this.#options.onFailed();
  }
}
