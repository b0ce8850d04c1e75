import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, realpathSync, renameSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from '../../core/ports.ts';
import type { UserProblem, WorkingFiles, WriteOutcome, WriteRequest } from '../../core/workingFiles.ts';
import { TEMPORARY_FILE_PREFIX, writeFileAtomic } from '../atomicFile.ts';
import { isErrorWithCode } from '../errorCode.ts';
import { createIgnoreRules } from './ignoreRules.ts';
import { realFileInside } from './insideFolder.ts';

export { isErrorWithCode } from '../errorCode.ts';

/** Beyond this many folders a headless scan stops: a workspace is no whole disk. */
const MAX_SCANNED_FOLDERS = 20_000;
/** Deeper folders hold build output, not API descriptions. */
const MAX_SCAN_DEPTH = 12;

/** `true` for the endings that an OpenAPI document may have. */
export function isCandidateName(name: string): boolean {
  return /\.(ya?ml|json)$/i.test(name) && !/(^|[\\/])\.~als-/.test(name);
}

/** Reads a whole file as UTF-8 without touching its BOM; undefined where there is none. Rejects with the error's `code` otherwise. */
export async function readRawText(file: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(file);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The disk as a peer without an editor has it: no buffers, so nothing is ever unsaved, and saving is seen by the watcher. */
export function createDiskFiles(options: {
  /** The workspace folder: nothing outside of it is written, whatever links lead there. */
  readonly folder: string;
  readonly ignore: readonly string[];
  readonly logger: Logger;
}): WorkingFiles {
  const ignore = createIgnoreRules(options.ignore);
  const nothing = { dispose: () => undefined };
  return {
    hasUnsavedEdits: () => false,
    unsavedText: () => undefined,
    editBuffer: () => Promise.resolve(false),
    onDidSave: () => nothing,
    onDidChangeUnsaved: () => nothing,
    write: (request) => writeToDisk(options.folder, request),
    remove: (file, before) => removeFromDisk(options.folder, file, before),
    move: (from, to, before) => moveOnDisk(options.folder, from, to, before),
    findCandidates: (folder) => scan(folder, ignore, options.logger),
    dispose: () => undefined,
  };
}

/**
 * Writes `after` over a file inside `folder` that still reads as `before`, by temp file, fsync and rename. What it reads
 * as is looked at again when `after` is durable, so that a save made meanwhile is not overwritten. Folders that a new
 * file needs are made.
 */
async function writeToDisk(folder: string, request: WriteRequest): Promise<WriteOutcome> {
  const { file, before, after } = request;
  try {
    const realFolder = await realpath(folder);
    const target = realFileInside(realFolder, file);
    if (target === undefined) return { kind: 'failed', problem: outsideProblem(file) };
    if ((await readRawText(target)) !== before) return { kind: 'changed' };
    if (before === undefined && !(await makeFolder(dirname(target)))) return { kind: 'changed' };
    const expected = before === undefined ? undefined : Buffer.from(before, 'utf8');
    const isWritten = await writeFileAtomic(target, after, {
      isNew: before === undefined,
      mayReplace: () =>
        realFileInside(realFolder, file) === target && (expected === undefined || readsAs(target, expected)),
    });
    return { kind: isWritten ? 'written' : 'changed' };
  } catch (error) {
    return { kind: 'failed', problem: writeProblem(file, error) };
  }
}

/**
 * Removes a file inside `folder` that reads as `before`. It is put aside first and looked at there, so that a save that
 * came in the last moment goes back to its place; a link goes, and what it leads to stays.
 */
async function removeFromDisk(folder: string, file: string, before: string): Promise<WriteOutcome> {
  try {
    if (realFileInside(await realpath(folder), file) === undefined)
      return { kind: 'failed', problem: outsideProblem(file) };
    if ((await readRawText(file)) !== before) return { kind: 'changed' };
    const aside = join(dirname(file), `${TEMPORARY_FILE_PREFIX}${randomBytes(6).toString('hex')}-${nameOf(file)}`);
    renameSync(file, aside);
    if (readsAs(aside, Buffer.from(before, 'utf8'))) {
      await rm(aside, { force: true });
      return { kind: 'written' };
    }
    // Another file of that name may have come since; then both stay for the person to look at.
    if (!existsSync(file)) renameSync(aside, file);
    return { kind: 'changed' };
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'changed' };
    return { kind: 'failed', problem: removeProblem(file, error) };
  }
}

/**
 * Gives a file inside `folder` that reads as `before` another place inside it, where there is nothing yet; in another
 * case, the same file may answer to the new name already. A link goes as it is, within its folder only: it may be
 * relative.
 */
