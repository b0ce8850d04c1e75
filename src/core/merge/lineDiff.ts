import { diff_core } from 'fast-myers-diff';

/** Elements [aStart, aEnd) of the first sequence stand where the second has [bStart, bEnd). */
export interface Hunk {
  readonly aStart: number;
  readonly aEnd: number;
  readonly bStart: number;
  readonly bEnd: number;
}

/** Gives equal lines equal numbers, so that comparing two lines costs one integer comparison. */
export class LineTable {
  readonly #numbers = new Map<string, number>();

  intern(lines: readonly string[]): Int32Array {
    const numbers = new Int32Array(lines.length);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] ?? '';
      let number = this.#numbers.get(line);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(line, number);
      }
      numbers[i] = number;
    }
    return numbers;
  }
}

/** Cuts a text after each `\n`; joining the lines gives the text again. An empty text has no lines. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    if (end < 0) {
      lines.push(text.slice(start));
      break;
    }
    lines.push(text.slice(start, end + 1));
    start = end + 1;
  }
  return lines;
}

/**
 * What has to be replaced in `a` to give `b`, in order, never touching each other. Runs of changes that could stand at
 * several places (an inserted block between equal lines) are slid to the place that `git diff` chooses, because the
 * three-way merge is to agree with git wherever git is right.
 */
export function diffLines(a: Int32Array, b: Int32Array): Hunk[] {
  const changedA = new Uint8Array(a.length + 1);
  const changedB = new Uint8Array(b.length + 1);
  markChanges(a, b, changedA, changedB);
  slideGroups(a, changedA, changedB);
  slideGroups(b, changedB, changedA);
  return collectHunks(changedA, changedB, a.length, b.length);
}

/** Above this product of lengths a stretch without common unique lines is replaced as a whole: a peer must not freeze us. */
const MAX_STRETCH_PRODUCT = 400_000_000;
/** Below this product the exact algorithm is fast enough without help. */
const EXACT_STRETCH_PRODUCT = 4_000_000;

function markChanges(a: Int32Array, b: Int32Array, changedA: Uint8Array, changedB: Uint8Array): void {
  let start = 0;
  let endA = a.length;
  let endB = b.length;
  while (start < endA && start < endB && a[start] === b[start]) start++;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  // A line that the other side does not have at all cannot be common: leaving it out makes the search small.
  const size = 1 + Math.max(highest(a), highest(b));
  const countA = new Int32Array(size);
  const countB = new Int32Array(size);
  for (let i = start; i < endA; i++) increment(countA, at(a, i));
  for (let j = start; j < endB; j++) increment(countB, at(b, j));
  const keptA = keep(a, start, endA, countB, changedA);
  const keptB = keep(b, start, endB, countA, changedB);
  const stretches = splitAtUniqueLines(a, b, keptA, keptB, countA, countB);
  for (const stretch of stretches) {
    const { aStart, aEnd, bStart, bEnd } = stretch;
    if ((aEnd - aStart) * (bEnd - bStart) > MAX_STRETCH_PRODUCT) {
      for (let i = aStart; i < aEnd; i++) changedA[at(keptA, i)] = 1;
      for (let j = bStart; j < bEnd; j++) changedB[at(keptB, j)] = 1;
      continue;
    }
    const equal = (i: number, j: number): boolean => a[at(keptA, i)] === b[at(keptB, j)];
    for (const [fromA, toA, fromB, toB] of diff_core(aStart, aEnd - aStart, bStart, bEnd - bStart, equal)) {
      for (let i = fromA; i < toA; i++) changedA[at(keptA, i)] = 1;
      for (let j = fromB; j < toB; j++) changedB[at(keptB, j)] = 1;
    }
  }
}

function keep(lines: Int32Array, start: number, end: number, otherCount: Int32Array, changed: Uint8Array): Int32Array {
  const kept = new Int32Array(end - start);
  let length = 0;
  for (let i = start; i < end; i++) {
    if (at(otherCount, at(lines, i)) > 0) kept[length++] = i;
    else changed[i] = 1;
  }
  return kept.subarray(0, length);
}

/**
 * For a stretch too long for the exact search: lines that occur once on each side and in the same order on both are
 * taken as common, and what lies between them is searched by itself (the idea of Bram Cohen's patience diff).
 */
