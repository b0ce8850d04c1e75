import type { DocumentFormat } from '../merge/types.ts';
import type { Problem } from '../problem.ts';
import { PlainCache, readPlainDocument } from './plainDocument.ts';

/** Whether a text can be read at all: syntax, doubled keys, limits. Empty: it is valid. Never throws. */
export function checkDocument(text: string, format: DocumentFormat, cache = new PlainCache()): Problem[] {
  return [...readPlainDocument(text, format, cache).problems];
}
