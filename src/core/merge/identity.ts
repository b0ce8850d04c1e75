import type { Canon } from './canon.ts';
import { decodeScalar } from './scalarText.ts';
import type { SourceCollection, SourceEntry, SourceNode, SourceTree } from './sourceTree.ts';

/** How the items of a sequence are to be taken. */
export interface SequenceRule {
  /** The order has no meaning, and both sides' insertions stand beside each other. */
  readonly isSet: boolean;
  /** Keys of an item that together name it; the first list whose keys an item has counts. */
  readonly nameKeys: readonly (readonly string[])[];
}

const REFERENCE = ['$ref'];
const SET: SequenceRule = { isSet: true, nameKeys: [] };
const ALTERNATIVES: SequenceRule = { isSet: true, nameKeys: [REFERENCE, ['title']] };
/** Sequences whose items the OpenAPI Specification (2.0 to 3.2) or JSON Schema gives an identity, by the key they stand under. */
const RULES = new Map<string, SequenceRule>([
  ['parameters', { isSet: true, nameKeys: [REFERENCE, ['in', 'name']] }],
  ['tags', { isSet: true, nameKeys: [['name']] }],
  ['servers', { isSet: true, nameKeys: [['url']] }],
  ['required', SET],
  ['enum', SET],
  ['security', SET],
  ['schemes', SET],
  ['consumes', SET],
  ['produces', SET],
  ['type', SET],
  ['oneOf', ALTERNATIVES],
  ['anyOf', ALTERNATIVES],
  ['allOf', ALTERNATIVES],
  ['x-tagGroups', { isSet: true, nameKeys: [['name']] }],
]);
/** Names that items of other sequences go by; taken only where they tell all items of each side apart. */
const USUAL_NAMES: readonly (readonly string[])[] = [
  REFERENCE,
  ['in', 'name'],
  ['name'],
  ['id'],
  ['url'],
  ['title'],
  ['code'],
  ['key'],
];

/** The rule for the sequence under a key; undefined where nothing is known about it. */
export function sequenceRule(key: string | undefined): SequenceRule | undefined {
  return key === undefined ? undefined : RULES.get(key);
}

/**
 * A name for each entry of a collection that is the same in every revision of it, as far as it can be told; undefined
 * for items that only their content can match. Names are distinct within the collection.
 */
export function identify(
  tree: SourceTree,
  collection: SourceCollection,
  rule: SequenceRule | undefined,
  canon: Canon,
  usualName: readonly string[] | undefined,
): (string | undefined)[] {
  const seen = new Map<string, number>();
  return collection.entries.map((entry) => {
    const name = collection.kind === 'map' ? keyName(tree, entry) : itemName(tree, entry.value, rule, canon, usualName);
    if (name === undefined) return undefined;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

function keyName(tree: SourceTree, entry: SourceEntry): string {
  // Several merge keys in one map are told apart by what they merge.
  if (entry.key === '<<') return `<<:${tree.text.slice(entry.valueStart, entry.valueEnd).trim()}`;
  return entry.key ?? '';
}

function itemName(
  tree: SourceTree,
  item: SourceNode,
  rule: SequenceRule | undefined,
  canon: Canon,
  usualName: readonly string[] | undefined,
): string | undefined {
  if (item.kind === 'scalar') return `=${canon.of(tree, item)}=${decodeScalar(tree.text, item)}`;
  if (item.kind === 'sequence') return undefined;
  if (rule === SET)
    return `{${item.entries
      .map((entry) => entry.key)
      .sort()
      .join(',')}}`;
  for (const keys of rule?.nameKeys ?? (usualName === undefined ? [] : [usualName])) {
    const name = nameBy(tree, item, keys);
    if (name !== undefined) return name;
  }
  return undefined;
}

function nameBy(tree: SourceTree, item: SourceCollection, keys: readonly string[]): string | undefined {
  const values: string[] = [];
  for (const key of keys) {
    const value = item.entries.find((entry) => entry.key === key)?.value;
    if (value?.kind !== 'scalar') return undefined;
    values.push(`${key}=${decodeScalar(tree.text, value)}`);
  }
  return values.join('&');
}

/** The usual name that all items of all given revisions of a sequence have and are told apart by; undefined where none is. */
export function commonName(
  revisions: readonly { readonly tree: SourceTree; readonly node: SourceCollection }[],
): readonly string[] | undefined {
  return USUAL_NAMES.find((keys) =>
    revisions.every(({ tree, node }) => {
      const names = node.entries.map((entry) =>
        entry.value.kind === 'map' ? nameBy(tree, entry.value, keys) : undefined,
      );
      return names.every((name) => name !== undefined) && new Set(names).size === names.length;
    }),
  );
}
