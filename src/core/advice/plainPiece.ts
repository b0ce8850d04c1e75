import type { DocumentFormat, MergeConflict } from '../merge/types.ts';
import { parsePointer } from '../openapi/jsonPointer.ts';
import { type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';

/** One element that stands by itself, as data. */
export interface PlainPiece {
  /** Undefined for an item of a sequence. */
  readonly key: string | undefined;
  readonly value: PlainNode;
}

/**
 * Reads an element as it stands in a conflict's piece: a key with its value, or an item of a sequence. Undefined where the
 * text is anything else, more than one element among them.
 */
export function readPiece(text: string, format: DocumentFormat, isItem: boolean): PlainPiece | undefined {
  const trimmed = text.trimEnd();
  if (trimmed === '') return undefined;
  const isBare = format !== 'yaml' && isItem;
  const wrapped = format === 'yaml' ? text : isBare ? `[${trimmed}]` : `{${trimmed}}`;
  const { root } = readPlainDocument(wrapped, format);
  if (isItem) {
    // An item of a YAML flow sequence is written without a dash.
    if (root?.kind === 'sequence' && (format !== 'yaml' || trimmed.startsWith('-'))) {
      const [item, ...rest] = root.items;
      return item === undefined || rest.length > 0 ? undefined : { key: undefined, value: item };
    }
    return root === undefined ? undefined : { key: undefined, value: root };
  }
  const [entry, ...rest] = root?.kind === 'map' ? [...root.entries] : [];
  return entry === undefined || rest.length > 0 ? undefined : { key: entry[0], value: entry[1] };
}

/** Whether a conflict's element is an item of a sequence rather than the value of a key. */
export function isItemConflict(conflict: MergeConflict, format: DocumentFormat): boolean {
  const last = parsePointer(conflict.pointer).at(-1);
  if (last === undefined || !/^\d+$/.test(last)) return false;
  const text = (conflict.ours ?? conflict.theirs ?? conflict.base)?.text ?? '';
  // A response code is a key that looks like a position.
  return readPiece(text, format, false)?.key !== last;
}

/** Whether two values say the same; where they stand does not count. */
export function isSameValue(a: PlainNode | undefined, b: PlainNode | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.anchor !== b.anchor || a.tag !== b.tag) return false;
  if (a.kind === 'scalar') return b.kind === 'scalar' && a.text === b.text && a.isString === b.isString;
  if (a.kind === 'alias') return b.kind === 'alias' && a.name === b.name && a.definition === b.definition;
  if (a.kind === 'sequence')
    return (
      b.kind === 'sequence' &&
      a.items.length === b.items.length &&
      a.items.every((item, index) => isSameValue(item, b.items[index]))
    );
  if (b.kind !== 'map' || a.entries.size !== b.entries.size) return false;
  return [...a.entries].every(([key, value]) => isSameValue(value, b.entries.get(key)));
}
