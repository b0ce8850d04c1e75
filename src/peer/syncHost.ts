import type { Term } from '../core/ids.ts';
import type { Disposable } from '../core/ports.ts';
import type { Connection } from '../core/replication/connection.ts';
import type { ReplicatedLog } from '../core/replication/replicatedLog.ts';

/** A log that may stop by itself: its thread has died. */
export interface HostedLog extends ReplicatedLog {
  /** Resolves when the log has stopped, closed or not. */
  whenStopped(): Promise<void>;
}

/** A leader's published address. */
export interface LeaderListener extends Disposable {
  /** Takes the address back; only while the lock is still held, or it could be the next leader's. */
  withdraw(): Promise<void>;
}

/**
 * What a `SyncService` needs of the machine that it runs on, for one library: the lock that makes a leader, the log, and
 * the ways to be found and to find. Made real by `createLocalSyncHost`; the simulator has its own.
 */
export interface SyncHost {
  /** Takes the library's lock if nobody has it, and answers at once. */
  tryLock(): boolean;
  releaseLock(): void;
  /** Rejects with a `SyncError`. Called with the lock held. */
  openLog(): Promise<HostedLog>;
  /** Takes connections from peers that know the library's token, and publishes where. Called with the lock held. */
  listen(term: Term, onConnection: (connection: Connection) => void): Promise<LeaderListener>;
  /** Undefined where no leader has published an address; rejects where none answers there. */
  connect(): Promise<Connection | undefined>;
  /** Two ends of a connection within this process. */
  connectWithin(): readonly [Connection, Connection];
  /** Calls back when another leader may have come. Only a hint: whoever uses it must go on without it. */
  watch(onHint: () => void): Disposable;
  /** The way to other hosts; undefined where this one keeps the library alone. */
  readonly links?: HostLinks | undefined;
}

/** Other hosts that keep copies of the same library. */
export interface HostLinks {
  /** Where this host listens for others. */
  readonly ownAddress: string;
  /** Where it was told to look for others; more are named by the leader. */
  readonly addresses: readonly string[];
  /** Connects to the host at this address. Rejects with a `SyncError` where nobody who knows the token answers there. */
  connect(address: string): Promise<Connection>;
}

/** What a person says about linking hosts. */
export interface HostLinkSettings {
  /** The port of the loopback at which other hosts find this one. */
  readonly port: number;
  /** How others reach that port, where something stands in between; default `127.0.0.1:PORT`. */
  readonly ownAddress?: string | undefined;
  /** Hosts to look for, as `127.0.0.1:PORT`. */
  readonly addresses: readonly string[];
}
