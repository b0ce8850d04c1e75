import type { BulkMemory } from '../../core/history/bulkMemory.ts';
import type { DocId, ReplicaId, RevisionHash } from '../../core/ids.ts';
import type { ReplicaChange, ReplicaState, ReplicaStore } from '../../core/replication/replicaStore.ts';
import { isErrorWithCode } from '../errorCode.ts';
import { WorkerCalls } from '../worker/workerCalls.ts';
import { REPLICA_DAMAGED } from './replicaDamaged.ts';
import type { ReplicaWorkerFunctions } from './replicaWorker.ts';

export interface SqliteReplicaStoreOptions {
  readonly replicaId: ReplicaId;
  readonly file: string;
  /** The worker's program: a bundle, or `replicaWorker.ts` itself where the source runs. */
  readonly workerFile: string | URL;
  /** The file has called itself damaged: it is read as a whole first. */
  readonly isSuspect: boolean;
  /** The file was damaged at the start, and a new one took its place ([REC-11]); called with the path that it has now. */
  readonly onPutAside: (file: string) => void;
  /** The file turns out to be damaged: nothing is recorded any more before it is opened anew. Called once. */
  readonly onDamaged: () => void;
}

/** A replica's durable state in SQLite, in a worker thread. Whoever opens it holds the replica's lock. */
export class SqliteReplicaStore implements ReplicaStore {
  readonly replicaId: ReplicaId;
  readonly #options: SqliteReplicaStoreOptions;
  readonly #calls: WorkerCalls<ReplicaWorkerFunctions>;
  #isDamaged = false;

  constructor(options: SqliteReplicaStoreOptions) {
    const { replicaId, file, workerFile, isSuspect } = options;
    this.replicaId = replicaId;
    this.#options = options;
    this.#calls = new WorkerCalls<ReplicaWorkerFunctions>(workerFile, { file, isSuspect });
  }

  async load(): Promise<ReplicaState> {
    const { putAside, ...state } = await this.#calls.call('load');
    if (putAside !== undefined) this.#options.onPutAside(putAside);
    return state;
  }

  commit(change: ReplicaChange): Promise<void> {
    return this.#use(this.#calls.call('commit', change));
  }

  formerShadows(docId: DocId): Promise<readonly RevisionHash[]> {
    return this.#use(this.#calls.call('formerShadows', docId));
  }

  /** What is remembered of bulks, in the same file. */
  readonly bulkMemory: BulkMemory = {
    remember: (bulk, parts) => this.#use(this.#calls.call('rememberBulk', bulk, parts)),
    partsOf: (id) => this.#use(this.#calls.call('partsOfBulk', id)),
    bulksOf: (docId) => this.#use(this.#calls.call('bulksOf', docId)),
  };

  async close(): Promise<void> {
    try {
      await this.#calls.call('close');
    } finally {
      this.#calls.dispose();
    }
  }

  async #use<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const isNews = !this.#isDamaged && isErrorWithCode(error, REPLICA_DAMAGED);
      this.#isDamaged ||= isNews;
      if (isNews) this.#options.onDamaged();
      throw error;
    }
  }
}
