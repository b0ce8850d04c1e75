import type { DocId, ReplicaId, RevisionHash } from '../../core/ids.ts';
import type { ReplicaChange, ReplicaState, ReplicaStore } from '../../core/replication/replicaStore.ts';
import { WorkerCalls } from '../worker/workerCalls.ts';
import type { ReplicaWorkerFunctions } from './replicaWorker.ts';

/** A replica's durable state in SQLite, in a worker thread. Whoever opens it holds the replica's lock. */
export class SqliteReplicaStore implements ReplicaStore {
  readonly replicaId: ReplicaId;
  readonly #calls: WorkerCalls<ReplicaWorkerFunctions>;
  readonly #waiting: ReplicaChange[] = [];
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** @param workerFile the worker's program: a bundle, or `replicaWorker.ts` itself where the source runs. */
  constructor(replicaId: ReplicaId, file: string, workerFile: string | URL) {
    this.replicaId = replicaId;
    this.#calls = new WorkerCalls<ReplicaWorkerFunctions>(workerFile, { file });
  }

  load(): Promise<ReplicaState> {
    return this.#calls.call('load');
  }

  /** Changes that come while a transaction is under way share the next one: one fsync for 3,000 documents, not 3,000. */
  commit(change: ReplicaChange): Promise<void> {
    this.#waiting.push(change);
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      const committed = this.#calls.call('commit', this.#waiting.splice(0));
      // Whoever committed hears of a failure; the next transaction is tried all the same.
      this.#current = committed.catch(() => undefined);
      return committed;
    });
    return this.#next;
  }

  formerShadows(docId: DocId): Promise<readonly RevisionHash[]> {
    return this.#calls.call('formerShadows', docId);
  }

  async close(): Promise<void> {
    try {
      await this.#calls.call('close');
    } finally {
      this.#calls.dispose();
    }
  }
}
