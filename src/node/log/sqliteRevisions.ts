import type { DocId, LogIndex, RevisionHash } from '../../core/ids.ts';
import type { DocumentEntry } from '../../core/replication/entry.ts';
import type { HeadText } from '../../core/replication/replicatedLog.ts';
import { rebuildText } from '../../core/replication/revisionText.ts';
import type { RevisionAnchor } from '../../core/replication/revisionText.ts';
import { SyncError } from '../../core/replication/syncError.ts';
import type { PreparedStatements, Row } from '../preparedStatements.ts';
import { parseStoredChange } from './sqliteLogRows.ts';

/** Older snapshots only shorten the way to old revisions, and each may be as large as the document. */
const SNAPSHOTS_KEPT_PER_DOCUMENT = 4;
const MAX_INDEX = Number.MAX_SAFE_INTEGER as LogIndex;

/** Every change of a document: as an entry of its own, and as part of a bulk. */
const CHANGES = `(SELECT idx, doc_id, hash FROM entries UNION ALL SELECT idx, doc_id, hash FROM bulk_documents)`;

/** The changes of document ?1 after ?2 up to ?3, with what `parseStoredChange` needs. */
const CHANGES_OF_DOCUMENT = `
  SELECT idx, body, NULL AS proposal_id, doc_id, NULL AS base_hash, NULL AS hash, NULL AS patch
    FROM entries WHERE doc_id = ?1 AND idx > ?2 AND idx <= ?3
  UNION ALL
  SELECT e.idx, e.body, b.proposal_id, b.doc_id, b.base_hash, b.hash, b.patch
    FROM bulk_documents b JOIN entries e ON e.idx = b.idx WHERE b.doc_id = ?1 AND b.idx > ?2 AND b.idx <= ?3`;

/**
 * The revisions of the documents in a log: the changes that made them, and their texts, rebuilt from the nearest snapshot
 * before them. The snapshots are kept here; whoever writes does it within a transaction.
 */
export class SqliteRevisions {
  readonly #statements: PreparedStatements;

  constructor(statements: PreparedStatements) {
    this.#statements = statements;
  }

  /** The text that a document has after the entry at `upTo`; undefined where it cannot be had. */
  textAt(docId: DocId, upTo: LogIndex): HeadText | undefined {
    const snapshot = this.#statements.get(
      'SELECT idx, body FROM snapshots WHERE doc_id = ? AND idx <= ? ORDER BY idx DESC LIMIT 1',
      docId,
      upTo,
    );
    const anchor: RevisionAnchor | undefined =
      snapshot === undefined ? undefined : { index: Number(snapshot['idx']) as LogIndex, text: snapshotText(snapshot) };
    const rows = this.#statements.all(`${CHANGES_OF_DOCUMENT} ORDER BY 1`, docId, anchor?.index ?? 0, upTo);
    const changes = rows.map(parseStoredChange);
    // One unreadable entry breaks the chain of patches; no text is better than a wrong one.
    return changes.every((change) => change !== undefined) ? rebuildText(anchor, changes) : undefined;
  }

  /** The text of a revision by its name. */
  textOf(docId: DocId, hash: RevisionHash): string | undefined {
    const snapshot = this.#statements.get(
      'SELECT body FROM snapshots WHERE doc_id = ? AND hash = ? LIMIT 1',
      docId,
      hash,
    );
    if (snapshot !== undefined) return snapshotText(snapshot);
    const made = this.#statements.get(
      `SELECT max(idx) AS idx FROM ${CHANGES} WHERE doc_id = ? AND hash = ?`,
      docId,
      hash,
    );
    const index = made?.['idx'];
    return typeof index === 'number' ? this.textAt(docId, index as LogIndex)?.text : undefined;
  }

  /** A document's changes, newest first; those that cannot be read are left out. */
  changes(docId: DocId, limit: number): DocumentEntry[] {
    const rows = this.#statements.all(`${CHANGES_OF_DOCUMENT} ORDER BY 1 DESC LIMIT ?4`, docId, 0, MAX_INDEX, limit);
    return rows.flatMap((row) => parseStoredChange(row) ?? []);
  }

  lastChange(docId: DocId, upTo: LogIndex): DocumentEntry | undefined {
    const row = this.#statements.get(`${CHANGES_OF_DOCUMENT} ORDER BY 1 DESC LIMIT 1`, docId, 0, upTo);
    return row === undefined ? undefined : parseStoredChange(row);
  }

  /** Keeps a text as it is; of older ones the document keeps a few. */
  addSnapshot(docId: DocId, index: LogIndex, hash: RevisionHash, text: string): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)',
      docId,
      index,
      hash,
      Buffer.from(text, 'utf8'),
    );
    // The one that the horizon rests on stays: before it there are no patches to rebuild from.
    this.#statements.run(
      `DELETE FROM snapshots WHERE doc_id = ?1 AND idx > (SELECT horizon FROM meta) AND idx NOT IN
         (SELECT idx FROM snapshots WHERE doc_id = ?1 ORDER BY idx DESC LIMIT ?2)`,
      docId,
      SNAPSHOTS_KEPT_PER_DOCUMENT,
    );
  }

  /** Before the changes up to `horizon` are forgotten: keeps the text that each document had there. */
  anchorAt(horizon: LogIndex): void {
    const changed = this.#statements.all(`SELECT DISTINCT doc_id FROM ${CHANGES} WHERE idx <= ?`, horizon);
    for (const row of changed) this.#anchorDocumentAt(String(row['doc_id']) as DocId, horizon);
  }

  /** What came after `index` is not in the log any more. */
  forgetAfter(index: LogIndex): void {
    this.#statements.run('DELETE FROM snapshots WHERE idx > ?', index);
  }

  forgetAll(): void {
    this.#statements.run('DELETE FROM snapshots');
  }

  #anchorDocumentAt(docId: DocId, horizon: LogIndex): void {
    const made = this.#statements.get(
      `SELECT idx, hash FROM ${CHANGES} WHERE doc_id = ? AND idx <= ? ORDER BY idx DESC LIMIT 1`,
      docId,
      horizon,
    );
    if (made === undefined) return;
    const index = Number(made['idx']) as LogIndex;
    const hash = made['hash'];
    const rebuilt = hash === null ? undefined : this.textAt(docId, index);
    this.#statements.run('DELETE FROM snapshots WHERE doc_id = ? AND idx <= ?', docId, horizon);
    if (rebuilt !== undefined) this.addSnapshot(docId, index, String(hash) as RevisionHash, rebuilt.text);
  }
}

function snapshotText(row: Row): string {
  const body = row['body'];
  if (!(body instanceof Uint8Array)) throw new SyncError('log-unavailable', "The library's log is damaged.");
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}
