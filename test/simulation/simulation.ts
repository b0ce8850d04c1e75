import type { LogIndex } from '../../src/core/ids.ts';
import { documentEntries } from '../../src/core/replication/bulkEntry.ts';
import type { LogEntry, Proposal } from '../../src/core/replication/entry.ts';
import type { LogRecord } from '../../src/core/replication/replicatedLog.ts';
import { lostValues, proposalsThatBrought } from './savedValues.ts';
import { SavingPeers } from './savingPeers.ts';
import type { SavingPeer } from './savingPeers.ts';
import { SimulatedDisk } from './simulatedDisk.ts';
import { hostOf } from './simulatedHost.ts';
import { SimulatedNetwork } from './simulatedNetwork.ts';
import type { ReplicaDisk } from './simulatedReplica.ts';
import { SimulatedWorld } from './simulatedWorld.ts';

/** How long people type and things break. */
const HOSTILE_MS = 60_000;
/** How long the peers may take to be in step once everything works again: two timeouts and the longest pause between attempts, twice. */
const HEALING_MS = 120_000;
/** A free lock is taken by somebody within the longest pause between attempts, and some time to open the log. */
const MAX_LEADERLESS_MS = 35_000;
const MAX_EVENTS = 200_000;
const PATHS = ['openapi.yaml', 'common.yaml'];

export interface SimulationReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly entries: number;
  readonly bulks: number;
  readonly faults: number;
  readonly events: number;
}

/** The kinds of trouble; each seed brings some of them and leaves others out, so that none hides what another would show. */
const TROUBLES = [
  'kill',
  'stayDead',
  'restart',
  'powerCut',
  'freeze',
  'clockJump',
  'partition',
  'cut',
  'diskFull',
  'diskDoubt',
  'compact',
  'restore',
  'duplicate',
  'stall',
] as const;
type Trouble = (typeof TROUBLES)[number];

/**
 * One machine with several peers of one library, the real state machines between a simulated disk, network and clock,
 * and people who save all the time while things break. A seed names one such history for ever.
 */
export class Simulation {
  readonly #seed: number;
  readonly #world: SimulatedWorld;
  readonly #network = new SimulatedNetwork();
  readonly #disk = new SimulatedDisk();
  readonly #peers: SavingPeers;
  readonly #troubles: readonly Trouble[];
  /** The first proposal that was ever seen at a place of the log (I7). */
  readonly #named = new Map<string, string>();
  #faults = 0;
  #hasRestored = false;
  #maxTerm = 0;
  #leaderlessSince: number | undefined;

