import type { DocumentFormat } from '../merge/types.ts';
import { MAX_TEXT_LENGTH } from './limits.ts';
import { readJsonDocument } from './plainJson.ts';
import { PlainCache, type ReadDocument } from './plainCache.ts';
import { type PlainDocument, unreadable } from './plainNodes.ts';
import { readYamlDocument } from './plainYaml.ts';

export { PlainCache } from './plainCache.ts';
export {
  type PlainDocument,
  type PlainMap,
  type PlainNode,
  type PlainPiece,
  type PlainScalar,
  samePlain,
} from './plainNodes.ts';

/** Reads a document as data; never throws. */
export function readPlainDocument(text: string, format: DocumentFormat, cache = new PlainCache()): PlainDocument {
  if (text.length > MAX_TEXT_LENGTH) {
    return unreadable('too-large', `The file has ${text.length} characters; at most ${MAX_TEXT_LENGTH} are read.`);
  }
  const known = cache.document(text, format);
  if (known !== undefined) return known;
  try {
    const read: ReadDocument =
      format === 'yaml' ? readYamlDocument(text, cache) : readJsonDocument(text, format, cache);
    if (read.document.root !== undefined) cache.rememberDocument(text, format, read);
    return read.document;
  } catch (error) {
    // The libraries report what they expect; what is left is exhausted stack or memory by a hostile nesting.
    const reason = error instanceof Error ? error.message : String(error);
    return unreadable('unreadable', `The file cannot be read: ${reason}`);
  }
}
