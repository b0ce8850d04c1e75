import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Every temporary file of ours begins like this, so that watchers and searches can leave it out. */
export const TEMPORARY_FILE_PREFIX = '.~als-';

const DEFAULT_FILE_MODE = 0o666;
const PERMISSION_BITS = 0o7777;
/** How long another program (a virus scanner, an indexer) may keep a file open on Windows before we give up: 10 + 20 + … + 640 ms. */
const RENAME_RETRY_DELAYS_MS = [10, 20, 40, 80, 160, 320, 640];
const MAX_LINK_DEPTH = 40;

export interface WriteFileOptions {
  /** Permission bits of a new file; an existing one keeps its own. */
  readonly mode?: number;
}

/** Whether a file name is one of our temporary files. */
export function isTemporaryFileName(name: string): boolean {
  return name.startsWith(TEMPORARY_FILE_PREFIX);
}

/**
 * Replaces a file's content so that a reader (or a power cut) meets the old or the new content, never a part of it:
 * temporary file, fsync, rename. Keeps the file's mode, writes through symbolic links, and refuses a read-only file
 * (`EACCES`). Where the file cannot be replaced (a single file mounted into a container, one with several hard
 * links, a folder that takes no new files) it is written in place. Rejects with the file system's error.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteFileOptions = {},
): Promise<void> {
  const target = await followLinks(path);
  const existing = await statIfThere(target);
  // A rename would replace a read-only file without asking.
  if (existing !== undefined) await access(target, constants.W_OK);
  if (existing !== undefined && existing.nlink > 1) {
    await writeInPlace(target, data);
    return;
  }
  const mode = existing === undefined ? options.mode : existing.mode & PERMISSION_BITS;
  const temporary = join(
    dirname(target),
    `${TEMPORARY_FILE_PREFIX}${randomBytes(6).toString('hex')}-${basename(target).slice(0, 100)}`,
  );
  try {
    await writeNew(temporary, data, mode);
    await renameOver(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (existing === undefined || !isReplaceRefused(error)) throw error;
    await writeInPlace(target, data);
    return;
  }
  await syncDirectory(dirname(target));
}

/** The file behind symbolic links, also behind one that points to a file that is not there yet. */
async function followLinks(path: string): Promise<string> {
  let target = resolve(path);
  for (let depth = 0; depth < MAX_LINK_DEPTH; depth += 1) {
    const found = await ifThere(lstat(target));
    if (found === undefined) return target;
    if (!found.isSymbolicLink()) return await realpath(target);
    target = resolve(dirname(target), await readlink(target));
  }
  return target;
}

async function writeNew(path: string, data: string | Uint8Array, mode: number | undefined): Promise<void> {
  const file = await open(path, 'wx', mode ?? DEFAULT_FILE_MODE);
  try {
    await file.writeFile(data);
    // The mode given to `open` passes the umask; the file that we replace has been through it already.
    if (mode !== undefined) await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeInPlace(path: string, data: string | Uint8Array): Promise<void> {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  const file: FileHandle = await open(path, 'r+');
  try {
    await file.truncate(0);
    let written = 0;
    while (written < bytes.byteLength)
      written += (await file.write(bytes, written, bytes.byteLength - written, written)).bytesWritten;
    await file.sync();
  } finally {
    await file.close();
  }
}

async function renameOver(from: string, to: string): Promise<void> {
  for (const waitMs of process.platform === 'win32' ? RENAME_RETRY_DELAYS_MS : []) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      if (!hasCode(error, 'EPERM', 'EBUSY', 'EACCES')) throw error;
      await delay(waitMs);
    }
  }
  await rename(from, to);
}

/** A rename is durable only when its folder is. Windows has no such call, and some network file systems refuse it. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!hasCode(error, 'EINVAL', 'EACCES', 'EPERM', 'ENOTSUP', 'EBADF')) throw error;
  }
}

function isReplaceRefused(error: unknown): boolean {
  return hasCode(error, 'EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS');
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  return await ifThere(stat(path));
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
