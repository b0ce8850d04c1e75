import { SyncEngine } from '../../../src/core/engine/syncEngine.ts';
import { defaultSyncEngineConfig, type SyncEngineConfig } from '../../../src/core/engine/syncEngineConfig.ts';
import type { SyncJob, SyncJobNeeds, SyncJobOutcome, SyncJobPriority } from '../../../src/core/engine/syncJob.ts';
import { createFakeAmbient, createRecordingLogger, FakeTime } from '../replication/fakes.ts';

export const done: SyncJobOutcome = { kind: 'done' };
export const serverDown: SyncJobOutcome = { kind: 'failed', canRetry: true, isServerDown: true };

export interface Run {
  readonly job: SyncJob;
  readonly begunAt: number;
  endedAt: number | undefined;
}

/** A sync engine under a clock that a test moves; its jobs take simulated time and end as the test says. */
export class EngineWorld {
  readonly time = new FakeTime();
  readonly logger = createRecordingLogger();
  readonly engine: SyncEngine;
  readonly runs: Run[] = [];
  stored: readonly SyncJob[];
  /** How long an attempt takes, in milliseconds. */
  durationOf: (job: SyncJob) => number = () => 10;
  outcomeOf: (job: SyncJob, attempt: number) => SyncJobOutcome = () => done;
  needsOf: (sourceId: string) => SyncJobNeeds = (sourceId) => ({ documents: [sourceId], server: undefined, after: [] });
  /** How long an attempt that was aborted needs to come to its end, in milliseconds. */
  abortMs = 0;
  mostAtOnce = 0;
  #count = 0;

  constructor(config: Partial<SyncEngineConfig> = {}, stored: readonly SyncJob[] = []) {
    this.stored = stored;
    this.engine = new SyncEngine({
      ambient: createFakeAmbient(this.time, this.logger),
      config: { ...defaultSyncEngineConfig, ...config },
      needsOf: (sourceId) => this.needsOf(sourceId),
      run: (job, signal) => this.#run(job, signal),
      store: {
        load: () => Promise.resolve(this.stored),
        save: (jobs) => {
          this.stored = jobs;
          return Promise.resolve();
        },
      },
    });
  }

  get order(): readonly string[] {
    return this.runs.map(({ job }) => job.sourceId);
  }

  job(sourceId: string, priority: SyncJobPriority = 'medium', maxRetries = 3): SyncJob {
    this.#count += 1;
    return {
      id: `job-${this.#count}`,
      sourceId,
      priority,
      retryCount: 0,
      maxRetries,
      lastAttempt: undefined,
      nextAttempt: new Date(this.time.clock.wallNow()),
      status: 'pending',
    };
  }

  async #run(job: SyncJob, signal: AbortSignal): Promise<SyncJobOutcome> {
    const run: Run = { job, begunAt: this.time.now, endedAt: undefined };
    this.runs.push(run);
    this.mostAtOnce = Math.max(this.mostAtOnce, this.runs.filter(({ endedAt }) => endedAt === undefined).length);
    await new Promise<void>((resolve) => {
      const timer = this.time.scheduler.after(this.durationOf(job), resolve);
      signal.addEventListener('abort', () => {
        timer.dispose();
        if (this.abortMs === 0) resolve();
        else this.time.scheduler.after(this.abortMs, resolve);
      });
    });
    run.endedAt = this.time.now;
    return this.outcomeOf(job, this.runs.filter((one) => one.job.sourceId === job.sourceId).length);
  }
}
