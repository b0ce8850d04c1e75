import { DisposableStore } from '../../core/disposableStore.ts';
import type { SyncEngineStatus } from '../../core/engine/syncEngine.ts';
import { Emitter, type Event } from '../../core/event.ts';
import type { DocId } from '../../core/ids.ts';
import type { Disposable } from '../../core/ports.ts';
import { checkLiveSource, type LiveSourceConfig, sourceName } from '../../core/sources/liveSourceConfig.ts';
import { findSources, type FoundSource } from '../../node/sources/findSources.ts';
import { fetchSpec } from '../../node/sources/httpFetcher.ts';
import { sourcesDirectory, SourceStore } from '../../node/sources/sourceStore.ts';
import type { HeldConflict, Outcome, Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { notDone } from '../replica/documentProblems.ts';
import type { LiveSyncService, SourcePreview, SyncEvent, SyncResult, SyncStatus } from './liveSyncService.ts';
import { createSourceEntry, type FolderSourcesOptions, type SourceEntry } from './sourceEntry.ts';
import { SharedSources } from './sharedSources.ts';
import { SourceRunner, TRIGGER_DELAYS_MS } from './sourceRunner.ts';
import { cancelled, elsewhere, withLeader } from './sourceProblems.ts';
import { failedResult } from './sourceStatus.ts';

/** A source may be missing from the settings for as long as somebody works on a branch without it. */
const KEEP_REMOVED_MS = 30 * 86_400_000;
/** What tells a conflict with a source from one with the library. */
const CONFLICT_PREFIX = 'source:';

/** The sources of one workspace folder. Nothing runs, and nothing is opened, before the first one is added. */
export class FolderSources implements LiveSyncService, Disposable {
  readonly #options: FolderSourcesOptions;
  readonly #disposables = new DisposableStore();
  readonly #happened: Emitter<SyncEvent>;
  readonly #entries = new Map<string, SourceEntry>();
  readonly #store: SourceStore;
  readonly #runner: SourceRunner;
  readonly #shared: SharedSources;
  #changing: Promise<unknown> = Promise.resolve();
  #lastUndo: string | undefined;

  constructor(options: FolderSourcesOptions) {
    const { ambient, stateDir, folder } = options;
    this.#options = options;
    const directory = sourcesDirectory(stateDir, folder);
    this.#store = new SourceStore(directory);
    this.#happened = this.#disposables.add(
      new Emitter<SyncEvent>((error) =>
        ambient.logger.error('A listener of the sources failed.', { error: String(error) }),
      ),
    );
    this.#runner = this.#disposables.add(
      new SourceRunner({
        ...options,
        directory,
        store: this.#store,
        entries: this.#entries,
        tell: (event) => this.#happened.fire(event),
        changeInBackground: (step) => this.#runner.inBackground(this.#change(step)),
      }),
    );
    this.#shared = this.#disposables.add(
      new SharedSources({
        ambient,
        library: options.library,
        entries: this.#entries,
        isServing: () => this.#runner.isServing,
        begin: (entry) => this.#runner.begin(entry.sync.config.id),
        end: (entry) => this.#runner.yield(entry),
        changeInBackground: (step) => this.#runner.inBackground(this.#change(step)),
      }),
    );
  }

  get onDidHappen(): Event<SyncEvent> {
    return this.#happened.event;
  }

  get engineStatus(): SyncEngineStatus {
    return this.#runner.engine.getSyncStatus();
  }

  get isPaused(): boolean {
    return this.#runner.isPaused;
  }

  /** Who leads the library, or what it has, may be otherwise. */
  libraryChanged(): void {
    this.#shared.follow();
  }

  // ---- sources ----

  addSource(config: LiveSourceConfig): Promise<void> {
    return this.#change(async () => {
      const checked = checkedConfig(config);
      if (this.#entries.has(checked.id)) throw new Error(`There is a source "${checked.id}" already.`);
      if (this.#disposables.isDisposed) throw new Error('This folder is closed.');
      this.#entries.set(checked.id, createSourceEntry(checked, this.#options, this.#store));
      this.#happened.fire({ type: 'source:added', sourceId: checked.id, config: checked });
      if (!this.#runner.isServing) await this.#runner.start();
      else await this.#runner.begin(checked.id);
      this.#shared.follow();
    });
  }

  findSources(signal = new AbortController().signal): Promise<readonly FoundSource[]> {
    return findSources(this.#options.folder, fetchSpec, signal);
  }

  removeSource(sourceId: string): Promise<void> {
    return this.#change(async () => {
      const entry = this.#entry(sourceId);
      this.#entries.delete(sourceId);
      await this.#runner.endJobs(sourceId);
      this.#runner.close(entry);
      await entry.queue.ended;
      await this.#shared.letGo(entry);
      if (this.#runner.isServing)
        await this.#store.sweep([...this.#entries.keys()], this.#options.ambient.clock.wallNow() - KEEP_REMOVED_MS);
      this.#happened.fire({ type: 'source:removed', sourceId });
      if (this.#entries.size === 0) await this.#runner.stop();
    });
  }

  updateSource(config: LiveSourceConfig): Promise<void> {
    return this.#change(async () => {
      const checked = checkedConfig(config);
      const before = this.#entry(checked.id);
      await this.#runner.endJobs(checked.id);
      this.#runner.close(before);
      await before.queue.ended;
      await this.#shared.letGo(before);
      this.#entries.set(checked.id, createSourceEntry(checked, this.#options, this.#store));
      this.#happened.fire({ type: 'source:updated', sourceId: checked.id, config: checked });
      await this.#runner.begin(checked.id);
      this.#shared.follow();
    });
  }

  // ---- synchronization ----

  async syncSource(sourceId: string, signal?: AbortSignal): Promise<SyncResult> {
    const entry = this.#entry(sourceId);
    const problem = this.#notRunHere(entry);
    if (problem !== undefined) return failedResult(sourceId, problem);
    entry.isWantedByPerson = true;
    if (this.#runner.isPaused) {
      return (await this.#runner.attempt(entry, signal ?? new AbortController().signal)).result;
    }
    const { promise, resolve } = Promise.withResolvers<SyncResult>();
    const cancel = (): void => {
      entry.waiters = entry.waiters.filter((one) => one !== resolve);
      resolve(failedResult(sourceId, cancelled));
      void this.#runner.endJobs(sourceId).then(() => this.#runner.attempted(undefined, sourceId));
    };
    entry.waiters.push(resolve);
    signal?.addEventListener('abort', cancel, { once: true });
    await this.#runner.addJob(sourceId, 'high');
    return await promise.finally(() => signal?.removeEventListener('abort', cancel));
  }

  syncAllSources(signal?: AbortSignal): Promise<readonly SyncResult[]> {
    return Promise.all([...this.#entries.keys()].map((sourceId) => this.syncSource(sourceId, signal)));
  }

  triggerSource(sourceId: string): void {
    const entry = this.#entry(sourceId);
    // The newest change counts: what follows one before would ask too often.
    entry.triggered?.dispose();
    const triggered = new DisposableStore();
    entry.triggered = triggered;
    for (const delayMs of TRIGGER_DELAYS_MS)
      triggered.add(
        this.#options.ambient.scheduler.after(delayMs, () =>
          this.#runner.inBackground(this.#runner.addJob(sourceId, 'medium')),
        ),
      );
  }

  getSourceStatus(sourceId: string): SyncStatus {
    return this.#runner.shown(this.#entry(sourceId));
  }

  getAllSourceStatuses(): readonly SyncStatus[] {
    return [...this.#entries.values()].map((entry) => this.#runner.shown(entry));
  }

  async previewChanges(sourceId: string): Promise<SourcePreview | undefined> {
    const { sync, queue } = this.#entry(sourceId);
    return await queue.run(() => sync.preview());
  }

  async applyChanges(sourceId: string): Promise<Outcome> {
    const entry = this.#entry(sourceId);
    const inTheWay = this.#notRunHere(entry);
    if (inTheWay !== undefined) return { isDone: false, problem: inTheWay };
    const attempt = await entry.queue.run(() => entry.sync.apply());
    this.#runner.take(entry, attempt, 0);
    return 'problem' in attempt ? { isDone: false, problem: attempt.problem } : { isDone: true };
  }

  async pause(): Promise<void> {
    await this.#runner.setPaused(true);
    await this.#runner.engine.pauseSync();
  }

  async resume(): Promise<void> {
    await this.#runner.setPaused(false);
    await this.#runner.engine.resumeSync();
    for (const sourceId of this.#entries.keys()) await this.#runner.addJob(sourceId, 'medium');
  }

  // ---- conflicts ----

  get conflicts(): readonly HeldConflict[] {
    return [...this.#entries.values()].flatMap(({ sync }) =>
      sync.conflicts.map((conflict) => ({
        docId: `${CONFLICT_PREFIX}${sync.config.id}` as DocId,
        file: sync.file,
        path: sync.config.target,
        conflict,
        theirsName: sourceName(sync.config),
        theirsAt: sync.mergedAt,
      })),
    );
  }

  /** Whether a held conflict is one of a source. */
  hasConflictsOf(docId: DocId): boolean {
    return docId.startsWith(CONFLICT_PREFIX) && this.#entries.has(docId.slice(CONFLICT_PREFIX.length));
  }

  async resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    const entry = this.#entry(docId.slice(CONFLICT_PREFIX.length));
    const inTheWay = this.#notRunHere(entry);
    if (inTheWay !== undefined) return { isDone: false, problem: inTheWay };
    const problem = await entry.queue.run(() => entry.sync.resolve(resolutions));
    if (problem === undefined) this.#lastUndo = entry.sync.config.id;
    this.#runner.tellConflicts(entry);
    return problem === undefined ? { isDone: true } : { isDone: false, problem };
  }

  /** What is held with a source, as it is now. */
  heldDocument(docId: DocId): Promise<HeldDocument | undefined> {
    const { sync, queue } = this.#entry(docId.slice(CONFLICT_PREFIX.length));
    return queue.run(() => sync.heldDocument());
  }

  get canUndoResolution(): boolean {
    return this.#lastUndo !== undefined && this.#entries.get(this.#lastUndo)?.sync.canUndo === true;
  }

  async undoResolution(): Promise<Outcome> {
    const entry = this.#lastUndo === undefined ? undefined : this.#entries.get(this.#lastUndo);
    if (entry === undefined) return notDone('nothing-to-undo', 'There is no choice to take back.');
    const problem = await entry.queue.run(() => entry.sync.undoResolution());
    if (problem === undefined) this.#lastUndo = undefined;
    this.#runner.tellConflicts(entry);
    return problem === undefined ? { isDone: true } : { isDone: false, problem };
  }

  // ---- end ----

  dispose(): void {
    if (this.#disposables.isDisposed) return;
    for (const entry of this.#entries.values()) this.#runner.close(entry);
    this.#runner.inBackground(
      this.#change(async () => {
        await this.#runner.stop();
        await this.#shared.letGoOfAll();
      }),
    );
    this.#disposables.dispose();
  }

  /** Resolves when everything that was begun has ended and the lock is free. */
  async closed(): Promise<void> {
    await this.#changing;
  }

  #notRunHere({ turn }: SourceEntry): UserProblem | undefined {
    if (!this.#runner.isServing) return elsewhere;
    return turn.kind === 'here' ? undefined : withLeader;
  }

  #entry(sourceId: string): SourceEntry {
    const entry = this.#entries.get(sourceId);
    if (entry === undefined) throw new Error(`There is no source "${sourceId}".`);
    return entry;
  }

  /** Adding, removing, starting and stopping never overlap. */
  #change<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(step);
    // The next step runs whatever became of this one; its outcome is the caller's.
    this.#changing = result.catch(() => undefined);
    return result;
  }
}

function checkedConfig(config: LiveSourceConfig): LiveSourceConfig {
  const { value, problems } = checkLiveSource(config);
  if (value === undefined) throw new Error(problems.map(({ message }) => message).join(' '));
  return value;
}
