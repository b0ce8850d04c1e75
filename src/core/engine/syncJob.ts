export type SyncJobPriority = 'high' | 'medium' | 'low';

export type SyncJobStatus = 'pending' | 'running' | 'completed' | 'failed';

/** One thing to bring in step: a source, once. Times are wall-clock, for people; the engine itself counts monotonic time. */
export interface SyncJob {
  readonly id: string;
  readonly sourceId: string;
  readonly priority: SyncJobPriority;
  /** Attempts that failed and were tried again. */
  readonly retryCount: number;
  readonly maxRetries: number;
  /** Undefined: not tried yet. */
  readonly lastAttempt: Date | undefined;
  /** Not before then; a job that is due now has the time at which it came. */
  readonly nextAttempt: Date;
  readonly status: SyncJobStatus;
}

/** What a job touches, as its owner knows it at the moment; asked anew before each attempt. */
export interface SyncJobNeeds {
  /** Jobs that share one of these never run at once. */
  readonly documents: readonly string[];
  /** Whom it asks, for the circuit breaker; undefined: nobody. */
  readonly server: string | undefined;
  /** Sources whose due jobs go first: a root document waits for the file that it refers to. */
  readonly after: readonly string[];
}

/** How one attempt ended. */
export type SyncJobOutcome =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'failed';
      /** Whether the same may succeed later without anybody doing anything. */
      readonly canRetry: boolean;
      /** Whether the server did not answer at all: counts for its circuit breaker. */
      readonly isServerDown: boolean;
    };

export interface SyncJobAttempt {
  /** As it is after the attempt: `pending` where it is tried again. */
  readonly job: SyncJob;
  readonly outcome: SyncJobOutcome;
  readonly durationMs: number;
}

/** Keeps the jobs that have not ended over a restart. Its owner may call `save` again only when the last one has ended. */
export interface SyncJobStore {
  load(): Promise<readonly SyncJob[]>;
  save(jobs: readonly SyncJob[]): Promise<void>;
}

/** How long a job of each priority lets others go first, in milliseconds: so much later than a `high` one it counts as come. */
const PATIENCE_MS: Readonly<Record<SyncJobPriority, number>> = { high: 0, medium: 5_000, low: 30_000 };

/**
 * When a job should have begun, in monotonic milliseconds: the earlier goes first. A low job goes before every high one
 * that comes more than its patience later, so that none starves.
 */
export function deadlineOf(priority: SyncJobPriority, dueSinceMs: number): number {
  return dueSinceMs + PATIENCE_MS[priority];
}

/** The one of two that has the less patience. */
export function higherPriority(a: SyncJobPriority, b: SyncJobPriority): SyncJobPriority {
  return PATIENCE_MS[a] <= PATIENCE_MS[b] ? a : b;
}
