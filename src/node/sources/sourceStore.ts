import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { SyncJob, SyncJobStore } from '../../core/engine/syncJob.ts';
import type { SourceMemory, SourceMemoryKey, SourceMemoryStore } from '../../core/sources/sourceMemory.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { hashText } from '../hashText.ts';
import { readJsonFile } from '../readJsonFile.ts';
import { makePrivateDirectory, PRIVATE_FILE_MODE } from '../stateDirectory.ts';

const memoryFields = {
  revision: z.string(),
  heldBase: z.string().optional(),
  answerHash: z.string(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  madeWith: z.string(),
  resultHash: z.string(),
  mergedAt: z.number(),
  basedOn: z.number().optional(),
};

/** A memory as it is written down. */
export const memorySchema = z.object(memoryFields).transform((memory): SourceMemory => ({
  ...memory,
  heldBase: memory.heldBase,
  etag: memory.etag,
  lastModified: memory.lastModified,
}));
const memoryFileSchema = z.object({ version: z.literal(1) });

const jobSchema = z
  .object({
    id: z.string(),
    sourceId: z.string(),
    priority: z.enum(['high', 'medium', 'low']),
    retryCount: z.int().min(0),
    maxRetries: z.int().min(0),
    lastAttempt: z.coerce.date().optional(),
    nextAttempt: z.coerce.date(),
    status: z.enum(['pending', 'running', 'completed', 'failed']),
  })
  .transform((job): SyncJob => ({ ...job, lastAttempt: job.lastAttempt }));
const stateSchema = z.object({ version: z.literal(1), isPaused: z.boolean(), jobs: z.array(jobSchema).max(10_000) });

type State = z.output<typeof stateSchema>;

/** Where the sources of a workspace folder keep their state. @param folder its real path. */
export function sourcesDirectory(stateDir: string, folder: string): string {
  return join(stateDir, 'sources', hashText(folder).slice(0, 32));
}

/** Whoever holds it runs the sources of the folder. */
export function sourcesLockFile(directory: string): string {
  return join(directory, 'sources.lock');
}

/** The durable state of a folder's sources: small files in the user's state directory, each replaced as a whole. */
export class SourceStore implements SourceMemoryStore {
  readonly jobs: SyncJobStore = {
    load: async () => (await this.#readState()).jobs,
    save: (jobs) => this.#changeState({ jobs: [...jobs] }),
  };
  readonly #directory: string;
  #state: State | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Undefined for what is not there or was damaged from outside: then it is first contact again, which loses nothing. */
  async load(key: SourceMemoryKey): Promise<SourceMemory | undefined> {
    return await this.#readMemory(join(this.#folderOf(key.sourceId), memoryName(key)));
  }

  async loadOthers(key: SourceMemoryKey): Promise<readonly SourceMemory[]> {
    const folder = this.#folderOf(key.sourceId);
    // A source that nothing is remembered of has no folder yet.
    const names = await readdir(folder).catch(() => [] as string[]);
    const target = hashText(key.target).slice(0, 16);
    const others = names.filter((name) => name.startsWith(`${target}-`) && name !== memoryName(key));
    const memories = await Promise.all(others.map((name) => this.#readMemory(join(folder, name))));
    return memories.filter((one) => one !== undefined).sort((a, b) => b.mergedAt - a.mergedAt);
  }

  async save(key: SourceMemoryKey, memory: SourceMemory): Promise<void> {
    const folder = this.#folderOf(key.sourceId);
    makePrivateDirectory(folder);
    const text = JSON.stringify({ version: 1, ...memory });
    await writeFileAtomic(join(folder, memoryName(key)), text, { mode: PRIVATE_FILE_MODE });
  }

  async sweep(keep: readonly string[], olderThan: number): Promise<void> {
    const kept = new Set(keep.map((sourceId) => this.#folderOf(sourceId)));
    for (const entry of await readdir(this.#directory, { withFileTypes: true })) {
      const folder = join(this.#directory, entry.name);
      if (!entry.isDirectory() || kept.has(folder)) continue;
      const memories = await Promise.all((await readdir(folder)).map((name) => this.#readMemory(join(folder, name))));
      if (memories.every((one) => one === undefined || one.mergedAt < olderThan))
        await rm(folder, { recursive: true, force: true });
    }
  }

  async isPaused(): Promise<boolean> {
    return (await this.#readState()).isPaused;
  }

  async setPaused(isPaused: boolean): Promise<void> {
    await this.#changeState({ isPaused });
  }

  async #changeState(change: Partial<State>): Promise<void> {
    const write = async (): Promise<void> => {
      const state: State = { ...(await this.#readState()), ...change };
      makePrivateDirectory(this.#directory);
      await writeFileAtomic(join(this.#directory, 'state.json'), JSON.stringify(state), { mode: PRIVATE_FILE_MODE });
      this.#state = state;
    };
    const written = this.#writing.then(write);
    // Who asked hears of a failure; the next write is made all the same.
    this.#writing = written.catch(() => undefined);
    await written;
  }

  async #readState(): Promise<State> {
    this.#state ??= stateSchema.safeParse(await readJsonFile(join(this.#directory, 'state.json'))).data;
    return this.#state ?? { version: 1, isPaused: false, jobs: [] };
  }

  async #readMemory(file: string): Promise<SourceMemory | undefined> {
    const value = await readJsonFile(file);
    return memoryFileSchema.safeParse(value).success ? memorySchema.safeParse(value).data : undefined;
  }

  #folderOf(sourceId: string): string {
    return join(this.#directory, hashText(sourceId).slice(0, 32));
  }
}

function memoryName({ target, branch }: SourceMemoryKey): string {
  return `${hashText(target).slice(0, 16)}-${hashText(branch).slice(0, 16)}.json`;
}
