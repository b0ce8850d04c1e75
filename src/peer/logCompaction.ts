import type { Ambient, Disposable } from '../core/ports.ts';
import { describeError } from '../core/replication/syncError.ts';
import type { TransactionManager } from '../core/replication/transactionManager.ts';

/** How much history a library keeps. */
export interface Retention {
  /** In milliseconds, counted back from the newest entry, or from now where that is earlier: a clock that was wrong once forgets nothing. */
  readonly ageMs: number;
  /** In UTF-16 units of entries. */
  readonly units: number;
}

const DAY_MS = 24 * 3_600_000;
const UNITS_PER_MEGABYTE = 1024 * 1024;

/** How people say it. */
export function retentionOf(days: number, megabytes: number): Retention {
  return { ageMs: days * DAY_MS, units: megabytes * UNITS_PER_MEGABYTE };
}

/** The first compaction waits until those that were away have had a chance to come back. */
const FIRST_COMPACTION_MS = 60_000;
const COMPACTION_INTERVAL_MS = 3_600_000;

const NOTHING = { index: 0, at: 0 };

/** Looks through a log for what is too old, every hour. */
export class LogCompaction implements Disposable {
  readonly #transactions: TransactionManager;
  readonly #retention: Retention;
  readonly #ambient: Ambient;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(transactions: TransactionManager, retention: Retention, ambient: Ambient) {
    this.#transactions = transactions;
    this.#retention = retention;
    this.#ambient = ambient;
    this.#schedule(FIRST_COMPACTION_MS);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#ambient.scheduler.after(delayMs, () => {
      void this.#compact().finally(() => {
        if (!this.#isDisposed) this.#schedule(COMPACTION_INTERVAL_MS);
      });
    });
  }

  async #compact(): Promise<void> {
    const newest = this.#transactions.heads().reduce((one, other) => (other.index > one.index ? other : one), NOTHING);
    const until = Math.min(newest.at, this.#ambient.clock.wallNow());
    try {
      const horizon = await this.#transactions.compact({
        olderThan: until - this.#retention.ageMs,
        keepUnits: this.#retention.units,
      });
      this.#ambient.logger.debug('The log has been looked through for what is too old', { horizon });
    } catch (error) {
      // Nothing is lost by keeping more than we have to; the next time may work.
      this.#ambient.logger.warn('The log could not be compacted', { error: describeError(error) });
    }
  }
}