  /** @param hasBulks people also rewrite all documents at once; without, a seed is the history that it was before they did. */
  constructor(seed: number, { hasBulks = false }: { readonly hasBulks?: boolean } = {}) {
    this.#seed = seed;
    this.#world = new SimulatedWorld(seed);
    const { random } = this.#world;
    this.#troubles = TROUBLES.filter((trouble) => random.chance(trouble === 'restore' ? 0.15 : 0.45));
    const checks = {
      onApplied: (disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void => {
        this.#checkApplied(disk, entry, runningHash);
      },
      onCommitted: (disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void => {
        this.#checkCommitted(disk, proposal, index);
      },
    };
    this.#peers = new SavingPeers(this.#world, this.#network, checks, PATHS, hasBulks);
    this.#disk.onDurable = (records) => {
      this.#checkDurable(records);
    };
  }

  async run(): Promise<SimulationReport> {
    const { random, time } = this.#world;
    const count = 2 + random.below(6);
    for (let number = 0; number < count; number += 1) this.#addPeer(`p${String(number)}`);
    this.#network.beUnkind(this.#troubles, random);
    if (this.#troubles.includes('diskDoubt')) this.#disk.doubt = 0.1;
    this.#world.repeat(20, 1_500, HOSTILE_MS, () => {
      this.#peers.save();
    });
    this.#world.repeat(50, 4_000, HOSTILE_MS, () => {
      if (this.#troubles.length > 0) this.#bring(random.pick(this.#troubles));
    });
    while (this.#isFine() && (await time.step(HOSTILE_MS))) this.#checkRoles();
    this.#heal();
    const end = time.now + HEALING_MS;
    while (this.#isFine() && !this.#isInStep() && (await time.step(end)));
    if (this.#isFine()) this.#checkConverged();
    return {
      seed: this.#seed,
      violations: this.#world.violations,
      entries: this.#disk.records.length,
      bulks: this.#disk.records.filter(({ entry }) => entry.kind === 'bulk').length,
      faults: this.#faults + this.#network.injected,
      events: time.events,
    };
  }

  #isFine(): boolean {
    return this.#world.isFine(MAX_EVENTS);
  }

  #addPeer(name: string): void {
    const options = {
      maxOpenMs: 100,
      connectsToFrozen: false,
      fail: (what: string): void => {
        this.#world.fail(what);
      },
    };
    this.#peers.add(
      {
        name,
        processName: `${name}.`,
        machine: { name: 'machine', disk: this.#disk },
        hostOf: (process) => hostOf(process, this.#disk, this.#network, options),
      },
      3_000,
    );
  }

  // What goes wrong.

  #bring(trouble: Trouble): void {
    this.#faults += 1;
    const { random } = this.#world;
    const peer = random.pick(this.#peers.all);
    switch (trouble) {
      case 'kill':
        this.#peers.killLeaderOr(peer, this.#leader(), this.#troubles.includes('stayDead') ? undefined : 8_000);
        return;
      case 'restart':
        this.#peers.close(peer);
        return;
      case 'powerCut':
        for (const each of this.#peers.all) this.#peers.kill(each);
        this.#peers.reboot(this.#peers.all);
        return;
      case 'freeze':
        this.#peers.freeze(peer, 25_000);
        return;
      case 'clockJump':
        this.#peers.jumpClock(peer);
        return;
      case 'partition': {
        const other = random.pick(this.#peers.all);
        if (other === peer) return;
        this.#network.partition(peer.process.name, other.process.name);
        this.#world.later(100, 30_000, () => {
          this.#network.partitions.clear();
        });
        return;
      }
      case 'cut':
        this.#network.cutSome(() => random.chance(0.5));
        return;
      case 'diskFull':
        this.#peers.fillDisk(this.#disk, 10_000);
        return;
      case 'compact':
        this.#compact();
        return;
      case 'restore':
        void this.#restore();
        return;
      case 'stayDead':
      case 'diskDoubt':
      case 'duplicate':
      case 'stall':
        // These are always there while it lasts.
        this.#faults -= 1;
    }
  }

  #compact(): void {
    if (this.#disk.lockHolder === undefined) return;
    const keepUnits = this.#world.random.pick([1, 2_000]);
    void this.#disk.log.compact({ olderThan: 0, keepUnits });
  }

  /** Everything is off, somebody puts an old copy of the log back, everything is on again. */
  async #restore(): Promise<void> {
    this.#hasRestored = true;
    for (const each of this.#peers.all) this.#peers.kill(each);
    await this.#disk.restore(this.#world.random.below(this.#disk.records.length + 1));
    this.#named.clear();
    this.#peers.reboot(this.#peers.all);
  }

  #heal(): void {
    this.#network.heal();
    this.#disk.isFull = false;
    this.#disk.doubt = 0;
    this.#peers.heal();
  }

  // What must hold.

