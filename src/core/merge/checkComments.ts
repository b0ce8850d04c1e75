import type { PlainDocument, PlainNode, PlainPiece } from '../openapi/plainDocument.ts';
import type { Finding, FourDocuments } from './checkMerge.ts';
import type { ClaimedElement } from './claims.ts';

/** Comments that the result lacks though neither side removed them; the element to hold is the one they stand in. */
export function missingComments(documents: FourDocuments, claims: readonly ClaimedElement[]): Finding[] {
  const { base, ours, theirs, merged } = documents;
  if (documents.isPlainJson === true) return [];
  const isHeld = claims.some(hasHeld);
  const [before, inOurs, inTheirs, after] = countComments([base, ours, theirs, merged]);
  const findings: Finding[] = [];
  for (const comment of new Set([...inOurs.keys(), ...inTheirs.keys()])) {
    const b = before.get(comment) ?? 0;
    const o = inOurs.get(comment) ?? 0;
    const t = inTheirs.get(comment) ?? 0;
    const expected =
      o >= b && t >= b ? Math.max(o, t) : o < b && t < b ? Math.max(0, o + t - b) : Math.max(0, o + t - b);
    // A held element shows one side's comments; the other side's come with its choice.
    if ((after.get(comment) ?? 0) < expected && !isHeld)
      findings.push({ ids: [], message: `the comment "${comment}" is gone`, comment });
  }
  return findings;
}

function hasHeld(claim: ClaimedElement): boolean {
  return claim.isHeld || (claim.children?.some(hasHeld) ?? false);
}

type Counts = Map<string, number>;
type OfEach<T> = readonly [T, T, T, T];

/** How often each comment stands in each document, but for the pieces that all of them have: those change no difference. */
function countComments(documents: OfEach<PlainDocument | undefined>): OfEach<Counts> {
  const tallies = new Map<PlainPiece, [number, number, number, number]>();
  documents.forEach((document, index) => {
    for (const piece of document?.pieces ?? []) {
      const tally = tallies.get(piece) ?? [0, 0, 0, 0];
      tally[index] = (tally[index] ?? 0) + 1;
      tallies.set(piece, tally);
    }
  });
  const counts: OfEach<Counts> = [new Map(), new Map(), new Map(), new Map()];
  for (const [piece, tally] of tallies) {
    if (tally.every((count) => count === tally[0]) || !/#|\/[/*]/.test(piece.text)) continue;
    for (const [comment, count] of commentsOf(piece)) {
      counts.forEach((ofOne, index) => {
        const times = tally[index] ?? 0;
        if (times > 0) ofOne.set(comment, (ofOne.get(comment) ?? 0) + times * count);
      });
    }
  }
  return counts;
}

function commentsOf({ text, node }: PlainPiece): Map<string, number> {
  const values: { readonly start: number; readonly end: number }[] = [];
  if (node !== undefined) collectValues(node, values);
  values.sort((a, b) => a.start - b.start);
  const counts = new Map<string, number>();
  let next = 0;
  let commentEnd = 0;
  const mark = text.trimStart().startsWith('{') ? /\/\/|\/\*/g : /(?<=^|\s)#/gm;
  for (const match of text.matchAll(mark)) {
    const at = match.index;
    while (next < values.length && (values[next]?.end ?? 0) <= at) next++;
    const value = values[next];
    if (value !== undefined && value.start <= at) continue;
    const isEnclosed = text.startsWith('/*', at);
    const end = isEnclosed ? text.indexOf('*/', at + 2) + 2 : text.indexOf('\n', at);
    if (at < commentEnd) continue;
    commentEnd = end < at ? text.length : end;
    const comment = text.slice(at, commentEnd).trim();
    counts.set(comment, (counts.get(comment) ?? 0) + 1);
  }
  return counts;
}

function collectValues(node: PlainNode, values: { readonly start: number; readonly end: number }[]): void {
  if (node.kind === 'map') for (const value of node.entries.values()) collectValues(value, values);
  else if (node.kind === 'sequence') for (const item of node.items) collectValues(item, values);
  else if (node.end > node.start) values.push({ start: node.start, end: node.end });
}
