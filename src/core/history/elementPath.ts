import type { CollectionRevision } from '../merge/align.ts';
import { Canon } from '../merge/canon.ts';
import { type Located, locate } from '../merge/entryText.ts';
import { identify, sequenceRule } from '../merge/identity.ts';
import type { SourceNode } from '../merge/sourceTree.ts';

/**
 * Names an element in whatever revision has it: the keys that lead to it, outermost first, and for items of sequences what
 * the OpenAPI Specification tells them apart by (`in=query&name=limit`).
 */
export type ElementPath = readonly string[];

const PATH_GROUPS = new Set(['paths', 'webhooks', 'x-webhooks']);
const OLD_GROUPS = new Set(['definitions', 'parameters', 'responses', 'securityDefinitions']);
export const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);
/** Keys that only hold things with names of their own. */
const HOLDERS = new Set([
  ...['parameters', 'responses', 'properties', 'patternProperties', 'headers', 'content', 'examples', 'callbacks'],
  ...['links', 'encoding', 'variables', 'tags', 'servers'],
]);

/** How many segments lead to the operation, component or other part that an element belongs to: `GET /pets`, `schema Pet`, `info`. */
export function partLength(path: ElementPath): number {
  const [first = '', , third = ''] = path;
  if (PATH_GROUPS.has(first)) return METHODS.has(third) ? 3 : 2;
  if (first === 'components') return 3;
  return OLD_GROUPS.has(first) ? 2 : 1;
}

/** Whether what stands at a path means nothing but that others stand in it. @param path of the holder, not of what it holds. */
export function isHolder(path: ElementPath, below: string | undefined): boolean {
  const [first = ''] = path;
  if (path.length === 1) return PATH_GROUPS.has(first) || OLD_GROUPS.has(first) || first === 'components';
  if (path.length === 2 && first === 'components') return true;
  if (path.length === 2 && PATH_GROUPS.has(first)) return below !== undefined && METHODS.has(below);
  return path.length > partLength(path) && HOLDERS.has(path.at(-1) ?? '');
}

/** The value of an entry as a collection of its own; undefined for anything else. */
export function collectionOf({ tree, entry }: Located): CollectionRevision | undefined {
  const node: SourceNode = entry.value;
  return node.kind === 'scalar' ? undefined : { tree, node };
}

/** Whether there is no entry, or one without a value, as `paths:` at the end of its line. */
export function isNothing(located: Located | undefined): boolean {
  return located === undefined || (located.entry.value.kind === 'scalar' && located.entry.value.style === 'empty');
}

/**
 * The entries of a collection by names that are the same in every revision; undefined where they could only be told apart by
 * their place or content. @param path of the collection.
 */
export function namedEntries({ tree, node }: CollectionRevision, path: ElementPath): Map<string, Located> | undefined {
  const rule = node.kind === 'map' ? undefined : sequenceRule(path.at(-1));
  if (node.kind === 'sequence') {
    if (rule === undefined || rule.nameKeys.length === 0) return undefined;
    if (node.entries.some(({ value }) => value.kind !== 'map')) return undefined;
  }
  const named = new Map<string, Located>();
  for (const [index, name] of identify(tree, node, rule, new Canon(), undefined).entries()) {
    const located = locate(tree, node, index);
    if (name === undefined || located === undefined) return undefined;
    named.set(name, located);
  }
  return named;
}
