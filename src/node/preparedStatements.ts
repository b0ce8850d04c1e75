import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

/** One row as `node:sqlite` hands it out. */
export type Row = Record<string, SQLOutputValue>;

/** The statements of one database, each compiled once: a transaction of 100 documents runs some 500. Throws what SQLite throws. */
export class PreparedStatements {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#of(sql).get(...values);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#of(sql).all(...values);
  }

  /** Row by row, for who may stop before the last one. */
  each(sql: string, ...values: readonly SQLInputValue[]): Iterable<Row> {
    return this.#of(sql).iterate(...values);
  }

  run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#of(sql).run(...values);
  }

  #of(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
