import type { PlainNode } from '../openapi/plainDocument.ts';

/** A scheme with what follows, a network path, or a host by its usual name; up to the first character that ends it in prose and in YAML. */
const ADDRESS =
  /(?:\b[a-z][a-z0-9+.-]{1,20}:(?=\/\/)|\b(?:javascript|data|mailto|file|vscode|command):|(?<![:\w])\/\/(?=\w)|\bwww\.)[^\s"'`<>()[\]{}|\\^]+/gi;

/** The web addresses that a text names, each as it is written, without the punctuation that ends a sentence. */
export function addressesIn(text: string): string[] {
  return [...text.matchAll(ADDRESS)].map(([address]) => address.replace(/[.,;:!?]+$/, ''));
}

/** Every `$ref` of a document, in order. */
export function referencesIn(node: PlainNode | undefined): string[] {
  if (node === undefined) return [];
  if (node.kind === 'sequence') return node.items.flatMap(referencesIn);
  if (node.kind !== 'map') return [];
  return [...node.entries].flatMap(([key, value]) =>
    key === '$ref' && value.kind === 'scalar' ? [value.text] : referencesIn(value),
  );
}
