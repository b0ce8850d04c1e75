import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExclusiveLock } from './exclusiveLock.ts';

const HOW = { recursive: true, force: true, maxRetries: 3 } as const;

/**
 * Deletes the folder that a lock guards while nobody else can be at work in it; true where there is none. False, and
 * nothing happens, where somebody holds the lock.
 * @param first done before anything is deleted, with the lock held.
 */
export async function removeUnderLock(
  directory: string,
  lock: ExclusiveLock,
  first: () => Promise<void> = () => Promise.resolve(),
): Promise<boolean> {
  // Trying a lock makes its file, for which there has to be a folder.
  if ((await stat(directory).catch(() => undefined)) === undefined) {
    await first();
    return true;
  }
  if (!lock.tryAcquire()) return false;
  try {
    await first();
    for (const name of await readdir(directory)) {
      // Windows deletes no file that is open, and the lock is one.
      if (!name.includes('.lock')) await rm(join(directory, name), HOW);
    }
  } finally {
    lock.dispose();
  }
  await rm(directory, HOW);
  return true;
}
