import { createHash } from 'node:crypto';
import type { RevisionHash } from '../core/ids.ts';

/** SHA-256 of a text that is already in revision form (LF, no BOM). */
export function hashText(text: string): RevisionHash {
  return createHash('sha256').update(text, 'utf8').digest('hex') as RevisionHash;
}
