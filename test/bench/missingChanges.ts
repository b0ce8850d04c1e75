import { longestIncreasing } from '../../src/core/merge/lineDiff.ts';
import type { DocumentFormat, FollowedRename, MergeInput, MergeResult } from '../../src/core/merge/types.ts';
import { parsePointer } from '../../src/core/openapi/jsonPointer.ts';
import { type PlainCache, type PlainNode, readPlainDocument } from '../../src/core/openapi/plainDocument.ts';

/** The merge with ours, and with theirs, at every conflict; the same result where there is none. */
export interface BothChoices {
  readonly ours: MergeResult;
  readonly theirs: MergeResult;
}

type MergeTexts = MergeInput & { readonly format: DocumentFormat };

/**
 * Pointers of leaves that one side alone changed, added or removed and that the result does not have so, whichever side
 * is chosen at its conflicts: a change of ours must be there with ours at all of them, one of theirs with theirs.
 * Leaves go by the names of the base: a rename that the merge says it followed counts if it is borne out by the texts,
 * and is listed itself if it is not. Written for scoring, apart from the merge and its check.
 */
export function missingChanges(merge: MergeTexts, results: BothChoices, cache: PlainCache): string[] {
  const read = (text: string): PlainNode | undefined => readPlainDocument(text, merge.format, cache).root;
  const roots = { base: read(merge.base), ours: read(merge.ours), theirs: read(merge.theirs) };
  const missing: string[] = [];
  for (const side of ['ours', 'theirs'] as const) {
    const { renames, text } = results[side];
    const merged = read(text);
    if (!roots.base || !roots.ours || !roots.theirs || !merged) return [];
    const texts = { base: roots.base, ours: roots.ours, theirs: roots.theirs, merged };
    const names = new BaseNames(renames, texts);
    missing.push(...names.unfounded);
    missing.push(...missingOf(side, texts, names));
  }
  return missing;
}

type TextName = 'base' | 'ours' | 'theirs' | 'merged';
type FourTexts = Readonly<Record<TextName, PlainNode>>;

function missingOf(side: 'ours' | 'theirs', texts: FourTexts, names: BaseNames): string[] {
  const leaves = (text: TextName): Leaves => new Leaves(texts[text], (pointer) => names.keyOf(text, pointer));
  const [base, own, other] = [leaves('base'), leaves(side), leaves(side === 'ours' ? 'theirs' : 'ours')];
  const merged = leaves('merged');
  // At a text that both sides changed, the value is what a merge inside the text makes of it.
  const isTextOfBoth = (leaf: string): boolean =>
    /\s/.test(leaf.slice(pathOf(leaf).length)) &&
    own.changedSince(base).has(pathOf(leaf)) &&
    other.changedSince(base).has(pathOf(leaf));
  const missing: string[] = [];
  for (const leaf of new Set([...base.bag.keys(), ...own.bag.keys()])) {
    const before = base.bag.get(leaf) ?? 0;
    const change = (own.bag.get(leaf) ?? 0) - before;
    if (change === 0 || (other.bag.get(leaf) ?? 0) !== before) continue;
    const actual = merged.bag.get(leaf) ?? 0;
    const isLost = change > 0 ? actual < before + change : actual > before + change;
    if (!isLost || isTextOfBoth(leaf) || isElsewhere(leaf, change, base, merged)) continue;
    if (change > 0 && isFilled(leaf, base, other)) continue;
    // What one side removed and the other took out and wrote anew at another place, both have changed.
    if (change < 0 && movedPaths(texts.base, texts[side === 'ours' ? 'theirs' : 'ours']).has(pathOf(leaf))) continue;
    missing.push(`${pathOf(leaf)} (base ${before}, ${side} ${before + change}, merged ${actual})`);
  }
  return missing;
}

/** What one side emptied is not empty where the other side put something new into it. */
function isFilled(leaf: string, base: Leaves, other: Leaves): boolean {
  if (!EMPTY.has(leaf.slice(pathOf(leaf).length + 1))) return false;
  const below = `${pathOf(leaf)}/`;
  return [...other.bag].some(([one, count]) => one.startsWith(below) && count > (base.bag.get(one) ?? 0));
}

