import { SeededRandom } from '../seededRandom.ts';
import { SimulatedDisk } from '../simulatedDisk.ts';
import { SimulatedNetwork } from '../simulatedNetwork.ts';
import { VirtualTime } from '../virtualTime.ts';
import { Invariants } from './invariants.ts';
import { newDocument } from './openApiText.ts';
import { DOINGS, People } from './people.ts';
import type { Doing } from './people.ts';
import { SimulatedPeer } from './simulatedPeer.ts';
import type { Machine } from './simulatedPeer.ts';
import type { StoreDisk } from './simulatedStore.ts';
import { Ledger, tokensOnlyIn } from './tokens.ts';

/** How long people type and things break. */
const HOSTILE_MS = 25_000;
const HEALING_MS = 150_000;
const TIDY_EVERY_MS = 400;
/** Once in step, nothing may happen any more for so long. */
const QUIET_MS = 6_000;
const REST_MS = 8_000;
const MAX_EVENTS = 150_000;
/** Where programs rewrite several times as many documents. */
const MAX_EVENTS_WITH_BULKS = 600_000;
const TRACE_LINES = 45;

const TROUBLES = [
  'kill',
  'crashPoints',
  'close',
  'partition',
  'cut',
  'stall',
  'logFull',
  'stateFails',
  'filesFail',
  'slowMerge',
  'compact',
] as const;
type Trouble = (typeof TROUBLES)[number];

/** Documents beside the first, where programs rewrite many. */
const MORE_PATHS = ['pets.yaml', 'users.yaml', 'orders.yaml', 'errors.yaml', 'common.yaml'];
/** More edits than these in one burst are one entry. */
const BULK_DOCUMENTS = 2;

/** What people do where backups of the log are put back: what was set back then cannot be told from what is new. */
const DOINGS_AROUND_BACKUPS: readonly Doing[] = ['edit', 'clash', 'type', 'pause', 'break', 'create'];

export interface ReplicaSimulationOptions {
  /** How much of what happened last is kept for the report. */
  readonly traceLines?: number;
  /** Old copies of the log are put back, or it is deleted; a history of its own beside the one without. */
  readonly hasBackups?: boolean;
  /** Old copies of a replica's own state are put back, or it is lost as a damaged one is; a history of its own, too. */
  readonly losesStates?: boolean;
  /** Whether people delete documents for good; without that, a seed is the history that it was before they could. */
  readonly deletes?: boolean;
  /** The same for renaming them. */
  readonly renames?: boolean;
  /** Programs rewrite all files of a folder, and more than two edits in one burst become one entry. */
  readonly bulks?: boolean;
}

export interface ReplicaReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** What every peer had of every document when it went wrong. */
  readonly dump: readonly string[];
  readonly entries: number;
  readonly bulks: number;
  readonly faults: number;
  readonly events: number;
}

/**
 * Several windows of one library on one machine: real replicas, real merges and real replication between simulated
 * folders, stores, network and clock, with people who do what people do while things break. A seed names one history.
 */
export class ReplicaSimulation {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #network = new SimulatedNetwork();
  readonly #disk = new SimulatedDisk();
  readonly #peers: SimulatedPeer[] = [];
  readonly #ledger = new Ledger();
  readonly #machine: Machine;
  readonly #invariants: Invariants;
  readonly #people: People;
  readonly #troubles: readonly Trouble[];
  readonly #pace: number;
  readonly #violations: string[] = [];
  readonly #trace: string[] = [];
  readonly #traceLines: number;
  readonly #hasBackups: boolean;
  readonly #losesStates: boolean;
  readonly #hasBulks: boolean;
  #isHostile = true;
  #hasForgotten = false;
  #faults = 0;

