import { compareTerms } from '../../src/core/ids.ts';
import type { LogIndex, PeerId, ProposalId, Term } from '../../src/core/ids.ts';
import type { Connection } from '../../src/core/replication/connection.ts';
import type { LogEntry } from '../../src/core/replication/entry.ts';
import { MemoryReplicatedLog } from '../../src/core/replication/memoryReplicatedLog.ts';
import type {
  LogPosition,
  LogRecord,
  LogReplacement,
  ReplicatedLog,
} from '../../src/core/replication/replicatedLog.ts';
import { SyncError } from '../../src/core/replication/syncError.ts';
import type { HostedLog } from '../../src/peer/syncHost.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';

/** What an append takes before and after it is durable, in milliseconds. */
const MAX_WRITE_MS = 4;
const MAX_READ_MS = 1;

export interface PublishedAddress {
  readonly process: SimulatedProcess;
  readonly onConnection: (connection: Connection) => void;
}

/** The folder of one library on one machine: what is on it survives every process. */
export class SimulatedDisk {
  log = new MemoryReplicatedLog();
  /** Everything that was ever durable in the present log, for restoring an earlier state of it. */
  records: LogRecord[] = [];
  /** Where the present log ends. */
  last: LogPosition = { index: 0 as LogIndex, runningHash: '' };
  /** How many entries gave way to another host's. */
  readonly setAside: LogEntry[] = [];
  termNumber = 0;
  lockHolder: SimulatedProcess | undefined;
  address: PublishedAddress | undefined;
  /** Writes fail while it is full. */
  isFull = false;
  /** What a reading may take, in milliseconds. */
  maxReadMs = MAX_READ_MS;
  /** With this probability a write is durable and reported as failed, or the other way round. */
  doubt = 0;
  onDurable: (records: readonly LogRecord[]) => void = () => undefined;
  /** Entries gave way to another host's log, of which these are left. */
  onSetAside: (setAside: readonly LogEntry[], kept: readonly LogRecord[]) => void = () => undefined;
  /** What is set aside and was not dealt with yet is now this. */
  onOrphans: (orphans: readonly LogEntry[]) => Promise<void> = () => Promise.resolve();
  /** A process begins to lead in this term, and knows it: where the disk gave no answer, it does not lead. */
  onRaised: (term: Term) => void = () => undefined;
  /** A process follows another host's leader: the log goes back, takes over a state, or takes an entry in. */
  onFollowed: (process: SimulatedProcess, term: Term | undefined) => void = () => undefined;
  readonly #hints = new Map<SimulatedProcess, () => void>();

  /** Puts the log back to what a backup held; only while nobody has it open. */
  async restore(recordCount: number): Promise<void> {
    const kept = this.records.slice(0, recordCount);
    const termNumber = kept.at(-1)?.entry.term.number ?? 0;
    this.log = new MemoryReplicatedLog();
    this.records = kept;
    const term = await this.log.raiseTerm('backup' as PeerId, Math.max(0, termNumber - 1));
    await this.log.append(kept, 0 as LogIndex, term);
    this.last = (await this.log.state()).last;
  }

