import { formatPointer } from '../openapi/jsonPointer.ts';
import type { PlainNode } from '../openapi/plainDocument.ts';
import { findNameUses, type NameUse } from '../openapi/semanticRules.ts';
import { readSource } from './readSource.ts';
import { decodeScalar } from './scalarText.ts';
import type { SourceNode, SourceTree } from './sourceTree.ts';
import { applySplices } from './splices.ts';
import type { DocumentFormat, FollowedRename, Splice } from './types.ts';

/** The three revisions as data; `base` is undefined where there was none. */
export interface Revisions {
  readonly base: PlainNode | undefined;
  readonly ours: PlainNode | undefined;
  readonly theirs: PlainNode | undefined;
}

/** A name that the one side used and the other had given to something else. */
export interface FollowedName {
  readonly use: NameUse;
  /** Where the thing is in the base and on the side that kept its name, and where on the side that renamed it. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly renamer: 'ours' | 'theirs';
}

/**
 * Where one side calls something by a name that the other side changed, the name follows: a new `$ref`, a discriminator
 * mapping, a security requirement, an operation's tag. A rename is one of a thing whose body stayed much the same, where
 * the other side's own uses changed from the one name to the other, or nothing else can be meant.
 * @param dangling uses in the merged text that name nothing, though both sides were sound.
 */
export function followNames(
  text: string,
  format: DocumentFormat,
  merged: PlainNode,
  revisions: Revisions,
  dangling: readonly NameUse[],
): { readonly text: string; readonly followed: readonly FollowedName[] } {
  const search = new RenameSearch(merged, revisions);
  const followed = dangling.flatMap((use) => search.follow(use) ?? []);
  const tree = followed.length === 0 ? undefined : readSource(text, format);
  if (tree === undefined) return { text, followed: [] };
  const splices = new Map<number, Splice>();
  const written: FollowedName[] = [];
  for (const one of followed) {
    const splice = renameAt(tree, one);
    if (splice === undefined || splices.has(splice.offset)) continue;
    splices.set(splice.offset, splice);
    written.push(one);
  }
  const sorted = [...splices.values()].sort((a, b) => a.offset - b.offset);
  return { text: applySplices(text, sorted), followed: written };
}

/** The renames that names followed, each once. A tag goes by its place in its list, which is no pointer with its name: left out. */
export function renamesOf(followed: readonly FollowedName[]): FollowedRename[] {
  const renames = new Map<string, FollowedRename>();
  for (const { from, to, renamer } of followed) {
    if (from[0] === 'tags') continue;
    const [before, after] = [formatPointer(from), formatPointer(to)];
    const sides = renamer === 'ours' ? { ours: after, theirs: before } : { ours: before, theirs: after };
    renames.set(before, { base: before, ...sides, merged: after });
  }
  return [...renames.values()];
}

/** How alike a body must be to its base, and by how much the second best must be worse where no use tells which it is. */
const LIKENESS = 0.7;
const MARGIN = 0.05;
/** Bodies of fewer leaves say too little to be recognised by. */
const MIN_LEAVES = 3;

class RenameSearch {
  readonly #merged: PlainNode;
  readonly #revisions: Revisions;
  readonly #known = new Map<string, string | undefined>();

  constructor(merged: PlainNode, revisions: Revisions) {
    this.#merged = merged;
    this.#revisions = revisions;
  }

