import type * as sqliteModule from 'node:sqlite';
import { SyncError } from '../../core/replication/syncError.ts';

type SqliteModule = typeof sqliteModule;

/**
 * Node's built-in SQLite, asked for at run time: a Node without it must give a plain sentence, not a program that
 * cannot be loaded. Throws `sqlite-missing`.
 */
export function loadSqlite(): SqliteModule {
  const sqlite = findSqlite();
  if (sqlite === undefined) {
    throw new SyncError(
      'sqlite-missing',
      'This version of the editor has no built-in SQLite. Update it to keep APIs in step.',
    );
  }
  return sqlite;
}

/** Whether `loadSqlite` would succeed. */
export function hasSqlite(): boolean {
  return findSqlite() !== undefined;
}

function findSqlite(): SqliteModule | undefined {
  if (typeof process.getBuiltinModule !== 'function') return undefined;
  return process.getBuiltinModule('node:sqlite');
}

/** SQLite's primary result code in what it has thrown; undefined where something else did. */
export function sqliteCodeOf(error: unknown): number | undefined {
  const isCoded = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
  return isCoded ? (error as { readonly errcode: number }).errcode & 0xff : undefined;
}

/** Opens a database that nobody waits for: a lock that is held is refused at once. */
export function openDatabase(path: string): sqliteModule.DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA busy_timeout = 0');
  return database;
}