/** The values that stand for a collection without an element. */
const EMPTY: ReadonlySet<string> = new Set<PlainNode['kind']>(['map', 'sequence']);

/** What moved stands under another path; then its last keys and its value are as often as they should be. */
function isElsewhere(leaf: string, change: number, base: Leaves, merged: Leaves): boolean {
  const before = base.tails.get(tailOf(leaf)) ?? 0;
  const after = merged.tails.get(tailOf(leaf)) ?? 0;
  return change > 0 ? after >= before + change : after <= before + change;
}

/** The share of leaves that an element must have kept to be the same under another name. */
const MIN_LIKENESS = 0.4;

/** How elements that were renamed are called in the base, as far as the texts bear it out. */
class BaseNames {
  readonly unfounded: string[] = [];
  readonly #keys: Readonly<Record<TextName, Map<string, string>>> = {
    base: new Map(),
    ours: new Map(),
    theirs: new Map(),
    merged: new Map(),
  };

  constructor(renames: readonly FollowedRename[], texts: FourTexts) {
    for (const rename of renames) {
      const key = parsePointer(rename.base ?? '').at(-1);
      const isFounded =
        key !== undefined &&
        (['ours', 'theirs', 'merged'] as const).every((text) => this.#isFounded(rename, text, texts));
      if (!isFounded) {
        this.unfounded.push(`unfounded rename ${JSON.stringify(rename)}`);
        continue;
      }
      for (const text of ['ours', 'theirs', 'merged'] as const) {
        const pointer = rename[text];
        if (pointer !== undefined) this.#keys[text].set(pointer, key);
      }
    }
  }

  keyOf(text: TextName, pointer: string): string | undefined {
    return this.#keys[text].get(pointer);
  }

  #isFounded(rename: FollowedRename, text: 'ours' | 'theirs' | 'merged', texts: FourTexts): boolean {
    const pointer = rename[text];
    if (pointer === undefined) return true;
    const element = nodeAt(texts[text], pointer);
    const before = nodeAt(texts.base, rename.base ?? '');
    if (element === undefined || before === undefined || this.#keys[text].has(pointer)) return false;
    if (text !== 'merged') return likeness(before, element) >= MIN_LIKENESS;
    // The result has the new name: that of a side that has another than the base.
    const name = (of: string | undefined): string | undefined => parsePointer(of ?? '').at(-1);
    const fresh = [rename.ours, rename.theirs]
      .map(name)
      .filter((own) => own !== undefined && own !== name(rename.base));
    return fresh.includes(name(pointer));
  }
}

function nodeAt(root: PlainNode, pointer: string): PlainNode | undefined {
  let node: PlainNode | undefined = root;
  for (const segment of parsePointer(pointer)) {
    if (node?.kind === 'map') node = node.entries.get(segment);
    else node = node?.kind === 'sequence' ? node.items[Number(segment)] : undefined;
  }
  return node;
}

function likeness(a: PlainNode, b: PlainNode): number {
  const [bagA, bagB] = [new Leaves(a).tails, new Leaves(b).tails];
  const size = (bag: ReadonlyMap<string, number>): number => [...bag.values()].reduce((sum, count) => sum + count, 0);
  let common = 0;
  for (const [leaf, count] of bagA) common += Math.min(count, bagB.get(leaf) ?? 0);
  const all = size(bagA) + size(bagB);
  return all === 0 ? 1 : (2 * common) / all;
}

/** Paths of leaves in entries of a mapping that a side put to another place among their neighbours. */
function movedPaths(base: PlainNode, side: PlainNode): ReadonlySet<string> {
  let known = moves.get(side);
  if (known === undefined) {
    known = new Set();
    collectMoved(base, side, '', known);
    moves.set(side, known);
  }
  return known;
}

const moves = new WeakMap<PlainNode, Set<string>>();

