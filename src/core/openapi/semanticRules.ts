import { type DefinedNames, definedNames } from './definedNames.ts';
import { formatPointer } from './jsonPointer.ts';
import { type NameUseKind, NameUseVisitor } from './nameUseVisitor.ts';
import { type ParameterFact, type PathItemFacts, pathItemFacts, pathParameterName } from './pathItemFacts.ts';
import type { PlainMap, PlainNode } from './plainDocument.ts';
import { FACTS_DEPTH, type SubtreeFacts, subtreeFacts, UsedName } from './subtreeFacts.ts';

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

/** A merge asks several times about the same revision. What was read never changes. */
const foundIn = new WeakMap<PlainNode, readonly Violation[]>();

/**
 * What is wrong with a document beyond its syntax, as far as combining two good revisions can cause it. Of a large
 * document that shares most of what was read with an earlier one, only the rest is gone through again.
 */
export function findViolations(root: PlainNode | undefined): readonly Violation[] {
  if (root?.kind !== 'map') return [];
  let found = foundIn.get(root);
  if (found === undefined) {
    const search = new ViolationSearch(root);
    search.run();
    found = search.violations;
    foundIn.set(root, found);
  }
  return found;
}

/** Every place of a document at which something else in it is called by its name. */
export function findNameUses(root: PlainNode | undefined): readonly NameUse[] {
  if (root?.kind !== 'map') return [];
  const search = new ViolationSearch(root, true);
  search.run();
  return [...search.uses, ...tagUses(root, () => true)];
}

/**
 * Uses of tags that the document's list of tags does not have. The OpenAPI Specification allows them, so they are no
 * violation; but where a merge makes one, a tag was renamed.
 */
export function findLooseTags(root: PlainNode | undefined): NameUse[] {
  const tags = root?.kind === 'map' ? root.entries.get('tags') : undefined;
  if (tags?.kind !== 'sequence') return [];
  const names = new Set(tags.items.map(nameOf));
  return tagUses(root, (name) => !names.has(name));
}

function nameOf(item: PlainNode): string | undefined {
  const name = item.kind === 'map' ? item.entries.get('name') : undefined;
  return name?.kind === 'scalar' ? name.text : undefined;
}

