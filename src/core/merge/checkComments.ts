import type { PlainDocument, PlainNode, PlainPiece } from '../openapi/plainDocument.ts';
import type { Finding, FourDocuments } from './checkMerge.ts';
import type { ClaimedElement } from './claims.ts';

/** Comments that the result lacks though neither side removed them; the element to hold is the one they stand in. */
export function missingComments(documents: FourDocuments, claims: readonly ClaimedElement[]): Finding[] {
  const { base, ours, theirs, merged } = documents;
  if (documents.isPlainJson === true) return [];
  const counter = new CommentCounter();
  const isHeld = claims.some(hasHeld);
  const before = base === undefined ? new Map<string, number>() : counter.count(base);
  const inOurs = counter.count(ours);
  const inTheirs = counter.count(theirs);
  const after = counter.count(merged);
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

/** By piece: revisions that were read with one cache share most of theirs. */
const NO_COMMENTS: ReadonlyMap<string, number> = new Map();

class CommentCounter {
  readonly #known = new WeakMap<PlainPiece, ReadonlyMap<string, number>>();

  count(document: PlainDocument): Map<string, number> {
    const counts = new Map<string, number>();
    for (const piece of document.pieces) {
      for (const [comment, count] of this.#ofPiece(piece)) counts.set(comment, (counts.get(comment) ?? 0) + count);
    }
    return counts;
  }

  #ofPiece(piece: PlainPiece): ReadonlyMap<string, number> {
    if (!piece.text.includes('#') && !piece.text.includes('//') && !piece.text.includes('/*')) return NO_COMMENTS;
    let counts = this.#known.get(piece);
    if (counts === undefined) {
      counts = commentsOf(piece);
      this.#known.set(piece, counts);
    }
    return counts;
  }
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
