import { chmodSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Disposable } from '../../core/ports.ts';
import { openDatabase, sqliteCodeOf } from '../log/sqlite.ts';

/**
 * A lock that one process on this machine can hold, and that the operating system takes back the moment the process
 * dies: an exclusive SQLite transaction on a file of its own. Never open that file in another way: on POSIX systems
 * closing any of a process's handles to it would drop the lock.
 */
export class ExclusiveLock implements Disposable {
  readonly #path: string;
  #database: DatabaseSync | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get isHeld(): boolean {
    return this.#database !== undefined;
  }

  /** Takes the lock if nobody has it, and answers at once. Throws where the file cannot be used at all. */
  tryAcquire(): boolean {
    if (this.#database !== undefined) return true;
    const database = openDatabase(this.#path);
    try {
      database.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      database.close();
      if (isBusy(error)) return false;
      throw error;
    }
    restrictToUser(this.#path);
    this.#database = database;
    return true;
  }

  release(): void {
    const database = this.#database;
    this.#database = undefined;
    database?.close();
  }

  dispose(): void {
    this.release();
  }
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

function isBusy(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** By path and not by handle: see the class. Some file systems have no modes; the folder above is the user's own anyway. */
function restrictToUser(path: string): void {
  try {
    chmodSync(path, 0o600);
  } catch {
    // A file system without modes (a mounted Windows drive) refuses; the folder's own access rules hold there.
  }
}
