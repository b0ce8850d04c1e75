import type { DocumentFormat } from '../merge/types.ts';
import { referencePath } from '../openapi/jsonPointer.ts';
import { type PlainCache, type PlainMap, type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';

/** What a reference between documents leads to. */
export interface ReferenceTarget {
  /** The other document's path, from where the paths of both begin. */
  readonly path: string;
  /** The part of it that is meant, with its `#`; '' for all of it. */
  readonly fragment: string;
}

const FILE_NAME = /\.(?:ya?ml|jsonc?)/i;
/** An address of a server, or of a network: none of this folder. Two letters or more, so that a Windows drive is none. */
const ADDRESS = /^(?:[a-z][a-z0-9+.-]+:|\/)/i;
/** A key and its value stand within so much of each other. In UTF-16 units. */
const NEARBY_LENGTH = 300;

/** Between a key and its value there is a colon, some space and a quote. */
const MAX_GAP_LENGTH = 40;

/** Whether the stretch of a text, with what stands right around it, may name another file. Costs as much as the stretch is long. */
export function mayNameFile(text: string, start: number, end: number): boolean {
  return FILE_NAME.test(text.slice(Math.max(0, start - NEARBY_LENGTH), end + NEARBY_LENGTH));
}

/**
 * The references of a document that lead out of it (`common.yaml#/components/schemas/Pet`), as they are written, each
 * once. None where it cannot be read.
 */
export function fileReferences(text: string, format: DocumentFormat, cache?: PlainCache): readonly string[] {
  // Most documents point only into themselves; looking at the text first spares them the parse.
  if (!FILE_NAME.test(text)) return [];
  const found = new Set<string>();
  const { root } = readPlainDocument(text, format, cache);
  if (root !== undefined) collect(root, '', found);
  return [...found];
}

/** Whether a document has what each of these fragments names. What cannot be told is taken to be there. */
export function hasFragments(
  text: string,
  format: DocumentFormat,
  fragments: readonly string[],
  cache?: PlainCache,
): readonly boolean[] {
  const { root, problems } = readPlainDocument(text, format, cache);
  if (problems.length > 0) return fragments.map(() => true);
  return fragments.map((fragment) => hasFragment(root, fragment));
}

/** Where a reference leads to; undefined where that is no other file of the same folder. @param from the path of the document that has it. */
export function referenceTarget(from: string, reference: string): ReferenceTarget | undefined {
  const hash = reference.indexOf('#');
  const file = hash < 0 ? reference : reference.slice(0, hash);
  if (file === '' || ADDRESS.test(file)) return undefined;
  const segments = from.split('/').slice(0, -1);
  for (const segment of decode(file).replaceAll('\\', '/').split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  const path = segments.join('/');
  return path === from ? undefined : { path, fragment: hash < 0 ? '' : reference.slice(hash) };
}

/** Where a reference stands in a text, as offsets of its value. */
export function referencePlaces(text: string, reference: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(reference); at >= 0; at = text.indexOf(reference, at + reference.length)) {
    const isValue = /[\w$]["']?\s*:\s*["']?$/.test(text.slice(Math.max(0, at - MAX_GAP_LENGTH), at));
    // Not the beginning of a longer one.
    if (isValue && /^["'\s,}]?$/.test(text[at + reference.length] ?? '')) places.push(at);
  }
  return places;
}

/** @param key of the node in its parent: what stands in an example only looks like the specification's own words. */
function collect(node: PlainNode, key: string, found: Set<string>): void {
  if (node.kind === 'sequence') for (const item of node.items) collect(item, '', found);
  if (node.kind !== 'map') return;
  const reference = node.entries.get('$ref');
  if (key !== 'properties') add(reference, found);
  const mapping = key === 'discriminator' ? node.entries.get('mapping') : undefined;
  if (mapping?.kind === 'map') addSchemas(mapping, found);
  for (const [name, value] of node.entries) {
    const isExample = name === 'example' || name === 'examples' || name === 'default' || name === 'enum';
    if (!isExample || key === 'properties') collect(value, key === 'properties' ? '' : name, found);
  }
}

/** A discriminator's `mapping` names schemas by reference or by bare name; only what looks like a file leads out. */
function addSchemas(mapping: PlainMap, found: Set<string>): void {
  for (const value of mapping.entries.values())
    if (value.kind === 'scalar' && /\.(?:ya?ml|jsonc?)(?:#|$)/i.test(value.text)) add(value, found);
}

function add(value: PlainNode | undefined, found: Set<string>): void {
  if (value?.kind !== 'scalar' || !value.isString || value.text.startsWith('#') || ADDRESS.test(value.text)) return;
  found.add(value.text);
}

function hasFragment(root: PlainNode | undefined, fragment: string): boolean {
  // The name of an anchor (`#Pet`) is not looked for.
  if (!fragment.startsWith('#/')) return true;
  let node = root;
  for (const segment of referencePath(fragment)) {
    if (node?.kind === 'map') {
      const next: PlainNode | undefined = node.entries.get(segment);
      // It may come from elsewhere: from what is merged into the map, or from what it refers to itself.
      if (next === undefined && (node.entries.has('<<') || node.entries.has('$ref'))) return true;
      node = next;
    } else if (node?.kind === 'sequence') node = node.items[Number(segment)];
    else return node?.kind === 'alias';
    if (node === undefined) return false;
  }
  return node !== undefined;
}

function decode(file: string): string {
  try {
    return decodeURI(file);
  } catch {
    // Not valid percent-encoding: then it is meant as it stands.
    return file;
  }
}