function splitAtUniqueLines(
  a: Int32Array,
  b: Int32Array,
  keptA: Int32Array,
  keptB: Int32Array,
  countA: Int32Array,
  countB: Int32Array,
): Hunk[] {
  const whole: Hunk = { aStart: 0, aEnd: keptA.length, bStart: 0, bEnd: keptB.length };
  if (keptA.length * keptB.length <= EXACT_STRETCH_PRODUCT) return [whole];
  const positionInB = new Map<number, number>();
  for (let j = 0; j < keptB.length; j++) {
    const line = at(b, at(keptB, j));
    if (countA[line] === 1 && countB[line] === 1) positionInB.set(line, j);
  }
  const pairs: { readonly i: number; readonly j: number }[] = [];
  for (let i = 0; i < keptA.length; i++) {
    const j = positionInB.get(at(a, at(keptA, i)));
    if (j !== undefined) pairs.push({ i, j });
  }
  const stretches: Hunk[] = [];
  let i = 0;
  let j = 0;
  for (const index of longestIncreasing(pairs.map((pair) => pair.j))) {
    const pair = pairs[index];
    if (pair === undefined) continue;
    if (pair.i > i || pair.j > j) stretches.push({ aStart: i, aEnd: pair.i, bStart: j, bEnd: pair.j });
    i = pair.i + 1;
    j = pair.j + 1;
  }
  stretches.push({ aStart: i, aEnd: keptA.length, bStart: j, bEnd: keptB.length });
  return stretches;
}

/** Indices of a longest strictly increasing subsequence, in order; O(n log n). */
export function longestIncreasing(values: readonly number[]): number[] {
  const tails: number[] = [];
  const previous = new Int32Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    previous[index] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = index;
  }
  const result: number[] = [];
  let index = tails.at(-1) ?? -1;
  while (index >= 0) {
    result.push(index);
    index = previous[index] ?? -1;
  }
  return result.reverse();
}

/** A run of changed lines [start, end) of one side; empty where only the other side has a run at this point. */
interface Group {
  start: number;
  end: number;
}

/**
 * Slides each run of changed lines of one side as far down as it goes, and back up to the last place where it stands
 * beside a run of the other side. Runs that meet become one.
 */
function slideGroups(lines: Int32Array, changed: Uint8Array, otherChanged: Uint8Array): void {
  const length = lines.length;
  const otherLength = otherChanged.length - 1;
  const group = firstGroup(changed, length);
  const other = firstGroup(otherChanged, otherLength);
  for (;;) {
    if (group.end > group.start) {
      let size: number;
      let earliestEnd: number;
      let endBesideOther: number;
      do {
        size = group.end - group.start;
        while (slideUp(lines, changed, group)) previousGroup(otherChanged, other);
        earliestEnd = group.end;
        endBesideOther = other.end > other.start ? group.end : -1;
        while (slideDown(lines, changed, group, length)) {
          nextGroup(otherChanged, other, otherLength);
          if (other.end > other.start) endBesideOther = group.end;
        }
      } while (size !== group.end - group.start);
      if (group.end !== earliestEnd && endBesideOther !== -1) {
        while (other.end === other.start && slideUp(lines, changed, group)) previousGroup(otherChanged, other);
      }
    }
    if (!nextGroup(changed, group, length)) return;
    nextGroup(otherChanged, other, otherLength);
  }
}

function firstGroup(changed: Uint8Array, length: number): Group {
  let end = 0;
  while (end < length && changed[end] === 1) end++;
  return { start: 0, end };
}

function nextGroup(changed: Uint8Array, group: Group, length: number): boolean {
  if (group.end === length) return false;
  group.start = group.end + 1;
  group.end = group.start;
  while (group.end < length && changed[group.end] === 1) group.end++;
  return true;
}

function previousGroup(changed: Uint8Array, group: Group): boolean {
  if (group.start === 0) return false;
  group.end = group.start - 1;
  group.start = group.end;
  while (group.start > 0 && changed[group.start - 1] === 1) group.start--;
  return true;
}

function slideUp(lines: Int32Array, changed: Uint8Array, group: Group): boolean {
  if (group.start === 0 || lines[group.start - 1] !== lines[group.end - 1]) return false;
  changed[--group.start] = 1;
  changed[--group.end] = 0;
  while (group.start > 0 && changed[group.start - 1] === 1) group.start--;
  return true;
}

function slideDown(lines: Int32Array, changed: Uint8Array, group: Group, length: number): boolean {
  if (group.end >= length || lines[group.start] !== lines[group.end]) return false;
  changed[group.start++] = 0;
  changed[group.end++] = 1;
  while (group.end < length && changed[group.end] === 1) group.end++;
  return true;
}

function collectHunks(changedA: Uint8Array, changedB: Uint8Array, lengthA: number, lengthB: number): Hunk[] {
  const hunks: Hunk[] = [];
  let i = 0;
  let j = 0;
  while (i < lengthA || j < lengthB) {
    if (changedA[i] !== 1 && changedB[j] !== 1) {
      i++;
      j++;
      continue;
    }
    const aStart = i;
    const bStart = j;
    while (i < lengthA && changedA[i] === 1) i++;
    while (j < lengthB && changedB[j] === 1) j++;
    hunks.push({ aStart, aEnd: i, bStart, bEnd: j });
  }
  return hunks;
}

/** Typed arrays read inside their bounds; the compiler cannot know that. */
function at(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

function increment(array: Int32Array, index: number): void {
  array[index] = at(array, index) + 1;
}

function highest(array: Int32Array): number {
  let max = -1;
  for (const value of array) if (value > max) max = value;
  return max;
}
