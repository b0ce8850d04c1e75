import type { PlainMap, PlainNode } from './plainNodes.ts';

/** The fixed fields of a Path Item Object that hold an operation. */
export const METHODS: ReadonlySet<string> = new Set([
  'get',
  'put',
  'post',
  'delete',
  'options',
  'head',
  'patch',
  'trace',
  'query',
]);

/** What a path item has that the rules on the whole document look at. */
export interface PathItemFacts {
  readonly path: string;
  /** The path, but for the names in it and a slash at its end: equal for paths that a server cannot tell apart. */
  readonly template: string;
  readonly parameters: readonly ParameterFact[] | undefined;
  readonly operations: readonly OperationFacts[];
  /** All references among its parameters and those of its operations. */
  readonly references: readonly string[];
}

export interface OperationFacts {
  readonly method: string;
  readonly operationId: string | undefined;
  readonly parameters: readonly ParameterFact[] | undefined;
  readonly tags: readonly { readonly index: number; readonly name: string }[];
}

/** A parameter of the path, or a reference to a parameter inside the document. A list that has another kind of item has no facts. */
export interface ParameterFact {
  readonly name?: string;
  readonly reference?: string;
}

/** A node never changes, and the revisions of a document share most of them. */
const remembered = new WeakMap<PlainMap, PathItemFacts>();

export function pathItemFacts(item: PlainMap, path: string): PathItemFacts {
  let facts = remembered.get(item);
  if (facts?.path !== path) {
    const operations: OperationFacts[] = [];
    for (const [method, operation] of item.entries)
      if (METHODS.has(method) && operation.kind === 'map') operations.push(operationFacts(method, operation));
    const parameters = parameterFacts(item);
    const all = [parameters, ...operations.map((operation) => operation.parameters)];
    const references = all.flatMap((list) => (list ?? []).flatMap(({ reference }) => reference ?? []));
    const template = path.replace(/\{[^}]*\}/g, '{}').replace(/(.)\/$/, '$1');
    facts = { path, template, parameters, operations, references: [...new Set(references)] };
    remembered.set(item, facts);
  }
  return facts;
}

/** The name of a Parameter Object that is one of the path. */
export function pathParameterName(parameter: PlainMap): string | undefined {
  const place = parameter.entries.get('in');
  const name = parameter.entries.get('name');
  return place?.kind === 'scalar' && place.text === 'path' && name?.kind === 'scalar' ? name.text : undefined;
}

function operationFacts(method: string, operation: PlainMap): OperationFacts {
  const operationId = operation.entries.get('operationId');
  const tags = operation.entries.get('tags');
  const named: { index: number; name: string }[] = [];
  if (tags?.kind === 'sequence')
    tags.items.forEach((tag, index) => {
      if (tag.kind === 'scalar') named.push({ index, name: tag.text });
    });
  return {
    method,
    operationId: operationId?.kind === 'scalar' ? operationId.text : undefined,
    parameters: parameterFacts(operation),
    tags: named,
  };
}

function parameterFacts(holder: PlainMap): readonly ParameterFact[] | undefined {
  const parameters = holder.entries.get('parameters');
  if (parameters?.kind !== 'sequence') return [];
  const facts: ParameterFact[] = [];
  for (const item of parameters.items) {
    const fact = parameterFact(item);
    if (fact === undefined) return undefined;
    facts.push(fact);
  }
  return facts;
}

/** Undefined where nothing in this document says what it is. */
function parameterFact(item: PlainNode): ParameterFact | undefined {
  if (item.kind !== 'map') return undefined;
  const reference = item.entries.get('$ref');
  if (reference === undefined) {
    const name = pathParameterName(item);
    return name === undefined ? {} : { name };
  }
  return reference.kind === 'scalar' && reference.text.startsWith('#/') ? { reference: reference.text } : undefined;
}
