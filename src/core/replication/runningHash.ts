import type { HashText } from '../ports.ts';
import type { LogEntry } from './entry.ts';

/**
 * The one way an entry is written down for hashing and storing: fields in a fixed order, absent ones left out, so
 * that two programs that hold equal entries get equal text.
 */
export function canonicalEntryText(entry: LogEntry): string {
  return JSON.stringify({
    index: entry.index,
    term: { number: entry.term.number, leaderId: entry.term.leaderId },
    proposalId: entry.proposalId,
    docId: entry.docId,
    kind: entry.kind,
    baseHash: entry.baseHash,
    hash: entry.hash,
    patch: entry.patch.map((splice) => ({
      offset: splice.offset,
      deleteCount: splice.deleteCount,
      insert: splice.insert,
    })),
    path: entry.path,
    basePath: entry.basePath,
    changes: entry.changes,
    author: { peerId: entry.author.peerId, name: entry.author.name },
    at: entry.at,
  });
}

/**
 * The running hash after `entry`, given the one before it ('' before the first). The patch is left out: the two revisions
 * that it leads from and to stand for it, and the texts of large documents need not be hashed once more.
 */
export function nextRunningHash(before: string, entry: LogEntry, hashText: HashText): string {
  return hashText(`${before}\n${canonicalEntryText({ ...entry, patch: [] })}`);
}

/**
 * A running hash that no log has. A replica stands here while it changes over to another log, so that, should it be
 * interrupted, nobody takes it for one that still follows the log it came from.
 */
export const BETWEEN_LOGS = '0'.repeat(64);
