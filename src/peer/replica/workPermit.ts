import type { Event } from '../../core/event.ts';
import { Emitter } from '../../core/event.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import type { Hindrance, WorkGuard } from './replicaPorts.ts';

/** Whether a replica may send and write now: not paused by the person, not hindered by git. */
export class WorkPermit implements Disposable {
  readonly #ambient: Ambient;
  readonly #guard: WorkGuard & { readonly onMayHaveChanged: Event<void> };
  readonly #subscription: Disposable;
  readonly #changed: Emitter<{ readonly isFreeAgain: boolean }>;
  #isPaused = false;
  #hindranceCount = 0;
  #hindrance: Hindrance | undefined;
  #recheck: Disposable | undefined;
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<boolean> | undefined;
  #isDisposed = false;

  constructor(ambient: Ambient, guard: WorkGuard & { readonly onMayHaveChanged: Event<void> }) {
    this.#ambient = ambient;
    this.#guard = guard;
    this.#changed = new Emitter((error) =>
      ambient.logger.error('A listener of the work permit failed.', { error: String(error) }),
    );
    this.#subscription = guard.onMayHaveChanged(() => this.#look());
  }

  /** Fires when the answer may be another one; `isFreeAgain` when work that was held back can go on. */
  get onDidChange(): Event<{ readonly isFreeAgain: boolean }> {
    return this.#changed.event;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Why nothing is sent or written although it is not paused. */
  get hindrance(): string | undefined {
    return this.#hindrance?.reason;
  }

  /** How many hindrances are over: what was read in one may be another branch's. */
  get hindranceCount(): number {
    return this.#hindranceCount;
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#changed.fire({ isFreeAgain: !isPaused && this.#hindrance === undefined });
  }

  /**
   * Asks git's files anew: nothing else is fresh enough to write by. Those who ask while somebody else's question is under
   * way share the next one, so that 3,000 documents at once cost two looks and not 3,000.
   */
  check(): Promise<boolean> {
    this.#next ??= this.#current.then(() => {
      this.#next = undefined;
      const asked = this.#ask();
      // Whoever asked hears of a failure; the next question is asked all the same.
      this.#current = asked.catch(() => undefined);
      return asked;
    });
    return this.#next;
  }

  async #ask(): Promise<boolean> {
    const before = this.#hindrance?.reason;
    const hindrance = await this.#guard.check();
    this.#hindrance = hindrance;
    if (before !== undefined && hindrance === undefined) this.#hindranceCount += 1;
    if (hindrance?.settlesInMs !== undefined && this.#recheck === undefined && !this.#isDisposed) {
      this.#recheck = this.#ambient.scheduler.after(hindrance.settlesInMs, () => {
        this.#recheck = undefined;
        this.#look();
      });
    }
    if (before !== hindrance?.reason) {
      // Git refreshes its index all the time; only the end of something that kept us from working is news.
      this.#changed.fire({ isFreeAgain: hindrance === undefined && !this.#isPaused });
    }
    return !this.#isPaused && hindrance === undefined;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#subscription.dispose();
    this.#recheck?.dispose();
    this.#changed.dispose();
  }

  #look(): void {
    this.check().catch((error: unknown) =>
      this.#ambient.logger.error('The state of git could not be read.', { error: String(error) }),
    );
  }
}
