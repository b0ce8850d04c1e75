import { createHash } from 'node:crypto';
import type { RevisionHash } from '../core/ids.ts';
import type { HashText } from '../core/ports.ts';

/** SHA-256 of a text that is already in revision form (LF, no BOM). */
export function hashText(text: string): RevisionHash {
  return createHash('sha256').update(text, 'utf8').digest('hex') as RevisionHash;
}

/** Hashing less than this costs less than a millisecond. In UTF-16 units. */
const MIN_REMEMBERED_LENGTH = 200_000;
/** A document's file, shadow and head, and the merge that is about to be written. */
const REMEMBERED_TEXTS = 4;

/**
 * Hashes large texts once: each of them is asked about at several steps on its way, and 13 million characters take
 * 20 ms every time. Comparing two texts of one length is much faster, and there are few of those.
 */
export function rememberHashes(hash: HashText): HashText {
  const known = new Map<string, RevisionHash>();
  return (text) => {
    if (text.length < MIN_REMEMBERED_LENGTH) return hash(text);
    const result = known.get(text) ?? hash(text);
    known.delete(text);
    known.set(text, result);
    const [oldest] = known.size > REMEMBERED_TEXTS ? known.keys() : [];
    if (oldest !== undefined) known.delete(oldest);
    return result;
  };
}
