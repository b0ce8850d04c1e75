import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../core/ports.ts';
import type { WorkingFiles, WriteOutcome, WriteRequest } from '../../core/workingFiles.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { createIgnoreRules } from './ignoreRules.ts';

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
    if (isErrorWithCode(error, 'ENOENT') || isErrorWithCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether `error` is a Node error of this code. */
export function isErrorWithCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The disk as a peer without an editor has it: no buffers, so nothing is ever unsaved, and saving is seen by the watcher. */
export function createDiskFiles(options: {
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
    write: writeToDisk,
    findCandidates: (folder) => scan(folder, ignore, options.logger),
    dispose: () => undefined,
  };
}

/** Writes `after` over a file that still reads as `before`, by temp file, fsync and rename. */
export async function writeToDisk(request: WriteRequest): Promise<WriteOutcome> {
  try {
    if ((await readRawText(request.file)) !== request.before) return { kind: 'changed' };
    // A rename would go through on a read-only file: the person who made it so did not mean that.
    if (request.before !== undefined) await access(request.file, constants.W_OK);
    await writeFileAtomic(request.file, request.after);
    return { kind: 'written' };
  } catch (error) {
    return { kind: 'failed', problem: writeProblem(request.file, error) };
  }
}

function writeProblem(file: string, error: unknown): { code: string; message: string; remedy: string } {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const name = file.split(/[\\/]/).pop() ?? file;
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