  constructor(
    seed: number,
    {
      traceLines = TRACE_LINES,
      hasBackups = false,
      losesStates = false,
      deletes = !hasBackups && !losesStates,
      renames = !hasBackups && !losesStates,
      bulks = false,
    }: ReplicaSimulationOptions = {},
  ) {
    this.#seed = seed;
    this.#traceLines = traceLines;
    this.#hasBackups = hasBackups;
    this.#losesStates = losesStates;
    this.#random = new SeededRandom(seed);
    const random = this.#random;
    this.#troubles = TROUBLES.filter(() => random.chance(0.35));
    this.#pace = random.pick([400, 900, 1_800]);
    const note = (what: string): void => {
      this.#note(what);
    };
    const fail = (what: string): void => {
      this.#fail(what);
    };
    this.#invariants = new Invariants(this.#peers, this.#ledger, note, fail);
    // A log that forgets its past cannot tell an old revision from a new text: nobody goes back there.
    const isForgetful = this.#troubles.includes('compact');
    const doings: Doing[] = DOINGS.filter(
      (doing) => random.chance(0.6) && !(isForgetful && doing === 'setBack'),
    ).filter((doing) => !(hasBackups || losesStates) || DOINGS_AROUND_BACKUPS.includes(doing));
    if (deletes && random.chance(0.6)) doings.push('deleteForGood');
    if (renames && random.chance(0.6)) doings.push('rename');
    if (bulks) doings.push('generate', 'generate', 'generate');
    this.#hasBulks = bulks;
    const world = {
      time: this.#time,
      random,
      peers: this.#peers,
      ledger: this.#ledger,
      invariants: this.#invariants,
      note,
      fail,
    };
    this.#people = new People(world, doings.length === 0 ? ['edit'] : doings);
    this.#machine = this.#createMachine();
    this.#disk.onDurable = (records) => {
      this.#invariants.onDurable(records);
      if (this.#machine.shouldCrash('between commit and answer')) this.#killLeader();
    };
  }

  async run(): Promise<ReplicaReport> {
    this.#begin();
    await this.#runUntil(HOSTILE_MS);
    this.#heal();
    await this.#converge();
    if (this.#isFine()) {
      const { entries } = this.#invariants;
      await this.#runUntil(this.#time.now + REST_MS);
      const why = this.#invariants.outOfStep();
      if (why !== undefined) this.#fail(`[I2] does not stay in step: ${why}`);
      if (this.#invariants.entries !== entries) this.#fail('[I9] something was sent although everything was in step');
      this.#invariants.checkAtRest();
    }
    return {
      seed: this.#seed,
      violations: this.#violations,
      trace: this.#trace.slice(-this.#traceLines),
      dump: this.#violations.length === 0 ? [] : this.#dump(),
      entries: this.#invariants.entries,
      bulks: this.#invariants.bulks,
      faults: this.#faults + this.#network.injected,
      events: this.#time.events,
    };
  }

  // ---- the course of things ----

  #begin(): void {
    const random = this.#random;
    const count = 2 + random.below(4);
    const text = newDocument(() => this.#ledger.mint('origin'), 3);
    this.#ledger.save('origin', '', text);
    const others = (this.#hasBulks ? MORE_PATHS : []).map((path) => {
      const other = newDocument(() => this.#ledger.mint('origin'), 2);
      this.#ledger.save('origin', '', other);
      return { path, other };
    });
    for (let number = 0; number < count; number += 1) {
      const peer = new SimulatedPeer(`p${String(number)}`, this.#machine);
      this.#peers.push(peer);
      this.#invariants.allowedEntries += 1;
      const raw = random.chance(0.2) ? text.replaceAll('\n', '\r\n') : text;
      const hasFiles = number === 0 || random.chance(0.8);
      if (hasFiles) peer.folder.put('openapi.yaml', raw);
      for (const { path, other } of others) {
        this.#invariants.allowedEntries += 1;
        if (hasFiles) peer.folder.put(path, other);
      }
      this.#later(0, 1_500, () => {
        peer.start();
      });
    }
    this.#beUnkind();
    this.#scheduleDoing();
    this.#scheduleTrouble();
    if (this.#hasBackups) this.#scheduleBackup();
    if (this.#losesStates) for (const peer of this.#peers) this.#scheduleStateLoss(peer, []);
  }

  #scheduleDoing(): void {
    this.#later(5, this.#pace, () => {
      if (!this.#isHostile) return;
      this.#people.act();
      this.#scheduleDoing();
    });
  }

