import type { Disposable, Scheduler } from '../core/ports.ts';

/** Says when a connection that is waited for has been waited for too long. */
export class ConnectionDeadline implements Disposable {
  readonly #scheduler: Scheduler;
  readonly #timeoutMs: number;
  readonly #onOverdue: () => void;
  #timer: Disposable | undefined;
  #isOverdue = false;

  constructor(scheduler: Scheduler, timeoutMs: number, onOverdue: () => void) {
    this.#scheduler = scheduler;
    this.#timeoutMs = timeoutMs;
    this.#onOverdue = onOverdue;
  }

  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** From now on a connection is waited for. False where that was so before: then the time runs on. */
  expect(): boolean {
    if (this.#timer !== undefined) return false;
    this.#timer = this.#scheduler.after(this.#timeoutMs, () => {
      this.#isOverdue = true;
      this.#onOverdue();
    });
    return true;
  }

  /** It is there. */
  met(): void {
    this.dispose();
    this.#isOverdue = false;
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }
}
