import type { LibraryId, PeerId } from '../../../src/core/ids.ts';
import type { MergeOptions } from '../../../src/core/merge/types.ts';
import type { Logger } from '../../../src/core/ports.ts';
import { bulkEdits } from '../../../src/core/replication/bulkEntry.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import type { LibraryLink } from '../../../src/core/replication/libraryLink.ts';
import type { DocumentStatus } from '../../../src/peer/folderSession.ts';
import { Replica } from '../../../src/peer/replica/replica.ts';
import { SyncService } from '../../../src/peer/syncService.ts';
import type { SeededRandom } from '../seededRandom.ts';
import type { SimulatedDisk } from '../simulatedDisk.ts';
import { hostOf } from '../simulatedHost.ts';
import type { SimulatedNetwork } from '../simulatedNetwork.ts';
import { SimulatedProcess } from '../simulatedProcess.ts';
import type { VirtualTime } from '../virtualTime.ts';
import { createInlineMerger } from './inlineMerger.ts';
import { KeptBulks } from './keptBulks.ts';
import { SimulatedFolder } from './simulatedFolder.ts';
import { tokensOf } from './tokens.ts';
import { openStore, StoreDisk } from './simulatedStore.ts';

const LIBRARY = 'library-1' as LibraryId;
/** Work that began before a pause or a hindrance may still come to its end for so long. */
const GRACE_MS = 30;

/** The machine that all peers of a simulation share. */
export interface Machine {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  /** What the people have chosen for two raised versions; they are asked if nothing is said. */
  readonly infoVersion?: NonNullable<MergeOptions['infoVersion']>;
  /** More edits than these in one burst are one entry. */
  readonly bulkDocuments?: number;
  /** Whether a peer dies at this moment of its work. */
  shouldCrash(where: string): boolean;
  mergeMs(): number;
  /** Whether the log has been compacted since it began. */
  hasForgotten(): boolean;
  /** A peer's program has written a file. */
  onWritten(peer: SimulatedPeer, path: string, before: string | undefined, after: string): void;
  /** A peer's program has given a file another place. */
  onMoved(peer: SimulatedPeer, from: string, to: string): void;
  /** A peer has died at a moment that `shouldCrash` chose. */
  onDied(peer: SimulatedPeer): void;
  note(what: string): void;
  fail(what: string): void;
}

/** One window: a folder and a replica's state that outlive the processes which serve them. */
export class SimulatedPeer {
  readonly name: string;
  readonly folder: SimulatedFolder;
  readonly store: StoreDisk;
  /** Documents in which this person has decided something by hand that may bring old text back. */
  readonly decided = new Set<string>();
  /** What this person's copies had before they met the library's: nobody knows whether others have removed it since. */
  readonly brought = new Set<string>();
  /** Since when nothing may be sent or written because the person said so. */
  pausedSince: number | undefined;
  readonly #machine: Machine;
  readonly #bulks = new KeptBulks();
  #process: SimulatedProcess | undefined;
  #replica: Replica | undefined;
  #service: SyncService | undefined;
  #isStarted = false;
  #starts = 0;

  constructor(name: string, machine: Machine) {
    this.name = name;
    this.#machine = machine;
    this.store = new StoreDisk(name);
    this.store.onFirstContact = ({ localPath }) => {
      for (const token of tokensOf(this.folder.text(localPath ?? '') ?? '')) this.brought.add(token);
    };
    this.folder = new SimulatedFolder(name, {
      onWriting: (path) => {
        this.#checkPermit(`writes ${path}`);
      },
      onWritten: (path, before, after) => {
        if (this.folder.buffers.has(path)) this.#fail(`wrote beneath the unsaved buffer of ${path}`);
        machine.onWritten(this, path, before, after);
      },
      onMoved: (from, to) => {
        machine.onMoved(this, from, to);
      },
      fail: (what) => {
        this.#fail(what);
      },
    });
  }

  get isAlive(): boolean {
    return this.#process?.isAlive ?? false;
  }

  get process(): SimulatedProcess | undefined {
    return this.#process;
  }

  /** The replica, when it is at work. */
  get replica(): Replica | undefined {
    return this.isAlive && this.#isStarted ? this.#replica : undefined;
  }

  get service(): SyncService | undefined {
    return this.isAlive ? this.#service : undefined;
  }

  documentAt(path: string): DocumentStatus | undefined {
    return this.replica?.documents.find((document) => document.path === path);
  }

