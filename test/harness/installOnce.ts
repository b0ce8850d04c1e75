import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheDir } from './paths.ts';

/** Says what is going on to a person who waits. */
export type Progress = (line: string) => void;

export interface Installation {
  /** Folder name in the cache. It names version, platform and recipe, so that a new recipe never meets an old folder. */
  readonly name: string;
  /** Fills an empty folder. May throw; nothing of it is kept then. */
  readonly install: (dir: string, progress: Progress) => Promise<void>;
}

/**
 * Returns the folder of an installation in the cache and makes it first where it is missing.
 * The folder appears by a rename of a finished one, so a killed install never leaves half of it under that name.
 */
export async function installOnce(installation: Installation, progress: Progress): Promise<string> {
  const root = cacheDir();
  const target = path.join(root, installation.name);
  if (existsSync(target)) return target;

  await mkdir(root, { recursive: true });
  const release = await lock(path.join(root, `${installation.name}.lock`), () => {
    progress(`Another process is installing ${installation.name}; waiting for it.`);
  });
  try {
    if (existsSync(target)) return target;
    // Only the lock's holder makes such folders, so any that exist were left by a process that was killed.
    for (const entry of await readdir(root)) {
      if (entry.startsWith(`${installation.name}.partial-`)) {
        await rm(path.join(root, entry), { recursive: true, force: true });
      }
    }
    const staging = path.join(root, `${installation.name}.partial-${randomUUID()}`);
    try {
      await mkdir(staging);
      await installation.install(staging, progress);
      await rename(staging, target);
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw error;
    }
    return target;
  } finally {
    release();
  }
}

/**
 * An exclusive transaction on an empty database is a lock of the operating system: it goes away with its process,
 * also when that is killed, so no stale lock has to be recognised.
 */
async function lock(file: string, onWait: () => void): Promise<() => void> {
  const database = new DatabaseSync(file, { timeout: 0 });
  for (let waited = false; ; waited = true) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => {
        database.close();
      };
    } catch (error) {
      if (!isBusy(error)) {
        database.close();
        throw error;
      }
      if (!waited) onWait();
      await delay(200);
    }
  }
}

function isBusy(error: unknown): boolean {
  const sqliteBusy = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}
