import { compareTerms } from '../../../src/core/ids.ts';
import type { DocId, LibraryId, LogIndex, PeerId } from '../../../src/core/ids.ts';
import type { LogEntry, Proposal } from '../../../src/core/replication/entry.ts';
import type { LogRecord } from '../../../src/core/replication/replicatedLog.ts';
import { SyncService } from '../../../src/peer/syncService.ts';
import { readKeyed } from '../keyedText.ts';
import { SeededRandom } from '../seededRandom.ts';
import { SimulatedDisk } from '../simulatedDisk.ts';
import { SimulatedNetwork } from '../simulatedNetwork.ts';
import { SimulatedProcess } from '../simulatedProcess.ts';
import { ReplicaDisk, SimulatedReplica } from '../simulatedReplica.ts';
import type { ReplicaChecks } from '../simulatedReplica.ts';
import { VirtualTime } from '../virtualTime.ts';
import { linkedHost } from './linkedHost.ts';
import type { SimulatedMachine } from './linkedHost.ts';

const LIBRARY = 'library-1' as LibraryId;
const HEARTBEAT_MS = 5_000;
const TIMEOUT_MS = 15_000;
const HOSTILE_MS = 90_000;
/** How long the peers may take to be in step once everything works again: some timeouts after one another, and the longest pauses. */
const HEALING_MS = 240_000;
const MAX_EVENTS = 400_000;
const MAX_PEERS = 7;
const KEYS = ['get', 'put', 'post', 'delete', 'patch', 'head'];
const PATHS = ['openapi.yaml', 'common.yaml', 'errors.yaml'];
const SHOWN = 3;

export interface HostReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly entries: number;
  readonly faults: number;
  readonly events: number;
  /** How often a host began to lead. */
  readonly elections: number;
  /** Entries that were set aside because another host's log counted. */
  readonly setAside: number;
}

interface Peer {
  readonly machine: SimulatedMachine;
  readonly disk: ReplicaDisk;
  process: SimulatedProcess;
  replica: SimulatedReplica;
  service: SyncService | undefined;
}

const TROUBLES = [
  'kill',
  'stayDead',
  'restart',
  'powerCut',
  'freeze',
  'clockJump',
  'split',
  'pair',
  'oneWay',
  'cut',
  'diskFull',
  'diskDoubt',
  'compact',
  'restore',
  'duplicate',
  'stall',
] as const;
type Trouble = (typeof TROUBLES)[number];
/** What loses a machine's log is rarer than the rest: after it little can be said of who saw what. */
const RARE: ReadonlySet<Trouble> = new Set(['restore', 'compact']);

/**
 * Several machines that keep one library together, each with its own log and its own peers: the real state machines of
 * election, relaying and reconciliation between simulated disks, a simulated network and people who save all the time
 * while things break. A seed names one such history for ever.
 */
