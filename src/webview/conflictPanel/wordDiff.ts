import { diff } from 'fast-myers-diff';

/** A stretch of a text that the other text has too, or has not. */
export interface Segment {
  readonly text: string;
  readonly isChanged: boolean;
}

export interface WordDiff {
  readonly before: readonly Segment[];
  readonly after: readonly Segment[];
}

/** Comparing words takes time that grows with words × differences: beyond this, lines are compared instead. */
const MAX_WORDS = 3000;
/** Beyond this many lines nothing is marked: who reads that opens the editor's own difference view. */
const MAX_LINES = 5000;

/** What differs between two texts, word by word; for long texts line by line. */
export function diffWords(before: string, after: string): WordDiff {
  const wordsBefore = splitWords(before);
  const wordsAfter = splitWords(after);
  if (wordsBefore.length + wordsAfter.length <= MAX_WORDS) return diffTokens(wordsBefore, wordsAfter);
  const linesBefore = splitLines(before);
  const linesAfter = splitLines(after);
  if (linesBefore.length + linesAfter.length <= MAX_LINES) return diffTokens(linesBefore, linesAfter);
  return { before: [{ text: before, isChanged: false }], after: [{ text: after, isChanged: false }] };
}

/** One text with everything marked that is marked in either; both lists have to spell the same text. */
export function uniteSegments(a: readonly Segment[], b: readonly Segment[]): readonly Segment[] {
  const text = a.map((segment) => segment.text).join('');
  const marks = [...changedRanges(a), ...changedRanges(b)].sort((one, other) => one.start - other.start);
  const united: Segment[] = [];
  let end = 0;
  for (const mark of marks) {
    const start = Math.max(mark.start, end);
    if (mark.end <= start) continue;
    push(united, text.slice(end, start), false);
    push(united, text.slice(start, mark.end), true);
    end = mark.end;
  }
  push(united, text.slice(end), false);
  return united;
}

function diffTokens(before: readonly string[], after: readonly string[]): WordDiff {
  const result = { before: [] as Segment[], after: [] as Segment[] };
  let atBefore = 0;
  let atAfter = 0;
  for (const [startBefore, endBefore, startAfter, endAfter] of diff(before, after)) {
    push(result.before, before.slice(atBefore, startBefore).join(''), false);
    push(result.after, after.slice(atAfter, startAfter).join(''), false);
    push(result.before, before.slice(startBefore, endBefore).join(''), true);
    push(result.after, after.slice(startAfter, endAfter).join(''), true);
    atBefore = endBefore;
    atAfter = endAfter;
  }
  push(result.before, before.slice(atBefore).join(''), false);
  push(result.after, after.slice(atAfter).join(''), false);
  return { before: bridgeBlanks(result.before), after: bridgeBlanks(result.after) };
}

/** Marks the blank between two changed words with them: one stretch is read more easily than many small ones. */
function bridgeBlanks(segments: readonly Segment[]): readonly Segment[] {
  const bridged: Segment[] = [];
  segments.forEach(({ text, isChanged }, at) => {
    const isBridge = segments[at - 1]?.isChanged === true && segments[at + 1]?.isChanged === true;
    push(bridged, text, isChanged || (isBridge && /^[^\S\n]+$/.test(text)));
  });
  return bridged;
}

/** Appends a stretch, together with the one before where both are the same kind. */
function push(segments: Segment[], text: string, isChanged: boolean): void {
  if (text === '') return;
  const last = segments.at(-1);
  if (last?.isChanged === isChanged) segments[segments.length - 1] = { text: last.text + text, isChanged };
  else segments.push({ text, isChanged });
}

function changedRanges(segments: readonly Segment[]): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  let offset = 0;
  for (const { text, isChanged } of segments) {
    if (isChanged) ranges.push({ start: offset, end: offset + text.length });
    offset += text.length;
  }
  return ranges;
}

/** Words, runs of blanks, and every other character for itself; nothing is lost. */
function splitWords(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|[^\S\n]+|\n|[^\p{L}\p{N}_\s]/gu) ?? [];
}

function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
