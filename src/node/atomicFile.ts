import { randomBytes } from 'node:crypto';
import { constants, ftruncateSync, linkSync, lstatSync, renameSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, lstat, open, readlink, realpath, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrorWithCode } from './errorCode.ts';

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
  /** The file must not be there; one that turns up in the last moment stays as it is. */
  readonly isNew?: boolean;
  /**
   * Asked when the new content is durable beside the file, right before it takes its place, and again before each
   * further try; `false` leaves the file as it is. It does not wait for anything, so that a save that comes while we
   * write and sync is seen, however long that takes.
   */
  readonly mayReplace?: () => boolean;
}

/** Whether a file name is one of our temporary files. */
export function isTemporaryFileName(name: string): boolean {
  return name.startsWith(TEMPORARY_FILE_PREFIX);
}

/**
 * Replaces a file's content so that a reader (or a power cut) meets the old or the new content, never a part of it:
 * temporary file, fsync, rename. Keeps the file's mode, writes through symbolic links, and refuses a read-only file
 * (`EACCES`). Where the file cannot be replaced (a single file mounted into a container, one with several hard
 * links, a folder that takes no new files) it is written in place. Answers whether it was written: `isNew` and
 * `mayReplace` may say no. Rejects with the file system's error.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteFileOptions = {},
): Promise<boolean> {
  const { isNew = false, mayReplace = () => true } = options;
  const target = await followLinks(path);
  const existing = await statIfThere(target);
  if (existing !== undefined && isNew) return false;
  // A rename would replace a read-only file without asking.
  if (existing !== undefined) await access(target, constants.W_OK);
  if (existing !== undefined && existing.nlink > 1) return await writeInPlace(target, data, mayReplace);
  const mode = existing === undefined ? options.mode : existing.mode & PERMISSION_BITS;
  const temporary = join(
    dirname(target),
    `${TEMPORARY_FILE_PREFIX}${randomBytes(6).toString('hex')}-${basename(target).slice(0, 100)}`,
  );
  let isWritten: boolean;
  try {
    await writeNew(temporary, data, mode);
    isWritten = isNew ? mayReplace() && linkNew(temporary, target) : await renameOver(temporary, target, mayReplace);
  } catch (error) {
    await rm(temporary, { force: true });
    if (existing === undefined || !isReplaceRefused(error)) throw error;
    return await writeInPlace(target, data, mayReplace);
  }
  // Refused, or a second name of the new file.
  if (isNew || !isWritten) await rm(temporary, { force: true });
  if (isWritten) await syncDirectory(dirname(target));
  return isWritten;
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

async function writeInPlace(path: string, data: string | Uint8Array, mayReplace: () => boolean): Promise<boolean> {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  const file: FileHandle = await open(path, 'r+');
  try {
    if (!mayReplace()) return false;
    ftruncateSync(file.fd, 0);
    let written = 0;
    while (written < bytes.byteLength)
      written += (await file.write(bytes, written, bytes.byteLength - written, written)).bytesWritten;
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}

async function renameOver(from: string, to: string, mayReplace: () => boolean): Promise<boolean> {
  for (const waitMs of process.platform === 'win32' ? RENAME_RETRY_DELAYS_MS : []) {
    try {
      return renameNow(from, to, mayReplace);
    } catch (error) {
      if (!isErrorWithCode(error, 'EPERM', 'EBUSY', 'EACCES')) throw error;
      await delay(waitMs);
    }
  }
  return renameNow(from, to, mayReplace);
}

/** Not a single turn of the event loop lies between the question and the rename. */
function renameNow(from: string, to: string, mayReplace: () => boolean): boolean {
  if (!mayReplace()) return false;
  renameSync(from, to);
  return true;
}

/** Gives a file a name that nobody has: `link`, unlike `rename`, replaces nothing. */
function linkNew(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrorWithCode(error, 'EEXIST')) return false;
  }
  // A file system without hard links (FAT, some network drives): look, and rename in the same breath.
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return false;
  renameSync(from, to);
  return true;
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
    if (!isErrorWithCode(error, 'EINVAL', 'EACCES', 'EPERM', 'ENOTSUP', 'EBADF')) throw error;
  }
}

function isReplaceRefused(error: unknown): boolean {
  return isErrorWithCode(error, 'EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS');
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  return await ifThere(stat(path));
}

async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
