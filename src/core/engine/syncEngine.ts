import PQueue from 'p-queue';
import { Emitter, type Event } from '../event.ts';
import type { Clock, Disposable, Logger, Random, Scheduler } from '../ports.ts';
import { CircuitBreakers } from './circuitBreakers.ts';
import { type EngineEntry, entryDeadline, inOrder } from './engineEntry.ts';
import { JobGate } from './jobGate.ts';
import { KeptJobs } from './keptJobs.ts';
import { defaultSyncEngineConfig, syncEngineConfigSchema, type SyncEngineConfig } from './syncEngineConfig.ts';
import {
  higherPriority,
  type SyncJob,
  type SyncJobAttempt,
  type SyncJobNeeds,
  type SyncJobOutcome,
  type SyncJobStore,
} from './syncJob.ts';
import { SyncCounts, type SyncEngineMetrics } from './syncMetrics.ts';

export type SyncEngineState = 'stopped' | 'running' | 'paused';

export interface SyncEngineStatus {
  readonly state: SyncEngineState;
  /** Those that have not ended: running first, then in the order in which they will begin if nothing else comes. */
  readonly jobs: readonly SyncJob[];
  readonly metrics: SyncEngineMetrics;
}

export interface SyncEngineOptions {
  readonly ambient: {
    readonly clock: Clock;
    readonly scheduler: Scheduler;
    readonly random: Random;
    readonly logger: Logger;
  };
  /** Does the work of one attempt. Whoever is aborted rejects or ends soon; what it answers then does not count. */
  readonly run: (job: SyncJob, signal: AbortSignal) => Promise<SyncJobOutcome>;
  readonly needsOf: (sourceId: string) => SyncJobNeeds;
  readonly store: SyncJobStore;
  readonly config?: SyncEngineConfig;
}

/** An engine that more than this is asked for is asked in a loop. */
const MAX_JOBS = 10_000;

const idleNeeds: SyncJobNeeds = { documents: [], server: undefined, after: [] };

/**
 * Runs sync jobs: the more urgent first and none for ever last, several at once but never two on one document, again
 * where they failed, later where their server is dead. Decides when a job may begin; what of those runs is the queue's.
 */
