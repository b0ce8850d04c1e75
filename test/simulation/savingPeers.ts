import type { DocId, LibraryId, PeerId } from '../../src/core/ids.ts';
import type { LogPosition } from '../../src/core/replication/replicatedLog.ts';
import type { SyncHost } from '../../src/peer/syncHost.ts';
import { SyncService } from '../../src/peer/syncService.ts';
import type { SimulatedDisk } from './simulatedDisk.ts';
import type { SimulatedNetwork } from './simulatedNetwork.ts';
import { SimulatedProcess } from './simulatedProcess.ts';
import { ReplicaDisk, SimulatedReplica } from './simulatedReplica.ts';
import type { ReplicaChecks } from './simulatedReplica.ts';
import type { SimulatedWorld } from './simulatedWorld.ts';

const LIBRARY = 'library-1' as LibraryId;
const HEARTBEAT_MS = 5_000;
const TIMEOUT_MS = 15_000;
/** Documents beside the others, where people also rewrite all of them at once; and how often they do that. */
const MORE_PATHS = ['pets.yaml', 'users.yaml', 'orders.yaml', 'payments.yaml'];
const BULK_CHANCE = 0.2;
const KEYS = ['get', 'put', 'post', 'delete', 'patch', 'head'];

/** Where a peer runs, and what it has there of the others. */
export interface PeerPlace {
  readonly name: string;
  /** What its processes are called, with a number after it. */
  readonly processName: string;
  readonly machine: { readonly name: string; readonly disk: SimulatedDisk };
  hostOf(process: SimulatedProcess): SyncHost;
}

export interface SavingPeer extends PeerPlace {
  readonly disk: ReplicaDisk;
  process: SimulatedProcess;
  replica: SimulatedReplica;
  service: SyncService | undefined;
}

/** The peers of one library: the real service in processes that start, die and are closed, and people who save. */
export class SavingPeers {
  readonly all: SavingPeer[] = [];
  readonly #world: SimulatedWorld;
  readonly #network: SimulatedNetwork;
  readonly #checks: ReplicaChecks;
  readonly #paths: readonly string[];
  readonly #hasBulks: boolean;
  #processCount = 0;

