import type { Disposable, Logger, Scheduler } from '../ports.ts';
import type { SyncJob, SyncJobStore } from './syncJob.ts';

/** Jobs that come and go faster than this never touch the disk. */
const SAVE_DELAY_MS = 1_000;

/** Keeps the jobs of an engine over a restart; what cannot be kept or read costs a delay and nothing else. */
export class KeptJobs implements Disposable {
  readonly #store: SyncJobStore;
  readonly #ambient: { readonly scheduler: Scheduler; readonly logger: Logger };
  readonly #jobs: () => readonly SyncJob[];
  #timer: Disposable | undefined;
  #saved = '[]';
  #saving: Promise<void> = Promise.resolve();

  constructor(
    store: SyncJobStore,
    ambient: { readonly scheduler: Scheduler; readonly logger: Logger },
    jobs: () => readonly SyncJob[],
  ) {
    this.#store = store;
    this.#ambient = ambient;
    this.#jobs = jobs;
  }

  /** Those of before. @param latest wall clock: a clock that was set back must not make a job wait for years. */
  async load(latest: number): Promise<readonly SyncJob[]> {
    try {
      const jobs = await this.#store.load();
      return jobs.map((job) => ({ ...job, nextAttempt: new Date(Math.min(latest, job.nextAttempt.getTime())) }));
    } catch (error) {
      // They come again by themselves when their sources are next due.
      this.#ambient.logger.warn('The sync jobs of before could not be read.', { error: String(error) });
      return [];
    }
  }

  saveLater(): void {
    this.#timer ??= this.#ambient.scheduler.after(SAVE_DELAY_MS, () => {
      this.#timer = undefined;
      void this.#save();
    });
  }

  async saveNow(): Promise<void> {
    this.dispose();
    await this.#save();
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#timer = undefined;
  }

  #save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      const jobs = this.#jobs();
      const text = JSON.stringify(jobs);
      if (text === this.#saved) return;
      try {
        await this.#store.save(jobs);
        this.#saved = text;
      } catch (error) {
        // Nothing is lost but a delay: the jobs are made anew by their sources after a restart.
        this.#ambient.logger.warn('The sync jobs could not be saved.', { error: String(error) });
      }
    });
    return this.#saving;
  }
}
