import type { SqliteLogOptions } from './sqliteReplicatedLog.ts';
import { SqliteReplicatedLog } from './sqliteReplicatedLog.ts';

/** The file of a library's log, which is opened by one leadership after the other. */
export class LogFile {
  readonly #options: Omit<SqliteLogOptions, 'isSuspect'>;
  readonly #onPutAside: (file: string) => void;
  #last: SqliteReplicatedLog | undefined;

  /** @param onPutAside called where a damaged file had to make room, with the path that it has now. */
  constructor(options: Omit<SqliteLogOptions, 'isSuspect'>, onPutAside: (file: string) => void) {
    this.#options = options;
    this.#onPutAside = onPutAside;
  }

  /** The last one must be closed by now. Rejects like `SqliteReplicatedLog.open`. */
  async open(): Promise<SqliteReplicatedLog> {
    const log = await SqliteReplicatedLog.open({ ...this.#options, isSuspect: this.#last?.isDamaged ?? false });
    this.#last = log;
    if (log.putAside !== undefined) this.#onPutAside(log.putAside);
    return log;
  }
}
