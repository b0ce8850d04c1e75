import { type PlainMap, type PlainNode, samePlain } from '../openapi/plainDocument.ts';
import { missingComments } from './checkComments.ts';
import type { FourDocuments } from './checkMerge.ts';

/**
 * Proves the usual result without any claim: by the keys of mappings alone, every element was changed by one side only
 * (or by both in the same way), is in the result as that side has it, and no comment is gone. What both sides touched
 * below the same sequence, or in one value, is not proven, and neither is what is known by another name than its key.
 */
export function isOneSided(documents: FourDocuments): boolean {
  const { base, ours, theirs, merged } = documents;
  if (base?.root === undefined || merged.root === undefined) return false;
  return isTaken(base.root, ours.root, theirs.root, merged.root) && missingComments(documents, []).length === 0;
}

type Node = PlainNode | undefined;

function isTaken(base: Node, ours: Node, theirs: Node, merged: Node): boolean {
  if (samePlain(base, ours)) return samePlain(theirs, merged);
  if (samePlain(base, theirs) || samePlain(ours, theirs)) return samePlain(ours, merged);
  if (!isBareMap(base) || !isBareMap(ours) || !isBareMap(theirs) || !isBareMap(merged)) return false;
  const keys = new Set([base, ours, theirs, merged].flatMap(({ entries }) => [...entries.keys()]));
  for (const key of keys) {
    // Merge keys go by their place, not by their name.
    if (key.startsWith('<<')) return false;
    const of = ({ entries }: PlainMap): Node => entries.get(key);
    if (!isTaken(of(base), of(ours), of(theirs), of(merged))) return false;
  }
  return true;
}

function isBareMap(node: Node): node is PlainMap {
  return node?.kind === 'map' && node.anchor === undefined && node.tag === undefined;
}