function collectMoved(base: PlainNode, side: PlainNode, path: string, moved: Set<string>): void {
  if (base.kind !== 'map' || side.kind !== 'map') return;
  const positions = new Map([...base.entries.keys()].map((key, index) => [key, index]));
  const common = [...side.entries.keys()].filter((key) => positions.has(key));
  const inOrder = new Set(longestIncreasing(common.map((key) => positions.get(key) ?? 0)));
  common.forEach((key, index) => {
    const own = side.entries.get(key);
    const before = base.entries.get(key);
    if (own === undefined || before === undefined) return;
    const below = `${path}/${escapeKey(key)}`;
    if (inOrder.has(index)) collectMoved(before, own, below, moved);
    else for (const leaf of new Leaves(own, undefined, below).bag.keys()) moved.add(pathOf(leaf));
  });
}

/** How often each leaf of an element occurs: path with `itemName` in place of positions in sequences, and value. */
class Leaves {
  readonly bag = new Map<string, number>();
  readonly #keyOf: ((pointer: string) => string | undefined) | undefined;
  #tails: Map<string, number> | undefined;
  #changed: Set<string> | undefined;

  /** `keyOf`: another name for the element at a pointer. */
  constructor(root: PlainNode, keyOf?: (pointer: string) => string | undefined, path = '') {
    this.#keyOf = keyOf;
    this.#fill(root, path, path);
  }

  /** The same by the last keys of the path and the value. */
  get tails(): ReadonlyMap<string, number> {
    if (this.#tails === undefined) {
      this.#tails = new Map();
      for (const [leaf, count] of this.bag) this.#tails.set(tailOf(leaf), (this.#tails.get(tailOf(leaf)) ?? 0) + count);
    }
    return this.#tails;
  }

  /** Paths at which it differs from the base; always the same base. */
  changedSince(base: Leaves): ReadonlySet<string> {
    this.#changed ??= new Set(
      [...new Set([...base.bag.keys(), ...this.bag.keys()])]
        .filter((leaf) => base.bag.get(leaf) !== this.bag.get(leaf))
        .map(pathOf),
    );
    return this.#changed;
  }

  /** A reference to an element that was renamed means the same as before. */
  #inBaseNames(value: string): string {
    if (this.#keyOf === undefined || !value.startsWith('#/')) return value;
    let pointer = '';
    let path = '#';
    for (const key of parsePointer(value.slice(1))) {
      pointer += `/${escapeKey(key)}`;
      path += `/${escapeKey(this.#keyOf(pointer) ?? key)}`;
    }
    return path;
  }

  #fill(node: PlainNode, path: string, pointer: string): void {
    if (node.kind === 'map' && node.entries.size > 0) {
      for (const [key, value] of node.entries) {
        const below = `${pointer}/${escapeKey(key)}`;
        this.#fill(value, `${path}/${escapeKey(this.#keyOf?.(below) ?? key)}`, below);
      }
    } else if (node.kind === 'sequence' && node.items.length > 0) {
      node.items.forEach((item, index) => this.#fill(item, `${path}/${itemName(item)}`, `${pointer}/${index}`));
    } else {
      const value =
        node.kind === 'scalar' ? this.#inBaseNames(node.text) : node.kind === 'alias' ? `*${node.name}` : node.kind;
      const leaf = `${path}\u0000${value}`;
      this.bag.set(leaf, (this.bag.get(leaf) ?? 0) + 1);
    }
  }
}

/**
 * What an element of a sequence goes by: a parameter is its place and name (OpenAPI, Parameter Object), so that one which
 * a side wrote anew does not stand for one that was taken out; any other element has no name.
 */
function itemName(item: PlainNode): string {
  if (item.kind !== 'map') return ITEM;
  const [place, name] = [item.entries.get('in'), item.entries.get('name')];
  if (place?.kind !== 'scalar' || name?.kind !== 'scalar') return ITEM;
  return `${ITEM}${NAMED}${escapeKey(`${place.text} ${name.text}`)}`;
}

const ITEM = '*';
/** Between an element and its name; no key of a mapping has it. */
const NAMED = '\u0001';

function tailOf(leaf: string): string {
  const path = pathOf(leaf);
  const keys = path.split('/').slice(-2);
  return `${keys.map((key) => key.split(NAMED)[0]).join('/')}${leaf.slice(path.length)}`;
}

function pathOf(leaf: string): string {
  return leaf.slice(0, leaf.indexOf('\u0000'));
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
