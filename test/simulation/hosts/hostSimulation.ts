import { compareTerms } from '../../../src/core/ids.ts';
import type { LogIndex, Term } from '../../../src/core/ids.ts';
import { documentEntries } from '../../../src/core/replication/bulkEntry.ts';
import type { LogEntry, Proposal } from '../../../src/core/replication/entry.ts';
import type { LogRecord } from '../../../src/core/replication/replicatedLog.ts';
import { lostValues, proposalsThatBrought } from '../savedValues.ts';
import { SavingPeers } from '../savingPeers.ts';
import type { SavingPeer } from '../savingPeers.ts';
import { SimulatedDisk } from '../simulatedDisk.ts';
import { SimulatedNetwork } from '../simulatedNetwork.ts';
import type { ReplicaDisk } from '../simulatedReplica.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';
import { SimulatedWorld } from '../simulatedWorld.ts';
import { BroughtBack } from './broughtBack.ts';
import { linkedHost } from './linkedHost.ts';
import type { SimulatedMachine } from './linkedHost.ts';
import { SetAsideRule } from './setAsideRule.ts';

const HOSTILE_MS = 90_000;
/** How long the peers may take to be in step once everything works again: some timeouts after one another, and the longest pauses. */
const HEALING_MS = 240_000;
const MAX_EVENTS = 400_000;
const MAX_PEERS = 7;
const PATHS = ['openapi.yaml', 'common.yaml', 'errors.yaml'];

export interface HostReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly entries: number;
  readonly bulks: number;
  readonly faults: number;
  readonly events: number;
  /** How often a host began to lead. */
  readonly elections: number;
  /** Entries that were set aside because another host's log counted. */
  readonly setAside: number;
}

/** Each is a history of its own; without any, a seed is the history that it was before there were options. */
export interface HostSimulationOptions {
  /** People also rewrite all documents at once. */
  readonly hasBulks?: boolean;
  /** Some disks are slow to read, and some hosts never reach each other, also after everything else has healed. */
  readonly hasLastingFaults?: boolean;
}

