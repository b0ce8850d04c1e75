import { watch } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { PeerId, Term } from '../core/ids.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import { termSchema } from '../core/replication/entrySchema.ts';
import { describeError } from '../core/replication/syncError.ts';
import { writeFileAtomic } from '../node/atomicFile.ts';
import { PRIVATE_FILE_MODE } from '../node/stateDirectory.ts';

const LEADER_FILE = 'leader.json';
const MAX_PORT = 65_535;

/** Where the leader of a library listens on this machine. */
export interface LeaderAddress {
  readonly port: number;
  readonly term: Term;
  /** For people who look for the process; nothing is decided by it. */
  readonly pid: number;
}

const addressSchema: z.ZodType<LeaderAddress> = z.strictObject({
  port: z.number().int().min(1).max(MAX_PORT),
  term: termSchema,
  pid: z.number().int(),
});

/** Tells the other peers where to connect; only the holder of the library's lock may. */
export async function publishLeaderAddress(libraryDirectory: string, address: LeaderAddress): Promise<void> {
  await writeFileAtomic(join(libraryDirectory, LEADER_FILE), `${JSON.stringify(address)}\n`, {
    mode: PRIVATE_FILE_MODE,
  });
}

/**
 * Takes the address back; only while the lock is still held, or it could be the next leader's. Where the library's folder
 * was put back from a backup meanwhile, that holds nobody back: then only one's own address is taken.
 */
export async function withdrawLeaderAddress(libraryDirectory: string, leaderId: PeerId): Promise<void> {
  const published = await readLeaderAddress(libraryDirectory);
  if (published !== undefined && published.leaderId !== leaderId) return;
  await rm(join(libraryDirectory, LEADER_FILE), { force: true });
}

/** Undefined where no leader has published one, or what is there is none. */
export async function readLeaderAddress(
  libraryDirectory: string,
): Promise<{ readonly port: number; readonly leaderId: PeerId } | undefined> {
  try {
    const { data } = addressSchema.safeParse(JSON.parse(await readFile(join(libraryDirectory, LEADER_FILE), 'utf8')));
    return data === undefined ? undefined : { port: data.port, leaderId: data.term.leaderId };
  } catch {
    // Not there yet, or damaged: the caller waits for the next leader to publish.
    return undefined;
  }
}

/** Calls back when the address may have changed. Only a hint that saves waiting: whoever uses it must go on without it. */
export function watchLeaderAddress(libraryDirectory: string, logger: Logger, onHint: () => void): Disposable {
  const failed = (error: unknown): void => {
    logger.warn("The library's folder cannot be watched; a new leader is found a little later", {
      error: describeError(error),
    });
  };
  try {
    const watcher = watch(libraryDirectory, (_event, fileName) => {
      if (fileName === LEADER_FILE || fileName === null) onHint();
    });
    watcher.on('error', failed);
    return {
      dispose: () => {
        watcher.close();
      },
    };
  } catch (error) {
    failed(error);
    return { dispose: () => undefined };
  }
}
