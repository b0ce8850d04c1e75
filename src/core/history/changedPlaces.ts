import type { CollectionRevision } from '../merge/align.ts';
import { type Located, sameCore } from '../merge/entryText.ts';
import { readSource } from '../merge/readSource.ts';
import type { DocumentFormat } from '../merge/types.ts';
import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer } from '../openapi/jsonPointer.ts';
import { collectionOf, type ElementPath, isHolder, isNothing, namedEntries, partLength } from './elementPath.ts';

/** One element that a change touched. */
export interface ChangedPlace {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly path: ElementPath;
  /** `GET /pets · summary`, `schema Pet`. */
  readonly label: string;
}

export interface ChangedPlaces {
  readonly places: readonly ChangedPlace[];
  /** How many more there are. */
  readonly leftOut: number;
}

/** An operation or component with more changes inside is one place. */
const MAX_INSIDE_PART = 8;
const MAX_PLACES = 200;

/** What differs between two revisions, by element and in the order of the text; empty where a text cannot be taken apart. Never throws. */
export function changedPlaces(before: string, after: string, format: DocumentFormat): ChangedPlaces {
  const [old, now] = [rootOf(before, format), rootOf(after, format)];
  const found: ChangedPlace[] = [];
  if (old !== undefined && now !== undefined) compare(old, now, [], [], found);
  const places = gather(found);
  return { places: places.slice(0, MAX_PLACES), leftOut: Math.max(0, places.length - MAX_PLACES) };
}

/** The root of a text as a collection; undefined where the text cannot be taken apart. */
export function rootOf(text: string, format: DocumentFormat): CollectionRevision | undefined {
  const tree = readSource(text, format);
  return tree === undefined || tree.root.kind === 'scalar' ? undefined : { tree, node: tree.root };
}

/** False: the entries cannot be told apart by name, so that the whole is what changed. */
function compare(
  old: CollectionRevision | undefined,
  now: CollectionRevision | undefined,
  path: ElementPath,
  keys: readonly (string | number)[],
  found: ChangedPlace[],
): boolean {
  if (old !== undefined && now !== undefined && old.node.kind !== now.node.kind) return false;
  const empty = new Map<string, Located>();
  const [was, is] = [
    old === undefined ? empty : namedEntries(old, path),
    now === undefined ? empty : namedEntries(now, path),
  ];
  if (was === undefined || is === undefined) return false;
  for (const name of new Set([...is.keys(), ...was.keys()])) {
    const [one, other] = [was.get(name), is.get(name)];
    const located = other ?? one;
    if (located === undefined || (one !== undefined && other !== undefined && sameCore(one, other))) continue;
    // What a path says for all of its operations comes and goes with them.
    if ((old === undefined || now === undefined) && !isHolder(path, name)) continue;
    const inner = [...path, name];
    const innerKeys = [...keys, located.entry.key ?? located.index];
    const [before, after] = [one && collectionOf(one), other && collectionOf(other)];
    const isInBoth = before !== undefined && after !== undefined;
    const isTold = (isNothing(one) || isNothing(other)) && isToldByInside(inner, before ?? after);
    if ((isInBoth || isTold) && compare(before, after, inner, innerKeys, found)) continue;
    const kind = one === undefined ? 'added' : other === undefined ? 'removed' : 'changed';
    found.push({ kind, path: inner, label: elementLabel(formatPointer(innerKeys)) });
  }
  return true;
}

/** Whether something that appeared or vanished is better told by what is in it: a path by its operations. */
function isToldByInside(path: ElementPath, collection: CollectionRevision | undefined): boolean {
  if (collection?.node.kind !== 'map' || path.length > 2) return false;
  return collection.node.entries.some(({ key }) => isHolder(path, key));
}

/** Many changes inside of one operation or component as one. */
function gather(found: readonly ChangedPlace[]): readonly ChangedPlace[] {
  const parts = Map.groupBy(found, ({ path }) => JSON.stringify(path.slice(0, partLength(path))));
  return [...parts.values()].flatMap((places) => {
    const [first] = places;
    if (first === undefined || places.length <= MAX_INSIDE_PART) return places;
    const path = first.path.slice(0, partLength(first.path));
    return [{ kind: 'changed', path, label: elementLabel(formatPointer(path)) } satisfies ChangedPlace];
  });
}
