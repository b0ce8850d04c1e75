import type { Problem } from '../problem.ts';
import { commonPrefix, commonSuffix } from './commonEnds.ts';
import { diffLines, LineTable, splitLines } from './lineDiff.ts';
import type { Splice } from './types.ts';

/**
 * The replacements that turn `before` into `after`: sorted, not overlapping, offsets in UTF-16 units of `before`.
 * Found by lines, then narrowed inside the changed lines; linear in the size of the texts for ordinary edits.
 */
export function diffSplices(before: string, after: string): Splice[] {
  if (before === after) return [];
  const prefix = lineStartBefore(before, commonPrefix(before, after));
  const suffix = commonSuffix(before, after, prefix);
  const endBefore = lineEndAfter(before, before.length - suffix);
  const endAfter = after.length - (before.length - endBefore);
  const linesBefore = splitLines(before.slice(prefix, endBefore));
  const linesAfter = splitLines(after.slice(prefix, endAfter));
  const table = new LineTable();
  const hunks = diffLines(table.intern(linesBefore), table.intern(linesAfter));
  const splices: Splice[] = [];
  let line = 0;
  let offset = prefix;
  for (const hunk of hunks) {
    for (; line < hunk.aStart; line++) offset += linesBefore[line]?.length ?? 0;
    const removed = linesBefore.slice(hunk.aStart, hunk.aEnd);
    const added = linesAfter.slice(hunk.bStart, hunk.bEnd);
    if (removed.length === added.length) {
      let lineOffset = offset;
      removed.forEach((removedLine, index) => {
        pushNarrowed(splices, lineOffset, removedLine, added[index] ?? '');
        lineOffset += removedLine.length;
      });
    } else {
      pushNarrowed(splices, offset, removed.join(''), added.join(''));
    }
  }
  return splices;
}

/** Applies splices to the text they were made for. Throws `RangeError` where they are out of order or bounds; foreign ones go through `checkSplices` first. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const pieces: string[] = [];
  let end = 0;
  for (const splice of splices) {
    if (splice.offset < end || splice.deleteCount < 0 || splice.offset + splice.deleteCount > text.length) {
      throw new RangeError(`splice at ${splice.offset} is out of order or outside of the text`);
    }
    pieces.push(text.slice(end, splice.offset), splice.insert);
    end = splice.offset + splice.deleteCount;
  }
  pieces.push(text.slice(end));
  return pieces.join('');
}

/** Whether splices that came from outside fit a text of `textLength` UTF-16 units: whole numbers, inside, sorted, without overlap. Empty: they do. */
export function checkSplices(splices: readonly Splice[], textLength: number): Problem[] {
  const problems: Problem[] = [];
  let end = 0;
  for (const { offset, deleteCount } of splices) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(deleteCount) || offset < 0 || deleteCount < 0) {
      problems.push(
        spliceProblem(
          'splice-invalid',
          'A replacement has a position or length that is not a whole number of at least 0.',
        ),
      );
      continue;
    }
    if (offset < end) {
      problems.push(spliceProblem('splice-order', 'A replacement overlaps the one before it or stands before it.'));
    }
    if (offset + deleteCount > textLength) {
      problems.push(spliceProblem('splice-outside', 'A replacement reaches beyond the end of the text.'));
    }
    end = Math.max(end, offset + deleteCount);
  }
  return problems;
}

/**
 * Where an offset of the old text lies in the new one. At an insertion it moves behind the inserted text; inside a
 * replaced stretch it goes to that stretch's new end.
 */
export function mapOffset(offset: number, splices: readonly Splice[]): number {
  let delta = 0;
  for (const splice of splices) {
    if (splice.offset > offset) break;
    if (offset < splice.offset + splice.deleteCount) return splice.offset + delta + splice.insert.length;
    delta += splice.insert.length - splice.deleteCount;
  }
  return offset + delta;
}

function spliceProblem(code: string, message: string): Problem {
  return { code, message, severity: 'error' };
}

function pushNarrowed(splices: Splice[], offset: number, removed: string, added: string): void {
  if (removed === added) return;
  const prefix = beforeHalfPair(removed, commonPrefix(removed, added));
  let suffix = commonSuffix(removed, added, prefix);
  if (suffix > 0 && isLowSurrogate(removed, removed.length - suffix)) suffix--;
  splices.push({
    offset: offset + prefix,
    deleteCount: removed.length - suffix - prefix,
    insert: added.slice(prefix, added.length - suffix),
  });
}

/** Two halves of one character stay together: a lone half does not survive every encoding. */
function beforeHalfPair(text: string, position: number): number {
  return position > 0 && isHighSurrogate(text, position - 1) ? position - 1 : position;
}

function isLowSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff;
}

function isHighSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xd800 && code <= 0xdbff;
}

function lineStartBefore(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEndAfter(text: string, offset: number): number {
  if (offset > 0 && text.charCodeAt(offset - 1) === 0x0a) return offset;
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}
