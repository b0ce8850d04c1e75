import { inOrder } from '../../core/replication/replicaChange.ts';
import type { ReplicaChange, ReplicaStore } from '../../core/replication/replicaStore.ts';

/**
 * One transaction of several documents: each brings its part in its own turn, and waits until all parts are on disk
 * together ([BLK-04]).
 */
export class SharedCommit {
  readonly #store: Pick<ReplicaStore, 'commit'>;
  readonly #common: ReplicaChange;
  readonly #parts: ReplicaChange[] = [];
  readonly #done = Promise.withResolvers<undefined>();
  #missing: number;

  /**
   * @param partCount how many documents take part; each calls `join` or `withdraw` once.
   * @param common what the transaction brings beside the documents' parts.
   */
  constructor(store: Pick<ReplicaStore, 'commit'>, partCount: number, common: ReplicaChange) {
    this.#store = store;
    this.#missing = partCount;
    this.#common = common;
    // Whoever brought a part hears of a failure, and so does whoever asks for `done`.
    this.#done.promise.catch(() => undefined);
  }

  /** Resolves when everything is durable; rejects where nothing of it is. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  join(part: ReplicaChange): Promise<void> {
    this.#parts.push(part);
    this.#countDown();
    return this.#done.promise;
  }

  /** The document is not served any more: it has no part. */
  withdraw(): void {
    this.#countDown();
  }

  /** A part could not be worked out: nothing is written. */
  fail(error: unknown): void {
    this.#done.reject(error);
  }

  #countDown(): void {
    this.#missing -= 1;
    if (this.#missing > 0) return;
    this.#store
      .commit(inOrder([this.#common, ...this.#parts]))
      .then(() => this.#done.resolve(undefined), this.#done.reject);
  }
}
