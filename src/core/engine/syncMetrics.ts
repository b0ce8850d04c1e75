/** What an engine has done since it was made. */
export interface SyncEngineMetrics {
  /** Jobs that have ended; retries of one job are one sync. */
  readonly totalSyncs: number;
  readonly successfulSyncs: number;
  readonly failedSyncs: number;
  /** Mean time of the attempts that ended a job, in milliseconds; 0 where none has. */
  readonly averageSyncTime: number;
  /** Jobs that run now. */
  readonly activeJobs: number;
  /** Jobs that wait: for their time, their turn, their document or their server. */
  readonly queueLength: number;
  readonly lastSyncTime: Date | undefined;
  /** Milliseconds since the engine was started; 0 while it is stopped. */
  readonly uptime: number;
}

/** Counts what ended; a mean, so that it does not grow. */
export class SyncCounts {
  #successful = 0;
  #failed = 0;
  #totalMs = 0;
  #lastAt: number | undefined;

  ended(isSuccess: boolean, durationMs: number, wallNow: number): void {
    if (isSuccess) this.#successful += 1;
    else this.#failed += 1;
    this.#totalMs += durationMs;
    this.#lastAt = wallNow;
  }

  get counts(): Pick<
    SyncEngineMetrics,
    'totalSyncs' | 'successfulSyncs' | 'failedSyncs' | 'averageSyncTime' | 'lastSyncTime'
  > {
    const totalSyncs = this.#successful + this.#failed;
    return {
      totalSyncs,
      successfulSyncs: this.#successful,
      failedSyncs: this.#failed,
      averageSyncTime: totalSyncs === 0 ? 0 : this.#totalMs / totalSyncs,
      lastSyncTime: this.#lastAt === undefined ? undefined : new Date(this.#lastAt),
    };
  }
}
