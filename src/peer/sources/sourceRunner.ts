import { posix, relative, resolve } from 'node:path';
import { DisposableStore } from '../../core/disposableStore.ts';
import { SyncEngine } from '../../core/engine/syncEngine.ts';
import { defaultSyncEngineConfig, type SyncEngineConfig } from '../../core/engine/syncEngineConfig.ts';
import type { SyncJob, SyncJobNeeds, SyncJobOutcome, SyncJobPriority } from '../../core/engine/syncJob.ts';
import type { Disposable } from '../../core/ports.ts';
import { WatchedFolder } from '../../node/files/watchedFolder.ts';
import { ExclusiveLock } from '../../node/lock/exclusiveLock.ts';
import { watchedFolderOf } from '../../node/sources/fileSource.ts';
import { ServerReturn } from '../../node/sources/serverReturn.ts';
import { sourcesLockFile, type SourceStore } from '../../node/sources/sourceStore.ts';
import { makePrivateDirectory } from '../../node/stateDirectory.ts';
import type { SyncEvent, SyncResult, SyncStatus } from './liveSyncService.ts';
import type { FolderSourcesOptions, SourceEntry } from './sourceEntry.ts';
import { failedAttempt, type SourceAttempt } from './sourceAttempt.ts';
import { cancelled, unexpected } from './sourceProblems.ts';
import { atLeader, failedResult, resultOf, statusAfter, withConflicts } from './sourceStatus.ts';

/** Sources are mostly servers of the same machine, which are started anew all day long: they are asked again soon. */
const ENGINE_CONFIG: SyncEngineConfig = {
  ...defaultSyncEngineConfig,
  retryFirstDelayMs: 250,
  retryMaxDelayMs: 10_000,
  circuitOpenMs: 1_000,
};
const MAX_RETRIES = 5;
/** How soon a window notices that the one that ran the sources is gone. */
const ELSEWHERE_RETRY_MS = 2_000;
/**
 * A server needs a moment to start anew after its code has changed: asked so often that its first answer is not waited for
 * for long, whether it refuses connections meanwhile or not.
 */
export const TRIGGER_DELAYS_MS = [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 6_000, 9_000];
export interface SourceRunnerOptions extends FolderSourcesOptions {
  readonly directory: string;
  readonly store: SourceStore;
  readonly entries: ReadonlyMap<string, SourceEntry>;
  readonly tell: (event: SyncEvent) => void;
  /** Runs a step when no source is being added or removed; nobody waits for it. */
  readonly changeInBackground: (step: () => Promise<void>) => void;
}

/** Asks the sources of a folder when it is time, in one window of those that have the folder open. */
export class SourceRunner implements Disposable {
  readonly #options: SourceRunnerOptions;
  readonly #disposables = new DisposableStore();
  readonly engine: SyncEngine;
  readonly #servers: ServerReturn;
  #lock: ExclusiveLock | undefined;
  #takeOver: Disposable | undefined;
  #isPaused = false;