export class HostSimulation {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #machines: SimulatedMachine[] = [];
  readonly #peers: Peer[] = [];
  readonly #network = new SimulatedNetwork((process) => process.name.split('.')[0] ?? '');
  readonly #troubles: readonly Trouble[];
  readonly #violations: string[] = [];
  /** Which proposal a term and index name, on whatever machine (I7). */
  readonly #named = new Map<string, string>();
  /** Which proposals were ever durable at which place of which machine's log. */
  readonly #written = new Set<string>();
  #faults = 0;
  #hasLostLogs = false;
  #hasCompacted = false;
  #processCount = 0;
  #elections = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#troubles = TROUBLES.filter((trouble) => this.#random.chance(RARE.has(trouble) ? 0.15 : 0.4));
  }

  async run(): Promise<HostReport> {
    this.#build();
    this.#beUnkind();
    this.#scheduleSaving();
    this.#scheduleTrouble();
    while (this.#isFine() && (await this.#time.step(HOSTILE_MS)));
    this.#heal();
    const end = this.#time.now + HEALING_MS;
    while (this.#isFine() && !this.#isInStep() && (await this.#time.step(end)));
    if (this.#isFine()) this.#checkConverged();
    return {
      seed: this.#seed,
      violations: this.#violations,
      entries: Math.max(0, ...this.#machines.map(({ disk }) => disk.records.length)),
      faults: this.#faults + this.#network.injected,
      events: this.#time.events,
      elections: this.#elections,
      setAside: this.#machines.reduce((sum, { disk }) => sum + disk.setAside.length, 0),
    };
  }

  #build(): void {
    const count = 2 + this.#random.below(this.#random.chance(0.2) ? 6 : 3);
    for (let number = 0; number < count; number += 1) {
      const machine: SimulatedMachine = {
        name: `h${String(number)}`,
        disk: new SimulatedDisk(),
        addresses: [],
        unreachable: new Set(),
      };
      machine.disk.onDurable = (records) => {
        this.#checkDurable(machine, records);
      };
      this.#machines.push(machine);
    }
    // Each is told of one other at least; the rest they learn from the leader.
    for (const [at, machine] of this.#machines.entries()) {
      const others = this.#machines.filter((other) => other !== machine);
      const told = others.filter((_, index) => index === at % others.length || this.#random.chance(0.6));
      machine.addresses.push(...told.map(({ name }) => name));
      if (at > 0 && !machine.addresses.includes('h0')) machine.addresses.push('h0');
    }
    for (const machine of this.#machines) {
      this.#addPeer(machine, 'a');
      if (this.#peers.length < MAX_PEERS && this.#random.chance(0.35)) this.#addPeer(machine, 'b');
    }
  }

  #isFine(): boolean {
    if (this.#time.events > MAX_EVENTS) this.#fail('the peers never come to rest');
    return this.#violations.length === 0;
  }

  #addPeer(machine: SimulatedMachine, letter: string): void {
    const disk = new ReplicaDisk(`${machine.name}${letter}`);
    const process = this.#newProcess(machine, letter);
    // Not started yet.
    process.isAlive = false;
    const replica = new SimulatedReplica(disk, process, this.#checks);
    this.#peers.push({ machine, disk, process, replica, service: undefined });
    this.#time.after(this.#random.between(0, 8_000), undefined, () => {
      const peer = this.#peers.find((candidate) => candidate.disk === disk);
      if (peer !== undefined) this.#start(peer);
    });
  }

  #newProcess(machine: SimulatedMachine, letter: string): SimulatedProcess {
    this.#processCount += 1;
    return new SimulatedProcess(`${machine.name}.${letter}${String(this.#processCount)}`, this.#time, this.#random);
  }

  #start(peer: Peer): void {
    if (peer.process.isAlive) return;
    const process = this.#newProcess(peer.machine, peer.disk.name.slice(-1));
    const replica = new SimulatedReplica(peer.disk, process, this.#checks);
    peer.process = process;
    peer.replica = replica;
    const host = linkedHost(process, peer.machine, this.#machines, this.#network, (what) => {
      this.#fail(what);
    });
    void SyncService.startOn(host, {
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

  // What people do.

  #scheduleSaving(): void {
    this.#time.after(this.#random.between(20, 2_500), undefined, () => {
      if (this.#time.now >= HOSTILE_MS) return;
      const peer = this.#random.pick(this.#peers);
      if (peer.process.isAlive) this.#save(peer);
      this.#scheduleSaving();
    });
  }

  #save(peer: Peer): void {
    const path = this.#random.pick(PATHS);
    const known = [...peer.disk.documents].find(([, document]) => document.path === path)?.[0];
    const key = this.#random.pick(KEYS);
    if (known !== undefined && this.#random.chance(0.15)) peer.replica.remove(known, key);
    else peer.replica.save(known ?? (`doc-${peer.disk.name}-${String(peer.disk.nextCount())}` as DocId), path, key);
  }

  // What goes wrong.

  #beUnkind(): void {
    const { faults } = this.#network;
    if (this.#troubles.includes('duplicate')) faults.duplicate = 0.05;
    if (this.#troubles.includes('stall'))
      Object.assign(faults, { stall: 0.03, maxStallMs: this.#random.chance(0.3) ? 20_000 : 800 });
    if (this.#troubles.includes('cut')) faults.cut = 0.01;
    if (this.#troubles.includes('diskDoubt')) for (const { disk } of this.#machines) disk.doubt = 0.1;
  }

  #scheduleTrouble(): void {
    this.#time.after(this.#random.between(50, 6_000), undefined, () => {
      if (this.#time.now >= HOSTILE_MS) return;
      if (this.#troubles.length > 0) this.#bring(this.#random.pick(this.#troubles));
      this.#scheduleTrouble();
    });
  }

  #bring(trouble: Trouble): void {
    this.#faults += 1;
    const peer = this.#random.pick(this.#peers);
    const machine = this.#random.pick(this.#machines);
    switch (trouble) {
      case 'kill': {
        // The leader as often as anybody else together, for that is where it hurts.
        const leader = this.#peers.find(({ service }) => service?.status.role === 'leader');
        const victim = this.#random.chance(0.5) ? (leader ?? peer) : peer;
        this.#kill(victim);
        if (this.#troubles.includes('stayDead')) return;
        this.#later(0, 20_000, () => {
          this.#start(victim);
        });
        return;
      }
      case 'restart':
        this.#close(peer);
        return;
      case 'powerCut':
        this.#reboot(machine);
        return;
      case 'freeze':
        peer.process.frozenUntil = this.#time.now + this.#random.between(100, 40_000);
        return;
      case 'clockJump':
        peer.process.wallOffset += this.#random.pick([-3_600_000, 3_600_000, 86_400_000]);
        return;
      case 'split':
        this.#split();
        return;
      case 'oneWay': {
        const other = this.#random.pick(this.#machines);
        machine.unreachable.add(other.name);
        this.#later(5_000, 60_000, () => {
          machine.unreachable.clear();
        });
        return;
      }
      case 'pair': {
        const other = this.#random.pick(this.#machines);
        if (other === machine) return;
        this.#network.partition(machine.name, other.name);
        this.#later(5_000, 60_000, () => {
          this.#network.partitions.clear();
        });
        return;
      }
      case 'cut':
        this.#network.cutSome(() => this.#random.chance(0.5));
        return;
      case 'diskFull':
        machine.disk.isFull = true;
        this.#later(50, 30_000, () => {
          machine.disk.isFull = false;
        });
        return;
      case 'compact':
        this.#compact(machine);
        return;
      case 'restore':
        void this.#restore(machine);
        return;
      case 'stayDead':
      case 'diskDoubt':
      case 'duplicate':
      case 'stall':
        // These are always there while it lasts.
        this.#faults -= 1;
    }
  }

  #later(low: number, high: number, run: () => void): void {
    this.#time.after(this.#random.between(low, high), undefined, run);
  }

  /** The machines fall into two groups that cannot reach each other. */
  #split(): void {
    const isLeft = new Set(this.#machines.filter(() => this.#random.chance(0.5)));
    for (const left of this.#machines)
      for (const right of this.#machines)
        if (isLeft.has(left) && !isLeft.has(right)) this.#network.partition(left.name, right.name);
    this.#later(5_000, 60_000, () => {
      this.#network.partitions.clear();
    });
  }

  #kill(peer: Peer): void {
    if (!peer.process.isAlive) return;
    peer.process.isAlive = false;
    peer.service = undefined;
    peer.machine.disk.forget(peer.process);
    this.#network.forget(peer.process);
  }

  #reboot(machine: SimulatedMachine): void {
    for (const peer of this.#peers) {
      if (peer.machine !== machine) continue;
      this.#kill(peer);
      this.#later(500, 5_000, () => {
        this.#start(peer);
      });
    }
  }

  /** A window is closed and opened again. */
  #close(peer: Peer): void {
    const { service, process, machine } = peer;
    if (service === undefined || process.frozenUntil > this.#time.now) return;
    service.dispose();
    void service.closed.then(() => {
      if (machine.disk.lockHolder === process) this.#fail('[ELE-03] a peer that has closed still holds the lock');
      process.isAlive = false;
      if (peer.process === process) peer.service = undefined;
      machine.disk.forget(process);
      this.#later(0, 3_000, () => {
        this.#start(peer);
      });
    });
  }

  #compact({ disk }: SimulatedMachine): void {
    if (disk.lockHolder === undefined) return;
    this.#hasCompacted = true;
    void disk.log.compact({ olderThan: 0, keepUnits: this.#random.pick([1, 2_000]) });
  }

  /** A machine gets an old copy of its data back, or an empty folder. */
  async #restore(machine: SimulatedMachine): Promise<void> {
    const { disk } = machine;
    if (disk.records.some(({ entry }, at) => entry.index !== at + 1)) return;
    this.#hasLostLogs = true;
    for (const peer of this.#peers) if (peer.machine === machine) this.#kill(peer);
    const isEmpty = this.#random.chance(0.3);
    await disk.restore(isEmpty ? 0 : this.#random.below(disk.records.length + 1));
    this.#reboot(machine);
    for (const peer of this.#peers)
      if (peer.machine === machine)
        this.#later(500, 5_000, () => {
          this.#start(peer);
        });
  }

  #heal(): void {
    this.#network.faults = { duplicate: 0, stall: 0, maxStallMs: 0, cut: 0 };
    this.#network.partitions.clear();
    for (const { disk, unreachable } of this.#machines) {
      unreachable.clear();
      disk.isFull = false;
      disk.doubt = 0;
    }
    for (const peer of this.#peers) {
      peer.process.frozenUntil = 0;
      if (!peer.process.isAlive) this.#start(peer);
    }
  }

  // What must hold.

  readonly #checks: ReplicaChecks = {
    onApplied: (disk, entry, runningHash) => {
      this.#checkApplied(disk, entry, runningHash);
    },
    onCommitted: (disk, proposal, index) => {
      this.#checkCommitted(disk, proposal, index);
    },
    fail: (what) => {
      this.#fail(what);
    },
  };

  #fail(what: string): void {
    this.#violations.push(`seed ${String(this.#seed)} at ${this.#time.now.toFixed(1)} ms: ${what}`);
  }

  /** [I7] A term and an index name one entry on every machine; no log has a hole, or goes back in terms. */
  #checkDurable(machine: SimulatedMachine, records: readonly LogRecord[]): void {
    for (const { entry, heads } of records) {
      const place = `${String(entry.term.number)} ${entry.term.leaderId} ${String(entry.index)}`;
      const known = this.#named.get(place);
      if (known !== undefined && known !== entry.proposalId) this.#fail(`[I7] ${place} names two entries`);
      this.#named.set(place, entry.proposalId);
      this.#written.add(`${machine.name} ${entry.proposalId} ${String(entry.index)}`);
      if (heads[0]?.hash !== entry.hash) this.#fail('[REP-04] head and entry disagree');
    }
    const { records: all } = machine.disk;
    const before = all[all.length - records.length - 1];
    const first = records[0];
    if (before === undefined || first === undefined) return;
    if (first.entry.index !== before.entry.index + 1 && !this.#hasCompacted)
      this.#fail(`[REP-07] ${machine.name} has a hole before ${String(first.entry.index)}`);
    if (first.entry.term.number < before.entry.term.number) this.#fail('[I7] an older term has written');
    const ids = all.map(({ entry }) => entry.proposalId);
    if (new Set(ids).size !== ids.length) this.#fail('[REP-05] a proposal is in the log twice');
  }

  /** [I6] [REP-27] What a peer is told to be committed was on its own machine's disk, whatever has become of it since. */
  #checkCommitted(disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void {
    const peer = this.#peers.find((candidate) => candidate.disk === disk);
    const wasThere = this.#written.has(`${peer?.machine.name ?? ''} ${proposal.proposalId} ${String(index)}`);
    // A machine that has taken over the state of a compacted log has only heard of it.
    if (!wasThere && !this.#hasCompacted)
      this.#fail(`[I6] ${disk.name} was told that ${proposal.proposalId} is at ${String(index)}, and it is not`);
  }

  /** [I7] A replica gets the entry that the term and the index name. */
  #checkApplied(disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void {
    const place = `${String(entry.term.number)} ${entry.term.leaderId} ${String(entry.index)}`;
    if (this.#named.get(place) !== entry.proposalId) this.#fail(`[I7] ${disk.name} was given an entry that no log has`);
    const peer = this.#peers.find((candidate) => candidate.disk === disk);
    const record = peer?.machine.disk.records.find((one) => one.entry.index === entry.index);
    const isSame = record?.entry.proposalId === entry.proposalId && compareTerms(record.entry.term, entry.term) === 0;
    if (isSame && runningHash !== undefined && record.runningHash !== runningHash)
      this.#fail(`[REC-01] ${disk.name} computes another running hash at ${place}`);
  }

  #positions(): readonly string[] {
    return this.#machines.map(({ disk }) => `${String(disk.last.index)} ${disk.last.runningHash}`);
  }

  /** [I2] All machines hold one log, and every replica stands at its end, with its shadows for files. */
  #isInStep(): boolean {
    if (new Set(this.#positions()).size !== 1) return false;
    const last = this.#machines[0]?.disk.last;
    if (this.#peers.filter(({ service }) => service?.status.role === 'leader').length !== 1) return false;
    return this.#peers.every(
      ({ disk, process, service }) =>
        process.isAlive &&
        service?.status.connection === 'connected' &&
        disk.index === last?.index &&
        disk.runningHash === last.runningHash &&
        [...disk.documents.values()].every(({ file, shadow, outbox }) => outbox === undefined && shadow?.text === file),
    );
  }

  #checkConverged(): void {
    if (!this.#isInStep()) {
      const states = this.#peers.map(({ disk, process, service, machine }) => {
        const open = [...disk.documents].filter(
          ([, { file, shadow, outbox }]) => outbox !== undefined || shadow?.text !== file,
        );
        const role = process.isAlive
          ? `${service?.status.role ?? 'no role'}/${service?.status.connection ?? 'no service'}/${String(service?.status.term?.number)}`
          : 'dead';
        const lock = machine.disk.lockHolder === process ? ' (lock)' : '';
        return `${process.name}${lock} ${role} at ${String(disk.index)}, ${String(open.length)} open`;
      });
      const logs = this.#positions().map((position) => position.slice(0, 8));
      this.#fail(
        `[I2] [ELE-12] not in step under one leader after healing; logs ${logs.join(', ')}; ${states.join('; ')}`,
      );
      return;
    }
    this.#elections = this.#peers.reduce((sum, { service }) => sum + (service?.metrics.elections ?? 0), 0);
    const texts = new Set(
      this.#peers.map(({ disk }) =>
        JSON.stringify([...disk.documents].map(([docId, { path, file }]) => [docId, path, file]).sort()),
      ),
    );
    if (texts.size !== 1) this.#fail(`[I2] the replicas differ: ${[...texts].join(' | ')}`);
    this.#checkNothingLost();
    if (!this.#hasLostLogs && !this.#hasCompacted) this.#checkNoEcho();
  }

  /** [I1] Every saved value is there, or its removal was somebody's doing who saw it, or it is in a recorded conflict. */
  #checkNothingLost(): void {
    const present = new Set<string>();
    for (const { disk } of this.#peers)
      for (const { file } of disk.documents.values()) for (const value of readKeyed(file).values()) present.add(value);
    const accounted = new Set(this.#peers.flatMap(({ disk }) => [...disk.removed, ...disk.conflicts]));
    const lost = this.#peers
      .flatMap(({ disk }) => disk.saved)
      .filter((value) => !present.has(value) && !accounted.has(value));
    if (lost.length > 0) this.#fail(`[I1] lost: ${lost.slice(0, SHOWN).join(', ')}${lost.length > SHOWN ? ' …' : ''}`);
  }

  /**
   * [I9] What somebody saved enters the log once; it does not come back as somebody else's change. What was in entries that
   * were set aside is left out: several replicas may bring it, each by its own merge, and one after a person took it out.
   */
  #checkNoEcho(): void {
    const setAside = this.#machines.flatMap(({ disk }) => disk.setAside);
    const isExcused = new Set(setAside.flatMap(({ patch }) => [...readKeyed(patch[0]?.insert ?? '').values()]));
    const entered = new Map<string, number>();
    const heads = new Map<DocId, ReadonlySet<string>>();
    for (const { entry } of this.#machines[0]?.disk.records ?? []) {
      const before = entry.kind === 'create' ? new Set<string>() : (heads.get(entry.docId) ?? new Set<string>());
      const after = new Set(readKeyed(entry.patch[0]?.insert ?? '').values());
      for (const value of after) if (!before.has(value)) entered.set(value, (entered.get(value) ?? 0) + 1);
      heads.set(entry.docId, after);
    }
    for (const [value, times] of entered)
      if (times > 1 && !isExcused.has(value)) this.#fail(`[I9] ${value} entered the log ${String(times)} times`);
  }
}