async function moveOnDisk(folder: string, from: string, to: string, before: string): Promise<WriteOutcome> {
  try {
    const realFolder = await realpath(folder);
    if (realFileInside(realFolder, from) === undefined) return { kind: 'failed', problem: outsideProblem(from) };
    const target = realFileInside(realFolder, to);
    if (target === undefined) return { kind: 'failed', problem: outsideProblem(to) };
    if ((await readRawText(from)) !== before || !(await makeFolder(dirname(target)))) return { kind: 'changed' };
    const own = lstatSync(from);
    const there = lstatSync(to, { throwIfNoEntry: false });
    const isSame = there !== undefined && there.ino === own.ino && there.dev === own.dev;
    if ((there !== undefined && !isSame) || (own.isSymbolicLink() && dirname(from) !== dirname(to)))
      return { kind: 'failed', problem: moveProblem(from, to, 'EEXIST') };
    // Where only the case differs, the real name of what is there is the old one.
    renameSync(from, join(dirname(target), basename(to)));
    return { kind: 'written' };
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'changed' };
    return { kind: 'failed', problem: moveProblem(from, to, codeOf(error)) };
  }
}

function moveProblem(from: string, to: string, code: string): UserProblem {
  return {
    code: 'file-not-renamed',
    message: `${nameOf(from)} was renamed by others and cannot get the name ${nameOf(to)} here (${code}).`,
    remedy: 'Make room for it; it goes on by itself.',
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

function readsAs(file: string, expected: Buffer): boolean {
  try {
    return readFileSync(file).equals(expected);
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Makes a folder (its path free of links) and those above it; `false` if a link came in between. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    return realpathSync.native(folder) === folder;
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
  }
  if (folder === dirname(folder) || !(await makeFolder(dirname(folder)))) return false;
  try {
    await mkdir(folder);
  } catch (error) {
    // Somebody was faster; what they made is looked at like the rest.
    if (!isErrorWithCode(error, 'EEXIST')) throw error;
  }
  return realpathSync.native(folder) === folder;
}

/** What a person reads where a document's file lies behind a link that leads out of the workspace folder. */
export function outsideProblem(file: string): UserProblem {
  return {
    code: 'file-outside',
    message: `${nameOf(file)} is a link that leads out of this folder. It is neither read nor written.`,
    remedy: 'Put the file itself into the folder to keep it in step.',
  };
}

function nameOf(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}

function removeProblem(file: string, error: unknown): UserProblem {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return {
    code: 'file-not-removed',
    message: `${nameOf(file)} was deleted by others and cannot be removed here (${code}).`,
    remedy: 'It is tried again; see the log.',
  };
}

function writeProblem(file: string, error: unknown): UserProblem {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const name = nameOf(file);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return {
      code: 'file-read-only',
      message: `${name} cannot be written: it is read-only.`,
      remedy: 'Allow writing; it goes on by itself.',
    };
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return {
      code: 'disk-full',
      message: `${name} cannot be written: the disk is full.`,
      remedy: 'Free some space; it goes on by itself.',
    };
  }
  return {
    code: 'file-not-written',
    message: `${name} cannot be written (${code}).`,
    remedy: 'It is tried again; see the log.',
  };
}

async function scan(folder: string, isIgnored: (path: string) => boolean, logger: Logger): Promise<readonly string[]> {
  const found: string[] = [];
  const waiting: { readonly path: string; readonly depth: number }[] = [{ path: '', depth: 0 }];
  let scanned = 0;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    scanned += 1;
    if (scanned > MAX_SCANNED_FOLDERS) {
      logger.warn('The folder is too large to be searched to the end.', { scannedFolders: MAX_SCANNED_FOLDERS });
      break;
    }
    const entries = await readdir(join(folder, next.path), { withFileTypes: true }).catch((error: unknown) => {
      // A folder that vanished or is closed to us holds no documents of ours.
      logger.debug('A folder could not be read.', { error: String(error) });
      return [];
    });
    for (const entry of entries) {
      const path = next.path === '' ? entry.name : `${next.path}/${entry.name}`;
      if (isIgnored(path)) continue;
      if (entry.isDirectory()) {
        if (next.depth < MAX_SCAN_DEPTH) waiting.push({ path, depth: next.depth + 1 });
      } else if (isCandidateName(entry.name) && (entry.isFile() || (await isFileBehindLink(join(folder, path))))) {
        found.push(join(folder, path));
      }
    }
  }
  return found;
}

async function isFileBehindLink(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch {
    // A dangling link is no document.
    return false;
  }
}
