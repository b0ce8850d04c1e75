import type { DocumentFormat } from '../merge/types.ts';
import { type PlainMap, type PlainNode, readPlainDocument } from './plainDocument.ts';

const REFERENCE = /\$ref["']?\s*:\s*["']?([^"'\s,}\]]+)/g;

/** The files that a document reaches by relative `$ref`, as written but without fragment; each once, in order of appearance. */
export function collectReferences(text: string, format: DocumentFormat): string[] {
  // Most documents point only into themselves; looking at the text first spares them the parse.
  let mayLeave = false;
  for (const match of text.matchAll(REFERENCE)) {
    if (!(match[1] ?? '#').startsWith('#')) {
      mayLeave = true;
      break;
    }
  }
  if (!mayLeave) return [];
  const { root } = readPlainDocument(text, format);
  const targets = new Set<string>();
  if (root !== undefined) collectFrom(root, targets);
  return [...targets];
}

function collectFrom(node: PlainNode, targets: Set<string>): void {
  if (node.kind === 'map') {
    for (const [key, value] of node.entries) {
      if (key === '$ref' && value.kind === 'scalar' && value.isString) addFileTarget(value.text, targets);
      else if (key === 'mapping' && value.kind === 'map') addMappingTargets(value, targets);
      collectFrom(value, targets);
    }
  } else if (node.kind === 'sequence') {
    for (const item of node.items) collectFrom(item, targets);
  }
}

/** A discriminator's `mapping` points to schemas by reference or by bare name; only what looks like a file counts. */
function addMappingTargets(mapping: PlainMap, targets: Set<string>): void {
  for (const value of mapping.entries.values()) {
    if (value.kind === 'scalar' && value.isString && /\.(ya?ml|jsonc?)(#|$)/i.test(value.text))
      addFileTarget(value.text, targets);
  }
}

function addFileTarget(reference: string, targets: Set<string>): void {
  const hash = reference.indexOf('#');
  const file = hash < 0 ? reference : reference.slice(0, hash);
  // A scheme (two letters or more, so that a Windows drive is none), or a network path, is not a file of this workspace.
  if (file === '' || /^[a-z][a-z0-9+.-]+:/i.test(file) || file.startsWith('//')) return;
  targets.add(file);
}
