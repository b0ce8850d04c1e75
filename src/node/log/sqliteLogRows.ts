import type { DocId, LogIndex, PeerId, RevisionHash } from '../../core/ids.ts';
import { documentEntries } from '../../core/replication/bulkEntry.ts';
import type { DocumentEntry, DocumentHead } from '../../core/replication/entry.ts';
import { parseLogEntry } from '../../core/replication/entrySchema.ts';
import type { StoredEntry } from '../../core/replication/replicatedLog.ts';
import type { Row } from '../preparedStatements.ts';

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

/**
 * The entry in a row of `entries`. One that a damaged disk made unreadable must not keep the others from being read.
 * @param documents of a bulk: its rows in `bulk_documents`, in the order of their position.
 */
export function parseStoredEntry(row: Row, documents: readonly Row[] = []): StoredEntry {
  const index = Number(row['idx']) as LogIndex;
  const body = readJson(String(row['body']));
  const entry = parseLogEntry(documents.length === 0 ? body : withDocuments(body, documents));
  return { index, entry: entry?.index === index ? entry : undefined };
}

/** One document's change in a row of `entries`, joined with the document's row of `bulk_documents` where it is part of a bulk. */
export function parseStoredChange(row: Row): DocumentEntry | undefined {
  const { entry } = parseStoredEntry(row, row['proposal_id'] === null ? [] : [row]);
  return entry === undefined ? undefined : documentEntries(entry)[0];
}

function withDocuments(body: unknown, rows: readonly Row[]): unknown {
  const documents = rows.map((row) => ({
    proposalId: row['proposal_id'],
    docId: row['doc_id'],
    baseHash: row['base_hash'],
    hash: row['hash'],
    patch: readJson(String(row['patch'])),
  }));
  return typeof body === 'object' ? { ...body, documents } : undefined;
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
