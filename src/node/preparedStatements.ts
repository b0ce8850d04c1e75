import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements of one database, each compiled once: a transaction of 100 documents runs some 500. */
export class PreparedStatements {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Throws what SQLite throws where the statement is none. */
  of(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
