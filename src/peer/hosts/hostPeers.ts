import type { PeerId } from '../../core/ids.ts';
import type { Disposable } from '../../core/ports.ts';
import type { Connection } from '../../core/replication/connection.ts';
import { Leader } from '../../core/replication/leader.ts';
import type { FollowerState, LeaderOptions } from '../../core/replication/leader.ts';
import type { PeerInfo } from '../../core/replication/libraryLink.ts';
import { MAX_PEERS } from '../../core/replication/limits.ts';
import type { LogGate } from '../../core/replication/logGate.ts';

export type HostPeersOptions = Omit<LeaderOptions, 'transactions'>;

/** The peers of this machine: those that its host serves, by the log that it leads or relays, and those that wait until it can. */
export class HostPeers implements Disposable {
  readonly #options: HostPeersOptions;
  readonly #waiting = new Set<Connection>();
  #serving: { readonly by: Leader; readonly inNameOf: PeerId } | undefined;
  #isDisposed = false;

  constructor(options: HostPeersOptions) {
    this.#options = options;
  }

  get isServed(): boolean {
    return this.#serving !== undefined;
  }

  /** Whether they are served in the name of this leader, be it this host or the one that it relays. */
  isServedInNameOf(leaderId: PeerId): boolean {
    return this.#serving?.inNameOf === leaderId;
  }

  get followers(): readonly FollowerState[] {
    return this.#serving?.by.followers ?? [];
  }

  /** Those that are connected. */
  get here(): readonly PeerInfo[] {
    return this.#serving?.by.peersHere ?? [];
  }

  /** Somebody has come or gone elsewhere. */
  notePeersElsewhere(): void {
    this.#serving?.by.notePeersElsewhere();
  }

  /** Serves a peer that has come, now or as soon as that can be done. */
  admit(connection: Connection): void {
    if (this.#serving !== undefined) {
      this.#serving.by.accept(connection);
      return;
    }
    if (this.#waiting.size >= MAX_PEERS || this.#isDisposed) {
      connection.close();
      return;
    }
    this.#waiting.add(connection);
    connection.onClose(() => this.#waiting.delete(connection));
  }

  /** Serves them by this log from here on, in place of whatever was before; they say hello again. */
  serve(gate: LogGate): void {
    this.stopServing();
    const leader = new Leader({ ...this.#options, transactions: gate });
    this.#serving = { by: leader, inNameOf: gate.term.leaderId };
    for (const connection of [...this.#waiting]) {
      this.#waiting.delete(connection);
      if (!connection.isClosed) leader.accept(connection);
    }
  }

  /** Who comes from here on waits. */
  stopServing(): void {
    const before = this.#serving;
    this.#serving = undefined;
    before?.by.dispose();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.stopServing();
    for (const connection of this.#waiting) connection.close();
  }
}
