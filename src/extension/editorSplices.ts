import { mapOffset } from '../core/merge/splices.ts';
import type { Splice } from '../core/merge/types.ts';

const BOM = '\uFEFF';

/** A write, translated into what an editor's buffer holds: no BOM, one kind of line end. */
export interface BufferWrite {
  /** What the buffer has to hold before and will hold after. */
  readonly before: string;
  readonly after: string;
  /** In offsets of the buffer, never between a carriage return and its line feed. */
  readonly splices: readonly Splice[];
}

/**
 * Translates a write of a file into one of a buffer. Undefined where the editor could not do it byte for byte: it drops
 * or adds no BOM through an edit, and it would make all line ends of a mixed file the same on save.
 */
export function toBufferWrite(before: string, after: string, splices: readonly Splice[]): BufferWrite | undefined {
  const bomLength = before.startsWith(BOM) ? 1 : 0;
  if (after.startsWith(BOM) !== (bomLength === 1)) return undefined;
  const bufferBefore = before.slice(bomLength);
  const bufferAfter = after.slice(bomLength);
  const lineEnds = lineEndsOf(bufferBefore);
  const lineEndsAfter = lineEndsOf(bufferAfter);
  if (lineEnds === 'mixed' || lineEndsAfter === 'mixed') return undefined;
  // A buffer without any line end takes the platform's for new lines; only the file system knows what is meant here.
  if (lineEnds !== lineEndsAfter) return undefined;
  const shifted: Splice[] = [];
  for (const splice of splices) {
    if (splice.offset < bomLength) return undefined;
    shifted.push(avoidSplitLineEnds({ ...splice, offset: splice.offset - bomLength }, bufferBefore));
  }
  if (shifted.some((splice, at) => at > 0 && splice.offset < endOf(shifted[at - 1]))) return undefined;
  return { before: bufferBefore, after: bufferAfter, splices: shifted };
}

/** A text as it stands on disk, from what a buffer holds. */
export function withBom(text: string, hasBom: boolean): string {
  return hasBom ? BOM + text : text;
}

/** How far the splices move the start of a line: the new line number of what stands on `line` now. */
export function mapLine(line: number, before: string, splices: readonly Splice[]): number {
  const offset = lineStart(before, line);
  let delta = 0;
  for (const splice of splices) {
    if (endOf(splice) > offset) break;
    delta += countLineFeeds(splice.insert) - countLineFeeds(before.slice(splice.offset, endOf(splice)));
  }
  return line + delta;
}

/** A caret or one end of a selection as an offset, carried through the splices. A caret before an insertion stays before it. */
export function mapCaret(offset: number, splices: readonly Splice[]): number {
  const insertion = splices.find((splice) => splice.offset === offset && splice.deleteCount === 0);
  if (insertion === undefined) return mapOffset(offset, splices);
  return mapOffset(offset, splices) - insertion.insert.length;
}

type LineEnds = 'none' | '\n' | '\r\n' | 'mixed';

function lineEndsOf(text: string): LineEnds {
  if (!text.includes('\r')) return text.includes('\n') ? '\n' : 'none';
  // A lone carriage return counts as a line end for an editor.
  return /\r(?!\n)|(?<!\r)\n/.test(text) ? 'mixed' : '\r\n';
}

function avoidSplitLineEnds(splice: Splice, text: string): Splice {
  let { offset, deleteCount, insert } = splice;
  if (isInsideLineEnd(text, offset)) {
    offset -= 1;
    deleteCount += 1;
    insert = `\r${insert}`;
  }
  if (isInsideLineEnd(text, offset + deleteCount)) {
    deleteCount += 1;
    insert += '\n';
  }
  return { offset, deleteCount, insert };
}

function isInsideLineEnd(text: string, offset: number): boolean {
  return offset > 0 && text.charCodeAt(offset - 1) === 0x0d && text.charCodeAt(offset) === 0x0a;
}

function endOf(splice: Splice | undefined): number {
  return splice === undefined ? 0 : splice.offset + splice.deleteCount;
}

function lineStart(text: string, line: number): number {
  let offset = 0;
  for (let number = 0; number < line; number++) {
    const lineFeed = text.indexOf('\n', offset);
    if (lineFeed < 0) return text.length;
    offset = lineFeed + 1;
  }
  return offset;
}

function countLineFeeds(text: string): number {
  return text.split('\n').length - 1;
}
