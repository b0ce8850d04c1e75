import type { DatabaseSync } from 'node:sqlite';

/** Runs the work in one transaction: where it throws, nothing of it has happened. Throws what the work or SQLite throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const value = work();
    database.exec('COMMIT');
    return value;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // After a failed COMMIT (a full disk) SQLite may have rolled back by itself, and then refuses to do it again.
  }
}
