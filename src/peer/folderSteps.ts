import type { Logger } from '../core/ports.ts';

/** The steps that change what a folder serves (joining, starting, stopping), which never overlap. */
export class FolderSteps {
  readonly #logger: Logger;
  #last: Promise<unknown> = Promise.resolve();
  #givingUp = new AbortController();
  #isEnding = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Runs the step in its turn; rejects as it does. @param step given up by its signal, however long it would wait. */
  run<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#givingUp;
    const result = this.#last.then(() => step(signal));
    // The next step runs whatever became of this one; its outcome is the caller's.
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** The same of a step that ends what the ones before it would begin: nothing waits for those any more. */
  endWith<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#givingUp.abort();
    this.#givingUp = new AbortController();
    return this.run(step);
  }

  /** Runs a step that nobody waits for. */
  runInBackground(step: (signal: AbortSignal) => Promise<unknown>): void {
    this.#logFailure(this.run(step));
  }

  /** The last step of all, which lets go of what is served; what fails from then on has nobody to tell any more. */
  end(step: () => Promise<void>): void {
    this.#isEnding = true;
    this.#logFailure(this.endWith(step));
  }

  /** Resolves when everything that was begun has ended. */
  async ended(): Promise<void> {
    await this.#last;
  }

  #logFailure(step: Promise<unknown>): void {
    step.catch((error: unknown) => {
      if (!this.#isEnding) this.#logger.error('Following the folder failed.', { error: String(error) });
    });
  }
}
