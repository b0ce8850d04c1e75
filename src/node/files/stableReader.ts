import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { UserProblem } from '../../core/workingFiles.ts';
import { workingText, type WorkingText } from '../../core/workingText.ts';
import { isErrorWithCode } from '../errorCode.ts';
import { outsideProblem, readRawText } from './diskFiles.ts';
import { realFileInside } from './insideFolder.ts';

/** Size and time have to stay the same for so long before a file counts as whole. */
const QUIET_MS = 50;
/** A file whose end is not there is probably being written: so long it has to stay as it is to be believed. */
const CUT_QUIET_MS = 2_000;
/** A file that is written for longer is read when it is next reported. */
const MAX_READS = 400;
/** Larger files are no API descriptions, and reading them would hurt the whole window. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

type Reading =
  | {
      readonly kind: 'text';
      readonly working: WorkingText;
      /** Whether it is what this window has saved; another program may have written since. */
      readonly isSavedText: boolean;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

interface Stamp {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
  readonly isFile: boolean;
}

/** Reads files when they are whole (DESIGN §5, "Half-written files"). */
export class DiskStableReader {
  readonly #folder: string | undefined;

  /** @param folder the workspace folder's real path: what a link leads to outside of it is not read. */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  async read(file: string, savedText: string | undefined, agreedText: string | undefined): Promise<Reading> {
    let cut: { readonly stamp: Stamp; readonly since: number } | undefined;
    for (let attempt = 0; attempt < MAX_READS; attempt++) {
      if (this.#folder !== undefined && realFileInside(this.#folder, file) === undefined)
        return { kind: 'failed', problem: outsideProblem(file) };
      const before = await stamp(file);
      if (before === undefined) return { kind: 'missing' };
      // Reading a pipe or a device has no end.
      if (!before.isFile) return failed('file-not-readable', `${name(file)} is no file.`, 'It is left alone.');
      if (before.size > MAX_FILE_BYTES)
        return failed('file-too-large', `${name(file)} is larger than 64 MB.`, 'It is left alone.');
      let raw: string | undefined;
      try {
        raw = await readRawText(file);
      } catch (error) {
        if (isErrorWithCode(error, 'ERR_ENCODING_INVALID_ENCODED_DATA')) {
          return failed('not-utf-8', `${name(file)} is not UTF-8 text.`, 'Save it as UTF-8.');
        }
        return failed(
          'file-not-readable',
          `${name(file)} cannot be read.`,
          'See the log; it is tried again when the file changes.',
        );
      }
      if (raw === undefined) return { kind: 'missing' };
      const working = workingText(raw);
      if (savedText !== undefined && working.text === workingText(savedText).text)
        return { kind: 'text', working, isSavedText: true };
      if (!isSame(before, await stamp(file))) continue;
      await delay(QUIET_MS);
      if (!isSame(before, await stamp(file))) continue;
      if (agreedText !== undefined && looksCut(working.text, agreedText)) {
        if (cut === undefined || !isSame(cut.stamp, before)) cut = { stamp: before, since: performance.now() };
        if (performance.now() - cut.since < CUT_QUIET_MS) continue;
      }
      return { kind: 'text', working, isSavedText: false };
    }
    return failed(
      'file-busy',
      `${name(file)} is being written all the time.`,
      'It is read again when it changes next.',
    );
  }
}

async function stamp(file: string): Promise<Stamp | undefined> {
  try {
    const stats = await stat(file);
    return { size: stats.size, mtimeMs: stats.mtimeMs, ino: stats.ino, isFile: stats.isFile() };
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * Whether the text may be the beginning of a longer one: most prefixes of YAML are valid YAML, and taking one for the
 * whole would delete operations for everybody. An end that was agreed on and is still there, or goes on, is no cut.
 */
export function looksCut(text: string, agreedText: string): boolean {
  if (text.startsWith(agreedText.trimEnd())) return false;
  return lastLine(text) !== lastLine(agreedText);
}

function lastLine(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed.slice(trimmed.lastIndexOf('\n') + 1);
}

function isSame(a: Stamp, b: Stamp | undefined): boolean {
  return a.size === b?.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}

function name(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}

function failed(code: string, message: string, remedy: string): Reading {
  return { kind: 'failed', problem: { code, message, remedy } };
}