  #leader(): SavingPeer | undefined {
    return this.#peers.all.find((peer) => peer.process.isAlive && this.#disk.lockHolder === peer.process);
  }

  /** [I7] Nobody believes to lead without holding the lock. */
  #checkRoles(): void {
    const leaders = this.#peers.all.filter(
      ({ process, service }) => process.isAlive && service?.status.role === 'leader' && service.followers.length > 0,
    );
    if (leaders.length > 1) this.#world.fail('[I7] two peers lead');
    this.#checkSomebodyLeads();
    for (const { process } of leaders)
      if (this.#disk.lockHolder !== process) this.#world.fail('[I7] a peer leads without the lock');
  }

  /** [ELE-04] As long as somebody could lead, somebody does before long. */
  #checkSomebodyLeads(): void {
    const couldLead = this.#peers.all.some(
      ({ process, service }) => process.isAlive && service !== undefined && process.frozenUntil <= this.#world.time.now,
    );
    if (this.#disk.lockHolder !== undefined || !couldLead || this.#disk.isFull) this.#leaderlessSince = undefined;
    else this.#leaderlessSince ??= this.#world.time.now;
    const since = this.#leaderlessSince ?? this.#world.time.now;
    if (this.#world.time.now - since > MAX_LEADERLESS_MS) this.#world.fail('[ELE-04] nobody takes the free lock');
  }

  /** [I7] A place of the log is given once, without holes, in terms that never go back. */
  #checkDurable(records: readonly LogRecord[]): void {
    for (const { entry, heads } of records) {
      const place = String(entry.index);
      if (this.#named.has(place)) this.#world.fail(`[I7] index ${place} was given twice`);
      if (entry.index !== 1 && !this.#named.has(String(entry.index - 1)) && !this.#hasRestored)
        this.#world.fail(`[REP-07] there is a hole before ${place}`);
      this.#named.set(place, entry.proposalId);
      if (entry.term.number < this.#maxTerm && !this.#hasRestored) this.#world.fail('[I7] an older term has written');
      this.#maxTerm = Math.max(this.#maxTerm, entry.term.number);
      if (documentEntries(entry).some(({ hash }, at) => heads[at]?.hash !== hash))
        this.#world.fail('[REP-04] head and entry disagree');
    }
    const ids = this.#disk.records.flatMap(({ entry }) => documentEntries(entry).map(({ proposalId }) => proposalId));
    if (new Set(ids).size !== ids.length) this.#world.fail('[REP-05] a proposal is in the log twice');
  }

  /** [I6] What a peer is told to be committed is on disk, there and nowhere else. */
  #checkCommitted(disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void {
    const entry = this.#disk.records[index - 1]?.entry;
    const changes = entry === undefined ? [] : documentEntries(entry);
    if (!changes.some(({ proposalId }) => proposalId === proposal.proposalId)) {
      this.#world.fail(`[I6] ${disk.name} was told that ${proposal.proposalId} is at ${String(index)}, and it is not`);
    }
  }

  /** [REP-13] A replica gets the log's own entries, the next one each time, and stands where it believes to stand. */
  #checkApplied(disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void {
    const record = this.#disk.records[entry.index - 1];
    if (record?.entry.proposalId !== entry.proposalId)
      this.#world.fail(`[I7] ${disk.name} was given an entry that the log does not have`);
    else if (runningHash !== undefined && record.runningHash !== runningHash)
      this.#world.fail(`[REC-01] ${disk.name} computes another running hash`);
  }

  #isInStep(): boolean {
    return this.#peers.areInStep(this.#disk.last);
  }

  #checkConverged(): void {
    if (!this.#isInStep()) {
      const { last, lockHolder } = this.#disk;
      this.#world.fail(
        `[I2] not in step after healing; log at ${String(last.index)}, lock ${lockHolder?.name ?? 'free'}; ${this.#peers.describe()}`,
      );
      return;
    }
    if (this.#peers.differentContents().length !== 1) this.#world.fail('[I2] the replicas differ');
    const lost = lostValues(this.#peers.disks);
    if (lost !== undefined) this.#world.fail(`[I1] lost: ${lost}`);
    if (!this.#hasRestored) this.#checkNoEcho();
  }

  /** [I9] What somebody saved enters the log once; it does not come back as somebody else's change. */
  #checkNoEcho(): void {
    for (const [value, { length }] of proposalsThatBrought(this.#disk.records))
      if (length > 1) this.#world.fail(`[I9] ${value} entered the log ${String(length)} times`);
  }
}
