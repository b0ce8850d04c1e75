import { commonEnds, type CommonEnds, commonSuffix } from './commonEnds.ts';
import type { MergeInput } from './types.ts';

/**
 * The merge by lines for the usual edit of a large document, without cutting it into lines: each side changed the
 * inside of one block, and neither block lies in the other. A few milliseconds for megabytes. Undefined where it does
 * not apply. Like any merge by lines it knows nothing of what the text means, and has to be proven.
 * @param ofOurs and @param ofTheirs what each side has in common with the base.
 */
export function mergeBlocks(
  { base, ours, theirs }: MergeInput,
  ofOurs = commonEnds(base, ours),
  ofTheirs = commonEnds(base, theirs),
): string | undefined {
  if (base === '' || ours === base || theirs === base) return undefined;
  const editOfOurs = changedLines(base, ours, ofOurs);
  const editOfTheirs = changedLines(base, theirs, ofTheirs);
  // Edits that reach over each other are not inside of two blocks; finding these takes its time.
  if (editOfOurs.end > editOfTheirs.start && editOfTheirs.end > editOfOurs.start) return undefined;
  const byOurs = changedBlock(base, editOfOurs);
  const byTheirs = changedBlock(base, editOfTheirs);
  if (byOurs === undefined || byTheirs === undefined) return undefined;
  const isDisjoint = byOurs.blockEnd <= byTheirs.blockStart || byTheirs.blockEnd <= byOurs.blockStart;
  if (!isDisjoint) return undefined;
  const [first, second] = byOurs.start < byTheirs.start ? [byOurs, byTheirs] : [byTheirs, byOurs];
  // Joined in one go: adding up would have the megabytes copied again when they are looked at.
  return [
    base.slice(0, first.start),
    first.insert,
    base.slice(first.end, second.start),
    second.insert,
    base.slice(second.end),
  ].join('');
}

/** Edits that reach farther are seldom inside of one block, and are left to the merge by lines. In UTF-16 units. */
const MAX_EDIT_LENGTH = 50_000;

/** What of the base is replaced, and by what: whole lines. */
interface ChangedLines {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

interface ChangedBlock extends ChangedLines {
  /** The smallest block around it, whose first line and end are untouched. */
  readonly blockStart: number;
  readonly blockEnd: number;
}

function changedLines(base: string, side: string, { prefix, suffix: known }: CommonEnds): ChangedLines {
  const start = base.lastIndexOf('\n', prefix - 1) + 1;
  const suffix = commonSuffix(base, side, start, known);
  const lineEnd = base.indexOf('\n', base.length - suffix);
  const end =
    suffix === 0 || lineEnd < 0
      ? base.length
      : base.charAt(base.length - suffix - 1) === '\n'
        ? base.length - suffix
        : lineEnd + 1;
  return { start, end, insert: side.slice(start, side.length - (base.length - end)) };
}

function changedBlock(base: string, lines: ChangedLines): ChangedBlock | undefined {
  const { start, end, insert } = lines;
  if (end - start > MAX_EDIT_LENGTH || insert.length > MAX_EDIT_LENGTH) return undefined;
  const indent = Math.min(smallestIndent(base.slice(start, end)), smallestIndent(insert));
  if (!Number.isFinite(indent) || indent === 0) return undefined;
  const blockStart = lineAbove(base, start, indent);
  if (blockStart === undefined) return undefined;
  const blockEnd = endOfBlock(base, end, indentOf(base, blockStart));
  return { ...lines, blockStart, blockEnd };
}

/** Infinity where there is no content. */
function smallestIndent(text: string): number {
  let smallest = Infinity;
  for (const line of text.split('\n')) {
    const content = line.trimStart();
    if (content !== '') smallest = Math.min(smallest, line.length - content.length);
  }
  return smallest;
}

/** The start of the nearest line above with content and less indentation: the head of the block. */
function lineAbove(text: string, start: number, indent: number): number | undefined {
  let line = start;
  while (line > 0) {
    line = text.lastIndexOf('\n', line - 2) + 1;
    if (hasContent(text, line) && indentOf(text, line) < indent) return line;
    if (line === 0) return undefined;
  }
  return undefined;
}

function endOfBlock(text: string, from: number, indent: number): number {
  let line = from;
  while (line < text.length) {
    if (hasContent(text, line) && indentOf(text, line) <= indent) return line;
    const end = text.indexOf('\n', line);
    if (end < 0) break;
    line = end + 1;
  }
  return text.length;
}

function indentOf(text: string, line: number): number {
  let at = line;
  while (text.charCodeAt(at) === 0x20) at++;
  return at - line;
}

function hasContent(text: string, line: number): boolean {
  const code = text.charCodeAt(line + indentOf(text, line));
  return code !== 0x0a && code !== 0x0d && !Number.isNaN(code);
}
