import type { DocumentFormat } from '../merge/types.ts';
import { type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';
import { dataKey, hasAliases } from './plainData.ts';
import { indentOf } from './indentOf.ts';
import { renderPlain } from './renderPlain.ts';

/**
 * Base and theirs for the first merge of a source with a file that was there before. The base is what both say alike, in
 * the plain style of theirs: so what only one of them has is kept, the file keeps its style, and only real differences
 * ask. A base of '' where that cannot be said.
 */
export function firstContact(
  ours: string,
  theirs: string,
  format: DocumentFormat,
): { readonly base: string; readonly theirs: string } {
  const [a, b] = [readPlainDocument(ours, format).root, readPlainDocument(theirs, format).root];
  if (a === undefined || b === undefined || hasAliases(a) || hasAliases(b)) return { base: '', theirs };
  const common = intersection(a, b);
  const style = { format, indent: indentOf(ours), maxLength: Infinity };
  return common === undefined
    ? { base: '', theirs }
    : { base: renderPlain(common, style), theirs: renderPlain(b, style) };
}

function intersection(a: PlainNode, b: PlainNode): PlainNode | undefined {
  if (a.kind === 'map' && b.kind === 'map') {
    const entries = new Map<string, PlainNode>();
    for (const [key, theirs] of b.entries) {
      const ours = a.entries.get(key);
      const common = ours === undefined ? undefined : intersection(ours, theirs);
      if (common !== undefined) entries.set(key, common);
    }
    return { ...b, entries };
  }
  return dataKey(a) === dataKey(b) ? b : undefined;
}