  /** Starts a process for the folder if there is none; one that cannot open its state is tried again later. */
  start(): void {
    if (this.isAlive) return;
    this.#starts += 1;
    const { time, random } = this.#machine;
    const process = new SimulatedProcess(`${this.name}.${String(this.#starts)}`, time, random, this.#logger());
    this.#process = process;
    this.#isStarted = false;
    this.#replica = undefined;
    this.#service = undefined;
    this.pausedSince = undefined;
    this.#machine.note(`${this.name} starts`);
    this.#serve(process).catch((error: unknown) => {
      if (!String(error).includes('SIMULATED')) this.#fail(`could not start: ${String(error)}`);
      this.kill();
      time.after(1_000, undefined, () => {
        this.start();
      });
    });
  }

  /** kill -9: what is not on disk is gone. */
  kill(): void {
    if (this.#process?.isAlive !== true) return;
    this.#process.isAlive = false;
    this.#machine.disk.forget(this.#process);
    this.#machine.network.forget(this.#process);
  }

  /** The window is closed in peace. */
  close(then: () => void): void {
    const process = this.#process;
    const service = this.#service;
    if (this.replica === undefined || service === undefined || process === undefined) return;
    this.#isStarted = false;
    this.#replica?.dispose();
    service.dispose();
    void service.closed.then(() => {
      if (this.#process !== process) return;
      this.kill();
      then();
    });
  }

  pause(): void {
    if (this.pausedSince !== undefined || this.replica === undefined) return;
    this.replica.pause();
    this.pausedSince = this.#machine.time.now;
  }

  resume(): void {
    if (this.pausedSince === undefined) return;
    this.pausedSince = undefined;
    this.replica?.resume();
  }

  async #serve(process: SimulatedProcess): Promise<void> {
    const { disk, network } = this.#machine;
    const crash = (where: string): void => {
      if (process.isAlive && this.#machine.shouldCrash(where)) {
        this.#machine.note(`${this.name} dies ${where}`);
        this.kill();
        this.#machine.onDied(this);
      }
    };
    const view = this.folder.open(process, crash);
    const replica = await Replica.open({
      ambient: process.ambient,
      runName: String(this.#starts),
      files: view.files,
      store: openStore(this.store, process, crash),
      merger: createInlineMerger(process, () => this.#machine.mergeMs()),
      reader: view.reader,
      guard: view.guard,
      watcher: view.watcher,
      layout: view.layout,
      bulkDocuments: this.#machine.bulkDocuments ?? 20,
      bulkOrigin: () => Promise.resolve({ reason: 'generator' }),
      bulkMemory: this.#bulks,
      infoVersion: this.#machine.infoVersion ?? 'ask',
      discover: () => view.discover(),
      inspect: () => Promise.resolve('unclear'),
    });
    this.#replica = replica;
    const host = hostOf(process, disk, network, {
      maxOpenMs: 60,
      connectsToFrozen: true,
      fail: (what) => {
        this.#fail(what);
      },
    });
    const service = await SyncService.startOn(host, {
      libraryId: LIBRARY,
      peer: { peerId: process.name as PeerId, name: this.name, folderName: this.name },
      sink: replica,
      ambient: process.ambient,
    });
    this.#service = service;
    await replica.start(this.#watched(service));
    this.#isStarted = true;
  }

  /** The link, with an eye on what is sent. */
  #watched(service: SyncService): LibraryLink {
    const sent = new Set([...this.store.outbox.keys()]);
    const check = (proposal: Proposal): void => {
      // What is sent again was said while it was allowed.
      if (!sent.has(proposal.proposalId)) this.#checkPermit(`proposes ${proposal.proposalId}`);
      sent.add(proposal.proposalId);
      const isNewName = proposal.kind === 'rename' && proposal.path !== proposal.basePath;
      if (proposal.hash === proposal.baseHash && !isNewName) this.#fail(`[I9] proposes what the library has already`);
      const stored = this.store.outbox.get(proposal.proposalId);
      if (stored === undefined) this.#fail('proposes what is not in its outbox');
    };
    return {
      get status() {
        return service.status;
      },
      onDidChangeStatus: service.onDidChangeStatus,
      propose: (proposal, source, purpose) => {
        check(proposal);
        return service.propose(proposal, source, purpose);
      },
      proposeBulk: (bulk, source) => {
        for (const edit of bulkEdits(bulk)) check(edit);
        return service.proposeBulk(bulk, source);
      },
      fetchHeads: () => service.fetchHeads(),
      fetchRevision: (docId, hash, purpose) => service.fetchRevision(docId, hash, purpose),
      fetchHistory: (docId, limit, purpose) => service.fetchHistory(docId, limit, purpose),
      dispose: () => undefined,
    };
  }

  #checkPermit(what: string): void {
    const { now } = this.#machine.time;
    if (this.pausedSince !== undefined && now - this.pausedSince > GRACE_MS) this.#fail(`${what} while it is paused`);
    const { hindrance, hinderedSince } = this.folder;
    if (hindrance !== undefined && now - hinderedSince > GRACE_MS) this.#fail(`${what} while ${hindrance.reason}`);
  }

  #fail(what: string): void {
    this.#machine.fail(`${this.name} ${what}`);
  }

  #logger(): Logger {
    const nothing = (): void => undefined;
    return {
      trace: nothing,
      debug: nothing,
      info: nothing,
      warn: (message, fields) => {
        if (message.includes('does not come to rest')) this.#fail(`${message} ${JSON.stringify(fields ?? {})}`);
      },
      error: (message, fields) => {
        const said = `${message} ${JSON.stringify(fields ?? {})}`;
        // Who is being closed takes nothing more in; the entry is offered to the next process.
        const isClosing = !this.#isStarted && said.includes('no longer served');
        // The head was followed by another and forgotten before its text was asked for: the next heads name one that is there.
        const isForgotten = this.#machine.hasForgotten() && said.includes('does not give the revision that it names');
        if (!isClosing && !isForgotten && !/SIMULATED|log-unavailable|closed/.test(said)) this.#fail(said);
      },
    };
  }
}
