import { commonEnds } from './commonEnds.ts';
import { diffLines, type Hunk, LineTable } from './lineDiff.ts';
import { LineNumbers, type NumberedLines } from './numberedLines.ts';
import type { MergeInput } from './types.ts';

/** A stretch of lines that one side, or both, replaced; indices into the lines of the three texts. */
export interface MergeStretch {
  readonly from: 'base' | 'ours' | 'theirs' | 'clash';
  readonly baseStart: number;
  readonly baseEnd: number;
  readonly oursStart: number;
  readonly oursEnd: number;
  readonly theirsStart: number;
  readonly theirsEnd: number;
}

export interface LineMerge {
  readonly clean: boolean;
  /** The merged lines; at a clash those of ours. */
  readonly lines: readonly string[];
  readonly stretches: readonly MergeStretch[];
}

/**
 * The three-way merge of lines as `git merge-file` defines it: replacements of one side that neither overlap nor touch
 * one of the other are taken; equal replacements of the same lines are taken once; everything else clashes.
 * With a `distance`, replacements clash that have at most so many unchanged lines between them.
 */
export function mergeLines(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
  distance = 0,
): LineMerge {
  const table = new LineTable();
  const b = table.intern(base);
  const o = table.intern(ours);
  const t = table.intern(theirs);
  const stretches = mergeHunks(diffLines(b, o), diffLines(b, t), b.length, o, t, distance);
  const lines: string[] = [];
  let clean = true;
  for (const stretch of stretches) {
    if (stretch.from === 'clash') clean = false;
    const takeTheirs = stretch.from === 'theirs';
    const source = takeTheirs ? theirs : ours;
    const start = takeTheirs ? stretch.theirsStart : stretch.oursStart;
    const end = takeTheirs ? stretch.theirsEnd : stretch.oursEnd;
    for (let i = start; i < end; i++) lines.push(source[i] ?? '');
  }
  return { clean, lines, stretches };
}

/** Lines kept around the changed part, so that what slides over equal lines slides as in the whole text. */
const CONTEXT_LINES = 500;

/**
 * The merged text where a merge by lines has no clash; undefined where it has one.
 * @param ofOurs and @param ofTheirs what each side has in common with the base.
 */
export function mergeTextByLines(
  { base, ours, theirs }: MergeInput,
  ofOurs = commonEnds(base, ours),
  ofTheirs = commonEnds(base, theirs),
): string | undefined {
  const prefix = contextStart(base, Math.min(ofOurs.prefix, ofTheirs.prefix));
  const suffix = contextEnd(base, Math.min(ofOurs.suffix, ofTheirs.suffix));
  const lines = new LineNumbers(base, prefix, base.length - suffix);
  const b = lines.base;
  const o = lines.of(ours, prefix, ours.length - suffix);
  const t = lines.of(theirs, prefix, theirs.length - suffix);
  const stretches = mergeHunks(
    diffLines(b.numbers, o.numbers),
    diffLines(b.numbers, t.numbers),
    b.numbers.length,
    o.numbers,
    t.numbers,
    0,
  );
  const pieces: string[] = [base.slice(0, prefix)];
  for (const { from, baseStart, baseEnd, oursStart, oursEnd, theirsStart, theirsEnd } of stretches) {
    if (from === 'clash') return undefined;
    if (from === 'base') pieces.push(textOf(b, baseStart, baseEnd));
    else pieces.push(from === 'ours' ? textOf(o, oursStart, oursEnd) : textOf(t, theirsStart, theirsEnd));
  }
  pieces.push(base.slice(base.length - suffix));
  return pieces.join('');
}

function textOf({ text, starts }: NumberedLines, from: number, to: number): string {
  return text.slice(starts[from], starts[to]);
}

function contextStart(text: string, prefix: number): number {
  let offset = prefix;
  for (let line = 0; line <= CONTEXT_LINES && offset > 0; line++) offset = text.lastIndexOf('\n', offset - 2) + 1;
  return Math.max(offset, 0);
}

/** How many units of the end of the text lie behind the context. */
function contextEnd(text: string, suffix: number): number {
  let offset = text.length - suffix;
  for (let line = 0; line <= CONTEXT_LINES && offset < text.length; line++) {
    const end = text.indexOf('\n', offset);
    offset = end < 0 ? text.length : end + 1;
  }
  return text.length - offset;
}

function mergeHunks(
  toOurs: readonly Hunk[],
  toTheirs: readonly Hunk[],
  baseLength: number,
  ours: Int32Array,
  theirs: Int32Array,
  distance: number,
): MergeStretch[] {
  const stretches: MergeStretch[] = [];
  let i = 0;
  let j = 0;
  let base = 0;
  let shiftOurs = 0;
  let shiftTheirs = 0;
  const pushUnchanged = (end: number): void => {
    if (end > base) {
      stretches.push({
        from: 'base',
        baseStart: base,
        baseEnd: end,
        oursStart: base + shiftOurs,
        oursEnd: end + shiftOurs,
        theirsStart: base + shiftTheirs,
        theirsEnd: end + shiftTheirs,
      });
    }
    base = end;
  };
  while (i < toOurs.length || j < toTheirs.length) {
    const ourHunk = toOurs[i];
    const theirHunk = toTheirs[j];
    const start = Math.min(ourHunk?.aStart ?? Infinity, theirHunk?.aStart ?? Infinity);
    let end = start;
    const firstOurs = i;
    const firstTheirs = j;
    let growth = true;
    let endOurs = -Infinity;
    let endTheirs = -Infinity;
    while (growth) {
      growth = false;
      const nextOurs = toOurs[i];
      if (nextOurs !== undefined && nextOurs.aStart <= Math.max(endTheirs + distance, end)) {
        endOurs = nextOurs.aEnd;
        end = Math.max(end, endOurs);
        i++;
        growth = true;
      }
      const nextTheirs = toTheirs[j];
      if (nextTheirs !== undefined && nextTheirs.aStart <= Math.max(endOurs + distance, end)) {
        endTheirs = nextTheirs.aEnd;
        end = Math.max(end, endTheirs);
        j++;
        growth = true;
      }
    }
    pushUnchanged(start);
    const growthOurs = sumGrowth(toOurs, firstOurs, i);
    const growthTheirs = sumGrowth(toTheirs, firstTheirs, j);
    const stretch = {
      baseStart: start,
      baseEnd: end,
      oursStart: start + shiftOurs,
      oursEnd: end + shiftOurs + growthOurs,
      theirsStart: start + shiftTheirs,
      theirsEnd: end + shiftTheirs + growthTheirs,
    };
    const from =
      i === firstOurs ? 'theirs' : j === firstTheirs ? 'ours' : sameLines(ours, theirs, stretch) ? 'ours' : 'clash';
    stretches.push({ from, ...stretch });
    shiftOurs += growthOurs;
    shiftTheirs += growthTheirs;
    base = end;
  }
  pushUnchanged(baseLength);
  return stretches;
}

function sumGrowth(hunks: readonly Hunk[], from: number, to: number): number {
  let growth = 0;
  for (const hunk of hunks.slice(from, to)) growth += hunk.bEnd - hunk.bStart - (hunk.aEnd - hunk.aStart);
  return growth;
}

function sameLines(ours: Int32Array, theirs: Int32Array, stretch: Omit<MergeStretch, 'from'>): boolean {
  const length = stretch.oursEnd - stretch.oursStart;
  if (length !== stretch.theirsEnd - stretch.theirsStart) return false;
  for (let k = 0; k < length; k++) {
    if (ours[stretch.oursStart + k] !== theirs[stretch.theirsStart + k]) return false;
  }
  return true;
}
