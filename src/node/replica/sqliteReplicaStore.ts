import type { BulkMemory } from '../../core/history/bulkMemory.ts';
import type { DocId, ReplicaId, RevisionHash } from '../../core/ids.ts';
import type { ReplicaChange, ReplicaState, ReplicaStore } from '../../core/replication/replicaStore.ts';
import { WorkerCalls } from '../worker/workerCalls.ts';
import type { ReplicaWorkerFunctions } from './replicaWorker.ts';

/** A replica's durable state in SQLite, in a worker thread. Whoever opens it holds the replica's lock. */
export class SqliteReplicaStore implements ReplicaStore {
  readonly replicaId: ReplicaId;
  readonly #calls: WorkerCalls<ReplicaWorkerFunctions>;

  /** @param workerFile the worker's program: a bundle, or `replicaWorker.ts` itself where the source runs. */
  constructor(replicaId: ReplicaId, file: string, workerFile: string | URL) {
    this.replicaId = replicaId;
    this.#calls = new WorkerCalls<ReplicaWorkerFunctions>(workerFile, { file });
  }

  load(): Promise<ReplicaState> {
    return this.#calls.call('load');
  }

  commit(change: ReplicaChange): Promise<void> {
    return this.#calls.call('commit', change);
  }

  formerShadows(docId: DocId): Promise<readonly RevisionHash[]> {
    return this.#calls.call('formerShadows', docId);
  }

  /** What is remembered of bulks, in the same file. */
  readonly bulkMemory: BulkMemory = {
    remember: (bulk, parts) => this.#calls.call('rememberBulk', bulk, parts),
    partsOf: (id) => this.#calls.call('partsOfBulk', id),
    bulksOf: (docId) => this.#calls.call('bulksOf', docId),
  };

  async close(): Promise<void> {
    try {
      await this.#calls.call('close');
    } finally {
      this.#calls.dispose();
    }
  }
}
