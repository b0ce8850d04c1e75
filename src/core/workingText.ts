import type { Splice } from './merge/types.ts';

/**
 * How one copy writes its line ends and whether it starts with a BOM. Both belong to the copy: the revision has LF and
 * no BOM (DESIGN §5, "Line ends and BOM").
 */
export interface WorkingText {
  /** The file's characters as they are on disk. */
  readonly raw: string;
  /** The same as a revision. */
  readonly text: string;
}

const BOM = '\uFEFF';

/** Reads a file's characters as a revision. */
export function workingText(raw: string): WorkingText {
  const withoutBom = raw.startsWith(BOM) ? raw.slice(1) : raw;
  return { raw, text: withoutBom.includes('\r\n') ? withoutBom.replaceAll('\r\n', '\n') : withoutBom };
}

/**
 * Carries splices of the revision over to the file: untouched lines keep the line ends they have (also where a file
 * mixes both), inserted ones get the line end that the file uses most.
 */
export function toRawSplices(working: WorkingText, splices: readonly Splice[]): Splice[] {
  const bomLength = working.raw.startsWith(BOM) ? 1 : 0;
  const carriageReturns = carriageReturnOffsets(working.raw.slice(bomLength));
  if (carriageReturns.length === 0) {
    return splices.map((splice) => ({ ...splice, offset: splice.offset + bomLength }));
  }
  const lineFeedCount = working.text.split('\n').length - 1;
  const isMostlyCrlf = carriageReturns.length * 2 > lineFeedCount;
  const toRaw = (offset: number): number => bomLength + offset + countBelow(carriageReturns, offset);
  return splices.map(({ offset, deleteCount, insert }) => {
    const start = toRaw(offset);
    return {
      offset: start,
      deleteCount: toRaw(offset + deleteCount) - start,
      insert: isMostlyCrlf ? insert.replaceAll('\n', '\r\n') : insert,
    };
  });
}

/** Offsets, in the text without carriage returns, of the line feeds that had one in front. */
function carriageReturnOffsets(raw: string): number[] {
  const offsets: number[] = [];
  for (let at = raw.indexOf('\r\n'); at !== -1; at = raw.indexOf('\r\n', at + 2)) offsets.push(at - offsets.length);
  return offsets;
}

/** How many of the sorted numbers are smaller than `limit`. */
function countBelow(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? Infinity) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
