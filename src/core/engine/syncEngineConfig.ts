import * as z from 'zod';

export interface SyncEngineConfig {
  /** How many jobs run at once. */
  readonly maxConcurrency: number;
  /** Jobs that come within so long of the first are begun together, in the order of their priorities. */
  readonly batchWindowMs: number;
  /** The wait before the first retry; doubled with each further one, the upper half left to chance. */
  readonly retryFirstDelayMs: number;
  /** No wait is longer. */
  readonly retryMaxDelayMs: number;
  /** So often in a row a server may fail before it is left alone. */
  readonly circuitFailures: number;
  /** How long it is left alone at first; doubled each time it fails again, up to `retryMaxDelayMs`. */
  readonly circuitOpenMs: number;
}

export const defaultSyncEngineConfig: SyncEngineConfig = {
  maxConcurrency: 4,
  batchWindowMs: 20,
  retryFirstDelayMs: 500,
  retryMaxDelayMs: 30_000,
  circuitFailures: 3,
  circuitOpenMs: 2_000,
};

const delay = z.number().min(0).max(86_400_000);

/** What an engine's configuration has to be, whoever gives it. */
export const syncEngineConfigSchema: z.ZodType<SyncEngineConfig> = z
  .strictObject({
    maxConcurrency: z.int().min(1).max(64),
    batchWindowMs: delay,
    retryFirstDelayMs: delay.min(1),
    retryMaxDelayMs: delay.min(1),
    circuitFailures: z.int().min(1).max(1_000),
    circuitOpenMs: delay.min(1),
  })
  .readonly();
