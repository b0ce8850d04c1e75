import type { LibraryId, PeerId } from '../../core/ids.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import type { Connection } from '../../core/replication/connection.ts';
import { MAX_HOSTS } from '../../core/replication/limits.ts';
import { encodeMessage, parseMessage } from '../../core/replication/messages.ts';
import type { MessageBody } from '../../core/replication/messages.ts';
import { retryDelay } from '../../core/replication/retryDelay.ts';
import type { HostState } from '../../core/replication/succession.ts';
import { describeError } from '../../core/replication/syncError.ts';
import type { HostLinks } from '../syncHost.ts';

export interface HostMeshOptions {
  readonly libraryId: LibraryId;
  readonly hostId: PeerId;
  readonly links: HostLinks;
  readonly ambient: Ambient;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  readonly ownState: () => HostState;
  /** Addresses of hosts beyond those that this one was told of. */
  readonly knownAddresses: () => readonly string[];
  /** A host that was reached has said how it stands. */
  readonly onState: (state: HostState) => void;
  /** A host that has reached this one has said how it stands. */
  readonly onVisit: (state: HostState) => void;
  readonly onGoodbye: (hostId: PeerId) => void;
  /** Called once, when each host that this one was told of has answered or cannot be reached. */
  readonly onLookedAround: () => void;
}

/** A way to one other host: connects, connects again, and says how this host stands with each heartbeat. */
interface Dial {
  readonly address: string;
  connection: Connection | undefined;
  failures: number;
  heardAt: number;
  timer: Disposable | undefined;
  hasOutcome: boolean;
}

/**
 * Tells other hosts how this one stands, and hears how they do: each dials every other, says its state with each
 * heartbeat and whenever it changes, and is answered with the other's. No entry goes this way.
 */
export class HostMesh implements Disposable {
  readonly #options: HostMeshOptions;
  readonly #dials = new Map<string, Dial>();
  readonly #accepted = new Set<Connection>();
  #hasLookedAround = false;
  readonly #lookTimer: Disposable;
  #nextRequestId = 1;
  #isDisposed = false;

