import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { PeerId } from '../../core/ids.ts';
import type { SourceMemory } from '../../core/sources/sourceMemory.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { hashText } from '../hashText.ts';
import { ExclusiveLock } from '../lock/exclusiveLock.ts';
import { readJsonFile } from '../readJsonFile.ts';
import { makePrivateDirectory, PRIVATE_FILE_MODE } from '../stateDirectory.ts';
import { memorySchema } from './sourceStore.ts';

const claimSchema = z.object({ version: z.literal(1), leaderId: z.string() });
const sharedMemorySchema = z
  .object({
    version: z.literal(1),
    count: z.int().min(1),
    latest: memorySchema.optional(),
    agreed: memorySchema.optional(),
  })
  .transform(({ count, latest, agreed }): SharedMemory => ({ count, latest, agreed }));

/** What a shared source's target was merged with, in whichever window. */
export interface SharedMemory {
  /** Grows with each merge: tells a folder whether its own was the last. */
  readonly count: number;
  /** What was merged into the file of the window that ran it last, if the library is not known to have that. */
  readonly latest: SourceMemory | undefined;
  /** What was merged into what the library has. */
  readonly agreed: SourceMemory | undefined;
}

/**
 * Where the windows of this machine meet over one shared source: a folder beside the library's log, and deleted with it.
 * Whoever holds the lock runs the source; the leader leaves word there that it has it.
 */
export class SharedSourcePlace {
  readonly lock: ExclusiveLock;
  readonly directory: string;

  /** @param libraryDirectory of the library. @param path the target's, in the library. @param address URL or path of the source. */
  constructor(libraryDirectory: string, path: string, address: string) {
    this.directory = join(libraryDirectory, 'sources', hashText(`${path}\n${address}`).slice(0, 32));
    makePrivateDirectory(this.directory);
    this.lock = new ExclusiveLock(join(this.directory, 'source.lock'));
  }

  /** The leader that has this source; it may be gone since. */
  async claimant(): Promise<string | undefined> {
    return claimSchema.safeParse(await readJsonFile(this.#claimFile)).data?.leaderId;
  }

  async claim(leaderId: PeerId): Promise<void> {
    await this.#write(this.#claimFile, { version: 1, leaderId });
  }

  async withdraw(leaderId: PeerId): Promise<void> {
    if ((await this.claimant()) === leaderId) await rm(this.#claimFile, { force: true });
  }

  /** Undefined for what is not there or was damaged: then it is first contact again, which loses nothing. */
  async memory(): Promise<SharedMemory | undefined> {
    return sharedMemorySchema.safeParse(await readJsonFile(this.#memoryFile)).data;
  }

  /** Durable when it resolves. Only for who holds the lock. */
  async remember(shared: SharedMemory): Promise<void> {
    await this.#write(this.#memoryFile, { version: 1, ...shared });
  }

  get #claimFile(): string {
    return join(this.directory, 'claim.json');
  }

  get #memoryFile(): string {
    return join(this.directory, 'memory.json');
  }

  async #write(file: string, value: unknown): Promise<void> {
    await writeFileAtomic(file, JSON.stringify(value), { mode: PRIVATE_FILE_MODE });
  }
}
