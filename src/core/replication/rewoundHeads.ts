import type { DocId, LogIndex } from '../ids.ts';
import { documentEntries } from './bulkEntry.ts';
import type { DocumentEntry, DocumentHead, LogEntry } from './entry.ts';

export interface RewoundHeads {
  readonly restored: readonly DocumentHead[];
  /** Documents that did not exist yet. */
  readonly gone: readonly DocId[];
}

/**
 * The heads as they were before the newest entries of a log, worked out from these entries alone: what lies before them
 * may be compacted.
 * @param undone the newest entries, oldest first.
 * @param lastBefore the newest entry of a document before them, as far as the log still has it.
 * @param horizon stands for the index of an entry that is forgotten.
 */
export function headsBefore(
  undone: readonly LogEntry[],
  headOf: (docId: DocId) => DocumentHead | undefined,
  lastBefore: (docId: DocId) => DocumentEntry | undefined,
  horizon: LogIndex,
): RewoundHeads {
  const restored: DocumentHead[] = [];
  const gone: DocId[] = [];
  for (const [docId, entries] of byDocument(undone)) {
    const now = headOf(docId);
    const first = entries[0];
    if (now === undefined || first === undefined) continue;
    const moved = entries.find(({ kind }) => kind === 'create' || kind === 'rename');
    // A `create` that names no path before it made a document that was never there.
    if (first.kind === 'create' && first.basePath === undefined) {
      gone.push(docId);
      continue;
    }
    const before = lastBefore(docId);
    restored.push({
      docId,
      path: moved?.basePath ?? now.path,
      hash: first.kind === 'create' ? undefined : first.baseHash,
      index: before?.index ?? horizon,
      author: before?.author ?? now.author,
      at: before?.at ?? now.at,
    });
  }
  return { restored, gone };
}

function byDocument(entries: readonly LogEntry[]): ReadonlyMap<DocId, readonly DocumentEntry[]> {
  const found = new Map<DocId, DocumentEntry[]>();
  for (const entry of entries.flatMap(documentEntries)) {
    if (entry.kind === 'leader') continue;
    const known = found.get(entry.docId);
    if (known === undefined) found.set(entry.docId, [entry]);
    else known.push(entry);
  }
  return found;
}
