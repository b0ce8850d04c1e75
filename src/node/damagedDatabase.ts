import { existsSync, renameSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { sqliteCodeOf } from './log/sqlite.ts';

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** A database that can be read, but does not say what it must. */
export class DamagedDatabaseError extends Error {
  override readonly name = 'DamagedDatabaseError';
}

/** Whether an error says that a database's file is damaged, and not that it cannot be reached, locked or written. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return error instanceof DamagedDatabaseError || code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** Reads the whole of a database that has called itself damaged. Throws where it is. */
export function checkWhole(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA integrity_check(1)').get();
  const found = String(row?.['integrity_check']);
  if (found !== 'ok') throw new DamagedDatabaseError(found);
}

/** A database that is open, and where the file is that had to make room for it. */
export interface OpenedDatabase<T> {
  readonly database: T;
  readonly putAside: string | undefined;
}

/**
 * Opens a database; where its file is damaged, that is put aside and a new one takes its place ([REC-11]). Whoever calls
 * it is the only one who has the file open. Throws what `open` throws for any other reason, and the file system's errors.
 * @param open holds nothing open where it throws.
 */
export function openOrPutAside<T>(path: string, open: () => T): OpenedDatabase<T> {
  try {
    return { database: open(), putAside: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const putAside = putFileAside(path);
    return { database: open(), putAside };
  }
}

/** Never deleted: somebody who knows the format may still read some of it. */
function putFileAside(path: string): string {
  const date = new Date().toISOString().replaceAll(':', '-');
  const aside = `${path}.damaged-${date}`;
  // What was written last goes first: left behind by a crash in between, it would be taken for the new file's.
  for (const suffix of ['-wal', '-shm', '']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  return aside;
}
