/** A stretch that two texts have in common. */
interface Run {
  readonly start: number;
  readonly end: number;
  /** Where it starts in the earlier text. */
  readonly oldStart: number;
}

/** Whole lines that are not in common: of the later text, and what stood in the earlier one instead. */
export interface ChangedLines {
  readonly start: number;
  readonly end: number;
  readonly oldStart: number;
  readonly oldEnd: number;
}

/** Comparing slices is much faster than comparing characters, and a slice costs no copy. In UTF-16 units. */
const STRIDE = 1 << 16;
/** Behind a change, the texts meet again where so much is the same, not farther apart than the window. In UTF-16 units. */
const PROBE_LENGTH = 200;
const WINDOW_LENGTH = 20_000;
/** So many lines are tried for that. */
const MAX_PROBES = 40;
/** Two texts with more changes than that are hardly revisions of each other. */
const MAX_RUNS = 200;

/**
 * What a text has in common with an earlier one. Every run was compared character by character; that they are as long
 * as they could be is not promised. Offsets are of the later text, but for those called old. In one pass over both texts
 * for revisions that differ in some places. On its own on purpose: the merge finds differences by other code.
 */
export class UnchangedRuns {
  readonly #runs: Run[] = [];
  readonly #length: number;
  readonly #oldLength: number;

  constructor(earlier: string, text: string) {
    this.#length = text.length;
    this.#oldLength = earlier.length;
    const prefix = sameLength(earlier, 0, text, 0, Math.min(earlier.length, text.length));
    const suffix = sameEnd(earlier, text, Math.min(earlier.length, text.length) - prefix);
    this.#add({ start: 0, end: prefix, oldStart: 0 });
    const end = text.length - suffix;
    const oldEnd = earlier.length - suffix;
    let [at, oldAt] = [prefix, prefix];
    while (end - at > PROBE_LENGTH && oldEnd - oldAt > PROBE_LENGTH && this.#runs.length < MAX_RUNS) {
      const met = meetingPlace(earlier.slice(oldAt, Math.min(oldEnd, oldAt + WINDOW_LENGTH)), text, at, end);
      if (met === undefined) break;
      const [start, oldStart] = [met.start, oldAt + met.oldStart];
      const length = sameLength(earlier, oldStart, text, start, Math.min(oldEnd - oldStart, end - start));
      this.#add({ start, end: start + length, oldStart });
      [at, oldAt] = [start + length, oldStart + length];
    }
    this.#add({ start: end, end: text.length, oldStart: oldEnd });
  }

  /** How much of the text is not in common. */
  get changedLength(): number {
    return this.#runs.reduce((rest, { start, end }) => rest - (end - start), this.#length);
  }

  /** Whether the stretch is in common as a whole. */
  isUnchanged(start: number, end: number): boolean {
    const run = this.#runAt(start);
    return run !== undefined && end <= run.end;
  }

  /** Where the character at `offset` stood in the earlier text; undefined where it is not in common. */
  oldOffset(offset: number): number | undefined {
    const run = this.#runAt(offset);
    return run === undefined ? undefined : offset - run.start + run.oldStart;
  }

  /** The lines that are not in common as a whole, in the order of the texts. */
  changedLines(earlier: string, text: string): ChangedLines[] {
    const changed: ChangedLines[] = [];
    let [at, oldAt] = [0, 0];
    const pass = (start: number, oldStart: number): void => {
      if (start > at || oldStart > oldAt) changed.push({ start: at, end: start, oldStart: oldAt, oldEnd: oldStart });
    };
    for (const run of this.#runs) {
      const isAtStart = run.start === 0 && run.oldStart === 0;
      const isAtEnd = run.end === this.#length && run.end - run.start + run.oldStart === this.#oldLength;
      const lineFeed = text.indexOf('\n', run.start);
      const start = isAtStart ? 0 : lineFeed < 0 ? run.end : lineFeed + 1;
      const end = isAtEnd ? run.end : text.slice(run.start, run.end).lastIndexOf('\n') + 1 + run.start;
      if (start >= end) continue;
      const oldStart = start - run.start + run.oldStart;
      pass(start, oldStart);
      [at, oldAt] = [end, oldStart + end - start];
    }
    pass(text.length, earlier.length);
    return changed;
  }

  #add(run: Run): void {
    if (run.end > run.start) this.#runs.push(run);
  }

  #runAt(offset: number): Run | undefined {
    let [low, high] = [0, this.#runs.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const run = this.#runs[middle];
      if (run === undefined) return undefined;
      if (offset < run.start) high = middle - 1;
      else if (offset >= run.end) low = middle + 1;
      else return run;
    }
    return undefined;
  }
}

/** Where a line below `at` stands again in the window of the earlier text, together with what follows it. */
function meetingPlace(
  window: string,
  text: string,
  at: number,
  end: number,
): { readonly start: number; readonly oldStart: number } | undefined {
  let start = at;
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    const lineFeed = text.indexOf('\n', start);
    start = lineFeed + 1;
    if (lineFeed < 0 || start + PROBE_LENGTH > end) return undefined;
    const oldStart = window.indexOf(text.slice(start, start + PROBE_LENGTH));
    if (oldStart >= 0) return { start, oldStart };
  }
  return undefined;
}

/** How many units are the same from there on, at most `length`. */
function sameLength(earlier: string, oldStart: number, text: string, start: number, length: number): number {
  return longest(
    length,
    (from, to) => earlier.slice(oldStart + from, oldStart + to) === text.slice(start + from, start + to),
  );
}

/** How many units are the same at the end, at most `length`. */
function sameEnd(earlier: string, text: string, length: number): number {
  return longest(
    length,
    (from, to) =>
      earlier.slice(earlier.length - to, earlier.length - from) === text.slice(text.length - to, text.length - from),
  );
}

/** By strides, then by halves of the one that is not the same. */
function longest(length: number, isSame: (from: number, to: number) => boolean): number {
  let same = 0;
  while (same < length && isSame(same, Math.min(length, same + STRIDE))) same = Math.min(length, same + STRIDE);
  let other = Math.min(length, same + STRIDE);
  while (same < other) {
    const middle = (same + other + 1) >> 1;
    if (isSame(same, middle)) same = middle;
    else other = middle - 1;
  }
  return same;
}
