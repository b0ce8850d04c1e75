import type { PlainDocument, PlainNode } from '../openapi/plainDocument.ts';
import type { Finding, FourDocuments } from './checkMerge.ts';
import type { ClaimedElement } from './claims.ts';

/** Comments that the result lacks though neither side removed them; the element to hold is the one they stand in. */
export function missingComments(documents: FourDocuments, claims: readonly ClaimedElement[]): Finding[] {
  const { base, ours, theirs, merged } = documents;
  if (![ours, theirs, merged].some(({ text }) => text.includes('#') || text.includes('//') || text.includes('/*'))) return [];
  const isHeld = claims.some(hasHeld);
  const before = base === undefined ? new Map<string, number>() : commentsOf(base);
  const inOurs = commentsOf(ours);
  const inTheirs = commentsOf(theirs);
  const after = commentsOf(merged);
  const findings: Finding[] = [];
  for (const comment of new Set([...inOurs.keys(), ...inTheirs.keys()])) {
    const b = before.get(comment) ?? 0;
    const o = inOurs.get(comment) ?? 0;
    const t = inTheirs.get(comment) ?? 0;
    const expected = o >= b && t >= b ? Math.max(o, t) : o < b && t < b ? Math.max(0, o + t - b) : Math.max(0, o + t - b);
    // A held element shows one side's comments; the other side's come with its choice.
    if ((after.get(comment) ?? 0) < expected && !isHeld) findings.push({ ids: [], message: `the comment "${comment}" is gone`, comment });
  }
  return findings;
}

function hasHeld(claim: ClaimedElement): boolean {
  return claim.isHeld || (claim.children?.some(hasHeld) ?? false);
}

function commentsOf(document: PlainDocument): Map<string, number> {
  const { text, root } = document;
  const values: { readonly start: number; readonly end: number }[] = [];
  if (root !== undefined) collectValues(root, values);
  values.sort((a, b) => a.start - b.start);
  const counts = new Map<string, number>();
  const isJson = root !== undefined && text.trimStart().startsWith('{');
  let next = 0;
  const mark = isJson ? /\/\/|\/\*/g : /(?<=^|\s)#/gm;
  for (const match of text.matchAll(mark)) {
    const at = match.index;
    while (next < values.length && (values[next]?.end ?? 0) <= at) next++;
    const value = values[next];
    if (value !== undefined && value.start <= at) continue;
    const end = text.indexOf('\n', at);
    const comment = text.slice(at, end < 0 ? text.length : end).trim();
    counts.set(comment, (counts.get(comment) ?? 0) + 1);
  }
  return counts;
}

function collectValues(node: PlainNode, values: { readonly start: number; readonly end: number }[]): void {
  if (node.kind === 'map') for (const value of node.entries.values()) collectValues(value, values);
  else if (node.kind === 'sequence') for (const item of node.items) collectValues(item, values);
  else if (node.end > node.start) values.push({ start: node.start, end: node.end });
}
