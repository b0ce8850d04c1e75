import type { LogIndex } from '../ids.ts';
import { applyPatch } from './applyPatch.ts';
import type { DocumentEntry } from './entry.ts';

/** A text from which later revisions of the same document can be rebuilt. */
export interface RevisionAnchor {
  readonly index: LogIndex;
  readonly text: string;
}

export interface RebuiltText {
  readonly text: string;
  /** How many patches lay between the anchor and the text. */
  readonly depth: number;
}

/**
 * Applies the entries of one document, oldest first, to the anchor. A `create` starts from the empty text, whatever
 * came before. Undefined where there is nothing to start from or a patch does not fit (a damaged log).
 */
export function rebuildText(
  anchor: RevisionAnchor | undefined,
  entries: readonly Pick<DocumentEntry, 'index' | 'kind' | 'patch'>[],
): RebuiltText | undefined {
  let text = anchor?.text;
  let depth = 0;
  for (const entry of entries) {
    if (anchor !== undefined && entry.index <= anchor.index) continue;
    if (entry.kind === 'create') text = '';
    if (text === undefined) return undefined;
    const patched = applyPatch(text, entry.patch);
    if (patched.value === undefined) return undefined;
    text = patched.value;
    depth += 1;
  }
  return text === undefined ? undefined : { text, depth };
}
