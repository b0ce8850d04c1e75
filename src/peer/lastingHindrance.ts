import type { Disposable, Scheduler } from '../core/ports.ts';

/** Editors refresh git's index all the time, and it counts as work for half a second after that. */
const SHOWN_AFTER_MS = 1_000;

/** Tells a hindrance that a person should see from one that is over before anybody has read of it. */
export class LastingHindrance implements Disposable {
  readonly #scheduler: Scheduler;
  readonly #onDidChange: () => void;
  #isInTheWay = false;
  /** Set by the timer, and not read from a clock, which may be a fraction of a millisecond behind it: nobody looks again after that. */
  #hasLasted = false;
  #isAtOnce = false;
  #timer: Disposable | undefined;

  /** @param onDidChange called when it becomes lasting by the mere passing of time. */
  constructor(scheduler: Scheduler, onDidChange: () => void) {
    this.#scheduler = scheduler;
    this.#onDidChange = onDidChange;
  }

  get isLasting(): boolean {
    return this.#isInTheWay && (this.#isAtOnce || this.#hasLasted);
  }

  /** @param reason undefined where nothing is in the way. @param isAtOnce it does not pass by itself. */
  update(reason: string | undefined, isAtOnce: boolean): void {
    this.#isAtOnce = isAtOnce;
    if (reason === undefined) {
      this.dispose();
      return;
    }
    if (this.#isInTheWay) return;
    this.#isInTheWay = true;
    this.#timer = this.#scheduler.after(SHOWN_AFTER_MS, () => {
      this.#hasLasted = true;
      this.#onDidChange();
    });
  }

  dispose(): void {
    this.#isInTheWay = false;
    this.#hasLasted = false;
    this.#timer?.dispose();
    this.#timer = undefined;
  }
}