  constructor(options: SourceRunnerOptions) {
    this.#options = options;
    this.engine = this.#disposables.add(
      new SyncEngine({
        ambient: options.ambient,
        config: ENGINE_CONFIG,
        store: options.store.jobs,
        needsOf: (sourceId) => this.#needsOf(sourceId),
        run: (job, signal) => this.#run(job, signal),
      }),
    );
    this.#servers = this.#disposables.add(
      new ServerReturn(
        options.ambient.scheduler,
        (origin) => !this.#isPaused && this.#entriesOf(origin).length > 0,
        (origin) => this.#serverIsBack(origin),
      ),
    );
    this.#disposables.add(this.engine.onDidAttempt(({ job }) => this.attempted(job)));
    this.#disposables.add(options.files.onDidChangeUnsaved((file) => this.#unsavedChanged(file)));
    this.#disposables.add({ dispose: () => this.#takeOver?.dispose() });
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether this window is the one that runs the sources. */
  get isServing(): boolean {
    return this.#lock !== undefined;
  }

  dispose(): void {
    this.#disposables.dispose();
  }

  /** Takes the lock and runs all sources; where another window has it, tries again until that is gone. */
  async start(): Promise<void> {
    if (this.#lock !== undefined || this.#disposables.isDisposed || this.#options.entries.size === 0) return;
    makePrivateDirectory(this.#options.directory);
    const lock = new ExclusiveLock(sourcesLockFile(this.#options.directory));
    if (!lock.tryAcquire()) {
      this.#takeOver?.dispose();
      this.#takeOver = this.#options.ambient.scheduler.after(ELSEWHERE_RETRY_MS, () =>
        this.#options.changeInBackground(() => this.start()),
      );
      return;
    }
    this.#lock = lock;
    this.#isPaused = await this.#options.store.isPaused();
    await this.engine.startSync();
    if (this.#isPaused) await this.engine.pauseSync();
    for (const sourceId of this.#options.entries.keys()) await this.begin(sourceId);
  }

  async begin(sourceId: string): Promise<void> {
    if (this.#lock === undefined) return;
    const entry = this.#options.entries.get(sourceId);
    if (entry === undefined) return;
    entry.fileWatch?.dispose();
    if (entry.turn.kind === 'here') this.#watchFile(entry);
    this.tell(entry);
    await this.addJob(sourceId, 'medium');
  }

  async stop(): Promise<void> {
    this.#takeOver?.dispose();
    await this.engine.stopSync();
    await Promise.all([...this.#options.entries.values()].map(({ queue }) => queue.ended));
    this.#lock?.dispose();
    this.#lock = undefined;
  }

  /** Lets what is under way with a source come to its end; what it holds in memory may be another window's from now on. */
  async yield(entry: SourceEntry): Promise<void> {
    entry.next?.dispose();
    await this.endJobs(entry.sync.config.id);
    await entry.queue.run(() => {
      entry.sync.forget();
      return Promise.resolve();
    });
    this.tellConflicts(entry);
  }

  close(entry: SourceEntry): void {
    entry.next?.dispose();
    entry.fileWatch?.dispose();
    entry.triggered?.dispose();
    entry.queue.dispose();
    for (const resolve of entry.waiters.splice(0)) resolve(failedResult(entry.sync.config.id, cancelled));
  }

  /** A generated file is noticed when it is made anew; one behind a glob is looked for at each interval. */
  #watchFile(entry: SourceEntry): void {
    const { file, id } = entry.sync.config;
    if (file === undefined || /[*?]/.test(file)) return;
    const { folder, ambient } = this.#options;
    entry.fileWatch = new WatchedFolder(watchedFolderOf(folder, file), false, {
      file: (changed) => {
        if (relative(changed, resolve(folder, file)) === '') this.inBackground(this.addJob(id, 'medium'));
      },
      newFolder: () => undefined,
      lost: () => undefined,
      failed: (error) =>
        ambient.logger.warn('The file of a source is not watched; it is looked at at each interval.', {
          error: String(error),
        }),
    });
  }

  async addJob(sourceId: string, priority: SyncJobPriority): Promise<void> {
    if (this.#lock === undefined || this.#options.entries.get(sourceId)?.turn.kind !== 'here') return;
    const { random, clock } = this.#options.ambient;
    await this.engine.addSyncJob({
      id: random.uuid(),
      sourceId,
      priority,
      retryCount: 0,
      maxRetries: MAX_RETRIES,
      lastAttempt: undefined,
      nextAttempt: new Date(clock.wallNow()),
      status: 'pending',
    });
  }

  async endJobs(sourceId: string): Promise<void> {
    for (const job of this.engine.getSyncStatus().jobs)
      if (job.sourceId === sourceId) await this.engine.removeSyncJob(job.id);
  }

  #serverIsBack(origin: string): void {
    this.engine.serverIsBack(origin);
    for (const { sync } of this.#entriesOf(origin)) this.inBackground(this.addJob(sync.config.id, 'medium'));
  }

  #entriesOf(origin: string): readonly SourceEntry[] {
    if (this.#lock === undefined) return [];
    return [...this.#options.entries.values()].filter(
      ({ sync, turn }) =>
        turn.kind === 'here' && sync.config.url !== undefined && new URL(sync.config.url).origin === origin,
    );
  }

  #needsOf(sourceId: string): SyncJobNeeds {
    const entry = this.#options.entries.get(sourceId);
    if (entry === undefined) return { documents: [], server: undefined, after: [] };
    const { target, url } = entry.sync.config;
    const needed = new Set(
      entry.sync.references.map((path) => posix.normalize(posix.join(posix.dirname(target), path))),
    );
    return {
      // Two paths that differ in case only may be one file.
      documents: [target.toLowerCase()],
      server: url === undefined ? undefined : new URL(url).origin,
      after: [...this.#options.entries.values()].flatMap(({ sync }) =>
        needed.has(sync.config.target) ? [sync.config.id] : [],
      ),
    };
  }

  async #run(job: SyncJob, signal: AbortSignal): Promise<SyncJobOutcome> {
    const entry = this.#options.entries.get(job.sourceId);
    // Left over from a source that is not in the settings any more, or another window's by now.
    if (entry?.turn.kind !== 'here') return { kind: 'done' };
    const { attempt } = await this.attempt(entry, signal);
    if (attempt.kind === 'failed')
      return { kind: 'failed', canRetry: attempt.canRetry, isServerDown: attempt.isServerDown };
    const isGitBusy = attempt.kind === 'waiting' && !attempt.isForSave;
    return isGitBusy ? { kind: 'failed', canRetry: true, isServerDown: false } : { kind: 'done' };
  }

  async attempt(
    entry: SourceEntry,
    signal: AbortSignal,
  ): Promise<{ readonly attempt: SourceAttempt; readonly result: SyncResult }> {
    const { clock } = this.#options.ambient;
    const sourceId = entry.sync.config.id;
    const waiters = entry.waiters.splice(0);
    const isByPerson = entry.isWantedByPerson;
    entry.isWantedByPerson = false;
    const before = entry.status;
    entry.status = { ...before, state: 'syncing' };
    this.#options.tell({ type: 'sync:started', sourceId });
    this.tell(entry);
    const begunAt = clock.monotonicNow();
    let attempt: SourceAttempt;
    try {
      attempt = await entry.queue.run(() => entry.sync.attempt(isByPerson, signal));
    } catch (error) {
      if (!signal.aborted)
        this.#options.ambient.logger.error('A source could not be synced.', {
          source: sourceId,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      attempt = failedAttempt(signal.aborted ? cancelled : unexpected);
    }
    if (signal.aborted) {
      // What a person took back says nothing about the source.
      entry.status = before;
      this.tell(entry);
      const result = failedResult(sourceId, cancelled);
      for (const resolve of waiters) resolve(result);
      return { attempt, result };
    }
    const result = this.take(entry, attempt, clock.monotonicNow() - begunAt);
    for (const resolve of waiters) resolve(result);
    return { attempt, result };
  }

  /** Makes status, events and a line in the log of what came of an attempt. */
  take(entry: SourceEntry, attempt: SourceAttempt, durationMs: number): SyncResult {
    const { clock, logger } = this.#options.ambient;
    const { sync, status } = entry;
    const sourceId = sync.config.id;
    const conflictCount = sync.conflicts.length;
    entry.isWaitingForSave = attempt.kind === 'waiting' && attempt.isForSave;
    entry.status = statusAfter(status, attempt, conflictCount, durationMs, clock.wallNow());
    if ('problem' in attempt && status.problem?.code !== attempt.problem.code)
      logger.info(attempt.problem.message, { source: sourceId, code: attempt.problem.code });
    if (attempt.kind === 'changed')
      logger.info('A source changed a file.', { source: sourceId, changes: attempt.changes.length });
    if (attempt.kind === 'failed' && attempt.problem.code === 'server-not-reachable' && sync.config.url !== undefined)
      this.#servers.lookFor(sync.config.url);
    const result = resultOf(sourceId, attempt, conflictCount, durationMs);
    this.#options.tell({ type: attempt.kind === 'failed' ? 'sync:failed' : 'sync:completed', sourceId, result });
    this.tellConflicts(entry);
    return result;
  }

  /** The next question at the source's interval; after a failure not before a failed server would be asked again. */
  attempted(job: SyncJob | undefined, sourceId = job?.sourceId ?? ''): void {
    const entry = this.#options.entries.get(sourceId);
    if (entry === undefined || job?.status === 'pending') return;
    const intervalMs = entry.sync.config.intervalSeconds * 1000;
    const delayMs = job?.status === 'failed' ? Math.max(intervalMs, ENGINE_CONFIG.retryMaxDelayMs) : intervalMs;
    entry.next?.dispose();
    entry.next = this.#options.ambient.scheduler.after(delayMs, () => this.inBackground(this.addJob(sourceId, 'low')));
  }

  #unsavedChanged(file: string): void {
    for (const { sync, isWaitingForSave } of this.#options.entries.values())
      if (isWaitingForSave && sync.file === file && !this.#options.files.hasUnsavedEdits(file))
        this.inBackground(this.addJob(sync.config.id, 'high'));
  }

  async setPaused(isPaused: boolean): Promise<void> {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    for (const entry of this.#options.entries.values()) this.tell(entry);
    await this.#options.store.setPaused(isPaused);
  }

  // ---- telling ----

  shown({ status, turn }: SourceEntry): SyncStatus {
    if (this.#lock === undefined) return { ...status, state: 'elsewhere' };
    if (turn.kind === 'leader') return atLeader(status, turn.leaderName);
    if (turn.kind === 'undecided') return { ...status, state: 'new' };
    return this.#isPaused && status.state !== 'syncing' ? { ...status, state: 'paused' } : status;
  }

  tell(entry: SourceEntry): void {
    this.#options.tell({ type: 'status:changed', sourceId: entry.sync.config.id, status: this.shown(entry) });
  }

  tellConflicts(entry: SourceEntry): void {
    const { sync, known } = entry;
    const { conflicts } = sync;
    entry.known = new Set(conflicts.map(({ id }) => id));
    entry.status = withConflicts(entry.status, conflicts.length);
    this.tell(entry);
    const fresh = conflicts.filter(({ id }) => !known.has(id));
    if (fresh.length > 0) this.#options.tell({ type: 'conflict:found', sourceId: sync.config.id, conflicts: fresh });
  }

  inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      // What was still under way when the folder was let go has nobody to tell any more.
      if (!this.#disposables.isDisposed)
        this.#options.ambient.logger.error('Running the sources failed.', { error: String(error) });
    });
  }
}