  constructor(options: HostMeshOptions) {
    this.#options = options;
    // A host that is connected and does not answer keeps nobody waiting for longer than this.
    this.#lookTimer = options.ambient.scheduler.after(options.timeoutMs, () => {
      this.#noteLookedAround();
    });
  }

  /** Dials hosts that are known and have not been dialled yet. */
  reach(): void {
    const { links, knownAddresses } = this.#options;
    for (const address of [...links.addresses, ...knownAddresses()]) {
      const isNew = !this.#dials.has(address) && address !== links.ownAddress;
      if (!isNew || this.#isDisposed || this.#dials.size >= MAX_HOSTS) continue;
      const dial: Dial = {
        address,
        connection: undefined,
        failures: 0,
        heardAt: 0,
        timer: undefined,
        hasOutcome: false,
      };
      this.#dials.set(address, dial);
      void this.#connect(dial);
    }
    if (this.#dials.size === 0) this.#noteLookedAround();
  }

  /** Serves a connection that another host has opened. */
  accept(connection: Connection): void {
    if (this.#isDisposed || this.#accepted.size >= 2 * MAX_HOSTS) {
      connection.close();
      return;
    }
    this.#accepted.add(connection);
    connection.onClose(() => this.#accepted.delete(connection));
    connection.onMessage((text) => {
      const requestId = this.#hear(connection, text, this.#options.onVisit);
      if (requestId !== undefined)
        this.#send(connection, { kind: 'hostState', requestId, state: this.#options.ownState() });
    });
  }

  /** Says at once how this host stands now. */
  announce(): void {
    for (const { connection } of this.#dials.values()) if (connection !== undefined) this.#tell(connection);
    for (const connection of this.#accepted) this.#tell(connection);
  }

  /** Says goodbye, so that nobody waits for this host. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#lookTimer.dispose();
    for (const dial of this.#dials.values()) {
      dial.timer?.dispose();
      this.#leave(dial.connection);
    }
    for (const connection of [...this.#accepted]) this.#leave(connection);
  }

  async #connect(dial: Dial): Promise<void> {
    const { links, ambient } = this.#options;
    try {
      const connection = await links.connect(dial.address);
      if (this.#isDisposed) {
        connection.close();
        return;
      }
      this.#serve(dial, connection);
    } catch (error) {
      ambient.logger.debug('Another host cannot be reached', { error: describeError(error) });
      dial.failures += 1;
      this.#noteOutcome(dial);
      this.#dialAgain(dial);
    }
  }

  #serve(dial: Dial, connection: Connection): void {
    const { clock } = this.#options.ambient;
    dial.connection = connection;
    dial.heardAt = clock.monotonicNow();
    connection.onClose(() => {
      this.#lose(dial, connection);
    });
    connection.onMessage((text) => {
      if (this.#hear(connection, text, this.#options.onState) === undefined) return;
      dial.heardAt = clock.monotonicNow();
      dial.failures = 0;
      this.#noteOutcome(dial);
    });
    // Nobody tells of a close that came before we listened.
    if (connection.isClosed) this.#lose(dial, connection);
    else this.#beat(dial, connection);
  }

  #lose(dial: Dial, connection: Connection): void {
    if (dial.connection !== connection) return;
    dial.connection = undefined;
    dial.failures += 1;
    this.#noteOutcome(dial);
    this.#dialAgain(dial);
  }

  #beat(dial: Dial, connection: Connection): void {
    const { ambient, heartbeatMs, timeoutMs } = this.#options;
    this.#tell(connection);
    const due = ambient.clock.monotonicNow() + heartbeatMs;
    dial.timer = ambient.scheduler.after(heartbeatMs, () => {
      const now = ambient.clock.monotonicNow();
      // Who slept itself has not read yet what the other has answered.
      const hasSlept = now - due > heartbeatMs;
      if (!hasSlept && now - dial.heardAt > timeoutMs) {
        connection.close();
        this.#lose(dial, connection);
      } else if (dial.connection === connection) this.#beat(dial, connection);
    });
  }

  #dialAgain(dial: Dial): void {
    if (this.#isDisposed) return;
    const { ambient, heartbeatMs } = this.#options;
    // Another host may come back at any time, and looking costs little; the first look of a new leader must not take long.
    const delay = Math.min(heartbeatMs, retryDelay(dial.failures, ambient.random));
    dial.timer?.dispose();
    dial.timer = ambient.scheduler.after(delay, () => void this.#connect(dial));
  }

  /** Takes in what another host says of itself; answers with the number of the request, if it was that. */
  #hear(connection: Connection, text: string, note: (state: HostState) => void): number | undefined {
    const { value: message } = parseMessage(text);
    const { libraryId } = this.#options;
    if (message?.kind === 'bye' && message.libraryId === libraryId) {
      this.#options.onGoodbye(message.sender);
      return undefined;
    }
    // Nobody else has a word here, and nobody speaks for another host.
    if (message?.kind !== 'hostState' || message.libraryId !== libraryId || message.sender !== message.state.hostId) {
      connection.close();
      return undefined;
    }
    note(message.state);
    return message.requestId;
  }

  #tell(connection: Connection): void {
    this.#send(connection, { kind: 'hostState', requestId: this.#nextRequestId, state: this.#options.ownState() });
    this.#nextRequestId += 1;
  }

  #leave(connection: Connection | undefined): void {
    if (connection === undefined) return;
    this.#send(connection, { kind: 'bye', reason: 'shuttingDown' });
    connection.close();
  }

  #send(connection: Connection, body: MessageBody): void {
    const { libraryId, hostId, ownState } = this.#options;
    connection.send(encodeMessage({ libraryId, term: ownState().term, sender: hostId, ...body }));
  }

  #noteOutcome(dial: Dial): void {
    dial.hasOutcome = true;
    const { addresses, ownAddress } = this.#options.links;
    const isOpen = addresses.some((address) => address !== ownAddress && this.#dials.get(address)?.hasOutcome !== true);
    if (!isOpen) this.#noteLookedAround();
  }

  #noteLookedAround(): void {
    if (this.#hasLookedAround || this.#isDisposed) return;
    this.#hasLookedAround = true;
    this.#lookTimer.dispose();
    this.#options.onLookedAround();
  }
}
