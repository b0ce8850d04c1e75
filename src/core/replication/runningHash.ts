import type { HashText } from '../ports.ts';
import type { Splice } from '../merge/types.ts';
import { withoutBulkPatches } from './bulkEntry.ts';
import type { BulkEntry, DocumentEntry, LogEntry } from './entry.ts';

/**
 * The one way an entry is written down for hashing and storing: fields in a fixed order, absent ones left out, so
 * that two programs that hold equal entries get equal text.
 */
export function canonicalEntryText(entry: LogEntry): string {
  return entry.kind === 'bulk' ? canonicalBulkText(entry) : canonicalDocumentText(entry);
}

function canonicalDocumentText(entry: DocumentEntry): string {
  return JSON.stringify({
    index: entry.index,
    term: { number: entry.term.number, leaderId: entry.term.leaderId },
    proposalId: entry.proposalId,
    docId: entry.docId,
    kind: entry.kind,
    baseHash: entry.baseHash,
    hash: entry.hash,
    patch: canonicalPatch(entry.patch),
    path: entry.path,
    basePath: entry.basePath,
    changes: entry.changes,
    author: { peerId: entry.author.peerId, name: entry.author.name },
    at: entry.at,
  });
}

function canonicalBulkText(entry: BulkEntry): string {
  return JSON.stringify({
    index: entry.index,
    term: { number: entry.term.number, leaderId: entry.term.leaderId },
    proposalId: entry.proposalId,
    kind: entry.kind,
    reason: entry.reason,
    headCommit: entry.headCommit,
    documents: entry.documents.map(({ proposalId, docId, baseHash, hash, patch }) => ({
      proposalId,
      docId,
      baseHash,
      hash,
      patch: patch === undefined ? undefined : canonicalPatch(patch),
    })),
    author: { peerId: entry.author.peerId, name: entry.author.name },
    at: entry.at,
  });
}

function canonicalPatch(patch: readonly Splice[]): readonly Splice[] {
  return patch.map(({ offset, deleteCount, insert }) => ({ offset, deleteCount, insert }));
}

/**
 * The running hash after `entry`, given the one before it ('' before the first). The patch is left out: the two revisions
 * that it leads from and to stand for it, and the texts of large documents need not be hashed once more.
 */
export function nextRunningHash(before: string, entry: LogEntry, hashText: HashText): string {
  const bare = entry.kind === 'bulk' ? withoutBulkPatches(entry) : { ...entry, patch: [] };
  return hashText(`${before}\n${canonicalEntryText(bare)}`);
}

/**
 * A running hash that no log has. A replica stands here while it changes over to another log, so that, should it be
 * interrupted, nobody takes it for one that still follows the log it came from.
 */
export const BETWEEN_LOGS = '0'.repeat(64);
