import type { SQLOutputValue } from 'node:sqlite';
import type { DocId, LogIndex, PeerId, RevisionHash } from '../../core/ids.ts';
import type { DocumentHead } from '../../core/replication/entry.ts';
import { parseLogEntry } from '../../core/replication/entrySchema.ts';
import type { StoredEntry } from '../../core/replication/replicatedLog.ts';

/** One row as `node:sqlite` hands it out. */
export type Row = Record<string, SQLOutputValue>;

/** The head in a row of `documents`. */
export function toHead(row: Row): DocumentHead {
  const hash = row['hash'];
  return {
    docId: String(row['doc_id']) as DocId,
    path: String(row['path']),
    hash: typeof hash === 'string' ? (hash as RevisionHash) : undefined,
    index: Number(row['idx']) as LogIndex,
    author: { peerId: String(row['author_peer_id']) as PeerId, name: String(row['author_name']) },
    at: Number(row['at']),
  };
}

/** The entry in a row of `entries`. One that a damaged disk made unreadable must not keep the others from being read. */
export function parseStoredEntry(row: Row): StoredEntry {
  const index = Number(row['idx']) as LogIndex;
  const entry = parseLogEntry(readJson(String(row['body'])));
  return { index, entry: entry?.index === index ? entry : undefined };
}

/** The value in a column of JSON; undefined where it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told to the caller as an unreadable entry, which it reports with its index.
    return undefined;
  }
}
