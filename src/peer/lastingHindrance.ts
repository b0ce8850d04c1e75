import type { Clock, Disposable, Scheduler } from '../core/ports.ts';

/** Editors refresh git's index all the time, and it counts as work for half a second after that. */
const SHOWN_AFTER_MS = 1_000;

/** Tells a hindrance that a person should see from one that is over before anybody has read of it. */
export class LastingHindrance implements Disposable {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onDidChange: () => void;
  #since: number | undefined;
  #isAtOnce = false;
  #timer: Disposable | undefined;

  /** @param onDidChange called when it becomes lasting by the mere passing of time. */
  constructor(clock: Clock, scheduler: Scheduler, onDidChange: () => void) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#onDidChange = onDidChange;
  }

  get isLasting(): boolean {
    return this.#since !== undefined && (this.#isAtOnce || this.#clock.monotonicNow() - this.#since >= SHOWN_AFTER_MS);
  }

  /** @param reason undefined where nothing is in the way. @param isAtOnce it does not pass by itself. */
  update(reason: string | undefined, isAtOnce: boolean): void {
    this.#isAtOnce = isAtOnce;
    if (reason === undefined) {
      this.dispose();
      return;
    }
    if (this.#since !== undefined) return;
    this.#since = this.#clock.monotonicNow();
    this.#timer = this.#scheduler.after(SHOWN_AFTER_MS, this.#onDidChange);
  }

  dispose(): void {
    this.#since = undefined;
    this.#timer?.dispose();
    this.#timer = undefined;
  }
}