  constructor(
    world: SimulatedWorld,
    network: SimulatedNetwork,
    checks: Omit<ReplicaChecks, 'fail'>,
    paths: readonly string[],
    hasBulks = false,
  ) {
    this.#world = world;
    this.#network = network;
    this.#checks = {
      ...checks,
      fail: (what) => {
        world.fail(what);
      },
    };
    this.#paths = hasBulks ? [...paths, ...MORE_PATHS] : paths;
    this.#hasBulks = hasBulks;
  }

  get disks(): readonly ReplicaDisk[] {
    return this.all.map(({ disk }) => disk);
  }

  /** A peer that starts within so long. */
  add(place: PeerPlace, withinMs: number): void {
    const disk = new ReplicaDisk(place.name);
    disk.sendsBulks = this.#hasBulks;
    const process = this.#newProcess(place);
    // Not started yet.
    process.isAlive = false;
    const replica = new SimulatedReplica(disk, process, this.#checks);
    const peer: SavingPeer = { ...place, disk, process, replica, service: undefined };
    this.all.push(peer);
    this.#world.later(0, withinMs, () => {
      this.start(peer);
    });
  }

  /** Starts a process for a peer that has none. */
  start(peer: SavingPeer): void {
    if (peer.process.isAlive) return;
    const process = this.#newProcess(peer);
    const replica = new SimulatedReplica(peer.disk, process, this.#checks);
    peer.process = process;
    peer.replica = replica;
    void SyncService.startOn(peer.hostOf(process), {
      libraryId: LIBRARY,
      peer: { peerId: process.name as PeerId, name: peer.disk.name, folderName: peer.disk.name },
      sink: replica,
      ambient: process.ambient,
      heartbeatMs: HEARTBEAT_MS,
      timeoutMs: TIMEOUT_MS,
    }).then((service) => {
      peer.service = service;
      replica.connect(service);
    });
  }

  /** kill -9. */
  kill(peer: SavingPeer): void {
    if (!peer.process.isAlive) return;
    peer.process.isAlive = false;
    peer.service = undefined;
    peer.machine.disk.forget(peer.process);
    this.#network.forget(peer.process);
  }

  /** @param awayMs how long it may be away; undefined: until everything heals. */
  killLeaderOr(peer: SavingPeer, leader: SavingPeer | undefined, awayMs: number | undefined): void {
    // The leader as often as anybody else together, for that is where it hurts.
    const victim = this.#world.random.chance(0.5) ? (leader ?? peer) : peer;
    this.kill(victim);
    if (awayMs !== undefined) this.#startWithin(victim, 0, awayMs);
  }

  /** The power goes off, and comes back. */
  reboot(peers: readonly SavingPeer[]): void {
    for (const peer of peers) {
      this.kill(peer);
      this.#startWithin(peer, 500, 5_000);
    }
  }

  /** A window is closed and opened again. */
  close(peer: SavingPeer): void {
    const { service, process, machine } = peer;
    if (service === undefined || process.frozenUntil > this.#world.time.now) return;
    service.dispose();
    void service.closed.then(() => {
      if (machine.disk.lockHolder === process) this.#world.fail('[ELE-03] a peer that has closed still holds the lock');
      process.isAlive = false;
      if (peer.process === process) peer.service = undefined;
      machine.disk.forget(process);
      this.#startWithin(peer, 0, 3_000);
    });
  }

  freeze(peer: SavingPeer, maxMs: number): void {
    peer.process.frozenUntil = this.#world.time.now + this.#world.random.between(100, maxMs);
  }

  jumpClock(peer: SavingPeer): void {
    peer.process.wallOffset += this.#world.random.pick([-3_600_000, 3_600_000, 86_400_000]);
  }

  fillDisk(disk: SimulatedDisk, maxMs: number): void {
    disk.isFull = true;
    this.#world.later(50, maxMs, () => {
      disk.isFull = false;
    });
  }

  heal(): void {
    for (const peer of this.all) {
      peer.process.frozenUntil = 0;
      if (!peer.process.isAlive) this.start(peer);
    }
  }

  /** Somebody saves something, if that window is open. */
  save(): void {
    const { random } = this.#world;
    const { process, disk, replica } = random.pick(this.all);
    if (!process.isAlive) return;
    if (this.#hasBulks && random.chance(BULK_CHANCE)) {
      for (const [docId, { path }] of [...disk.documents]) replica.save(docId, path, random.pick(KEYS));
      return;
    }
    const path = random.pick(this.#paths);
    const known = [...disk.documents].find(([, document]) => document.path === path)?.[0];
    const key = random.pick(KEYS);
    if (known !== undefined && random.chance(0.15)) replica.remove(known, key);
    else replica.save(known ?? (`doc-${disk.name}-${String(disk.nextCount())}` as DocId), path, key);
  }

  /** [I2] Whether every replica stands at the end of the log, with its shadows for files. */
  areInStep(last: LogPosition): boolean {
    return this.all.every(
      ({ disk, process, service }) =>
        process.isAlive &&
        service?.status.connection === 'connected' &&
        disk.index === last.index &&
        disk.runningHash === last.runningHash &&
        openDocuments(disk) === 0,
    );
  }

  /** Where everybody stands, for the report. */
  describe(): string {
    return this.all
      .map(({ disk, process, service, machine }) => {
        const { role, connection, term } = service?.status ?? {};
        const state = process.isAlive
          ? `${role ?? 'no role'}/${connection ?? 'no service'}/${String(term?.number)}`
          : 'dead';
        const lock = machine.disk.lockHolder === process ? ' (lock)' : '';
        return `${process.name}${lock} ${state} at ${String(disk.index)}, ${String(openDocuments(disk))} open`;
      })
      .join('; ');
  }

  /** The different states of all documents that replicas have. */
  differentContents(): readonly string[] {
    const contents = this.disks.map(({ documents }) =>
      JSON.stringify([...documents].map(([docId, { path, file }]) => [docId, path, file]).sort()),
    );
    return [...new Set(contents)];
  }

  #newProcess({ processName }: PeerPlace): SimulatedProcess {
    this.#processCount += 1;
    const { time, random } = this.#world;
    return new SimulatedProcess(`${processName}${String(this.#processCount)}`, time, random);
  }

  #startWithin(peer: SavingPeer, lowMs: number, highMs: number): void {
    this.#world.later(lowMs, highMs, () => {
      this.start(peer);
    });
  }
}

/** How many documents have something that is not in the library, or is on the way there. */
function openDocuments({ documents }: ReplicaDisk): number {
  return [...documents.values()].filter(({ file, shadow, outbox }) => outbox !== undefined || shadow?.text !== file)
    .length;
}
