import type { PlainMap, PlainNode } from './plainNodes.ts';

/** Where a document of OpenAPI 2 describes what can be referred to; later versions do it below `components`. */
const ROOT_HOLDERS = ['definitions', 'parameters', 'responses', 'securityDefinitions'];

/**
 * The names under which a document describes what can be referred to. Revisions that have the same names have the same
 * object, so that what was found out by these names alone holds for all of them.
 */
export class DefinedNames {
  readonly isSwagger: boolean;
  readonly #holders: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(isSwagger: boolean, holders: ReadonlyMap<string, ReadonlySet<string>>) {
    this.isSwagger = isSwagger;
    this.#holders = holders;
  }

  /** Whether the path leads to something; undefined where the names do not tell. */
  has(path: readonly string[]): boolean | undefined {
    const [first = '', second = '', third = ''] = path;
    if (path.length === 2) return this.#holders.get(first)?.has(second);
    return path.length === 3 && first === 'components'
      ? this.#holders.get(`components/${second}`)?.has(third)
      : undefined;
  }

  isFor(isSwagger: boolean, holders: ReadonlyMap<string, PlainMap>): boolean {
    if (this.isSwagger !== isSwagger || this.#holders.size !== holders.size) return false;
    for (const [holder, { entries }] of holders) {
      const names = this.#holders.get(holder);
      if (names?.size !== entries.size) return false;
      for (const name of entries.keys()) if (!names.has(name)) return false;
    }
    return true;
  }
}

/** A root never changes. */
const remembered = new WeakMap<PlainMap, DefinedNames>();
/** The names of the document that was looked at last: the next one is most often another revision of it. */
let last: WeakRef<DefinedNames> | undefined;

export function definedNames(root: PlainMap): DefinedNames {
  let names = remembered.get(root);
  if (names !== undefined) return names;
  const isSwagger = root.entries.has('swagger');
  const holders = new Map<string, PlainMap>();
  const add = (name: string, node: PlainNode | undefined): void => {
    if (node?.kind === 'map') holders.set(name, node);
  };
  const components = root.entries.get('components');
  if (components?.kind === 'map') for (const [name, node] of components.entries) add(`components/${name}`, node);
  for (const name of ROOT_HOLDERS) add(name, root.entries.get(name));
  names = last?.deref();
  if (names?.isFor(isSwagger, holders) !== true) {
    const all = [...holders].map(([holder, { entries }]) => [holder, new Set(entries.keys())] as const);
    names = new DefinedNames(isSwagger, new Map(all));
    last = new WeakRef(names);
  }
  remembered.set(root, names);
  return names;
}