  #scheduleTrouble(): void {
    this.#later(100, 4_000, () => {
      if (!this.#isHostile) return;
      if (this.#troubles.length > 0) this.#bring(this.#random.pick(this.#troubles));
      this.#scheduleTrouble();
    });
  }

  #scheduleBackup(): void {
    this.#later(4_000, 15_000, () => {
      if (!this.#isHostile) return;
      void this.#putBack();
      this.#scheduleBackup();
    });
  }

  /** @param copies that a backup has of its state. */
  #scheduleStateLoss(peer: SimulatedPeer, copies: StoreDisk[]): void {
    this.#later(2_000, 12_000, () => {
      if (!this.#isHostile) return;
      if (this.#random.chance(0.5)) copies.push(peer.store.copy());
      else this.#loseState(peer, copies.length > 0 && this.#random.chance(0.6) ? this.#random.pick(copies) : undefined);
      this.#scheduleStateLoss(peer, copies);
    });
  }

  #loseState(peer: SimulatedPeer, copy: StoreDisk | undefined): void {
    this.#faults += 1;
    this.#kill(peer);
    const { index } = peer.store.synced;
    this.#note(
      `the state of ${peer.name} is put back from ${String(index)} to ${String(copy?.synced.index ?? 'nothing')}`,
    );
    peer.store.putBack(copy);
    this.#invariants.stateIsOld();
  }

  /** Everything is off, somebody puts an old copy of the log back, everything is on again. */
  async #putBack(): Promise<void> {
    this.#faults += 1;
    const { records } = this.#disk;
    const kept = this.#random.chance(0.3) ? 0 : this.#random.below(records.length + 1);
    this.#note(`the log is put back from ${String(records.length)} to ${String(kept)}`);
    for (const peer of this.#peers) this.#kill(peer);
    await this.#disk.restore(kept);
    this.#invariants.putBack(kept);
  }

  async #runUntil(end: number): Promise<void> {
    while (this.#isFine() && (await this.#time.step(end))) this.#invariants.checkNothingLost();
  }

  async #converge(): Promise<void> {
    const end = this.#time.now + HEALING_MS;
    // What was saved by a timer is sent after a while of quiet only.
    const earliest = this.#time.now + QUIET_MS;
    while (this.#isFine() && (this.#time.now < earliest || this.#invariants.outOfStep() !== undefined)) {
      if (this.#time.now >= end) {
        this.#fail(`[I2] not in step after healing: ${this.#invariants.outOfStep() ?? ''}`);
        return;
      }
      this.#people.tidy();
      await this.#runUntil(this.#time.now + TIDY_EVERY_MS);
    }
  }

  #isFine(): boolean {
    if (this.#time.events > (this.#hasBulks ? MAX_EVENTS_WITH_BULKS : MAX_EVENTS))
      this.#fail('[I9] the peers never come to rest');
    return this.#violations.length === 0;
  }

  // ---- what goes wrong ----

  #beUnkind(): void {
    const hasStalls = this.#troubles.includes('stall');
    this.#network.faults = {
      cut: this.#troubles.includes('cut') ? 0.01 : 0,
      ...(hasStalls ? { stall: 0.03, maxStallMs: 2_000, duplicate: 0.02 } : { stall: 0, maxStallMs: 0, duplicate: 0 }),
    };
  }

  #bring(trouble: Trouble): void {
    const random = this.#random;
    const peer = random.pick(this.#peers);
    this.#faults += 1;
    switch (trouble) {
      case 'kill':
        if (random.chance(0.4)) this.#killLeader();
        else this.#kill(peer);
        return;
      case 'close':
        this.#note(`${peer.name} closes`);
        peer.close(() => {
          this.#restartLater(peer);
        });
        return;
      case 'partition': {
        const names = this.#peers.flatMap(({ process }) => process?.name ?? []);
        if (names.length < 2) return;
        const pair = `${random.pick(names)} ${random.pick(names)}`.split(' ');
        this.#note(`partition of ${pair.join(' and ')}`);
        this.#network.partition(pair[0] ?? '', pair[1] ?? '');
        this.#later(200, 6_000, () => {
          this.#network.partitions.clear();
        });
        return;
      }
      case 'cut':
        this.#note('connections break');
        this.#network.cutSome(() => random.chance(0.4));
        return;
      case 'logFull':
        this.#disk.isFull = true;
        this.#later(200, 3_000, () => {
          this.#disk.isFull = false;
        });
        return;
      case 'stateFails':
        peer.store.failing = random.pick([0.1, 0.5]);
        this.#later(200, 3_000, () => {
          peer.store.failing = 0;
        });
        return;
      case 'filesFail':
        peer.folder.failing = random.pick([0.1, 0.5, 1]);
        this.#later(200, 3_000, () => {
          peer.folder.failing = 0;
        });
        return;
      case 'compact':
        this.#hasForgotten = true;
        void this.#disk.log.compact({ olderThan: 0, keepUnits: random.pick([1, 3_000]) });
        return;
      case 'crashPoints':
      case 'stall':
      case 'slowMerge':
        // Always there while it lasts.
        return;
    }
  }

  #kill(peer: SimulatedPeer): void {
    if (!peer.isAlive) return;
    this.#note(`kill -9 of ${peer.name}`);
    peer.kill();
    this.#people.forgetBuffers(peer);
    this.#restartLater(peer);
  }

  #killLeader(): void {
    const leader = this.#peers.find(({ process }) => process !== undefined && this.#disk.lockHolder === process);
    if (leader !== undefined) this.#kill(leader);
  }

  #restartLater(peer: SimulatedPeer): void {
    this.#later(0, 4_000, () => {
      peer.start();
    });
  }

  #heal(): void {
    this.#note('everything heals');
    this.#isHostile = false;
    this.#network.heal();
    this.#disk.isFull = false;
    for (const peer of this.#peers) {
      peer.store.failing = 0;
      peer.folder.failing = 0;
      peer.start();
    }
  }

  #createMachine(): Machine {
    return {
      time: this.#time,
      random: this.#random,
      network: this.#network,
      disk: this.#disk,
      ...(this.#hasBulks ? { bulkDocuments: BULK_DOCUMENTS } : {}),
      shouldCrash: () => {
        const isDeadly = this.#isHostile && this.#troubles.includes('crashPoints') && this.#random.chance(0.01);
        if (isDeadly) this.#faults += 1;
        return isDeadly;
      },
      hasForgotten: () => this.#hasForgotten,
      mergeMs: () =>
        this.#random.between(0, this.#troubles.includes('slowMerge') && this.#random.chance(0.2) ? 400 : 2),
      onWritten: (peer, path, before, after) => {
        this.#note(
          `${peer.name} wrote ${path} +${tokensOnlyIn(after, before ?? '').join(' +')} -${tokensOnlyIn(before ?? '', after).join(' -')}`,
        );
      },
      onMoved: (peer, from, to) => {
        this.#note(`${peer.name} moved ${from} to ${to}`);
        this.#people.moved(peer, from, to);
      },
      onDied: (peer) => {
        this.#people.forgetBuffers(peer);
        this.#restartLater(peer);
      },
      note: (what) => {
        this.#note(what);
      },
      fail: (what) => {
        this.#fail(what);
      },
    };
  }

  #dump(): string[] {
    const blocks: string[] = [];
    const add = (title: string, text: string | undefined): void => {
      if (text !== undefined) blocks.push(`---- ${title}`, text);
    };
    for (const { path, text, index } of this.#invariants.heads.values())
      add(`head of ${path} at ${String(index)}`, text);
    for (const { name, store, folder } of this.#peers)
      for (const { libraryPath, localPath, shadow, head, heldBase } of store.documents.values()) {
        if (localPath === undefined) continue;
        add(`${name} ${libraryPath}: file`, folder.text(localPath));
        add(`${name} ${libraryPath}: shadow at ${String(shadow?.index)}, head at ${String(head?.index)}`, shadow?.text);
        add(`${name} ${libraryPath}: held base`, heldBase);
      }
    return blocks;
  }

  #note(what: string): void {
    this.#trace.push(`${this.#time.now.toFixed(0).padStart(6)} ${what}`);
    if (this.#trace.length > 4 * this.#traceLines) this.#trace.splice(0, 2 * this.#traceLines);
  }

  #fail(what: string): void {
    this.#note(`VIOLATION ${what}`);
    this.#violations.push(`seed ${String(this.#seed)} at ${this.#time.now.toFixed(1)} ms: ${what}`);
  }

  #later(low: number, high: number, run: () => void): void {
    this.#time.after(this.#random.between(low, high), undefined, run);
  }
}
