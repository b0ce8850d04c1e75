import type { Disposable } from '../../core/ports.ts';

/** Runs steps one after the other, in the order in which they came; what comes after `dispose` is not run. */
export class SerialQueue implements Disposable {
  readonly #onError: (error: unknown) => void;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isDisposed = false;

  /** @param onError hears of what a posted step rejects with; of a `run` step the caller hears. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** Resolves when everything that was asked for until now has run or was dropped. */
  get ended(): Promise<void> {
    return this.#last.then(() => undefined);
  }

  /** Runs the step in its turn; rejects as the step does, or when the queue was let go before. */
  run<T>(step: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const result = this.#last.then(() => {
      if (this.#isDisposed) throw new QueueClosedError('This document is no longer served.');
      return step();
    });
    const done = (): void => {
      this.#waiting -= 1;
    };
    // The next step runs whatever became of this one; its outcome is the caller's.
    this.#last = result.then(done, done);
    return result;
  }

  /** Like `run`, for what has no meaning any more once the queue was let go: then it is not run, and that is all. */
  async runIfServed(step: () => Promise<void>): Promise<void> {
    try {
      await this.run(step);
    } catch (error) {
      if (!(error instanceof QueueClosedError)) throw error;
    }
  }

  post(step: () => Promise<void>): void {
    if (this.#isDisposed) return;
    this.run(step).catch((error: unknown) => {
      if (!(error instanceof QueueClosedError)) this.#onError(error);
    });
  }

  dispose(): void {
    this.#isDisposed = true;
  }
}

/** The step was not run because its owner was let go. */
export class QueueClosedError extends Error {
  override readonly name = 'QueueClosedError';
}
