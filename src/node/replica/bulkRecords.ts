import type { DatabaseSync } from 'node:sqlite';
import type { BulkMemory, RememberedBulk, RememberedPart } from '../../core/history/bulkMemory.ts';
import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import { BULK_REASONS } from '../../core/replication/entry.ts';
import { inTransaction } from '../inTransaction.ts';
import type { Row } from '../preparedStatements.ts';

/** About 200 bytes each. */
const MAX_PARTS = 50_000;

type Answer<Name extends keyof BulkMemory> = Awaited<ReturnType<BulkMemory[Name]>>;

/**
 * See `BulkMemory`; in the replica's database, which an older release opens and leaves these tables as they are. Throws what
 * SQLite throws.
 */
export class BulkRecords {
  readonly #database: DatabaseSync;
  readonly #maxParts: number;

  /** @param maxParts so many documents' parts are remembered, and the newest bulk in any case. */
  constructor(database: DatabaseSync, maxParts = MAX_PARTS) {
    this.#database = database;
    this.#maxParts = maxParts;
    database.exec(`
      CREATE TABLE IF NOT EXISTS bulks (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, atIndex INTEGER NOT NULL,
        authorName TEXT NOT NULL, reason TEXT NOT NULL, documentCount INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE IF NOT EXISTS bulkParts (
        docId TEXT NOT NULL, number INTEGER NOT NULL, baseHash TEXT NOT NULL, hash TEXT NOT NULL,
        PRIMARY KEY (docId, number)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS bulkPartsByBulk ON bulkParts (number);
    `);
  }

  /** One transaction. */
  remember({ id, index, authorName, reason, documentCount }: RememberedBulk, parts: readonly RememberedPart[]): void {
    const database = this.#database;
    inTransaction(database, () => {
      const former = database.prepare('SELECT number FROM bulks WHERE id = ?').get(id);
      if (former !== undefined) this.#forget(Number(former['number']));
      const { lastInsertRowid } = database
        .prepare('INSERT INTO bulks (id, atIndex, authorName, reason, documentCount) VALUES (?, ?, ?, ?, ?)')
        .run(id, index, authorName, reason, documentCount);
      const insert = database.prepare('INSERT INTO bulkParts VALUES (?, ?, ?, ?)');
      for (const { docId, baseHash, hash } of parts) insert.run(docId, lastInsertRowid, baseHash, hash);
      this.#forgetOldest();
    });
  }

  partsOf(id: ProposalId): Answer<'partsOf'> {
    return this.#database
      .prepare('SELECT docId, baseHash, hash FROM bulkParts JOIN bulks USING (number) WHERE id = ? ORDER BY docId')
      .all(id)
      .map((row) => ({ docId: String(row['docId']) as DocId, ...revisionsIn(row) }));
  }

  bulksOf(docId: DocId): Answer<'bulksOf'> {
    return this.#database
      .prepare('SELECT * FROM bulkParts JOIN bulks USING (number) WHERE docId = ? ORDER BY number DESC')
      .all(docId)
      .map((row) => ({
        id: String(row['id']) as ProposalId,
        index: Number(row['atIndex']) as LogIndex,
        authorName: String(row['authorName']),
        reason: BULK_REASONS.find((one) => one === row['reason']) ?? 'generator',
        documentCount: Number(row['documentCount']),
        ...revisionsIn(row),
      }));
  }

  #forget(number: number): void {
    this.#database.prepare('DELETE FROM bulkParts WHERE number = ?').run(number);
    this.#database.prepare('DELETE FROM bulks WHERE number = ?').run(number);
  }

  #forgetOldest(): void {
    const bulks = this.#database.prepare('SELECT number, documentCount FROM bulks ORDER BY number DESC').all();
    let parts = 0;
    for (const [at, { number, documentCount }] of bulks.entries()) {
      parts += Number(documentCount);
      if (at > 0 && parts > this.#maxParts) this.#forget(Number(number));
    }
  }
}

function revisionsIn(row: Row): Pick<RememberedPart, 'baseHash' | 'hash'> {
  return { baseHash: String(row['baseHash']) as RevisionHash, hash: String(row['hash']) as RevisionHash };
}
