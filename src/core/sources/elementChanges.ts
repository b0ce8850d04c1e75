import type { DocumentFormat } from '../merge/types.ts';
import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer } from '../openapi/jsonPointer.ts';
import { type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';
import type { ElementChange } from './elementChange.ts';
import { dataKey } from './plainData.ts';

/** Says what differs between two revisions. The place for severity: whoever judges changes implements this as well. */
export interface SemanticDiff {
  compare(before: string, after: string, format: DocumentFormat): Promise<readonly ElementChange[]>;
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);
const NAMED_GROUPS = new Set(['components', 'webhooks', 'x-webhooks']);
const OLD_GROUPS = new Set(['definitions', 'parameters', 'responses', 'securityDefinitions']);
/** A spec that changed in more places is read as a whole. */
const MAX_CHANGES = 500;
const MAX_DETAILS = 3;
const MAX_DETAIL_DEPTH = 12;

/** Operations, components and other parts that differ by their data; order and style do not count. Never throws. */
export function elementChanges(before: string, after: string, format: DocumentFormat): readonly ElementChange[] {
  if (before === after) return [];
  const [old, now] = [elements(before, format), elements(after, format)];
  const changes: ElementChange[] = [];
  for (const [pointer, node] of now) {
    const was = old.get(pointer);
    if (was === undefined) changes.push(change('added', pointer));
    else if (dataKey(was.node) !== dataKey(node.node))
      changes.push({ ...change('changed', pointer), details: details(was.node, node.node) });
  }
  for (const pointer of old.keys()) if (!now.has(pointer)) changes.push(change('removed', pointer));
  return changes.slice(0, MAX_CHANGES);
}

function change(kind: ElementChange['kind'], pointer: string): ElementChange {
  return { kind, pointer, label: elementLabel(pointer), details: [] };
}

function elements(text: string, format: DocumentFormat): ReadonlyMap<string, { readonly node: PlainNode }> {
  const { root } = readPlainDocument(text, format);
  const found = new Map<string, { readonly node: PlainNode }>();
  const add = (path: readonly string[], node: PlainNode): void => {
    found.set(formatPointer(path), { node });
  };
  if (root?.kind !== 'map') return found;
  for (const [key, value] of root.entries) {
    if (value.kind !== 'map') add([key], value);
    else if (key === 'paths') addPaths(value, add);
    else if (key === 'components') for (const [kind, group] of value.entries) addGroup([key, kind], group, add);
    else if (OLD_GROUPS.has(key) || NAMED_GROUPS.has(key)) addGroup([key], value, add);
    else add([key], value);
  }
  return found;
}

function addPaths(paths: PlainNode & { kind: 'map' }, add: (path: readonly string[], node: PlainNode) => void): void {
  for (const [path, item] of paths.entries) {
    if (item.kind !== 'map') {
      add(['paths', path], item);
      continue;
    }
    const rest = [...item.entries].filter(([key]) => !METHODS.has(key));
    for (const [key, operation] of item.entries) if (METHODS.has(key)) add(['paths', path, key], operation);
    if (rest.length > 0) add(['paths', path], { ...item, entries: new Map(rest) });
  }
}

function addGroup(
  path: readonly string[],
  group: PlainNode,
  add: (path: readonly string[], node: PlainNode) => void,
): void {
  if (group.kind !== 'map') add(path, group);
  else for (const [name, node] of group.entries) add([...path, name], node);
}

function details(before: PlainNode, after: PlainNode): readonly string[] {
  const found: string[] = [];
  collect(before, after, [], found);
  return found;
}

function collect(before: PlainNode, after: PlainNode, path: readonly string[], found: string[]): void {
  if (found.length === MAX_DETAILS || dataKey(before) === dataKey(after)) return;
  if (before.kind !== 'map' || after.kind !== 'map' || path.length === MAX_DETAIL_DEPTH) {
    // The label of an operation's inside reads the same without the operation.
    if (path.length > 0) found.push(elementLabel(formatPointer(path)).slice(0, 120));
    return;
  }
  for (const key of new Set([...before.entries.keys(), ...after.entries.keys()])) {
    const [was, is] = [before.entries.get(key), after.entries.get(key)];
    if (was !== undefined && is !== undefined) collect(was, is, [...path, key], found);
    else if (found.length < MAX_DETAILS) found.push(elementLabel(formatPointer([...path, key])).slice(0, 120));
  }
}