function tagUses(root: PlainNode | undefined, isWanted: (name: string) => boolean): NameUse[] {
  const paths = root?.kind === 'map' ? root.entries.get('paths') : undefined;
  if (paths?.kind !== 'map') return [];
  const uses: NameUse[] = [];
  for (const [path, item] of paths.entries) {
    if (item.kind !== 'map') continue;
    for (const { method, tags } of pathItemFacts(item, path).operations)
      for (const { index, name } of tags)
        if (isWanted(name))
          uses.push({ place: ['paths', path, method, 'tags', String(index)], name, target: ['tags', name] });
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
} as const satisfies Record<NameUseKind, unknown>;

/** Where a document keeps the parameters that several paths share, as paths and as references begin. */
const PARAMETER_HOLDERS = [['components', 'parameters'], ['parameters']];
const PARAMETER_PREFIXES = ['#/components/parameters/', '#/parameters/'];

/** What was found at a path item. It holds as long as the parameters that the item may refer to are what they were. */
const judgedItems = new WeakMap<
  PathItemFacts,
  { readonly holders: readonly (PlainNode | undefined)[]; readonly violations: readonly Violation[] }
>();

/** The names by which all uses of a part were found to lead somewhere, but for those that lead to other places. */
const resolvedBy = new WeakMap<
  SubtreeFacts,
  { readonly names: DefinedNames; readonly elsewhere: readonly UsedName[] }
>();
/** The entries of one with more of them are gone through one by one: the facts of the whole would be gathered anew for every revision. */
const MAX_GATHERED_ENTRIES = 50;

function isWide(node: PlainNode, depth: number): boolean {
  if (node.kind !== 'map' || depth === 0 || depth >= FACTS_DEPTH) return false;
  return depth === 1 || node.entries.size > MAX_GATHERED_ENTRIES;
}

interface SettledEntries {
  readonly entries: ReadonlyMap<string, PlainNode>;
  readonly unsettled: ReadonlySet<string>;
}

/** What was gone through one by one last, by its place: all but the unsettled is right wherever the same names are defined. */
const settledEntries = new WeakMap<DefinedNames, Map<string, SettledEntries>>();

/** What a part of the document requires but does not describe, at the place where it stood last. */
const missingAt = new WeakMap<SubtreeFacts, { readonly at: string; readonly violations: readonly Violation[] }>();

class ViolationSearch extends NameUseVisitor {
  readonly violations: Violation[] = [];
  readonly uses: NameUse[] = [];
  readonly #root: PlainMap;
  readonly #names: DefinedNames;
  readonly #collectsUses: boolean;
  /** Grows with everything that the names and the part itself do not settle for good. */
  #unsettledCount = 0;
  readonly #targets = new Map<string, Target>();
  readonly #parameters = new Map<string, ResolvedParameter>();

  constructor(root: PlainMap, collectsUses = false) {
    super();
    this.#root = root;
    this.#names = definedNames(root);
    this.#collectsUses = collectsUses;
  }

  run(): void {
    this.visit(this.#root, false);
    const paths = this.#root.entries.get('paths');
    if (paths?.kind === 'map') this.#paths(paths);
  }

  /** Where nothing is called by a name that is not there, its places need not be looked for. */
  protected override isKnown(node: PlainNode, isData: boolean): boolean {
    const { length } = this.path;
    if (this.#collectsUses || length === 0 || length > FACTS_DEPTH) return false;
    if (isWide(node, length)) return false;
    const facts = subtreeFacts(node, isData, this.path);
    if (!this.#isResolved(facts)) return false;
    if (facts.missing.length > 0) {
      this.#unsettledCount++;
      for (const violation of this.#missingIn(facts)) this.violations.push(violation);
    }
    return true;
  }

  /** Of what is gone through one by one, only what is not as it was, and what was not settled then. */
  protected override visitEntries(node: PlainMap, isData: boolean): void {
    const { path } = this;
    if (this.#collectsUses || !isWide(node, path.length)) {
      super.visitEntries(node, isData);
      return;
    }
    const ofNames = settledEntries.get(this.#names) ?? new Map<string, SettledEntries>();
    settledEntries.set(this.#names, ofNames);
    const place = `${isData ? 'data' : ''}${formatPointer(path)}`;
    const earlier = ofNames.get(place);
    const unsettled = new Set<string>();
    // Revisions have their keys in the same order; where they do not, nothing is taken over.
    const before = earlier?.entries.entries();
    let next = before?.next().value;
    for (const [key, value] of node.entries) {
      const isSame = next?.[0] === key && next[1] === value;
      if (next?.[0] === key || !node.entries.has(next?.[0] ?? '')) next = before?.next().value;
      if (isSame && earlier?.unsettled.has(key) === false) continue;
      const count = this.#unsettledCount;
      this.visitEntry(key, value, isData);
      if (this.#unsettledCount > count) unsettled.add(key);
    }
    ofNames.set(place, { entries: node.entries, unsettled });
  }

  /** Whether every name used in this part leads to something. */
  #isResolved(facts: SubtreeFacts): boolean {
    const names = this.#names;
    let resolved = resolvedBy.get(facts);
    if (resolved?.names !== names) {
      const elsewhere: UsedName[] = [];
      for (const use of facts.uses.values()) {
        const isDefined = names.has(this.#pathOf(use));
        if (isDefined === false) return false;
        if (isDefined === undefined) elsewhere.push(use);
      }
      resolved = { names, elsewhere };
      resolvedBy.set(facts, resolved);
    }
    if (resolved.elsewhere.length > 0) this.#unsettledCount++;
    return resolved.elsewhere.every((use) => this.#lookUp(this.#pathOf(use)) !== undefined);
  }

  protected override use(kind: NameUseKind, name: string, rest: readonly string[]): void {
    this.#unsettledCount++;
    const target = this.#target(kind, name);
    if (target.node !== undefined && !this.#collectsUses) return;
    const use: NameUse = { place: [...this.path, ...rest], name, target: target.path };
    if (this.#collectsUses) this.uses.push(use);
    if (target.node === undefined)
      this.violations.push({
        key: `${kind} ${name}`,
        message: DANGLING[kind](name),
        places: [use.place, use.target],
        use,
      });
  }

  protected override missing(name: string, path: readonly string[]): void {
    this.#unsettledCount++;
    this.violations.push(missingProperty(name, path));
  }

  #missingIn(facts: SubtreeFacts): readonly Violation[] {
    const at = formatPointer(this.path);
    const known = missingAt.get(facts);
    if (known?.at === at) return known.violations;
    const violations = facts.missing.map(({ name, place }) => missingProperty(name, [...this.path, ...place]));
    missingAt.set(facts, { at, violations });
    return violations;
  }

  /** Many places name the same thing. */
  #target(kind: NameUseKind, name: string): Target {
    const key = `${kind} ${name}`;
    let target = this.#targets.get(key);
    if (target === undefined) {
      const path = this.#pathOf(new UsedName(kind, name));
      target = { path, node: this.#lookUp(path) };
      this.#targets.set(key, target);
    }
    return target;
  }

  #pathOf(use: UsedName): readonly string[] {
    if (use.kind === 'reference') return use.pointerPath;
    if (use.kind === 'mapping') return ['components', 'schemas', use.name];
    return this.#names.isSwagger ? ['securityDefinitions', use.name] : ['components', 'securitySchemes', use.name];
  }

  #paths(paths: PlainMap): void {
    const all: PathItemFacts[] = [];
    for (const [path, item] of paths.entries) if (item.kind === 'map') all.push(pathItemFacts(item, path));
    const holders = PARAMETER_HOLDERS.map((path) => this.#lookUp(path));
    for (const facts of all) {
      let judged = judgedItems.get(facts);
      if (judged === undefined || judged.holders.some((holder, index) => holder !== holders[index])) {
        judged = { holders, violations: this.#pathParameters(facts) };
        if (facts.references.every((reference) => PARAMETER_PREFIXES.some((prefix) => reference.startsWith(prefix))))
          judgedItems.set(facts, judged);
      }
      for (const violation of judged.violations) this.violations.push(violation);
    }
    this.#doubles(all);
  }

  /** Paths that are the same to a server, and operations of one name. */
  #doubles(all: readonly PathItemFacts[]): void {
    const templates = new Set<string>();
    const operationIds = new Set<string>();
    let operationCount = 0;
    for (const { template, operations } of all) {
      templates.add(template);
      for (const { operationId } of operations) {
        if (operationId === undefined) continue;
        operationIds.add(operationId);
        operationCount++;
      }
    }
    // The places are looked for only where something is there twice.
    if (templates.size < all.length)
      for (const [template, same] of placesOf(all, (facts) => [[facts.template, facts.path]]))
        this.#add(
          `template ${template}`,
          `The paths ${same.join(' and ')} are the same to a server.`,
          same.map((path) => ['paths', path]),
        );
    if (operationIds.size < operationCount)
      for (const [operationId, places] of placesOf(all, ({ path, operations }) =>
        operations.map((one) => [one.operationId, ['paths', path, one.method, 'operationId']]),
      ))
        this.#add(
          `operationId ${operationId}`,
          `The operationId "${operationId}" is given to ${places.length} operations.`,
          places,
        );
  }

  /** Path parameters that are not declared, or not in the path. */
  #pathParameters({ path, parameters, operations }: PathItemFacts): Violation[] {
    const own = this.#namesOf(parameters);
    const used = new Set([...path.matchAll(/\{([^}]*)\}/g)].map((match) => match[1] ?? ''));
    const violations: Violation[] = [];
    for (const { method, parameters: itsParameters } of operations) {
      const its = this.#namesOf(itsParameters);
      if (own === undefined || its === undefined) continue;
      const declared = new Set([...own, ...its]);
      const places = [
        ['paths', path],
        ['paths', path, 'parameters'],
        ['paths', path, method, 'parameters'],
      ];
      for (const name of used) {
        if (!declared.has(name))
          violations.push({
            key: `undeclared ${path} ${method} ${name}`,
            message: `${method.toUpperCase()} ${path} does not declare its path parameter "${name}".`,
            places,
          });
      }
      for (const name of declared) {
        if (!used.has(name))
          violations.push({
            key: `unused ${path} ${method} ${name}`,
            message: `${method.toUpperCase()} ${path} declares the path parameter "${name}", which its path does not have.`,
            places,
          });
      }
    }
    return violations;
  }

  /** Names of the path parameters listed; undefined where one of them lies in another file. */
  #namesOf(facts: readonly ParameterFact[] | undefined): string[] | undefined {
    if (facts === undefined) return undefined;
    const names: string[] = [];
    for (const { name, reference } of facts) {
      const resolved = reference === undefined ? { name } : this.#parameter(reference);
      if (resolved === undefined) return undefined;
      if (resolved.name !== undefined) names.push(resolved.name);
    }
    return names;
  }

  #parameter(reference: string): ResolvedParameter {
    if (this.#parameters.has(reference)) return this.#parameters.get(reference);
    const { node } = this.#target('reference', reference);
    const resolved = node?.kind === 'map' && !node.entries.has('$ref') ? { name: pathParameterName(node) } : undefined;
    this.#parameters.set(reference, resolved);
    return resolved;
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

/** What a reference to a parameter leads to: the name, where it is one of the path. Undefined: somewhere else. */
type ResolvedParameter = { readonly name: string | undefined } | undefined;

/** Where the names are that stand at several places. */
function placesOf<Place>(
  all: readonly PathItemFacts[],
  namesOf: (facts: PathItemFacts) => readonly (readonly [name: string | undefined, place: Place])[],
): (readonly [name: string, places: readonly Place[]])[] {
  const found = new Map<string, Place[]>();
  for (const facts of all)
    for (const [name, place] of namesOf(facts)) {
      if (name === undefined) continue;
      const places = found.get(name);
      if (places === undefined) found.set(name, [place]);
      else places.push(place);
    }
  return [...found].filter(([, places]) => places.length > 1);
}

function missingProperty(name: string, path: readonly string[]): Violation {
  return {
    key: `required ${formatPointer(path)} ${name}`,
    message: `The property "${name}" is required but not described.`,
    places: [
      [...path, 'required'],
      [...path, 'properties', name],
    ],
  };
}
