import type { DocumentFormat } from '../../src/core/merge/types.ts';
import { type PlainCache, type PlainNode, readPlainDocument } from '../../src/core/openapi/plainDocument.ts';
import type { MergeCase } from './mergeCorpus.ts';

/**
 * Pointers of leaves that one side alone changed, added or removed and that the result does not have so. Written for
 * scoring, apart from the merge and its check. What lies in a conflict is left out, and so is what moved as a whole.
 */
export function missingChanges(
  merge: MergeCase,
  result: string,
  conflicts: readonly string[],
  cache: PlainCache,
): string[] {
  const read = (text: string): Map<string, number> | undefined => leafBag(text, merge.format, cache);
  const base = read(merge.base);
  const ours = read(merge.ours);
  const theirs = read(merge.theirs);
  const merged = read(result);
  if (base === undefined || ours === undefined || theirs === undefined || merged === undefined) return [];
  const missing: string[] = [];
  // At a path that both sides changed, the values are what a merge inside the text makes of them.
  const changed = (side: ReadonlyMap<string, number>): Set<string> => {
    const paths = new Set<string>();
    for (const leaf of new Set([...base.keys(), ...side.keys()]))
      if (base.get(leaf) !== side.get(leaf)) paths.add(pathOf(leaf));
    return paths;
  };
  const tails = new Map([base, merged].map((side) => [side, byTail(side)]));
  // What moved or was renamed stands under another path; then its last keys and its value are as often as they should be.
  const isElsewhere = (leaf: string, change: number): boolean => {
    const before = tails.get(base)?.get(tailOf(leaf)) ?? 0;
    const after = tails.get(merged)?.get(tailOf(leaf)) ?? 0;
    return change > 0 ? after >= before + change : after <= before + change;
  };
  const changedByOurs = changed(ours);
  const changedByTheirs = changed(theirs);
  for (const leaf of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const b = base.get(leaf) ?? 0;
    const o = (ours.get(leaf) ?? 0) - b;
    const t = (theirs.get(leaf) ?? 0) - b;
    if (o !== 0 && t !== 0) continue;
    const expected = b + o + t;
    const actual = merged.get(leaf) ?? 0;
    const isLost = expected > b ? actual < expected : actual > expected;
    if (o + t === 0 || !isLost) continue;
    const path = pathOf(leaf);
    if (changedByOurs.has(path) && changedByTheirs.has(path)) continue;
    if (isElsewhere(leaf, expected - b)) continue;
    if (conflicts.some((pointer) => overlaps(path, pointer))) continue;
    missing.push(`${path} (base ${b}, ours ${b + o}, theirs ${b + t}, merged ${actual})`);
  }
  return missing;
}

function tailOf(leaf: string): string {
  const path = pathOf(leaf);
  return `${path.split('/').slice(-2).join('/')}${leaf.slice(path.length)}`;
}

function byTail(side: ReadonlyMap<string, number>): Map<string, number> {
  const tails = new Map<string, number>();
  for (const [leaf, count] of side) tails.set(tailOf(leaf), (tails.get(tailOf(leaf)) ?? 0) + count);
  return tails;
}

function pathOf(leaf: string): string {
  return leaf.slice(0, leaf.indexOf('\u0000'));
}

function overlaps(path: string, pointer: string): boolean {
  const plain = pointer.replace(/\/\d+(?=\/|$)/g, '/*');
  return path === plain || path.startsWith(`${plain}/`) || plain.startsWith(`${path}/`);
}

/** How often each leaf occurs: path without positions in sequences, and value. */
function leafBag(text: string, format: DocumentFormat, cache: PlainCache): Map<string, number> | undefined {
  const { root } = readPlainDocument(text, format, cache);
  if (root === undefined) return undefined;
  const bag = new Map<string, number>();
  fill(bag, root, '');
  return bag;
}

function fill(bag: Map<string, number>, node: PlainNode, path: string): void {
  if (node.kind === 'map' && node.entries.size > 0) {
    for (const [key, value] of node.entries)
      fill(bag, value, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  } else if (node.kind === 'sequence' && node.items.length > 0) {
    for (const item of node.items) fill(bag, item, `${path}/*`);
  } else {
    const value = node.kind === 'scalar' ? node.text : node.kind === 'alias' ? `*${node.name}` : node.kind;
    const leaf = `${path}\u0000${value}`;
    bag.set(leaf, (bag.get(leaf) ?? 0) + 1);
  }
}
