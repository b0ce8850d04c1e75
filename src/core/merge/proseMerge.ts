import { mergeLines } from './lineMerge.ts';
import { splitLines } from './lineDiff.ts';

/** Changed words of two sides must have more than this many unchanged tokens (words and the spaces between) between them. */
const WORD_DISTANCE = 2;

/** Merges a text of several lines: by lines first, then within the lines that both sides changed by words. Undefined: it clashes. */
export function mergeProse(base: string, ours: string, theirs: string, byWords: boolean): string | undefined {
  const baseLines = splitLines(base);
  const ourLines = splitLines(ours);
  const theirLines = splitLines(theirs);
  const merge = mergeLines(baseLines, ourLines, theirLines);
  if (merge.clean) return merge.lines.join('');
  if (!byWords) return undefined;
  const pieces: string[] = [];
  for (const stretch of merge.stretches) {
    const ourPiece = ourLines.slice(stretch.oursStart, stretch.oursEnd).join('');
    const theirPiece = theirLines.slice(stretch.theirsStart, stretch.theirsEnd).join('');
    if (stretch.from === 'clash') {
      const piece = mergeWords(baseLines.slice(stretch.baseStart, stretch.baseEnd).join(''), ourPiece, theirPiece);
      if (piece === undefined) return undefined;
      pieces.push(piece);
    } else pieces.push(stretch.from === 'theirs' ? theirPiece : ourPiece);
  }
  return pieces.join('');
}

/** Merges a line by words; undefined where the two sides' changes are not clearly apart. */
export function mergeWords(base: string, ours: string, theirs: string): string | undefined {
  const merge = mergeLines(tokens(base), tokens(ours), tokens(theirs), WORD_DISTANCE);
  // A change of everything by one side leaves nothing to tell where the other side's change belongs.
  if (!merge.clean || !merge.stretches.some((stretch) => stretch.from === 'base')) return undefined;
  return merge.lines.join('');
}

function tokens(text: string): string[] {
  return text.match(/\n|[^\S\n]+|[^\s]+/g) ?? [];
}

/** Both sides' lines: the base's that neither removed, then at each clash ours and theirs. */
export function uniteProse(base: string, ours: string, theirs: string): string {
  const baseLines = splitLines(withEnd(base));
  const ourLines = splitLines(withEnd(ours));
  const theirLines = splitLines(withEnd(theirs));
  const pieces: string[] = [];
  for (const stretch of mergeLines(baseLines, ourLines, theirLines).stretches) {
    const ourPiece = ourLines.slice(stretch.oursStart, stretch.oursEnd);
    const theirPiece = theirLines.slice(stretch.theirsStart, stretch.theirsEnd);
    if (stretch.from === 'clash') pieces.push(...ourPiece, ...theirPiece.filter((line) => !ourPiece.includes(line)));
    else pieces.push(...(stretch.from === 'theirs' ? theirPiece : ourPiece));
  }
  return pieces.join('');
}

function withEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