  follow(use: NameUse): FollowedName | undefined {
    const { base, ours, theirs } = this.#revisions;
    let depth = 0;
    while (depth < use.target.length && nodeAt(this.#merged, use.target.slice(0, depth + 1)) !== undefined) depth++;
    const container = use.target.slice(0, depth);
    const from = use.target.slice(0, depth + 1);
    if (nodeAt(base, from) === undefined) return undefined;
    const renamer = nodeAt(ours, from) === undefined ? 'ours' : 'theirs';
    const keeper = renamer === 'ours' ? theirs : ours;
    if (nodeAt(this.#revisions[renamer], from) !== undefined || nodeAt(keeper, from) === undefined) return undefined;
    const key = JSON.stringify(from);
    if (!this.#known.has(key)) this.#known.set(key, this.#newName(container, from, renamer));
    const name = this.#known.get(key);
    if (name === undefined) return undefined;
    const to = [...container, name];
    const isThere = nodeAt(this.#merged, [...to, ...use.target.slice(depth + 1)]) !== undefined;
    return isThere ? { use, from, to, renamer } : undefined;
  }

  #newName(container: readonly string[], from: readonly string[], renamer: 'ours' | 'theirs'): string | undefined {
    const { base } = this.#revisions;
    const side = this.#revisions[renamer];
    const before = namesIn(nodeAt(base, container));
    const after = namesIn(nodeAt(side, container));
    const inMerged = namesIn(nodeAt(this.#merged, container));
    const fresh = [...after.keys()].filter((name) => !before.has(name) && inMerged.has(name));
    const lost = [...before.keys()].filter((name) => !after.has(name));
    const own = before.get(from.at(-1) ?? '');
    if (own === undefined || fresh.length === 0) return undefined;
    const used = namesByUse(base, side, from);
    if (used.size > 0) {
      const [name] = used;
      const body = used.size === 1 && name !== undefined && fresh.includes(name) ? after.get(name) : undefined;
      // Something else in its place is no rename.
      return body !== undefined && share(leaves(own), leaves(body)) >= LIKENESS ? name : undefined;
    }
    if (leaves(own).length < MIN_LEAVES) return undefined;
    const name = onlyLike(own, fresh, after);
    const body = name === undefined ? undefined : after.get(name);
    return body !== undefined && onlyLike(body, lost, before) === from.at(-1) ? name : undefined;
  }
}

/** What a side's own uses of a thing of the base are called now, where they are still there and called otherwise. */
function namesByUse(base: PlainNode | undefined, side: PlainNode | undefined, from: readonly string[]): Set<string> {
  const above = JSON.stringify(from.slice(0, -1));
  const namesAt = (root: PlainNode | undefined): Map<string, Set<string>> => {
    const names = new Map<string, Set<string>>();
    for (const { place, target } of findNameUses(root)) {
      if (JSON.stringify(target.slice(0, from.length - 1)) !== above) continue;
      const key = JSON.stringify(place);
      const own = names.get(key) ?? new Set();
      names.set(key, own.add(target[from.length - 1] ?? ''));
    }
    return names;
  };
  const name = from.at(-1) ?? '';
  const after = namesAt(side);
  const found = new Set<string>();
  for (const [place, names] of namesAt(base)) {
    const now = after.get(place);
    if (!names.has(name) || now === undefined || now.has(name)) continue;
    const fresh = [...now].filter((one) => !names.has(one));
    if (fresh.length === 1 && fresh[0] !== undefined) found.add(fresh[0]);
  }
  return found;
}

/** The one of some elements whose body is like another's, if no second one comes near. */
function onlyLike(
  sought: PlainNode,
  names: readonly string[],
  elements: ReadonlyMap<string, PlainNode>,
): string | undefined {
  const body = leaves(sought);
  const [best, second] = names
    .map((name) => {
      const element = elements.get(name);
      return { name, score: element === undefined ? 0 : share(body, leaves(element)) };
    })
    .sort((a, b) => b.score - a.score);
  if (best === undefined || best.score < LIKENESS) return undefined;
  return second !== undefined && second.score > best.score - MARGIN ? undefined : best.name;
}

function leaves(node: PlainNode): string[] {
  if (node.kind === 'map')
    return [...node.entries].flatMap(([key, value]) => leaves(value).map((leaf) => `${key}/${leaf}`));
  if (node.kind === 'sequence') return node.items.flatMap((item) => leaves(item));
  return [node.kind === 'scalar' ? node.text : node.name];
}

function share(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const leaf of a) counts.set(leaf, (counts.get(leaf) ?? 0) + 1);
  let common = 0;
  for (const leaf of b) {
    const count = counts.get(leaf) ?? 0;
    if (count > 0) common++;
    counts.set(leaf, count - 1);
  }
  return a.length + b.length === 0 ? 1 : (2 * common) / (a.length + b.length);
}

/** The elements of a collection by name; the document's tags go by theirs, which is no part of their body then. */
function namesIn(node: PlainNode | undefined): ReadonlyMap<string, PlainNode> {
  if (node?.kind === 'map') return node.entries;
  const names = new Map<string, PlainNode>();
  for (const item of node?.kind === 'sequence' ? node.items : []) {
    const name = item.kind === 'map' ? item.entries.get('name') : undefined;
    if (item.kind !== 'map' || name?.kind !== 'scalar') continue;
    names.set(name.text, { ...item, entries: new Map([...item.entries].filter(([key]) => key !== 'name')) });
  }
  return names;
}

function nodeAt(root: PlainNode | undefined, path: readonly string[]): PlainNode | undefined {
  let node = root;
  path.forEach((segment, index) => {
    if (index === 1 && path[0] === 'tags') node = namesIn(node).get(segment);
    else if (node?.kind === 'sequence') node = node.items[Number(segment)];
    else node = node?.kind === 'map' ? node.entries.get(segment) : undefined;
  });
  return node;
}

/** What to write at a use so that it has the new name; undefined where it is not written there as a plain copy of the name. */
function renameAt(tree: SourceTree, { use, from, to }: FollowedName): Splice | undefined {
  let node: SourceNode = tree.root;
  for (const segment of use.place) {
    if (node.kind === 'scalar') return undefined;
    const entry: SourceNode | undefined =
      node.kind === 'map'
        ? node.entries.find(({ key }) => key === segment)?.value
        : node.entries[Number(segment)]?.value;
    if (entry === undefined) return undefined;
    node = entry;
  }
  if (node.kind !== 'scalar') {
    const entry = node.entries.find(({ key }) => key === use.name);
    return entry === undefined ? undefined : spliceOf(tree, entry.keyStart, entry.keyEnd, use.name, to.at(-1) ?? '');
  }
  if (decodeScalar(tree.text, node) !== use.name) return undefined;
  return spliceOf(tree, node.start, node.end, use.name, renamed(use.name, from.length - 1, to.at(-1) ?? ''));
}

function spliceOf(tree: SourceTree, start: number, end: number, name: string, insert: string): Splice | undefined {
  const at = tree.text.slice(start, end).indexOf(name);
  return at < 0 ? undefined : { offset: start + at, deleteCount: name.length, insert };
}

/** A reference with another name in the place of one segment; anything else is the name itself. */
function renamed(name: string, segment: number, to: string): string {
  if (!name.startsWith('#/')) return to;
  const segments = name.slice(2).split('/');
  const escaped = to.replaceAll('~', '~0').replaceAll('/', '~1');
  // In a URI fragment everything but RFC 3986's own characters is percent-encoded.
  segments[segment] = /^[\w.~!$&'()*+,;=:@-]*$/.test(escaped) ? escaped : encodeURIComponent(escaped);
  return `#/${segments.join('/')}`;
}
