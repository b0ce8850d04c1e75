import type { PlainNode } from '../openapi/plainDocument.ts';
import { findNameUses } from '../openapi/semanticRules.ts';
import type { FollowedName, Revisions } from './followNames.ts';

/** The share of leaves that a thing must have kept to be the same under another name. */
const MIN_LIKENESS = 0.7;

/**
 * Proves that a text in which names follow renames (`after`) is the proven merge (`before`) but for those names: each
 * stands for a thing that the base and one side have under the old name only, and the other side and the result under the
 * new one only, with a body that is like enough. Shares no code with what wrote them.
 */
export function checkNames(
  before: PlainNode,
  after: PlainNode | undefined,
  followed: readonly FollowedName[],
  revisions: Revisions,
): boolean {
  if (after === undefined || followed.length === 0) return false;
  const meant = new Set(findNameUses(after).map(({ place, target }) => JSON.stringify([place, target])));
  return (
    followed.every((one) => isRename(one, after, revisions)) &&
    followed.every(({ use, from, to }) =>
      meant.has(JSON.stringify([use.place, [...to, ...use.target.slice(from.length)]])),
    ) &&
    isSameBut(before, after, [], new Map(followed.map((one) => [JSON.stringify(one.use.place), one])))
  );
}

function isRename({ from, to, renamer }: FollowedName, after: PlainNode, revisions: Revisions): boolean {
  const keeper = renamer === 'ours' ? revisions.theirs : revisions.ours;
  const side = revisions[renamer];
  const inBase = find(revisions.base, from);
  const inSide = find(side, to);
  return (
    inBase !== undefined &&
    inSide !== undefined &&
    find(keeper, from) !== undefined &&
    find(after, to) !== undefined &&
    [find(side, from), find(after, from), find(revisions.base, to)].every((one) => one === undefined) &&
    likeness(inBase, inSide, from[0] === 'tags') >= MIN_LIKENESS
  );
}

/** Whether two documents are equal in everything but the names that follow at their places. */
function isSameBut(
  before: PlainNode,
  after: PlainNode,
  path: readonly string[],
  followed: ReadonlyMap<string, FollowedName>,
): boolean {
  if (before.anchor !== after.anchor || before.tag !== after.tag) return false;
  const here = followed.get(JSON.stringify(path));
  if (before.kind === 'map' && after.kind === 'map') {
    const keys = [...after.entries.keys()];
    return (
      keys.length === before.entries.size &&
      [...before.entries].every(([key, value], index) => {
        const now = keys[index] ?? '';
        const own = after.entries.get(now);
        const isRenamed = here !== undefined && key === here.from.at(-1) && now === here.to.at(-1);
        return own !== undefined && (key === now || isRenamed) && isSameBut(value, own, [...path, key], followed);
      })
    );
  }
  if (before.kind === 'sequence' && after.kind === 'sequence') {
    const { items } = after;
    return (
      items.length === before.items.length &&
      before.items.every((item, index) => {
        const own = items[index];
        return own !== undefined && isSameBut(item, own, [...path, String(index)], followed);
      })
    );
  }
  if (before.kind === 'scalar' && after.kind === 'scalar')
    return before.isString === after.isString && (before.text === after.text || here?.use.name === before.text);
  return (
    before.kind === 'alias' &&
    after.kind === 'alias' &&
    before.name === after.name &&
    before.definition === after.definition
  );
}

function find(root: PlainNode | undefined, path: readonly string[]): PlainNode | undefined {
  let node = root;
  for (const segment of path) {
    if (node?.kind === 'map') node = node.entries.get(segment);
    else if (node?.kind === 'sequence') {
      node = node.items.find((item) => {
        const name = item.kind === 'map' ? item.entries.get('name') : undefined;
        return name?.kind === 'scalar' && name.text === segment;
      });
    } else return undefined;
  }
  return node;
}

/** @param isNamedInside its name is one of its own leaves, and is of course another one. */
function likeness(a: PlainNode, b: PlainNode, isNamedInside: boolean): number {
  const count = (node: PlainNode, key: string, bag: Map<string, number>): Map<string, number> => {
    if (node.kind === 'map') for (const [name, value] of node.entries) count(value, name, bag);
    else if (node.kind === 'sequence') for (const item of node.items) count(item, key, bag);
    else {
      if (isNamedInside && key === 'name') return bag;
      const leaf = `${key}=${node.kind === 'scalar' ? node.text : node.name}`;
      bag.set(leaf, (bag.get(leaf) ?? 0) + 1);
    }
    return bag;
  };
  const bagA = count(a, '', new Map());
  const bagB = count(b, '', new Map());
  const sum = (bag: ReadonlyMap<string, number>): number => [...bag.values()].reduce((total, one) => total + one, 0);
  let common = 0;
  for (const [leaf, one] of bagA) common += Math.min(one, bagB.get(leaf) ?? 0);
  return sum(bagA) + sum(bagB) === 0 ? 1 : (2 * common) / (sum(bagA) + sum(bagB));
}
