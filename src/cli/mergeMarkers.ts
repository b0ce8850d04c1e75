import { splitLines } from '../core/merge/lineDiff.ts';
import { mergeLines } from '../core/merge/lineMerge.ts';

/** The result of a merge with each of its conflicts decided for one side. */
export interface DecidedTexts {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/**
 * The text with git's conflict markers around the lines in which the three differ. They differ only where elements
 * clash, because everything else is merged in all of them.
 */
export function withMarkers({ base, ours, theirs }: DecidedTexts, markerSize: number): string {
  const baseLines = splitLines(base);
  const ourLines = splitLines(ours);
  const theirLines = splitLines(theirs);
  const pieces: string[] = [];
  for (const stretch of mergeLines(baseLines, ourLines, theirLines).stretches) {
    const own = ourLines.slice(stretch.oursStart, stretch.oursEnd);
    const other = theirLines.slice(stretch.theirsStart, stretch.theirsEnd);
    if (own.join('') === other.join('')) pieces.push(...own);
    else {
      pieces.push(
        `${'<'.repeat(markerSize)} ours\n`,
        ...closed(own),
        `${'|'.repeat(markerSize)} base\n`,
        ...closed(baseLines.slice(stretch.baseStart, stretch.baseEnd)),
        `${'='.repeat(markerSize)}\n`,
        ...closed(other),
        `${'>'.repeat(markerSize)} theirs\n`,
      );
    }
  }
  return pieces.join('');
}

/** A marker stands on a line of its own, also behind a last line without an end. */
function closed(lines: readonly string[]): string[] {
  return lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`));
}
