import { formatPointer, parsePointer } from './jsonPointer.ts';
import type { PlainMap, PlainNode } from './plainDocument.ts';

/** A rule of the OpenAPI Specification that a readable document breaks. */
export interface Violation {
  /** The same for the same fault in two revisions, so that a merge answers only for faults that neither side had. */
  readonly key: string;
  /** One sentence for a person. */
  readonly message: string;
  /** Paths of keys and positions of all elements that take part in it; some may be gone. */
  readonly places: readonly (readonly string[])[];
  /** Where something is called by a name that nothing has. */
  readonly use?: NameUse;
}

/** A place at which something else in the document is called by its name. */
export interface NameUse {
  /** Path of the value that names it; for a security requirement, of the object whose key does. */
  readonly place: readonly string[];
  /** The name as it stands there: a reference, a key or a text. */
  readonly name: string;
  /** Path of what is meant; a tag's is `tags` and its name. */
  readonly target: readonly string[];
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);

/** What is wrong with a document beyond its syntax, as far as combining two good revisions can cause it. */
export function findViolations(root: PlainNode | undefined): Violation[] {
  if (root?.kind !== 'map') return [];
  const search = new ViolationSearch(root);
  search.run();
  return search.violations;
}

/** Every place of a document at which something else in it is called by its name. */
export function findNameUses(root: PlainNode | undefined): readonly NameUse[] {
  if (root?.kind !== 'map') return [];
  const search = new ViolationSearch(root, true);
  search.run();
  return [...search.uses, ...tagUses(root)];
}

/**
 * Uses of tags that the document's list of tags does not have. The OpenAPI Specification allows them, so they are no
 * violation; but where a merge makes one, a tag was renamed.
 */
export function findLooseTags(root: PlainNode | undefined): NameUse[] {
  const tags = root?.kind === 'map' ? root.entries.get('tags') : undefined;
  if (tags?.kind !== 'sequence') return [];
  const names = new Set(tags.items.map(nameOf));
  return tagUses(root).filter(({ name }) => !names.has(name));
}

function nameOf(item: PlainNode): string | undefined {
  const name = item.kind === 'map' ? item.entries.get('name') : undefined;
  return name?.kind === 'scalar' ? name.text : undefined;
}

function tagUses(root: PlainNode | undefined): NameUse[] {
  const paths = root?.kind === 'map' ? root.entries.get('paths') : undefined;
  if (paths?.kind !== 'map') return [];
  const uses: NameUse[] = [];
  for (const [path, item] of paths.entries) {
    if (item.kind !== 'map') continue;
    for (const [method, operation] of item.entries) {
      const tags = operation.kind === 'map' && METHODS.has(method) ? operation.entries.get('tags') : undefined;
      if (tags?.kind !== 'sequence') continue;
      tags.items.forEach((tag, index) => {
        if (tag.kind !== 'scalar') return;
        const place = ['paths', path, method, 'tags', String(index)];
        uses.push({ place, name: tag.text, target: ['tags', tag.text] });
      });
    }
  }
  return uses;
}

/** What something inside the document is called by. */
interface Target {
  readonly path: readonly string[];
  readonly node: PlainNode | undefined;
}

const DANGLING = {
  reference: (name: string) => `The reference ${name} points to nothing.`,
  security: (name: string) => `The security scheme "${name}" is required but not described.`,
  mapping: (name: string) => `A discriminator mapping names the schema "${name}", which is not there.`,
} as const;
type UseKind = keyof typeof DANGLING;

class ViolationSearch {
  readonly violations: Violation[] = [];
  readonly uses: NameUse[] = [];
  readonly #root: PlainMap;
  readonly #collectsUses: boolean;
  readonly #path: string[] = [];
  readonly #targets = new Map<string, Target>();
  readonly #operationIds = new Map<string, string[][]>();

  constructor(root: PlainMap, collectsUses = false) {
    this.#root = root;
    this.#collectsUses = collectsUses;
  }

