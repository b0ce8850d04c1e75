import type { DatabaseSync } from 'node:sqlite';
import { SyncError } from '../../core/replication/syncError.ts';
import { inTransaction } from '../inTransaction.ts';

/** Raise it with each change of the tables, and add a step to `prepareLogDatabase`. */
export const LOG_SCHEMA_VERSION = 2;
/** A log without bulks is one that the release before them can open. */
const SCHEMA_WITHOUT_BULKS = 1;

const VERSION_1 = `
  CREATE TABLE entries (
    idx INTEGER PRIMARY KEY,
    doc_id TEXT NOT NULL,
    hash TEXT,
    at INTEGER NOT NULL,
    units INTEGER NOT NULL,
    running_hash TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_document ON entries (doc_id, idx);
  CREATE TABLE proposals (proposal_id TEXT PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE documents (
    doc_id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    folded_path TEXT NOT NULL,
    hash TEXT,
    idx INTEGER NOT NULL,
    author_peer_id TEXT NOT NULL,
    author_name TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX living_documents_by_path ON documents (folded_path) WHERE hash IS NOT NULL;
  CREATE TABLE snapshots (
    doc_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    hash TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (doc_id, idx)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    term_number INTEGER NOT NULL,
    term_leader_id TEXT,
    horizon INTEGER NOT NULL
  ) STRICT;
  INSERT INTO meta VALUES (1, 0, NULL, 0);
  CREATE TABLE forgotten (idx INTEGER PRIMARY KEY, running_hash BLOB NOT NULL) STRICT;
`;

/** As they stood in their log: one that goes back in several steps sets the newest aside first. */
export const ORPHANS_ORDER =
  "json_extract(body, '$.term.number'), json_extract(body, '$.term.leaderId'), json_extract(body, '$.index')";

/** Entries that only this host's log had ([REC-09]). No new version: the release before this one does well without it. */
const ORPHANS = `
  CREATE TABLE IF NOT EXISTS orphans (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal_id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS orphans_in_order ON orphans (${ORPHANS_ORDER});
`;

/**
 * The documents of bulk entries, whose own rows in `entries` name none ([BLK-02]). The tables stand in every log; only one
 * that has something in them is of version 2, because the release before would compact such a log without them.
 */
const BULKS = `
  CREATE TABLE IF NOT EXISTS bulk_documents (
    doc_id TEXT NOT NULL,
    idx INTEGER NOT NULL,
    position INTEGER NOT NULL,
    proposal_id TEXT NOT NULL,
    base_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    patch TEXT NOT NULL,
    PRIMARY KEY (doc_id, idx)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS bulk_documents_by_entry ON bulk_documents (idx, position);
  CREATE TABLE IF NOT EXISTS further_proposals (proposal_id TEXT PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS further_proposals_by_entry ON further_proposals (idx);
`;

/** Says in the file which releases can open it, by whether it holds bulks; part of the transaction that changes that. */
export function markSchemaVersion(database: DatabaseSync): void {
  const hasBulks = database.prepare('SELECT 1 FROM bulk_documents LIMIT 1').get() !== undefined;
  const version = hasBulks ? LOG_SCHEMA_VERSION : SCHEMA_WITHOUT_BULKS;
  if (readSchemaVersion(database) !== version) database.exec(`PRAGMA user_version = ${String(version)}`);
}

/**
 * Sets a database up for a log and brings an older one up to date. A newer one is left alone: this release does not
 * know what it would destroy. Throws `log-schema-newer`.
 */
export function prepareLogDatabase(database: DatabaseSync): void {
  const found = readSchemaVersion(database);
  if (found > LOG_SCHEMA_VERSION) {
    throw new SyncError(
      'log-schema-newer',
      'This library was written by a newer release of API Live Sync. Update this window, or close the other one.',
    );
  }
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  if (found >= SCHEMA_WITHOUT_BULKS) {
    database.exec(ORPHANS + BULKS);
    return;
  }
  inTransaction(database, () => {
    database.exec(VERSION_1 + ORPHANS + BULKS);
    markSchemaVersion(database);
  });
}

function readSchemaVersion(database: DatabaseSync): number {
  const row = database.prepare('PRAGMA user_version').get();
  return Number(row?.['user_version'] ?? 0);
}
