import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DocId, RevisionHash } from '../../core/ids.ts';

/** So many of the newest are kept without a gap; of twice as old ones every second, and so on. */
const KEPT_WITHOUT_GAP = 64;

/**
 * The names of the revisions that each document's shadow was while its file had all of it, in the replica's database: by them a log that was put back
 * from a backup is found to have an ancestor of the file. Names only, and ever fewer the older they are, so that they stay
 * some hundred for a document however often it is saved.
 */
export class FormerShadows {
  readonly #database: DatabaseSync;
  /** Compiled once: they run with every document that is stored. */
  readonly #newest: StatementSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(`
      CREATE TABLE IF NOT EXISTS shadows (
        docId TEXT NOT NULL, number INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (docId, number)
      ) STRICT, WITHOUT ROWID;
    `);
    this.#newest = database.prepare('SELECT number, hash FROM shadows WHERE docId = ? ORDER BY number DESC LIMIT 1');
    this.#insert = database.prepare('INSERT INTO shadows VALUES (?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM shadows WHERE docId = ? AND number = ?');
  }

  /** Newest first. */
  of(docId: DocId): readonly RevisionHash[] {
    return this.#database
      .prepare('SELECT hash FROM shadows WHERE docId = ? ORDER BY number DESC')
      .all(docId)
      .map((row) => String(row['hash']) as RevisionHash);
  }

  /** To be called with every shadow that is stored and wholly in the file, within its transaction. */
  note(docId: DocId, hash: RevisionHash): void {
    const newest = this.#newest.get(docId);
    if (newest?.['hash'] === hash) return;
    const number = Number(newest?.['number'] ?? 0) + 1;
    this.#insert.run(docId, number, hash);
    // Each name gets older by one at a time, so it is looked at once at each of these ages.
    for (let age = KEPT_WITHOUT_GAP, step = 2; age < number; age *= 2, step *= 2)
      if ((number - age) % step !== 0) this.#remove.run(docId, number - age);
  }
}
