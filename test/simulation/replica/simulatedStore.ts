import type { DocId, LogIndex, ReplicaId, RevisionHash } from '../../../src/core/ids.ts';
import type {
  OutboxItem,
  ReplicaChange,
  ReplicaState,
  ReplicaStore,
  StoredDocument,
  SyncedPosition,
  WriteIntent,
} from '../../../src/core/replication/replicaStore.ts';
import { isInFile } from '../../../src/core/replication/replicaStore.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';

const MAX_COMMIT_MS = 3;

/** A moment at which a process may die. */
export type CrashPoint = (where: string) => void;

/** What of a replica's state is on disk: it survives every process. */
export class StoreDisk {
  readonly replicaId: ReplicaId;
  synced: SyncedPosition = { index: 0 as LogIndex, runningHash: '' };
  nextProposalNumber = 1;
  readonly documents = new Map<DocId, StoredDocument>();
  readonly outbox = new Map<string, OutboxItem>();
  readonly intents = new Map<DocId, WriteIntent>();
  /** Oldest first. */
  readonly shadows = new Map<DocId, RevisionHash[]>();
  /** With this probability a commit fails, and then nothing of it is on disk. */
  failing = 0;
  /** A document of this replica has met the library's for the first time. */
  onFirstContact: (document: StoredDocument) => void = () => undefined;

  constructor(name: string) {
    this.replicaId = `replica-${name}` as ReplicaId;
  }

  state(): ReplicaState {
    return {
      synced: this.synced,
      nextProposalNumber: this.nextProposalNumber,
      documents: [...this.documents.values()],
      outbox: [...this.outbox.values()],
      intents: [...this.intents.values()],
    };
  }

  /** As a backup has it. */
  copy(): StoreDisk {
    const copy = new StoreDisk('');
    copy.putBack(this);
    return copy;
  }

  /** What is on disk is an old copy, or nothing: the file was damaged, or a person has put a backup back. */
  putBack(copy: StoreDisk | undefined): void {
    const old = copy ?? new StoreDisk('');
    this.synced = old.synced;
    this.nextProposalNumber = old.nextProposalNumber;
    for (const table of ['documents', 'outbox', 'intents', 'shadows'] as const) {
      const rows = this[table] as Map<unknown, unknown>;
      rows.clear();
      for (const [key, row] of old[table]) rows.set(key, Array.isArray(row) ? [...(row as unknown[])] : row);
    }
  }

  apply(change: ReplicaChange): void {
    this.synced = change.synced ?? this.synced;
    this.nextProposalNumber = change.nextProposalNumber ?? this.nextProposalNumber;
    for (const document of change.putDocuments ?? []) {
      const isFirst = document.shadow !== undefined && this.documents.get(document.docId)?.shadow === undefined;
      this.documents.set(document.docId, document);
      this.#noteShadow(document);
      if (isFirst) this.onFirstContact(document);
    }
    for (const item of change.putOutbox ?? []) this.outbox.set(item.proposal.proposalId, item);
    for (const proposalId of change.removeOutbox ?? []) this.outbox.delete(proposalId);
    for (const intent of change.putIntents ?? []) this.intents.set(intent.docId, intent);
    for (const docId of change.removeIntents ?? []) this.intents.delete(docId);
    for (const docId of change.removeDocuments ?? []) this.documents.delete(docId);
  }

  #noteShadow(document: StoredDocument): void {
    if (!isInFile(document)) return;
    const { docId, shadow } = document;
    const known = this.shadows.get(docId) ?? [];
    if (known.at(-1) !== shadow.hash) known.push(shadow.hash);
    this.shadows.set(docId, known);
  }
}

/** The store as one process has it open: commits are on disk one after the other, each as a whole or not at all. */
export function openStore(disk: StoreDisk, process: SimulatedProcess, crash: CrashPoint): ReplicaStore {
  let last: Promise<void> = Promise.resolve();
  const commit = async (change: ReplicaChange): Promise<void> => {
    await process.delay(process.random.between(0, MAX_COMMIT_MS));
    if (process.random.chance(disk.failing)) throw new Error('SIMULATED: the state is not written');
    crash('before a commit');
    await process.delay(0);
    disk.apply(change);
    crash('after a commit');
    await process.delay(process.random.between(0, MAX_COMMIT_MS));
  };
  return {
    replicaId: disk.replicaId,
    load: async () => {
      await process.delay(process.random.between(0, MAX_COMMIT_MS));
      return disk.state();
    },
    commit: (change) => {
      const mine = last.then(() => commit(change));
      last = mine.catch(() => undefined);
      return mine;
    },
    formerShadows: async (docId) => {
      await process.delay(process.random.between(0, MAX_COMMIT_MS));
      return [...(disk.shadows.get(docId) ?? [])].reverse();
    },
    close: () => last,
  };
}