  publish(address: PublishedAddress | undefined): void {
    this.address = address;
    for (const [process, hint] of this.#hints) process.time.after(process.random.between(0, 5), process, hint);
  }

  watch(process: SimulatedProcess, hint: () => void): { dispose: () => void } {
    this.#hints.set(process, hint);
    return { dispose: () => this.#hints.delete(process) };
  }

  /** The operating system takes back what a dead process held; its published address stays. */
  forget(process: SimulatedProcess): void {
    if (this.lockHolder === process) this.lockHolder = undefined;
    this.#hints.delete(process);
  }

  /** The log as one process has it open. */
  open(process: SimulatedProcess): HostedLog {
    const { log } = this;
    let isClosed = false;
    const stopped = Promise.withResolvers<undefined>();
    const read = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isClosed) throw new SyncError('closed', 'The log is closed.');
      await process.delay(process.random.between(0, this.maxReadMs));
      return await work();
    };
    const write = async <T>(work: () => Promise<T>): Promise<T> => {
      if (isClosed) throw new SyncError('closed', 'The log is closed.');
      if (this.lockHolder !== process) throw new Error(`${process.name} writes the log without holding the lock.`);
      await process.delay(process.random.between(0, MAX_WRITE_MS));
      if (this.isFull) throw new SyncError('log-unavailable', 'The disk is full.');
      const isDoubtful = process.random.chance(this.doubt);
      if (isDoubtful && process.random.chance(0.5)) throw new SyncError('log-unavailable', 'The disk did not answer.');
      const value = await work();
      await process.delay(process.random.between(0, MAX_WRITE_MS));
      if (isDoubtful) throw new SyncError('log-unavailable', 'The disk did not answer.');
      return value;
    };
    const opened: ReplicatedLog = {
      state: () => read(() => log.state()),
      heads: () => read(() => log.heads()),
      findProposals: (ids) => read(() => log.findProposals(ids)),
      entries: (since, limit) => read(() => log.entries(since, limit)),
      runningHashAt: (index) => read(() => log.runningHashAt(index)),
      headText: (docId) => read(() => log.headText(docId)),
      revisionText: (docId, hash) => read(() => log.revisionText(docId, hash)),
      history: (docId, limit) => read(() => log.history(docId, limit)),
      raiseTerm: async (leaderId, above) => {
        const term = await write(() => this.#raiseTerm(leaderId, above));
        this.onRaised(term);
        return term;
      },
      append: (records, after, term) => write(() => this.#append(process, records, after, term)),
      compact: (policy) => write(() => log.compact(policy)),
      adoptTerm: (term) => write(() => log.adoptTerm(term)),
      rewind: (to) => write(() => this.#rewind(process, to)),
      replace: (replacement) => write(() => this.#replace(process, replacement)),
      orphans: (limit) => read(() => log.orphans(limit)),
      forgetOrphans: (ids) => write(() => this.#forgetOrphans(ids)),
      skeleton: (since, limit) => read(() => log.skeleton(since, limit)),
      close: () => {
        isClosed = true;
        stopped.resolve(undefined);
        return Promise.resolve();
      },
    };
    return { ...opened, whenStopped: () => stopped.promise.then(() => undefined) };
  }

  async #append(process: SimulatedProcess, records: readonly LogRecord[], after: LogIndex, term: Term): Promise<void> {
    await this.log.append(records, after, term);
    if (records.some(({ entry }) => compareTerms(entry.term, term) !== 0)) this.onFollowed(process, term);
    this.records.push(...records);
    this.last = (await this.log.state()).last;
    this.onDurable(records);
  }

  async #rewind(process: SimulatedProcess, to: LogIndex): Promise<void> {
    await this.log.rewind(to);
    this.onFollowed(process, (await this.log.state()).term);
    await this.#cut(to);
  }

  async #cut(to: LogIndex): Promise<void> {
    const kept = this.records.filter(({ entry }) => entry.index <= to);
    const setAside = this.records.slice(kept.length).map(({ entry }) => entry);
    this.setAside.push(...setAside);
    this.records = kept;
    this.onSetAside(setAside, kept);
    this.last = (await this.log.state()).last;
    await this.#tellOrphans();
  }

  async #forgetOrphans(proposalIds: readonly ProposalId[]): Promise<void> {
    await this.log.forgetOrphans(proposalIds);
    await this.#tellOrphans();
  }

  async #tellOrphans(): Promise<void> {
    await this.onOrphans(await this.log.orphans(Infinity));
  }

  /** What replaces the log are no entries; the records of the shared part stay. */
  async #replace(process: SimulatedProcess, replacement: LogReplacement): Promise<void> {
    await this.log.replace(replacement);
    this.onFollowed(process, (await this.log.state()).term);
    await this.#cut(replacement.shared);
  }

  async #raiseTerm(leaderId: PeerId, above: number): Promise<Term> {
    const term = await this.log.raiseTerm(leaderId, above);
    this.termNumber = term.number;
    return term;
  }
}