  run(): void {
    this.#visit(this.#root, false);
    this.#paths();
    for (const [operationId, places] of this.#operationIds) {
      if (places.length > 1)
        this.#add(
          `operationId ${operationId}`,
          `The operationId "${operationId}" is given to ${places.length} operations.`,
          places,
        );
    }
  }

  /** `#path` is where `node` stands; a copy of it is made only for what is found. */
  #visit(node: PlainNode, isData: boolean): void {
    const path = this.#path;
    if (node.kind === 'sequence') {
      for (let index = 0; index < node.items.length; index++) {
        const item = node.items[index];
        if (item === undefined || item.kind === 'scalar' || item.kind === 'alias') continue;
        path.push(String(index));
        this.#visit(item, isData);
        path.pop();
      }
      return;
    }
    if (node.kind !== 'map') return;
    if (!isData) {
      this.#reference(node, path);
      this.#required(node, path);
      this.#discriminator(node, path);
      this.#security(node, path);
    }
    const isInProperties = path.at(-1) === 'properties';
    for (const [key, value] of node.entries) {
      if (value.kind === 'scalar' || value.kind === 'alias') continue;
      // What stands in an example only looks like the specification's own words; a property may be called `example`.
      const isExample =
        !isInProperties && (key === 'example' || key === 'examples' || key === 'default' || key === 'enum');
      path.push(key);
      this.#visit(value, isData || isExample);
      path.pop();
    }
  }

  #reference(node: PlainMap, path: readonly string[]): void {
    const reference = node.entries.get('$ref');
    if (reference?.kind !== 'scalar' || !reference.isString || path.at(-1) === 'properties') return;
    this.#target(reference.text, path, ['$ref']);
  }

  #target(reference: string, path: readonly string[], rest: readonly string[]): void {
    if (!reference.startsWith('#/')) return;
    this.#use('reference', reference, this.#targetOf(reference), path, rest);
  }

  /** Many places refer to the same thing. */
  #targetOf(reference: string): Target {
    return this.#remember(reference, () => parsePointer(decode(reference.slice(1))));
  }

  #remember(key: string, pathOf: () => readonly string[]): Target {
    let target = this.#targets.get(key);
    if (target === undefined) {
      const path = pathOf();
      target = { path, node: this.#lookUp(path) };
      this.#targets.set(key, target);
    }
    return target;
  }

  #use(kind: UseKind, name: string, target: Target, path: readonly string[], rest: readonly string[]): void {
    if (target.node !== undefined && !this.#collectsUses) return;
    const use: NameUse = { place: [...path, ...rest], name, target: target.path };
    if (this.#collectsUses) this.uses.push(use);
    if (target.node === undefined)
      this.violations.push({
        key: `${kind} ${name}`,
        message: DANGLING[kind](name),
        places: [use.place, use.target],
        use,
      });
  }

  /** The requirements of the document or of an operation name security schemes (Security Requirement Object). */
  #security(node: PlainMap, path: readonly string[]): void {
    const security = node.entries.get('security');
    const isOperation = METHODS.has(path.at(-1) ?? '') && (path.length === 3 || path.includes('callbacks'));
    if (security?.kind !== 'sequence' || !(path.length === 0 || isOperation)) return;
    const schemes = this.#root.entries.has('swagger') ? ['securityDefinitions'] : ['components', 'securitySchemes'];
    security.items.forEach((requirement, index) => {
      if (requirement.kind !== 'map') return;
      for (const name of requirement.entries.keys()) {
        const target = this.#remember(`security ${name}`, () => [...schemes, name]);
        this.#use('security', name, target, path, ['security', String(index)]);
      }
    });
  }

  #required(node: PlainMap, path: readonly string[]): void {
    const required = node.entries.get('required');
    const properties = node.entries.get('properties');
    if (required?.kind !== 'sequence' || properties?.kind !== 'map') return;
    for (const item of required.items) {
      if (item.kind !== 'scalar' || properties.entries.has(item.text)) continue;
      this.#add(
        `required ${formatPointer(path)} ${item.text}`,
        `The property "${item.text}" is required but not described.`,
        [
          [...path, 'required'],
          [...path, 'properties', item.text],
        ],
      );
    }
  }

  #discriminator(node: PlainMap, path: readonly string[]): void {
    const discriminator = node.entries.get('discriminator');
    const mapping = discriminator?.kind === 'map' ? discriminator.entries.get('mapping') : undefined;
    if (mapping?.kind !== 'map') return;
    for (const [key, value] of mapping.entries) {
      if (value.kind !== 'scalar' || !value.isString) continue;
      const { text } = value;
      const rest = ['discriminator', 'mapping', key];
      // A schema's bare name stands for it (Discriminator Object); with a dot or slash it is the address of a file.
      if (/^[\w-]+$/.test(text))
        this.#use(
          'mapping',
          text,
          this.#remember(`mapping ${text}`, () => ['components', 'schemas', text]),
          path,
          rest,
        );
      else this.#target(text, path, rest);
    }
  }

  #paths(): void {
    const paths = this.#root.entries.get('paths');
    if (paths?.kind !== 'map') return;
    const templates = new Map<string, string[][]>();
    for (const [path, item] of paths.entries) {
      if (item.kind !== 'map') continue;
      const template = path.replace(/\{[^}]*\}/g, '{}').replace(/(.)\/$/, '$1');
      templates.set(template, [...(templates.get(template) ?? []), ['paths', path]]);
      const own = this.#pathParameters(item);
      for (const [method, operation] of item.entries) {
        if (!METHODS.has(method) || operation.kind !== 'map') continue;
        const place = ['paths', path, method];
        const operationId = operation.entries.get('operationId');
        if (operationId?.kind === 'scalar') {
          this.#operationIds.set(operationId.text, [
            ...(this.#operationIds.get(operationId.text) ?? []),
            [...place, 'operationId'],
          ]);
        }
        const declared = this.#pathParameters(operation);
        if (own === undefined || declared === undefined) continue;
        this.#pathParametersOf(path, method, new Set([...own, ...declared]));
      }
    }
    for (const [template, places] of templates) {
      if (places.length > 1)
        this.#add(
          `template ${template}`,
          `The paths ${places.map((place) => place[1]).join(' and ')} are the same to a server.`,
          places,
        );
    }
  }

  #pathParametersOf(path: string, method: string, declared: ReadonlySet<string>): void {
    const used = new Set([...path.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? ''));
    const places = [
      ['paths', path],
      ['paths', path, 'parameters'],
      ['paths', path, method, 'parameters'],
    ];
    for (const name of used) {
      if (!declared.has(name))
        this.#add(
          `undeclared ${path} ${method} ${name}`,
          `${method.toUpperCase()} ${path} does not declare its path parameter "${name}".`,
          places,
        );
    }
    for (const name of declared) {
      if (!used.has(name))
        this.#add(
          `unused ${path} ${method} ${name}`,
          `${method.toUpperCase()} ${path} declares the path parameter "${name}", which its path does not have.`,
          places,
        );
    }
  }

  /** Names of the path parameters listed; undefined where one of them lies in another file. */
  #pathParameters(holder: PlainMap): string[] | undefined {
    const parameters = holder.entries.get('parameters');
    if (parameters?.kind !== 'sequence') return [];
    const names: string[] = [];
    for (const item of parameters.items) {
      const resolved = this.#resolve(item);
      if (resolved === undefined) return undefined;
      const place = resolved.entries.get('in');
      const name = resolved.entries.get('name');
      if (place?.kind === 'scalar' && place.text === 'path' && name?.kind === 'scalar') names.push(name.text);
    }
    return names;
  }

  #resolve(node: PlainNode): PlainMap | undefined {
    if (node.kind !== 'map') return undefined;
    const reference = node.entries.get('$ref');
    if (reference === undefined) return node;
    if (reference.kind !== 'scalar' || !reference.text.startsWith('#/')) return undefined;
    const target = this.#targetOf(reference.text).node;
    return target?.kind === 'map' && !target.entries.has('$ref') ? target : undefined;
  }

  #lookUp(path: readonly string[]): PlainNode | undefined {
    let node: PlainNode | undefined = this.#root;
    for (const segment of path) {
      if (node?.kind === 'map') node = node.entries.get(segment);
      else if (node?.kind === 'sequence') node = node.items[Number(segment)];
      else return node?.kind === 'alias' ? node : undefined;
    }
    return node;
  }

  #add(key: string, message: string, places: readonly (readonly string[])[]): void {
    this.violations.push({ key, message, places });
  }
}

/** A pointer in a URI fragment is percent-encoded (RFC 6901, 6). */
function decode(fragment: string): string {
  if (!fragment.includes('%')) return fragment;
  try {
    return decodeURIComponent(fragment);
  } catch {
    // Not valid percent-encoding: then it is meant as it stands.
    return fragment;
  }
}
