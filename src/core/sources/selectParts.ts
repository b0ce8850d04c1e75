import type { PlainMap, PlainNode } from '../openapi/plainDocument.ts';
import { globPatterns } from './globPattern.ts';
import type { SourceSelection } from './liveSourceConfig.ts';

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);
/** Where named components stand in OpenAPI 3, and in 2.0. */
const OLD_COMPONENTS = ['definitions', 'parameters', 'responses', 'securityDefinitions'];

/** Whether a selection leaves anything out. */
export function isWholeSelection(include: SourceSelection, exclude: SourceSelection): boolean {
  return [include, exclude].every(({ paths, methods, tags, components }) =>
    [paths, methods, tags, components].every((one) => one === undefined || one.length === 0),
  );
}

/**
 * The part of a spec that a selection asks for. Operations are chosen by path, method and tag; of the components those
 * that are reached from what is kept stay, because without them it would not be valid, and besides those the ones that
 * are chosen by name (all, where no operations are chosen). Never throws.
 */
export function selectParts(root: PlainNode, include: SourceSelection, exclude: SourceSelection): PlainNode {
  if (root.kind !== 'map' || isWholeSelection(include, exclude)) return root;
  const kept = withEntry(root, 'paths', (paths) => selectPaths(paths, include, exclude));
  return selectComponents(kept, include, exclude);
}

function selectPaths(paths: PlainNode, include: SourceSelection, exclude: SourceSelection): PlainNode {
  if (paths.kind !== 'map') return paths;
  const isWanted = operationTest(include, true);
  const isUnwanted = operationTest(exclude, false);
  const entries = new Map<string, PlainNode>();
  for (const [path, item] of paths.entries) {
    // Extensions belong to the whole.
    if (item.kind !== 'map' || !path.startsWith('/')) {
      entries.set(path, item);
      continue;
    }
    const members = [...item.entries].filter(
      ([method, operation]) =>
        !METHODS.has(method) || (isWanted(path, method, operation) && !isUnwanted(path, method, operation)),
    );
    const hadOperations = [...item.entries.keys()].some((key) => METHODS.has(key));
    // An item that only refers to another one has no operations of its own to look at.
    const isKept = hadOperations
      ? members.some(([key]) => METHODS.has(key))
      : isWanted(path, undefined, undefined) && !isUnwanted(path, undefined, undefined);
    if (isKept) entries.set(path, { ...item, entries: new Map(members) });
  }
  return { ...paths, entries };
}

function operationTest(
  selection: SourceSelection,
  ifNothingIsSet: boolean,
): (path: string, method: string | undefined, operation: PlainNode | undefined) => boolean {
  const { paths = [], methods = [], tags = [] } = selection;
  if (paths.length + methods.length + tags.length === 0) return () => ifNothingIsSet;
  const fitsPath = paths.length === 0 ? undefined : globPatterns(paths);
  // To be included, all that is set has to fit; to be excluded as well: "the DELETEs below /admin".
  return (path, method, operation) =>
    (fitsPath === undefined || fitsPath(path)) &&
    (methods.length === 0 || (method !== undefined && methods.includes(method))) &&
    (tags.length === 0 || tagsOf(operation).some((tag) => tags.includes(tag)));
}

function tagsOf(operation: PlainNode | undefined): readonly string[] {
  const tags = operation?.kind === 'map' ? operation.entries.get('tags') : undefined;
  return tags?.kind === 'sequence' ? tags.items.flatMap((one) => (one.kind === 'scalar' ? [one.text] : [])) : [];
}

function selectComponents(root: PlainMap, include: SourceSelection, exclude: SourceSelection): PlainMap {
  const choosesOperations = [include.paths, include.methods, include.tags].some((one) => (one?.length ?? 0) > 0);
  const wanted = include.components ?? [];
  const isWanted = wanted.length > 0 ? globPatterns(wanted) : (): boolean => !choosesOperations;
  const isUnwanted = globPatterns(exclude.components ?? []);
  const groups = componentGroups(root);
  const rest: PlainNode[] = [...root.entries].flatMap(([key, node]) =>
    key === 'components' || OLD_COMPONENTS.includes(key) ? [] : [node],
  );
  const kept = new Set<string>();
  const open: PlainNode[] = rest;
  const keep = (name: string): void => {
    const node = groups.get(name);
    if (node === undefined || kept.has(name)) return;
    kept.add(name);
    open.push(node);
  };
  for (const name of groups.keys()) if (isWanted(name) && !isUnwanted(name)) keep(name);
  for (const scheme of securityNames(root)) {
    keep(`securitySchemes/${scheme}`);
    keep(`securityDefinitions/${scheme}`);
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) for (const name of reached(node)) keep(name);
  const only =
    (kind: string) =>
    (node: PlainNode): PlainNode =>
      node.kind === 'map'
        ? { ...node, entries: new Map([...node.entries].filter(([name]) => kept.has(`${kind}/${name}`))) }
        : node;
  let result = withEntry(root, 'components', (components) =>
    components.kind !== 'map'
      ? components
      : {
          ...components,
          entries: new Map(
            [...components.entries]
              .map(([kind, node]) => [kind, kind.startsWith('x-') ? node : only(kind)(node)] as const)
              .filter(([, node]) => node.kind !== 'map' || node.entries.size > 0),
          ),
        },
  );
  for (const kind of OLD_COMPONENTS) result = withEntry(result, kind, only(kind));
  return result;
}

/** Components by `schemas/Pet`. */
function componentGroups(root: PlainMap): ReadonlyMap<string, PlainNode> {
  const groups = new Map<string, PlainNode>();
  const add = (kind: string, node: PlainNode | undefined): void => {
    if (node?.kind === 'map') for (const [name, one] of node.entries) groups.set(`${kind}/${name}`, one);
  };
  const components = root.entries.get('components');
  if (components?.kind === 'map') for (const [kind, node] of components.entries) add(kind, node);
  for (const kind of OLD_COMPONENTS) add(kind, root.entries.get(kind));
  return groups;
}

function* reached(node: PlainNode): Generator<string> {
  const open: PlainNode[] = [node];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one.kind === 'sequence') open.push(...one.items);
    if (one.kind !== 'map') continue;
    for (const [key, value] of one.entries) {
      if (value.kind !== 'scalar') open.push(value);
      // A discriminator's mapping names schemas as values of any key.
      const match = value.kind === 'scalar' ? /^#\/(?:components\/)?([^/]+)\/([^/]+)$/.exec(value.text) : null;
      if (match !== null) yield `${match[1] ?? ''}/${decode(match[2] ?? '')}`;
      if (key === 'security') yield* securityOf(value);
    }
  }
}

function* securityOf(node: PlainNode): Generator<string> {
  for (const requirement of node.kind === 'sequence' ? node.items : [])
    if (requirement.kind === 'map')
      for (const name of requirement.entries.keys()) {
        yield `securitySchemes/${name}`;
        yield `securityDefinitions/${name}`;
      }
}

function securityNames(root: PlainMap): readonly string[] {
  const security = root.entries.get('security');
  return security?.kind === 'sequence'
    ? security.items.flatMap((one) => (one.kind === 'map' ? [...one.entries.keys()] : []))
    : [];
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    // A reference that is no valid address leads nowhere.
    return segment;
  }
}

function withEntry(root: PlainMap, key: string, change: (node: PlainNode) => PlainNode): PlainMap {
  const node = root.entries.get(key);
  if (node === undefined) return root;
  return {
    ...root,
    entries: new Map([...root.entries].map(([name, one]) => [name, name === key ? change(one) : one])),
  };
}
