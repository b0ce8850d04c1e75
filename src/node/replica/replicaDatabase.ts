import { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { DocId, LogIndex, RevisionHash } from '../../core/ids.ts';
import type {
  OutboxItem,
  ReplicaChange,
  ReplicaState,
  StoredDocument,
  SyncedPosition,
  WriteIntent,
} from '../../core/replication/replicaStore.ts';
import { isInFile } from '../../core/replication/replicaStore.ts';
import { checkWhole, DamagedDatabaseError } from '../damagedDatabase.ts';
import { inTransaction } from '../inTransaction.ts';
import { PreparedStatements } from '../preparedStatements.ts';
import { BulkRecords } from './bulkRecords.ts';
import { FormerShadows } from './formerShadows.ts';

/**
 * Grows with each change that an older release could not live with; a newer one is never opened by older code. The tables
 * `position`, `shadows` and those of `BulkRecords` came later: an older release leaves them as they are, so a hash counts only beside the index
 * that it belongs to, and former shadows may have gaps.
 */
const SCHEMA_VERSION = 1;

/** Texts that nothing points to any more are few and harmless; looking for them reads every record. */
const COMMITS_BETWEEN_SWEEPS = 500;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS position (
    name TEXT PRIMARY KEY CHECK (name = 'synced'), atIndex INTEGER NOT NULL, runningHash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS revisions (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS documents (docId TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS outbox (proposalId TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS intents (docId TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
`;

/** Texts are stored once each, in `revisions`, under their name; records point to them. */
type TextName = string;
interface RevisionRow {
  readonly text: TextName;
  readonly hash: RevisionHash;
  readonly index: LogIndex;
}
type DocumentRow = Omit<StoredDocument, 'shadow' | 'head' | 'heldBase' | 'perhapsIn' | 'setBackTo'> & {
  readonly shadow: RevisionRow | null;
  readonly head: RevisionRow | null;
  readonly perhapsIn?: RevisionRow | null;
  readonly setBackTo?: RevisionRow | null;
  readonly heldBase: TextName | null;
};
type OutboxRow = Omit<OutboxItem, 'text' | 'heldBase'> & {
  readonly text: TextName;
  readonly heldBase: TextName | null;
};
type IntentRow = Omit<WriteIntent, 'document'> & { readonly document: DocumentRow };

const record = z.record(z.string(), z.unknown());

/** The durable state of a replica in one SQLite file; synchronous, so it lives in a worker. Throws what SQLite throws. */
export class ReplicaDatabase {
  readonly #database: DatabaseSync;
  /** What is remembered of bulks. */
  readonly bulks: BulkRecords;
  readonly #nameOf: (text: string) => TextName;
  readonly #formerShadows: FormerShadows;
  readonly #statements: PreparedStatements;
  #commitCount = 0;

  /** @param nameOf gives equal texts one name and different texts different ones (a content hash). */
  constructor(file: string, nameOf: (text: string) => string) {
    this.#nameOf = nameOf;
    this.#database = new DatabaseSync(file);
    this.#statements = new PreparedStatements(this.#database);
    try {
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;');
      const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
      if (typeof version !== 'number' || version > SCHEMA_VERSION)
        throw new Error(`newer-schema: ${file} was written by a newer version (${String(version)}).`);
      this.#database.exec(`${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION};`);
      this.#formerShadows = new FormerShadows(this.#database);
      this.bulks = new BulkRecords(this.#database);
      this.#dropUnusedTexts();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Reads the whole file. Throws where it is damaged. */
  check(): void {
    checkWhole(this.#database);
  }

  formerShadows(docId: DocId): readonly RevisionHash[] {
    return this.#formerShadows.of(docId);
  }

  load(): ReplicaState {
    const meta = new Map(
      this.#database
        .prepare('SELECT name, value FROM meta')
        .all()
        .map((row) => [String(row['name']), Number(row['value'])]),
    );
    return {
      synced: this.#synced((meta.get('lastSyncedIndex') ?? 0) as LogIndex),
      nextProposalNumber: meta.get('nextProposalNumber') ?? 1,
      documents: this.#records<DocumentRow>('documents').map((row) => this.#documentOf(row)),
      outbox: this.#records<OutboxRow>('outbox').map((row) => ({
        ...row,
        text: this.#textOf(row.text),
        heldBase: row.heldBase === null ? undefined : this.#textOf(row.heldBase),
      })),
      intents: this.#records<IntentRow>('intents').map((row) => ({ ...row, document: this.#documentOf(row.document) })),
    };
  }

  /** One transaction. */
  commit(change: ReplicaChange): void {
    inTransaction(this.#database, () => {
      this.#apply(change);
      this.#commitCount += 1;
      if (this.#commitCount % COMMITS_BETWEEN_SWEEPS === 0) this.#dropUnusedTexts();
    });
  }

  #apply(change: ReplicaChange): void {
    if (change.synced !== undefined) this.#putSynced(change.synced);
    if (change.nextProposalNumber !== undefined) this.#putMeta('nextProposalNumber', change.nextProposalNumber);
    for (const document of change.putDocuments ?? []) {
      this.#put('documents', document.docId, this.#rowOf(document));
      if (isInFile(document)) this.#formerShadows.note(document.docId, document.shadow.hash);
    }
    for (const item of change.putOutbox ?? []) {
      const row: OutboxRow = {
        proposal: item.proposal,
        text: this.#store(item.text),
        heldBase: this.#storeOptional(item.heldBase),
      };
      this.#put('outbox', item.proposal.proposalId, row);
    }
    for (const proposalId of change.removeOutbox ?? []) this.#remove('outbox', proposalId);
    for (const intent of change.putIntents ?? []) {
      const row: IntentRow = { ...intent, document: this.#rowOf(intent.document) };
      this.#put('intents', intent.docId, row);
    }
    for (const docId of change.removeIntents ?? []) this.#remove('intents', docId);
    for (const docId of change.removeDocuments ?? []) this.#remove('documents', docId);
  }

  close(): void {
    this.#database.close();
  }

  #synced(index: LogIndex): SyncedPosition {
    const row = this.#database.prepare('SELECT runningHash FROM position WHERE atIndex = ?').get(index);
    return { index, runningHash: row === undefined ? undefined : String(row['runningHash']) };
  }

  #putSynced({ index, runningHash }: SyncedPosition): void {
    this.#putMeta('lastSyncedIndex', index);
    this.#database.exec('DELETE FROM position');
    if (runningHash !== undefined)
      this.#statements.run("INSERT INTO position VALUES ('synced', ?, ?)", index, runningHash);
  }

  #putMeta(name: string, value: number): void {
    this.#statements.run(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  }

  #put(table: 'documents' | 'outbox' | 'intents', key: string, value: object): void {
    this.#statements.run(
      `INSERT INTO ${table} VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record`,
      key,
      JSON.stringify(value),
    );
  }

  #remove(table: 'documents' | 'outbox' | 'intents', key: string): void {
    this.#statements.run(`DELETE FROM ${table} WHERE ${table === 'outbox' ? 'proposalId' : 'docId'} = ?`, key);
  }

  /** Written by `#put` of this same schema version, so the shape is the one it was given; only damage could change it. */
  #records<Row>(table: 'documents' | 'outbox' | 'intents'): Row[] {
    const rows = this.#database.prepare(`SELECT record FROM ${table} ORDER BY rowid`).all();
    return rows.map((row) => readRecord(String(row['record'])) as Row);
  }

  #rowOf(document: StoredDocument): DocumentRow {
    const revision = (one: StoredDocument['shadow']): RevisionRow | null =>
      one === undefined ? null : { ...one, text: this.#store(one.text) };
    return {
      ...document,
      shadow: revision(document.shadow),
      head: revision(document.head),
      perhapsIn: revision(document.perhapsIn),
      setBackTo: revision(document.setBackTo),
      heldBase: this.#storeOptional(document.heldBase),
    };
  }

  #documentOf(row: DocumentRow): StoredDocument {
    const revision = (one: RevisionRow | null): StoredDocument['shadow'] =>
      one === null ? undefined : { ...one, text: this.#textOf(one.text) };
    return {
      ...row,
      localPath: row.localPath,
      shadow: revision(row.shadow),
      head: revision(row.head),
      perhapsIn: revision(row.perhapsIn ?? null),
      setBackTo: revision(row.setBackTo ?? null),
      heldBase: row.heldBase === null ? undefined : this.#textOf(row.heldBase),
    };
  }

  #store(text: string): TextName {
    const name = this.#nameOf(text);
    this.#statements.run('INSERT INTO revisions VALUES (?, ?) ON CONFLICT DO NOTHING', name, text);
    return name;
  }

  #storeOptional(text: string | undefined): TextName | null {
    return text === undefined ? null : this.#store(text);
  }

  #textOf(name: TextName): string {
    const row = this.#statements.get('SELECT text FROM revisions WHERE hash = ?', name);
    if (row === undefined) throw new DamagedDatabaseError('A stored revision is missing.');
    return String(row['text']);
  }

  #dropUnusedTexts(): void {
    this.#database.exec(`
      DELETE FROM revisions WHERE hash NOT IN (
        SELECT value FROM documents, json_tree(documents.record) WHERE key IN ('text', 'heldBase') AND value IS NOT NULL
        UNION SELECT value FROM outbox, json_tree(outbox.record) WHERE key IN ('text', 'heldBase') AND value IS NOT NULL
        UNION SELECT value FROM intents, json_tree(intents.record) WHERE key IN ('text', 'heldBase') AND value IS NOT NULL
      )`);
  }
}

function readRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    return record.parse(JSON.parse(text));
  } catch (error) {
    throw new DamagedDatabaseError('A record cannot be read.', { cause: error });
  }
}
