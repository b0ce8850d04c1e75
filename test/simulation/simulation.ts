import type { DocId, LibraryId, LogIndex, PeerId } from '../../src/core/ids.ts';
import type { Disposable } from '../../src/core/ports.ts';
import type { LogEntry, Proposal } from '../../src/core/replication/entry.ts';
import type { LogRecord } from '../../src/core/replication/replicatedLog.ts';
import { SyncError } from '../../src/core/replication/syncError.ts';
import type { SyncHost } from '../../src/peer/syncHost.ts';
import { SyncService } from '../../src/peer/syncService.ts';
import { readKeyed } from './keyedText.ts';
import { SeededRandom } from './seededRandom.ts';
import { SimulatedDisk } from './simulatedDisk.ts';
import { SimulatedNetwork } from './simulatedNetwork.ts';
import { SimulatedProcess } from './simulatedProcess.ts';
import { ReplicaDisk, SimulatedReplica } from './simulatedReplica.ts';
import type { ReplicaChecks } from './simulatedReplica.ts';
import { VirtualTime } from './virtualTime.ts';

const LIBRARY = 'library-1' as LibraryId;
const HEARTBEAT_MS = 5_000;
const TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** How long people type and things break. */
const HOSTILE_MS = 60_000;
/** How long the peers may take to be in step once everything works again: two timeouts and the longest pause between attempts, twice. */
const HEALING_MS = 120_000;
/** A free lock is taken by somebody within the longest pause between attempts, and some time to open the log. */
const MAX_LEADERLESS_MS = 35_000;
const MAX_EVENTS = 200_000;
const KEYS = ['get', 'put', 'post', 'delete', 'patch', 'head'];
const PATHS = ['openapi.yaml', 'common.yaml'];
const LAST_ENTRY_SNIPPET = 3;

export interface SimulationReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly entries: number;
  readonly faults: number;
  readonly events: number;
}

