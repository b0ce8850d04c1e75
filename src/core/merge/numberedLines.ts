import { commonLength } from './commonEnds.ts';

/** A stretch of a text as lines. Equal lines of all texts of one `LineNumbers` have equal numbers. */
export interface NumberedLines {
  readonly text: string;
  readonly numbers: Int32Array;
  /** Where each line begins in the text, and where the last one ends. */
  readonly starts: Int32Array;
}

/** A line that does not stand where it is expected is looked for so many lines farther on. */
const WINDOW_LINES = 50;
/** Fewer lines that are the same do not say that two texts have met again. */
const MIN_MET_LINES = 3;

/**
 * Numbers the lines of the revisions of a text. Lines that stand in a revision as in the base are found by comparing
 * stretches of characters; only the others are cut out and looked up.
 */
export class LineNumbers {
  readonly #numbers = new Map<string, number>();
  /** Where in the base the line of each number stands; -1 where at several places. */
  readonly #places: number[] = [];
  readonly base: NumberedLines;

  constructor(base: string, start: number, end: number) {
    const numbers: number[] = [];
    const starts: number[] = [];
    let at = start;
    while (at < end) {
      const next = lineEnd(base, at, end);
      const number = this.#numberOf(base.slice(at, next));
      this.#places[number] = number < this.#places.length ? -1 : numbers.length;
      numbers.push(number);
      starts.push(at);
      at = next;
    }
    starts.push(end);
    this.base = { text: base, numbers: Int32Array.from(numbers), starts: Int32Array.from(starts) };
  }

  /** The lines of `text` from `start` to `end`. */
  of(text: string, start: number, end: number): NumberedLines {
    const { numbers: known } = this.base;
    const numbers: number[] = [];
    const starts: number[] = [];
    /** The line of the base that is expected next. */
    let expected = 0;
    let at = start;
    const takeSame = (from: number): number => {
      const to = this.#sameLines(text, at, end, from);
      for (let line = from; line < to; line++) {
        numbers.push(known[line] ?? 0);
        starts.push(at);
        at += this.#length(line);
      }
      return to;
    };
    while (at < end) {
      expected = takeSame(expected);
      if (at >= end) break;
      const next = lineEnd(text, at, end);
      const number = this.#numberOf(text.slice(at, next));
      numbers.push(number);
      starts.push(at);
      at = next;
      const place = this.#placeOf(number, expected);
      if (place === undefined) continue;
      const met = takeSame(place + 1);
      // Nothing is expected that only looks alike: brackets stand everywhere.
      if (met - place >= MIN_MET_LINES) expected = met;
    }
    starts.push(end);
    return { text, numbers: Int32Array.from(numbers), starts: Int32Array.from(starts) };
  }

  #numberOf(line: string): number {
    let number = this.#numbers.get(line);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(line, number);
    }
    return number;
  }

  /** Where the base has that line, from the expected one on. */
  #placeOf(number: number, expected: number): number | undefined {
    const only = this.#places[number];
    if (only === undefined) return undefined;
    if (only >= 0) return only >= expected ? only : undefined;
    const { numbers } = this.base;
    const end = Math.min(numbers.length, expected + WINDOW_LINES);
    for (let line = expected; line < end; line++) if (numbers[line] === number) return line;
    return undefined;
  }

  #length(line: number): number {
    const { starts } = this.base;
    return (starts[line + 1] ?? 0) - (starts[line] ?? 0);
  }

  /** Up to which line the base has from line `from` on what stands in `text` at `at`, in whole lines. */
  #sameLines(text: string, at: number, end: number, from: number): number {
    const { text: base, starts, numbers } = this.base;
    const start = starts[from] ?? 0;
    const baseEnd = starts[numbers.length] ?? 0;
    const length = commonLength(base, start, text, at, Math.min(baseEnd - start, end - at));
    let [low, high] = [from, numbers.length];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) - start <= length) low = middle;
      else high = middle - 1;
    }
    // A last line without its end is the same line only where the text ends there as well.
    const isCut = low === numbers.length && low > from && base.charCodeAt(baseEnd - 1) !== LINE_FEED;
    return isCut && at + length < end ? low - 1 : low;
  }
}

const LINE_FEED = 0x0a;

/** Behind the line that begins at `start`. */
function lineEnd(text: string, start: number, end: number): number {
  const lineFeed = text.indexOf('\n', start);
  return lineFeed < 0 || lineFeed >= end ? end : lineFeed + 1;
}
