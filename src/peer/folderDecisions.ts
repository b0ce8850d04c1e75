import { join } from 'node:path';
import type { LibraryId, ReplicaId } from '../core/ids.ts';
import type { Random } from '../core/ports.ts';
import {
  readFolderRecord,
  withReplica,
  writeFolderRecord,
  type FolderRecord,
  type ReplicaRecord,
} from '../node/folders/folderRecord.ts';
import { ExclusiveLock } from '../node/lock/exclusiveLock.ts';
import { removeUnderLock } from '../node/lock/removeUnderLock.ts';

/** Where a replica keeps its state. */
export function replicaDirectory(stateDir: string, replicaId: ReplicaId): string {
  return join(stateDir, 'replicas', replicaId);
}

/** Who holds it serves the replica, and is the only one who may delete its state. */
export function replicaLock(directory: string): ExclusiveLock {
  return new ExclusiveLock(join(directory, 'replica.lock'));
}

/**
 * What people decided for one workspace folder, in this window or another one: so it is read again before each change
 * (docs/decisions/0002).
 */
export class FolderDecisions {
  readonly #stateDir: string;
  readonly #random: Random;
  #record: FolderRecord;

  private constructor(stateDir: string, random: Random, record: FolderRecord) {
    this.#stateDir = stateDir;
    this.#random = random;
    this.#record = record;
  }

  static async open(stateDir: string, folder: string, random: Random): Promise<FolderDecisions> {
    return new FolderDecisions(stateDir, random, await readFolderRecord(stateDir, folder));
  }

  /** As it was read last. */
  get record(): FolderRecord {
    return this.#record;
  }

  get hasConsent(): boolean {
    return this.#record.replicas.length > 0;
  }

  replicaOn(branch: string): ReplicaRecord | undefined {
    return this.#record.replicas.find((replica) => replica.branch === branch);
  }

  async read(): Promise<FolderRecord> {
    this.#record = await readFolderRecord(this.#stateDir, this.#record.folder);
    return this.#record;
  }

  neverHere(): Promise<void> {
    return this.#update((record) => ({ ...record, isNever: true }));
  }

  join(joined: Omit<ReplicaRecord, 'replicaId' | 'isPaused'>): Promise<void> {
    return this.#update((record) => withReplica(record, joined, this.#random.uuid() as ReplicaId));
  }

  /** The replica's state stays for when the folder joins again; Forget deletes it. */
  leave({ replicaId }: ReplicaRecord): Promise<void> {
    return this.#update((record) => ({
      ...record,
      replicas: record.replicas.filter((one) => one.replicaId !== replicaId),
      left: [...record.left, ...record.replicas.filter((one) => one.replicaId === replicaId)],
    }));
  }

  setPaused(replicaId: ReplicaId, isPaused: boolean): Promise<void> {
    return this.#update((record) => ({
      ...record,
      replicas: record.replicas.map((one) => (one.replicaId === replicaId ? { ...one, isPaused } : one)),
    }));
  }

  /** Nothing of the library is remembered here any more. Answers the replicas whose state is without an owner now. */
  async forget(libraryId: LibraryId): Promise<readonly ReplicaId[]> {
    const { replicas, left } = await this.read();
    const isOther = (one: ReplicaRecord): boolean => one.libraryId !== libraryId;
    await this.#update((record) => ({
      ...record,
      replicas: record.replicas.filter(isOther),
      left: record.left.filter(isOther),
    }));
    return [...replicas, ...left].filter((one) => !isOther(one)).map((one) => one.replicaId);
  }

  /** Deletes a replica's state, if nobody serves it. */
  async deleteState(replicaId: ReplicaId): Promise<void> {
    const directory = replicaDirectory(this.#stateDir, replicaId);
    await removeUnderLock(directory, replicaLock(directory));
  }

  async #update(change: (record: FolderRecord) => FolderRecord): Promise<void> {
    const record = change(await this.read());
    await writeFolderRecord(this.#stateDir, record);
    this.#record = record;
  }
}