interface Peer {
  readonly disk: ReplicaDisk;
  process: SimulatedProcess;
  replica: SimulatedReplica;
  service: SyncService | undefined;
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
  readonly #random: SeededRandom;
  readonly #time = new VirtualTime();
  readonly #network = new SimulatedNetwork();
  readonly #disk = new SimulatedDisk();
  readonly #peers: Peer[] = [];
  readonly #troubles: readonly Trouble[];
  readonly #violations: string[] = [];
  /** The first proposal that was ever seen at a place of the log (I7). */
  readonly #named = new Map<string, string>();
  #faults = 0;
  #hasRestored = false;
  #processCount = 0;
  #maxTerm = 0;
  #leaderlessSince: number | undefined;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.#troubles = TROUBLES.filter((trouble) => this.#random.chance(trouble === 'restore' ? 0.15 : 0.45));
    this.#disk.onDurable = (records) => {
      this.#checkDurable(records);
    };
  }

  async run(): Promise<SimulationReport> {
    const count = 2 + this.#random.below(6);
    for (let number = 0; number < count; number += 1) this.#addPeer(`p${String(number)}`);
    this.#beUnkind();
    this.#scheduleSaving();
    this.#scheduleTrouble();
    await this.#runUntil(HOSTILE_MS);
    this.#heal();
    const end = this.#time.now + HEALING_MS;
    while (this.#isFine() && !this.#isInStep() && (await this.#time.step(end)));
    if (this.#isFine()) this.#checkConverged();
    return {
      seed: this.#seed,
      violations: this.#violations,
      entries: this.#disk.records.length,
      faults: this.#faults + this.#network.injected,
      events: this.#time.events,
    };
  }

  async #runUntil(end: number): Promise<void> {
    while (this.#isFine() && (await this.#time.step(end))) this.#checkRoles();
  }

  #isFine(): boolean {
    if (this.#time.events > MAX_EVENTS) this.#fail('the peers never come to rest');
    return this.#violations.length === 0;
  }

  #addPeer(name: string): void {
    const disk = new ReplicaDisk(name);
    const process = this.#newProcess(name);
    // Not started yet.
    process.isAlive = false;
    this.#peers.push({ disk, process, replica: new SimulatedReplica(disk, process, this.#checks), service: undefined });
    this.#time.after(this.#random.between(0, 3_000), undefined, () => {
      const peer = this.#peers.find((candidate) => candidate.disk === disk);
      if (peer !== undefined) this.#start(peer);
    });
  }

  #newProcess(name: string): SimulatedProcess {
    this.#processCount += 1;
    return new SimulatedProcess(`${name}.${String(this.#processCount)}`, this.#time, this.#random);
  }

  /** Starts a process for a replica that has none. */
  #start(peer: Peer): void {
    if (peer.process.isAlive) return;
    const process = this.#newProcess(peer.disk.name);
    const replica = new SimulatedReplica(peer.disk, process, this.#checks);
    peer.process = process;
    peer.replica = replica;
    void SyncService.startOn(this.#hostOf(process), {
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

  #hostOf(process: SimulatedProcess): SyncHost {
    const disk = this.#disk;
    return {
      tryLock: () => {
        if (disk.lockHolder !== undefined && disk.lockHolder !== process) return false;
        disk.lockHolder = process;
        return true;
      },
      releaseLock: () => {
        if (disk.lockHolder === process) disk.lockHolder = undefined;
      },
      openLog: async () => {
        await process.delay(this.#random.between(1, 100));
        return disk.open(process);
      },
      listen: async (_term, onConnection) => {
        await process.delay(this.#random.between(1, 20));
        if (disk.lockHolder !== process) this.#fail('[ELE-03] an address is published without the lock');
        const address = { process, onConnection };
        disk.publish(address);
        return {
          withdraw: () => {
            if (disk.lockHolder !== process) this.#fail('[ELE-03] an address is withdrawn without the lock');
            if (disk.address === address) disk.publish(undefined);
            return Promise.resolve();
          },
          dispose: () => undefined,
        };
      },
      connect: async () => {
        await process.delay(this.#random.between(0.1, 5));
        const { address } = disk;
        if (address === undefined) return undefined;
        const isDeaf =
          address.process.frozenUntil > this.#time.now || this.#network.isPartitioned(process, address.process);
        if (isDeaf) await process.delay(CONNECT_TIMEOUT_MS);
        if (isDeaf || !address.process.isAlive) throw new SyncError('connection-failed', 'Nobody answers.');
        const [near, far] = this.#network.connect(process, address.process);
        this.#time.after(0, address.process, () => {
          address.onConnection(far);
        });
        return near;
      },
      connectWithin: () => this.#network.connect(process, process),
      watch: (onHint): Disposable => disk.watch(process, onHint),
    };
  }

  // What people do.

  #scheduleSaving(): void {
    this.#time.after(this.#random.between(20, 1_500), undefined, () => {
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
    if (this.#troubles.includes('diskDoubt')) this.#disk.doubt = 0.1;
  }

  #scheduleTrouble(): void {
    this.#time.after(this.#random.between(50, 4_000), undefined, () => {
      if (this.#time.now >= HOSTILE_MS) return;
      if (this.#troubles.length > 0) this.#bring(this.#random.pick(this.#troubles));
      this.#scheduleTrouble();
    });
  }

  #bring(trouble: Trouble): void {
    this.#faults += 1;
    const peer = this.#random.pick(this.#peers);
    switch (trouble) {
      case 'kill': {
        // The leader as often as anybody else together, for that is where it hurts.
        const victim = this.#random.chance(0.5) ? (this.#leader() ?? peer) : peer;
        this.#kill(victim);
        if (this.#troubles.includes('stayDead')) return;
        this.#later(0, 8_000, () => {
          this.#start(victim);
        });
        return;
      }
      case 'restart':
        this.#close(peer);
        return;
      case 'powerCut':
        for (const each of this.#peers) this.#kill(each);
        for (const each of this.#peers)
          this.#later(500, 5_000, () => {
            this.#start(each);
          });
        return;
      case 'freeze':
        peer.process.frozenUntil = this.#time.now + this.#random.between(100, 25_000);
        return;
      case 'clockJump':
        peer.process.wallOffset += this.#random.pick([-3_600_000, 3_600_000, 86_400_000]);
        return;
      case 'partition': {
        const other = this.#random.pick(this.#peers);
        if (other === peer) return;
        this.#network.partition(peer.process.name, other.process.name);
        this.#later(100, 30_000, () => {
          this.#network.partitions.clear();
        });
        return;
      }
      case 'cut':
        this.#network.cutSome(() => this.#random.chance(0.5));
        return;
      case 'diskFull':
        this.#disk.isFull = true;
        this.#later(50, 10_000, () => {
          this.#disk.isFull = false;
        });
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

  #later(low: number, high: number, run: () => void): void {
    this.#time.after(this.#random.between(low, high), undefined, run);
  }

  #kill(peer: Peer): void {
    if (!peer.process.isAlive) return;
    peer.process.isAlive = false;
    peer.service = undefined;
    this.#disk.forget(peer.process);
    this.#network.forget(peer.process);
  }

  /** A window is closed and opened again. */
  #close(peer: Peer): void {
    const { service, process } = peer;
    if (service === undefined || process.frozenUntil > this.#time.now) return;
    service.dispose();
    void service.closed.then(() => {
      if (this.#disk.lockHolder === process) this.#fail('[ELE-03] a peer that has closed still holds the lock');
      process.isAlive = false;
      if (peer.process === process) peer.service = undefined;
      this.#disk.forget(process);
      this.#later(0, 3_000, () => {
        this.#start(peer);
      });
    });
  }

  #compact(): void {
    if (this.#disk.lockHolder === undefined) return;
    const keepUnits = this.#random.pick([1, 2_000]);
    void this.#disk.log.compact({ olderThan: 0, keepUnits });
  }

  /** Everything is off, somebody puts an old copy of the log back, everything is on again. */
  async #restore(): Promise<void> {
    this.#hasRestored = true;
    for (const each of this.#peers) this.#kill(each);
    await this.#disk.restore(this.#random.below(this.#disk.records.length + 1));
    this.#named.clear();
    for (const each of this.#peers)
      this.#later(500, 5_000, () => {
        this.#start(each);
      });
  }

  #heal(): void {
    this.#network.faults = { duplicate: 0, stall: 0, maxStallMs: 0, cut: 0 };
    this.#network.partitions.clear();
    this.#disk.isFull = false;
    this.#disk.doubt = 0;
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

  #leader(): Peer | undefined {
    return this.#peers.find((peer) => peer.process.isAlive && this.#disk.lockHolder === peer.process);
  }

  /** [I7] Nobody believes to lead without holding the lock. */
  #checkRoles(): void {
    const leaders = this.#peers.filter(
      ({ process, service }) => process.isAlive && service?.status.role === 'leader' && service.followers.length > 0,
    );
    if (leaders.length > 1) this.#fail('[I7] two peers lead');
    this.#checkSomebodyLeads();
    for (const { process } of leaders)
      if (this.#disk.lockHolder !== process) this.#fail('[I7] a peer leads without the lock');
  }

  /** [ELE-04] As long as somebody could lead, somebody does before long. */
  #checkSomebodyLeads(): void {
    const couldLead = this.#peers.some(
      ({ process, service }) => process.isAlive && service !== undefined && process.frozenUntil <= this.#time.now,
    );
    if (this.#disk.lockHolder !== undefined || !couldLead || this.#disk.isFull) this.#leaderlessSince = undefined;
    else this.#leaderlessSince ??= this.#time.now;
    const since = this.#leaderlessSince ?? this.#time.now;
    if (this.#time.now - since > MAX_LEADERLESS_MS) this.#fail('[ELE-04] nobody takes the free lock');
  }

  /** [I7] A place of the log is given once, without holes, in terms that never go back. */
  #checkDurable(records: readonly LogRecord[]): void {
    for (const { entry, heads } of records) {
      const place = String(entry.index);
      if (this.#named.has(place)) this.#fail(`[I7] index ${place} was given twice`);
      if (entry.index !== 1 && !this.#named.has(String(entry.index - 1)) && !this.#hasRestored)
        this.#fail(`[REP-07] there is a hole before ${place}`);
      this.#named.set(place, entry.proposalId);
      if (entry.term.number < this.#maxTerm && !this.#hasRestored) this.#fail('[I7] an older term has written');
      this.#maxTerm = Math.max(this.#maxTerm, entry.term.number);
      if (heads[0]?.hash !== entry.hash) this.#fail('[REP-04] head and entry disagree');
    }
    const ids = this.#disk.records.map(({ entry }) => entry.proposalId);
    if (new Set(ids).size !== ids.length) this.#fail('[REP-05] a proposal is in the log twice');
  }

  /** [I6] What a peer is told to be committed is on disk, there and nowhere else. */
  #checkCommitted(disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void {
    if (this.#disk.records[index - 1]?.entry.proposalId !== proposal.proposalId) {
      this.#fail(`[I6] ${disk.name} was told that ${proposal.proposalId} is at ${String(index)}, and it is not`);
    }
  }

  /** [REP-13] A replica gets the log's own entries, the next one each time, and stands where it believes to stand. */
  #checkApplied(disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void {
    const record = this.#disk.records[entry.index - 1];
    if (record?.entry.proposalId !== entry.proposalId)
      this.#fail(`[I7] ${disk.name} was given an entry that the log does not have`);
    else if (runningHash !== undefined && record.runningHash !== runningHash)
      this.#fail(`[REC-01] ${disk.name} computes another running hash`);
  }

  /** [I2] Every replica stands at the end of the log, its shadows are the heads, and its files are its shadows. */
  #isInStep(): boolean {
    const last = this.#disk.records.length;
    const runningHash = this.#disk.records.at(-1)?.runningHash ?? '';
    return this.#peers.every(
      ({ disk, process, service }) =>
        process.isAlive &&
        service?.status.connection === 'connected' &&
        disk.index === last &&
        disk.runningHash === runningHash &&
        [...disk.documents.values()].every(({ file, shadow, outbox }) => outbox === undefined && shadow?.text === file),
    );
  }

  #checkConverged(): void {
    if (!this.#isInStep()) {
      const states = this.#peers.map(({ disk, process, service }) => {
        const open = [...disk.documents].filter(
          ([, { file, shadow, outbox }]) => outbox !== undefined || shadow?.text !== file,
        );
        const role = process.isAlive
          ? `${service?.status.role ?? 'no role'}/${service?.status.connection ?? 'no service'}`
          : 'dead';
        return `${process.name} ${role} at ${String(disk.index)}, ${String(open.length)} documents open`;
      });
      this.#fail(
        `[I2] not in step after healing; log at ${String(this.#disk.records.length)}, lock ${this.#disk.lockHolder?.name ?? 'free'}; ${states.join('; ')}`,
      );
      return;
    }
    const texts = new Set(
      this.#peers.map(({ disk }) =>
        JSON.stringify([...disk.documents].map(([docId, { path, file }]) => [docId, path, file]).sort()),
      ),
    );
    if (texts.size !== 1) this.#fail('[I2] the replicas differ');
    this.#checkNothingLost();
    if (!this.#hasRestored) this.#checkNoEcho();
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
    if (lost.length > 0)
      this.#fail(
        `[I1] lost: ${lost.slice(0, LAST_ENTRY_SNIPPET).join(', ')}${lost.length > LAST_ENTRY_SNIPPET ? ' …' : ''}`,
      );
  }

  /** [I9] What somebody saved enters the log once; it does not come back as somebody else's change. */
  #checkNoEcho(): void {
    const entered = new Map<string, number>();
    const heads = new Map<DocId, ReadonlySet<string>>();
    for (const { entry } of this.#disk.records) {
      const before = entry.kind === 'create' ? new Set<string>() : (heads.get(entry.docId) ?? new Set<string>());
      const after = new Set(readKeyed(entry.patch[0]?.insert ?? '').values());
      for (const value of after) if (!before.has(value)) entered.set(value, (entered.get(value) ?? 0) + 1);
      heads.set(entry.docId, after);
    }
    for (const [value, times] of entered)
      if (times > 1) this.#fail(`[I9] ${value} entered the log ${String(times)} times`);
  }
}