export class SyncEngine implements Disposable {
  readonly #options: SyncEngineOptions;
  readonly #queue: PQueue;
  readonly #entries = new Map<string, EngineEntry>();
  /** Those that are queued or running; also a removed one, until its attempt has really ended. */
  readonly #claimants = new Set<EngineEntry>();
  readonly #circuits = new CircuitBreakers();
  readonly #gate = new JobGate({
    circuits: this.#circuits,
    needsOf: (sourceId) => this.#needsOf(sourceId),
    begin: (entry, needs) => this.#enqueue(entry, needs),
    hurry: (holder, deadline) => this.#hurry(holder, deadline),
  });
  readonly #counts = new SyncCounts();
  readonly #kept: KeptJobs;
  readonly #started: Emitter<SyncJob>;
  readonly #attempted: Emitter<SyncJobAttempt>;
  #config: SyncEngineConfig;
  #state: SyncEngineState = 'stopped';
  #startedAt = 0;
  #hasLoaded = false;
  #wake: { readonly at: number; readonly timer: Disposable } | undefined;

  constructor(options: SyncEngineOptions) {
    this.#options = options;
    this.#config = syncEngineConfigSchema.parse(options.config ?? defaultSyncEngineConfig);
    this.#kept = new KeptJobs(options.store, options.ambient, () => [...this.#entries.values()].map(({ job }) => job));
    this.#queue = new PQueue({ concurrency: this.#config.maxConcurrency, autoStart: false });
    const onError = (error: unknown): void =>
      options.ambient.logger.error('A listener of the sync engine failed.', { error: String(error) });
    this.#started = new Emitter<SyncJob>(onError);
    this.#attempted = new Emitter<SyncJobAttempt>(onError);
  }

  get onDidStartJob(): Event<SyncJob> {
    return this.#started.event;
  }

  /** An attempt ended; a job that was removed or stopped has none. */
  get onDidAttempt(): Event<SyncJobAttempt> {
    return this.#attempted.event;
  }

  /** Begins to run jobs, those of before a restart too. Starting twice is the same as once. */
  async startSync(): Promise<void> {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    this.#startedAt = this.#options.ambient.clock.monotonicNow();
    if (!this.#hasLoaded) {
      this.#hasLoaded = true;
      const latest = this.#options.ambient.clock.wallNow() + this.#config.retryMaxDelayMs;
      for (const job of await this.#kept.load(latest)) if (!this.#entries.has(job.id)) this.#put(job);
    }
    if (this.#isState('running')) this.#queue.start();
    this.#wakeIn(0);
  }

  /** Begins no job any more and aborts those that run; all of them are kept for the next start. */
  async stopSync(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    this.#queue.pause();
    this.#queue.clear();
    this.#wake?.timer.dispose();
    this.#wake = undefined;
    for (const entry of [...this.#claimants]) this.#abort(entry);
    // Those that were aborted are still on their way out.
    await this.#queue.onPendingZero();
    for (const entry of this.#entries.values()) entry.job = { ...entry.job, status: 'pending' };
    await this.#kept.saveNow();
  }

  /** Begins no job any more; those that run go on to their end. */
  pauseSync(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'paused';
      this.#queue.pause();
    }
    return Promise.resolve();
  }

  resumeSync(): Promise<void> {
    if (this.#state === 'paused') {
      this.#state = 'running';
      this.#queue.start();
      this.#wakeIn(0);
    }
    return Promise.resolve();
  }

  /**
   * Takes a job in. One that waits for the same source already is brought forward instead: one sync serves both.
   * Rejects where the id is taken, or where there are too many.
   */
  addSyncJob(job: SyncJob): Promise<void> {
    if (this.#entries.has(job.id)) return Promise.reject(new Error(`There is a job ${job.id} already.`));
    if (this.#entries.size >= MAX_JOBS) return Promise.reject(new Error('Too many jobs wait already.'));
    const waiting = [...this.#entries.values()].find(
      (one) => one.job.sourceId === job.sourceId && one.job.status === 'pending',
    );
    if (waiting === undefined) {
      this.#put(job);
    } else {
      const priority = higherPriority(waiting.job.priority, job.priority);
      waiting.dueAt = Math.min(waiting.dueAt, this.#dueAt(job));
      waiting.job = { ...waiting.job, priority, nextAttempt: new Date(this.#wallAt(waiting.dueAt)) };
      if (waiting.claim !== undefined) this.#queue.setPriority(waiting.job.id, -entryDeadline(waiting));
    }
    this.#saveLater();
    this.#wakeIn(this.#config.batchWindowMs);
    return Promise.resolve();
  }

  /** Forgets a job, and aborts it where it runs. */
  removeSyncJob(jobId: string): Promise<void> {
    const entry = this.#entries.get(jobId);
    if (entry !== undefined) {
      this.#entries.delete(jobId);
      this.#abort(entry);
      this.#saveLater();
      this.#wakeIn(0);
    }
    return Promise.resolve();
  }

  /** Somebody has seen that the server is there again: what waits for it need not wait for the end of its delay. */
  serverIsBack(server: string): void {
    this.#circuits.answered(server, this.#config);
    this.#bringForward(server, this.#options.ambient.clock.monotonicNow());
    this.#wakeIn(0);
  }

  getSyncStatus(): SyncEngineStatus {
    const entries = [...this.#entries.values()];
    const running = entries.filter(({ job }) => job.status === 'running');
    const waiting = entries.filter(({ job }) => job.status !== 'running');
    const { clock } = this.#options.ambient;
    return {
      state: this.#state,
      jobs: [...running, ...inOrder(waiting)].map(({ job }) => job),
      metrics: {
        ...this.#counts.counts,
        activeJobs: running.length,
        queueLength: waiting.length,
        uptime: this.#state === 'stopped' ? 0 : clock.monotonicNow() - this.#startedAt,
      },
    };
  }

  /** Counts from the next job on. Rejects with what is wrong with it. */
  async updateConfig(config: SyncEngineConfig): Promise<void> {
    this.#config = await syncEngineConfigSchema.parseAsync(config);
    this.#queue.concurrency = this.#config.maxConcurrency;
    this.#wakeIn(0);
  }

  getConfig(): SyncEngineConfig {
    return this.#config;
  }

  /** Ends the events; `stopSync` ends the work. */
  dispose(): void {
    this.#wake?.timer.dispose();
    this.#kept.dispose();
    this.#started.dispose();
    this.#attempted.dispose();
  }

  // ---- when a job may begin ----

  /** Gives the queue every job that is due and that nothing stands in the way of. */
  #pump(): void {
    if (this.#state !== 'running') return;
    const now = this.#options.ambient.clock.monotonicNow();
    const next = this.#gate.open([...this.#entries.values()], this.#claimants, now, this.#config);
    if (next !== Infinity) this.#wakeIn(next - now);
  }

  #enqueue(entry: EngineEntry, needs: SyncJobNeeds): void {
    const controller = new AbortController();
    entry.claim = { needs, controller };
    this.#claimants.add(entry);
    if (needs.server !== undefined) this.#circuits.asks(needs.server, entry.job.id, this.#config);
    const { id } = entry.job;
    this.#queue
      .add(() => this.#attempt(entry, needs, controller.signal), { id, priority: -entryDeadline(entry) })
      .catch((error: unknown) =>
        this.#options.ambient.logger.error('A sync job was lost.', { job: id, error: String(error) }),
      );
  }

  /** A job that waits in the queue goes before those that are less urgent than the one that waits for its document. */
  #hurry(holder: EngineEntry, deadline: number): void {
    if (holder.claim === undefined || holder.job.status === 'running' || entryDeadline(holder) <= deadline) return;
    this.#queue.setPriority(holder.job.id, -deadline);
  }

  async #attempt(entry: EngineEntry, needs: SyncJobNeeds, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options.ambient;
    // Asked behind an await too, where the compiler believes what it saw before.
    const isAborted = (): boolean => signal.aborted;
    if (isAborted()) return;
    const { server } = needs;
    if (server !== undefined && !this.#circuits.mayAsk(server, entry.job.id, clock.monotonicNow(), this.#config)) {
      // It was found dead while this one waited for its turn.
      this.#release(entry);
      this.#wakeIn(0);
      return;
    }
    entry.job = { ...entry.job, status: 'running', lastAttempt: new Date(clock.wallNow()) };
    this.#started.fire(entry.job);
    const begunAt = clock.monotonicNow();
    let outcome: SyncJobOutcome;
    try {
      outcome = await this.#options.run(entry.job, signal);
    } catch (error) {
      if (!isAborted())
        logger.error('A sync job failed.', {
          job: entry.job.id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      outcome = { kind: 'failed', canRetry: true, isServerDown: false };
    }
    this.#release(entry);
    // Removed or stopped meanwhile: nobody waits for it, and it is no sync that ended.
    if (isAborted()) this.#wakeIn(0);
    else this.#ended(entry, needs, outcome, clock.monotonicNow() - begunAt);
  }

  #ended(entry: EngineEntry, { server }: SyncJobNeeds, outcome: SyncJobOutcome, durationMs: number): void {
    const { clock } = this.#options.ambient;
    const now = clock.monotonicNow();
    if (server !== undefined) {
      if (outcome.kind === 'failed' && outcome.isServerDown) this.#circuits.failed(server, now, this.#config);
      else if (this.#circuits.answered(server, this.#config)) this.#bringForward(server, now);
    }
    const { job } = entry;
    if (outcome.kind === 'failed' && outcome.canRetry && job.retryCount < job.maxRetries) {
      entry.dueAt = now + this.#retryDelay(job.retryCount);
      const nextAttempt = new Date(this.#wallAt(entry.dueAt));
      entry.job = { ...job, status: 'pending', retryCount: job.retryCount + 1, nextAttempt };
    } else {
      entry.job = { ...job, status: outcome.kind === 'done' ? 'completed' : 'failed' };
      this.#entries.delete(job.id);
      this.#counts.ended(outcome.kind === 'done', durationMs, clock.wallNow());
    }
    this.#saveLater();
    this.#attempted.fire({ job: entry.job, outcome, durationMs });
    this.#wakeIn(0);
  }

  /** The server is back: nobody waits on for the end of a delay that was meant for a dead one. */
  #bringForward(server: string, now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.claim !== undefined || entry.job.retryCount === 0 || entry.dueAt <= now) continue;
      if (this.#needsOf(entry.job.sourceId).server === server) entry.dueAt = now;
    }
  }

  /** One that runs holds its documents until it has ended. */
  #abort(entry: EngineEntry): void {
    entry.claim?.controller.abort();
    if (entry.job.status !== 'running') this.#release(entry);
  }

  #release(entry: EngineEntry): void {
    this.#claimants.delete(entry);
    const server = entry.claim?.needs.server;
    if (server !== undefined) this.#circuits.letGo(server, entry.job.id);
    entry.claim = undefined;
  }

  #needsOf(sourceId: string): SyncJobNeeds {
    try {
      return this.#options.needsOf(sourceId);
    } catch (error) {
      this.#options.ambient.logger.error('A source could not say what it needs.', { error: String(error) });
      return idleNeeds;
    }
  }

  // ---- times ----

  #retryDelay(retryCount: number): number {
    const { retryFirstDelayMs, retryMaxDelayMs } = this.#config;
    const longest = Math.min(retryMaxDelayMs, retryFirstDelayMs * 2 ** Math.min(retryCount, 30));
    return longest * (0.5 + this.#options.ambient.random.fraction() / 2);
  }

  #put(job: SyncJob): void {
    this.#entries.set(job.id, { job: { ...job, status: 'pending' }, dueAt: this.#dueAt(job), claim: undefined });
  }

  #dueAt({ nextAttempt }: SyncJob): number {
    const { clock } = this.#options.ambient;
    return clock.monotonicNow() + Math.max(0, nextAttempt.getTime() - clock.wallNow());
  }

  #wallAt(monotonicMs: number): number {
    const { clock } = this.#options.ambient;
    return clock.wallNow() + (monotonicMs - clock.monotonicNow());
  }

  #wakeIn(delayMs: number): void {
    if (this.#state !== 'running') return;
    const at = this.#options.ambient.clock.monotonicNow() + delayMs;
    if (this.#wake !== undefined && this.#wake.at <= at) return;
    this.#wake?.timer.dispose();
    const timer = this.#options.ambient.scheduler.after(Math.max(0, delayMs), () => {
      this.#wake = undefined;
      this.#pump();
    });
    this.#wake = { at, timer };
  }

  #isState(state: SyncEngineState): boolean {
    return this.#state === state;
  }

  #saveLater(): void {
    if (this.#state !== 'stopped') this.#kept.saveLater();
  }
}
