import type { CloseReason, Connection } from '../../src/core/replication/connection.ts';
import { MessageInbox } from '../../src/node/transport/messageInbox.ts';
import type { SeededRandom } from './seededRandom.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';

/** How unkind the network is; all of it off when it has healed. */
export interface NetworkFaults {
  /** A message comes twice with this probability. */
  readonly duplicate: number;
  /** A message is held up by up to `maxStallMs` with this probability. */
  readonly stall: number;
  readonly maxStallMs: number;
  /** A connection breaks with this probability whenever something is sent. */
  readonly cut: number;
}

const KIND: NetworkFaults = { duplicate: 0, stall: 0, maxStallMs: 0, cut: 0 };
/** Above this many messages on the way a connection says that it is congested. */
const CONGESTED_MESSAGES = 20;
const MAX_LATENCY_MS = 5;
const PARTITION_RETRY_MS = 100;

/** The network between processes: in order per connection, at its own pace, and unkind. */
export class SimulatedNetwork {
  faults: NetworkFaults = KIND;
  /** Pairs of processes that cannot reach each other. */
  readonly partitions = new Set<string>();
  readonly #ends = new Set<SimulatedEnd>();
  injected = 0;
  readonly #placeOf: (process: SimulatedProcess) => string;

  /** @param placeOf what a partition cuts off: each process, or the machine that it runs on. */
  constructor(placeOf: (process: SimulatedProcess) => string = ({ name }) => name) {
    this.#placeOf = placeOf;
  }

  isPartitioned(a: SimulatedProcess, b: SimulatedProcess): boolean {
    return this.partitions.has(pairOf(this.#placeOf(a), this.#placeOf(b)));
  }

  partition(a: string, b: string): void {
    this.partitions.add(pairOf(a, b));
    this.injected += 1;
  }

  connect(from: SimulatedProcess, to: SimulatedProcess): readonly [Connection, Connection] {
    const near = new SimulatedEnd(this, from);
    const far = new SimulatedEnd(this, to);
    near.connectTo(far);
    far.connectTo(near);
    this.#ends.add(near).add(far);
    return [near, far];
  }

  /** Is as unkind as the troubles say, until it has healed. */
  beUnkind(troubles: readonly string[], random: SeededRandom): void {
    const hasStalls = troubles.includes('stall');
    this.faults = {
      duplicate: troubles.includes('duplicate') ? 0.05 : 0,
      stall: hasStalls ? 0.03 : 0,
      maxStallMs: hasStalls ? (random.chance(0.3) ? 20_000 : 800) : 0,
      cut: troubles.includes('cut') ? 0.01 : 0,
    };
  }

  heal(): void {
    this.faults = KIND;
    this.partitions.clear();
  }

  /** Breaks some of the connections that are open now. */
  cutSome(shouldCut: () => boolean): void {
    for (const end of [...this.#ends]) if (shouldCut()) end.break();
  }

  /** The operating system closes what a dead process had open. */
  forget(process: SimulatedProcess): void {
    for (const end of [...this.#ends]) if (end.owner === process) end.break();
  }

  remove(end: SimulatedEnd): void {
    this.#ends.delete(end);
  }
}

function pairOf(a: string, b: string): string {
  return [a, b].sort().join(' ');
}

class SimulatedEnd implements Connection {
  readonly owner: SimulatedProcess;
  readonly #network: SimulatedNetwork;
  readonly #inbox = new MessageInbox();
  #other: SimulatedEnd | undefined;
  #isClosed = false;
  readonly #onTheWay: ((other: SimulatedEnd) => void)[] = [];
  #lastArrival = 0;

  readonly onMessage = this.#inbox.onMessage;
  readonly onClose = this.#inbox.onClose;

  constructor(network: SimulatedNetwork, owner: SimulatedProcess) {
    this.#network = network;
    this.owner = owner;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isCongested(): boolean {
    return this.#onTheWay.length > CONGESTED_MESSAGES;
  }

  connectTo(other: SimulatedEnd): void {
    this.#other = other;
  }

  send(text: string): void {
    if (this.#isClosed) return;
    const { faults } = this.#network;
    const { random } = this.owner;
    if (random.chance(faults.cut)) {
      this.#network.injected += 1;
      this.break();
      return;
    }
    const isHello = text.includes('"kind":"hello"');
    const copies = !isHello && random.chance(faults.duplicate) ? 2 : 1;
    if (copies === 2) this.#network.injected += 1;
    for (let copy = 0; copy < copies; copy += 1)
      this.#deliver((other) => {
        other.receive(text);
      });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#finish('closed');
    this.#deliver((other) => {
      other.lose();
    });
  }

  /** Both sides lose the connection, and with it what is on the way. */
  break(): void {
    const other = this.#other;
    this.lose();
    this.owner.time.after(this.owner.random.between(0, MAX_LATENCY_MS), other?.owner, () => other?.lose());
  }

  receive(text: string): void {
    if (!this.#isClosed) this.#inbox.push(text);
  }

  lose(): void {
    this.#finish('lost');
  }

  #deliver(what: (other: SimulatedEnd) => void): void {
    const other = this.#other;
    if (other === undefined) return;
    const { random, time } = this.owner;
    const { faults } = this.#network;
    let latency = random.between(0.05, MAX_LATENCY_MS);
    if (random.chance(faults.stall)) {
      latency += random.between(0, faults.maxStallMs);
      this.#network.injected += 1;
    }
    this.#lastArrival = Math.max(this.#lastArrival, time.now + latency);
    this.#onTheWay.push(what);
    this.#arrive(other, this.#lastArrival - time.now);
  }

  /** Whatever arrives is the oldest that is on the way, so the order is kept however long something is held back. */
  #arrive(other: SimulatedEnd, delayMs: number): void {
    this.owner.time.after(delayMs, other.owner, () => {
      // A partition holds back what is on the way; TCP brings it when the network is back.
      if (this.#network.isPartitioned(this.owner, other.owner) && !other.isClosed) {
        this.#arrive(other, PARTITION_RETRY_MS);
        return;
      }
      this.#onTheWay.shift()?.(other);
    });
  }

  #finish(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#network.remove(this);
    // The dead hear nothing.
    if (this.owner.isAlive) this.#inbox.close(reason);
  }
}
