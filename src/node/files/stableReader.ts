import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/ports.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { workingText, type WorkingText } from '../../core/workingText.ts';
import { isErrorWithCode } from '../errorCode.ts';
import { outsideProblem, readRawText } from './diskFiles.ts';
import { realFileInside } from './insideFolder.ts';

/** Size and time have to stay the same for so long before a file counts as whole. */
const QUIET_MS = 50;
/** A file whose end is not there is probably being written: so long it has to stay as it is to be believed. */
const CUT_QUIET_MS = 2_000;
/** At least so many last lines, blank ones included, tell an end. */
const MIN_END_LINES = 3;
/** A text that repeats itself for longer is told by so many. */
const MAX_END_LINES = 96;
/** A file that is written for longer is read when it is next reported. */
const MAX_READS = 400;
/** Larger files are no API descriptions, and reading them would hurt the whole window. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

type Reading =
  | { readonly kind: 'text'; readonly working: WorkingText; readonly modifiedAt: number }
  | { readonly kind: 'missing'; readonly isFolderGone: boolean }
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
  readonly #clock: Pick<Clock, 'monotonicNow'>;
  readonly #wait: (waitMs: number) => Promise<void>;
  /** Since when a file that looks cut is as it is: many readings of one state wait for it together, once. */
  readonly #cuts = new Map<string, { readonly stamp: Stamp; readonly since: number }>();

  /**
   * @param folder the workspace folder's real path: what a link leads to outside of it is not read.
   * @param wait resolves when so long has gone by.
   */
  constructor(
    folder?: string,
    clock: Pick<Clock, 'monotonicNow'> = performanceClock,
    wait: (waitMs: number) => Promise<void> = delay,
  ) {
    this.#folder = folder;
    this.#clock = clock;
    this.#wait = wait;
  }

  async read(file: string, savedText: string | undefined, agreedText: string | undefined): Promise<Reading> {
    for (let attempt = 0; attempt < MAX_READS; attempt++) {
      if (this.#folder !== undefined && realFileInside(this.#folder, file) === undefined)
        return { kind: 'failed', problem: outsideProblem(file) };
      const before = await stamp(file);
      if (before === undefined) return missing(file);
      // Reading a pipe or a device has no end.
      if (!before.isFile) return failed('file-not-readable', `${name(file)} is no file.`, 'It is left alone.');
      if (before.size > MAX_FILE_BYTES)
        return failed('file-too-large', `${name(file)} is larger than 64 MB.`, 'It is left alone.');
      let raw: string | undefined;
      let isText = true;
      try {
        raw = await readRawText(file);
      } catch (error) {
        isText = !isErrorWithCode(error, 'ERR_ENCODING_INVALID_ENCODED_DATA');
        if (isText)
          return failed(
            'file-not-readable',
            `${name(file)} cannot be read.`,
            'See the log; it is tried again when the file changes.',
          );
      }
      if (isText && raw === undefined) return missing(file);
      const working = workingText(raw ?? '');
      if (isText && savedText !== undefined && working.text === workingText(savedText).text)
        return { kind: 'text', working, modifiedAt: before.mtimeMs };
      if (!isSame(before, await stamp(file))) continue;
      await this.#wait(QUIET_MS);
      if (!isSame(before, await stamp(file))) continue;
      // The cut may also go through a character, which leaves no text at all.
      if (agreedText !== undefined && (!isText || looksCut(working.text, agreedText))) {
        const known = this.#cuts.get(file);
        const cut =
          known !== undefined && isSame(known.stamp, before)
            ? known
            : { stamp: before, since: this.#clock.monotonicNow() };
        this.#cuts.set(file, cut);
        if (this.#clock.monotonicNow() - cut.since < CUT_QUIET_MS) continue;
      }
      if (!isText) return failed('not-utf-8', `${name(file)} is not UTF-8 text.`, 'Save it as UTF-8.');
      return { kind: 'text', working, modifiedAt: before.mtimeMs };
    }
    return failed(
      'file-busy',
      `${name(file)} is being written all the time.`,
      'It is read again when it changes next.',
    );
  }
}

const performanceClock = { monotonicNow: (): number => performance.now() };

async function missing(file: string): Promise<Reading> {
  // A folder that is closed to us tells nothing, and is as good as gone.
  const names = await readdir(dirname(file)).catch(() => []);
  return { kind: 'missing', isFolderGone: names.length === 0 };
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
 * whole would delete operations for everybody. A beginning of the agreed text always may be; a text that was edited
 * too is no cut if it still has the agreed end. A wrong yes costs 2 s, a wrong no costs what was cut off.
 */
export function looksCut(text: string, agreedText: string): boolean {
  const now = text.trimEnd();
  const agreed = agreedText.trimEnd();
  if (now.startsWith(agreed)) return false;
  if (agreed.startsWith(now)) return true;
  // JSON ends where its root does, and anything less cannot be read, so it is never sent.
  if (now.startsWith('{') && now.endsWith('}')) return false;
  return !`\n${now}`.endsWith(unmistakableEnd(agreed));
}

/**
 * The last lines of a text, as many as occur nowhere else in it: operations often end alike, so that the text behind
 * any of them seems to have its end (`description: OK`).
 */
function unmistakableEnd(text: string): string {
  const whole = `\n${text}`;
  let start = whole.length;
  for (let count = 0, wanted = MIN_END_LINES; start > 0; wanted *= 2) {
    for (; count < wanted && start > 0; count++) start = whole.lastIndexOf('\n', start - 1);
    const end = whole.slice(start);
    if (wanted >= MAX_END_LINES || whole.indexOf(end) === start) return end;
  }
  return whole;
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
