import { Emitter } from '../../../src/core/event.ts';
import type { LiveSourceConfig } from '../../../src/core/sources/liveSourceConfig.ts';
import type { LiveSyncService, SyncEvent, SyncResult, SyncStatus } from '../../../src/peer/sources/liveSyncService.ts';

/** The sources of a folder that do what a test tells them to, and note what they were asked to do. */
export class FakeSources implements LiveSyncService {
  readonly calls: string[] = [];
  readonly statuses = new Map<string, SyncStatus>();
  readonly #happened = new Emitter<SyncEvent>((error) => {
    throw error;
  });
  readonly onDidHappen = this.#happened.event;
  isPaused = false;
  readonly engineStatus: LiveSyncService['engineStatus'] = {
    state: 'running',
    jobs: [],
    metrics: {
      totalSyncs: 0,
      successfulSyncs: 0,
      failedSyncs: 0,
      averageSyncTime: 0,
      activeJobs: 0,
      queueLength: 0,
      lastSyncTime: undefined,
      uptime: 0,
    },
  };

  fire(event: SyncEvent): void {
    this.#happened.fire(event);
  }

  addSource(config: LiveSourceConfig): Promise<void> {
    return this.#note(`add ${config.id}`);
  }
  removeSource(sourceId: string): Promise<void> {
    return this.#note(`remove ${sourceId}`);
  }
  updateSource(config: LiveSourceConfig): Promise<void> {
    return this.#note(`update ${config.id}`);
  }
  async syncSource(sourceId: string): Promise<SyncResult> {
    await this.#note(`sync ${sourceId}`);
    return { sourceId, kind: 'unchanged', changes: [], conflictCount: 0, durationMs: 1 };
  }
  syncAllSources(): Promise<readonly SyncResult[]> {
    return Promise.all([...this.statuses.keys()].map((sourceId) => this.syncSource(sourceId)));
  }
  triggerSource(sourceId: string): void {
    this.calls.push(`trigger ${sourceId}`);
  }
  getSourceStatus(sourceId: string): SyncStatus {
    const status = this.statuses.get(sourceId);
    if (status === undefined) throw new Error(`There is no source "${sourceId}".`);
    return status;
  }
  getAllSourceStatuses(): readonly SyncStatus[] {
    return [...this.statuses.values()];
  }
  findSources(): Promise<readonly []> {
    return Promise.resolve([]);
  }
  previewChanges(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  async applyChanges(sourceId: string): Promise<{ readonly isDone: true }> {
    await this.#note(`apply ${sourceId}`);
    return { isDone: true };
  }
  async pause(): Promise<void> {
    await this.#note('pause');
  }
  async resume(): Promise<void> {
    await this.#note('resume');
  }

  #note(call: string): Promise<void> {
    this.calls.push(call);
    return Promise.resolve();
  }
}