const SLOW_READS_MS = [1, 30, 200];

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
  readonly #world: SimulatedWorld;
  readonly #machines: SimulatedMachine[] = [];
  readonly #network = new SimulatedNetwork((process) => process.name.split('.')[0] ?? '');
  readonly #peers: SavingPeers;
  readonly #troubles: readonly Trouble[];
  /** Which proposal a term and index name, on whatever machine (I7). */
  readonly #named = new Map<string, string>();
  /** Which proposals were ever durable at which place of which machine's log. */
  readonly #written = new Set<string>();
  /** In which anybody has begun to lead. */
  #newestTerm: Term | undefined;
  readonly #broughtBack = new BroughtBack();
  readonly #setAside: SetAsideRule;
  #faults = 0;
  readonly #hasLastingFaults: boolean;
  #hasLostLogs = false;
  #hasCompacted = false;
  #elections = 0;

  constructor(seed: number, { hasBulks = false, hasLastingFaults = false }: HostSimulationOptions = {}) {
    this.#seed = seed;
    this.#hasLastingFaults = hasLastingFaults;
    this.#world = new SimulatedWorld(seed);
    const { random } = this.#world;
    this.#setAside = new SetAsideRule(this.#machines, (what) => {
      this.#world.fail(what);
    });
    this.#troubles = TROUBLES.filter((trouble) => random.chance(RARE.has(trouble) ? 0.15 : 0.4));
    const checks = {
      onApplied: (disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void => {
        this.#checkApplied(disk, entry, runningHash);
      },
      onCommitted: (disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void => {
        this.#checkCommitted(disk, proposal, index);
      },
      onHeads: (disk: ReplicaDisk): void => {
        this.#broughtBack.onHeads(disk);
      },
    };
    this.#peers = new SavingPeers(this.#world, this.#network, checks, PATHS, hasBulks);
  }

  async run(): Promise<HostReport> {
    const { random, time } = this.#world;
    this.#build();
    this.#network.beUnkind(this.#troubles, random);
    if (this.#troubles.includes('diskDoubt')) for (const { disk } of this.#machines) disk.doubt = 0.1;
    this.#world.repeat(20, 2_500, HOSTILE_MS, () => {
      this.#peers.save();
    });
    this.#world.repeat(50, 6_000, HOSTILE_MS, () => {
      if (this.#troubles.length > 0) this.#bring(random.pick(this.#troubles));
    });
    while (this.#isFine() && (await time.step(HOSTILE_MS)));
    this.#heal();
    const end = time.now + HEALING_MS;
    while (this.#isFine() && !this.#isInStep() && (await time.step(end)));
    if (this.#isFine()) this.#checkConverged();
    return {
      seed: this.#seed,
      violations: this.#world.violations,
      entries: Math.max(0, ...this.#machines.map(({ disk }) => disk.records.length)),
      bulks: Math.max(
        0,
        ...this.#machines.map(({ disk }) => disk.records.filter(({ entry }) => entry.kind === 'bulk').length),
      ),
      faults: this.#faults + this.#network.injected,
      events: time.events,
      elections: this.#elections,
      setAside: this.#machines.reduce((sum, { disk }) => sum + disk.setAside.length, 0),
    };
  }

  #build(): void {
    const { random } = this.#world;
    const count = 2 + random.below(random.chance(0.2) ? 6 : 3);
    for (let number = 0; number < count; number += 1) {
      const machine: SimulatedMachine = {
        name: `h${String(number)}`,
        disk: new SimulatedDisk(),
        addresses: [],
        unreachable: new Set(),
        neverReached: new Set(),
      };
      machine.disk.onDurable = (records) => {
        this.#checkDurable(machine, records);
      };
      machine.disk.onSetAside = (setAside, kept) => {
        const replicas = this.#peersOf(machine).map(({ disk }) => disk);
        this.#broughtBack.onSetAside(setAside, kept, replicas);
      };
      this.#setAside.watch(machine, () => !this.#hasCompacted && !this.#hasLostLogs);
      machine.disk.onRaised = (term) => {
        if (this.#newestTerm === undefined || compareTerms(term, this.#newestTerm) > 0) this.#newestTerm = term;
      };
      machine.disk.onFollowed = (process, term) => {
        this.#checkFollowed(process, term);
      };
      this.#machines.push(machine);
    }
    // Each is told of one other at least; the rest they learn from the leader.
    for (const [at, machine] of this.#machines.entries()) {
      const others = this.#machines.filter((other) => other !== machine);
      const told = others.filter((_, index) => index === at % others.length || random.chance(0.6));
      machine.addresses.push(...told.map(({ name }) => name));
      if (at > 0 && !machine.addresses.includes('h0')) machine.addresses.push('h0');
    }
    if (this.#hasLastingFaults) this.#breakForGood();
    for (const machine of this.#machines) {
      this.#addPeer(machine, 'a');
      if (this.#peers.all.length < MAX_PEERS && random.chance(0.35)) this.#addPeer(machine, 'b');
    }
  }

  /** Disks that are slow, and machines that never reach each other; one reaches everybody and is reached by all. */
  #breakForGood(): void {
    const { random } = this.#world;
    const hub = random.pick(this.#machines);
    for (const machine of this.#machines) {
      machine.disk.maxReadMs = random.pick(SLOW_READS_MS);
      if (machine === hub) continue;
      if (!machine.addresses.includes(hub.name)) machine.addresses.push(hub.name);
      for (const other of this.#machines)
        if (other !== hub && other !== machine && random.chance(0.5)) machine.neverReached.add(other.name);
    }
  }

  #isFine(): boolean {
    return this.#world.isFine(MAX_EVENTS);
  }

  #addPeer(machine: SimulatedMachine, letter: string): void {
    const fail = (what: string): void => {
      this.#world.fail(what);
    };
    this.#peers.add(
      {
        name: `${machine.name}${letter}`,
        processName: `${machine.name}.${letter}`,
        machine,
        hostOf: (process) => linkedHost(process, machine, this.#machines, this.#network, fail),
      },
      8_000,
    );
  }

  #peersOf({ disk }: SimulatedMachine): readonly SavingPeer[] {
    return this.#peers.all.filter(({ machine }) => machine.disk === disk);
  }

  // What goes wrong.

  #bring(trouble: Trouble): void {
    this.#faults += 1;
    const { random } = this.#world;
    const peer = random.pick(this.#peers.all);
    const machine = random.pick(this.#machines);
    switch (trouble) {
      case 'kill': {
        const leader = this.#peers.all.find(({ service }) => service?.status.role === 'leader');
        this.#peers.killLeaderOr(peer, leader, this.#troubles.includes('stayDead') ? undefined : 20_000);
        return;
      }
      case 'restart':
        this.#peers.close(peer);
        return;
      case 'powerCut':
        this.#peers.reboot(this.#peersOf(machine));
        return;
      case 'freeze':
        this.#peers.freeze(peer, 40_000);
        return;
      case 'clockJump':
        this.#peers.jumpClock(peer);
        return;
      case 'split':
        this.#split();
        return;
      case 'oneWay': {
        const other = random.pick(this.#machines);
        machine.unreachable.add(other.name);
        this.#world.later(5_000, 60_000, () => {
          machine.unreachable.clear();
        });
        return;
      }
      case 'pair': {
        const other = random.pick(this.#machines);
        if (other === machine) return;
        this.#network.partition(machine.name, other.name);
        this.#world.later(5_000, 60_000, () => {
          this.#network.partitions.clear();
        });
        return;
      }
      case 'cut':
        this.#network.cutSome(() => random.chance(0.5));
        return;
      case 'diskFull':
        this.#peers.fillDisk(machine.disk, 30_000);
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

  /** The machines fall into two groups that cannot reach each other. */
  #split(): void {
    const isLeft = new Set(this.#machines.filter(() => this.#world.random.chance(0.5)));
    for (const left of this.#machines)
      for (const right of this.#machines)
        if (isLeft.has(left) && !isLeft.has(right)) this.#network.partition(left.name, right.name);
    this.#world.later(5_000, 60_000, () => {
      this.#network.partitions.clear();
    });
  }

  #compact({ disk }: SimulatedMachine): void {
    if (disk.lockHolder === undefined) return;
    this.#hasCompacted = true;
    void disk.log.compact({ olderThan: 0, keepUnits: this.#world.random.pick([1, 2_000]) });
  }

  /** A machine gets an old copy of its data back, or an empty folder. */
  async #restore(machine: SimulatedMachine): Promise<void> {
    const { disk } = machine;
    if (disk.records.some(({ entry }, at) => entry.index !== at + 1)) return;
    const { random } = this.#world;
    this.#hasLostLogs = true;
    const peers = this.#peersOf(machine);
    for (const peer of peers) this.#peers.kill(peer);
    const isEmpty = random.chance(0.3);
    this.#setAside.onRestored(machine);
    await disk.restore(isEmpty ? 0 : random.below(disk.records.length + 1));
    this.#peers.reboot(peers);
    // Somebody helps: whichever of the two comes first starts a peer.
    this.#peers.reboot(peers);
  }

  #heal(): void {
    this.#network.heal();
    for (const { disk, unreachable } of this.#machines) {
      unreachable.clear();
      disk.isFull = false;
      disk.doubt = 0;
    }
    this.#peers.heal();
  }

  // What must hold.

  /** [I7] A term and an index name one entry on every machine; no log has a hole, or goes back in terms. */
  #checkDurable(machine: SimulatedMachine, records: readonly LogRecord[]): void {
    for (const { entry, heads } of records) {
      const place = `${String(entry.term.number)} ${entry.term.leaderId} ${String(entry.index)}`;
      const known = this.#named.get(place);
      if (known !== undefined && known !== entry.proposalId) this.#world.fail(`[I7] ${place} names two entries`);
      this.#named.set(place, entry.proposalId);
      for (const change of documentEntries(entry)) {
        this.#written.add(`${machine.name} ${change.proposalId} ${String(entry.index)}`);
        const proposer = this.#peers.all.find(({ disk }) => change.proposalId.startsWith(`${disk.name}:`));
        if (proposer === undefined) continue;
        this.#broughtBack.onDurable(proposer.disk, change);
        this.#setAside.onDurable(machine, proposer.machine.disk, change);
      }
      if (documentEntries(entry).some(({ hash }, at) => heads[at]?.hash !== hash))
        this.#world.fail('[REP-04] head and entry disagree');
    }
    const { records: all } = machine.disk;
    const before = all[all.length - records.length - 1];
    const first = records[0];
    if (before === undefined || first === undefined) return;
    if (first.entry.index !== before.entry.index + 1 && !this.#hasCompacted)
      this.#world.fail(`[REP-07] ${machine.name} has a hole before ${String(first.entry.index)}`);
    if (first.entry.term.number < before.entry.term.number) this.#world.fail('[I7] an older term has written');
    const ids = all.flatMap(({ entry }) => documentEntries(entry).map(({ proposalId }) => proposalId));
    if (new Set(ids).size !== ids.length) this.#world.fail('[REP-05] a proposal is in the log twice');
  }

  /** [ELE-09] Whoever has begun to lead follows nobody but the leader of a newer term. */
  #checkFollowed({ name }: SimulatedProcess, term: Term | undefined): void {
    const { number, leaderId } = this.#newestTerm ?? {};
    if (leaderId === name && term?.leaderId === name && term.number === number)
      this.#world.fail(`[ELE-09] ${name} leads in the newest term and changes its log for another leader`);
  }

  /**
   * [I6] [REP-26] [REP-27] What a peer is told to be committed was on its own machine's disk, whatever has become of it
   * since, and its replica has taken it in.
   */
  #checkCommitted(disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void {
    if (disk.index < index)
      this.#world.fail(`[REP-26] ${disk.name} was told of ${String(index)} and has taken in ${String(disk.index)}`);
    const peer = this.#peers.all.find((candidate) => candidate.disk === disk);
    const wasThere = this.#written.has(`${peer?.machine.name ?? ''} ${proposal.proposalId} ${String(index)}`);
    // A machine that has taken over the state of a compacted log has only heard of it.
    if (!wasThere && !this.#hasCompacted)
      this.#world.fail(`[I6] ${disk.name} was told that ${proposal.proposalId} is at ${String(index)}, and it is not`);
  }

  /** [I7] A replica gets the entry that the term and the index name. */
  #checkApplied(disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void {
    const place = `${String(entry.term.number)} ${entry.term.leaderId} ${String(entry.index)}`;
    if (this.#named.get(place) !== entry.proposalId)
      this.#world.fail(`[I7] ${disk.name} was given an entry that no log has`);
    const peer = this.#peers.all.find((candidate) => candidate.disk === disk);
    const record = peer?.machine.disk.records.find((one) => one.entry.index === entry.index);
    const isSame = record?.entry.proposalId === entry.proposalId && compareTerms(record.entry.term, entry.term) === 0;
    this.#broughtBack.onApplied(disk, entry, isSame);
    if (isSame && runningHash !== undefined && record.runningHash !== runningHash)
      this.#world.fail(`[REC-01] ${disk.name} computes another running hash at ${place}`);
  }

  #positions(): readonly string[] {
    return this.#machines.map(({ disk }) => `${String(disk.last.index)} ${disk.last.runningHash}`);
  }

  /** [I2] All machines hold one log under one leader, and every replica stands at its end, with its shadows for files. */
  #isInStep(): boolean {
    if (new Set(this.#positions()).size !== 1) return false;
    const last = this.#machines[0]?.disk.last;
    if (this.#peers.all.filter(({ service }) => service?.status.role === 'leader').length !== 1) return false;
    if (!this.#setAside.isFulfilled) return false;
    return last !== undefined && this.#peers.areInStep(last);
  }

  #checkConverged(): void {
    if (!this.#isInStep()) {
      const logs = this.#positions().map((position) => position.slice(0, 8));
      this.#world.fail(
        `[I2] [ELE-12] not in step under one leader after healing; logs ${logs.join(', ')}; ${this.#peers.describe()}`,
      );
      return;
    }
    this.#elections = this.#peers.all.reduce((sum, { service }) => sum + (service?.metrics.elections ?? 0), 0);
    const contents = this.#peers.differentContents();
    if (contents.length !== 1) this.#world.fail(`[I2] the replicas differ: ${contents.join(' | ')}`);
    const lost = lostValues(this.#peers.disks);
    if (lost !== undefined) this.#world.fail(`[I1] lost: ${lost}`);
    if (!this.#hasLostLogs && !this.#hasCompacted) this.#checkNoEcho();
  }

  /** [I9] What somebody saved enters the log once; it does not come back as somebody else's change, with one exception: `BroughtBack`. */
  #checkNoEcho(): void {
    for (const [value, [, ...again]] of proposalsThatBrought(this.#machines[0]?.disk.records ?? [])) {
      const echo = again.find((proposalId) => !this.#broughtBack.isExcused(proposalId, value));
      if (echo !== undefined) this.#world.fail(`[I9] ${value} entered the log again, by ${echo}`);
    }
  }
}
