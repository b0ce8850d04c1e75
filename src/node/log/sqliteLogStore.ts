import { chmodSync, existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { compareTerms } from '../../core/ids.ts';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../../core/ids.ts';
import { furtherProposals } from '../../core/replication/bulkEntry.ts';
import type { DocumentEntry, DocumentHead, LogEntry } from '../../core/replication/entry.ts';
import { parseLogEntry } from '../../core/replication/entrySchema.ts';
import { foldPath } from '../../core/replication/libraryPath.ts';
import { MAX_SKELETON_PROPOSALS } from '../../core/replication/limits.ts';
import type {
  CompactionPolicy,
  HeadText,
  LogPage,
  LogRecord,
  LogReplacement,
  LogState,
  PageLimit,
  SkeletonRow,
  StoredEntry,
} from '../../core/replication/replicatedLog.ts';
import { headsBefore } from '../../core/replication/rewoundHeads.ts';
import { canonicalEntryText } from '../../core/replication/runningHash.ts';
import { SyncError } from '../../core/replication/syncError.ts';
import { checkWhole, DamagedDatabaseError } from '../damagedDatabase.ts';
import { inTransaction } from '../inTransaction.ts';
import { PreparedStatements, type Row } from '../preparedStatements.ts';
import { FilePlace } from './filePlace.ts';
import { openDatabase } from './sqlite.ts';
import { markSchemaVersion, ORPHANS_ORDER, prepareLogDatabase } from './sqliteLogSchema.ts';
import { parseStoredEntry, readJson, toHead } from './sqliteLogRows.ts';
import { SqliteRevisions } from './sqliteRevisions.ts';

/** In `entries.doc_id` of a bulk, whose documents stand in `bulk_documents`: no document has this id. */
const NO_DOCUMENT = '';

/** The log of one library in one SQLite file; synchronous, so it belongs in a worker. What it throws is SQLite's own error or a `SyncError`. */
export class SqliteLogStore {
  readonly #database: DatabaseSync;
  readonly #statements: PreparedStatements;
  readonly #revisions: SqliteRevisions;
  readonly #place: FilePlace;
  #isClosed = false;

  constructor(path: string) {
    this.#database = openDatabase(path);
    this.#statements = new PreparedStatements(this.#database);
    this.#revisions = new SqliteRevisions(this.#statements);
    try {
      prepareLogDatabase(this.#database);
      restrictToUser(path);
      this.#place = new FilePlace(path);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  state(): LogState {
    const meta = this.#meta();
    const newest = this.#statements.get('SELECT idx, running_hash FROM entries ORDER BY idx DESC LIMIT 1');
    return {
      last: {
        index: (newest === undefined ? meta.horizon : Number(newest['idx'])) as LogIndex,
        runningHash: newest === undefined ? (this.runningHashAt(meta.horizon) ?? '') : String(newest['running_hash']),
      },
      horizon: meta.horizon,
      term: meta.term,
    };
  }

  /** Reads the whole file. Throws where it is damaged. */
  check(): void {
    checkWhole(this.#database);
  }

  heads(): DocumentHead[] {
    return this.#statements.all('SELECT * FROM documents ORDER BY idx').map(toHead);
  }

  raiseTerm(leaderId: PeerId, above: number): Term {
    return inTransaction(this.#database, () => {
      const term = { number: Math.max(this.#meta().term?.number ?? 0, above) + 1, leaderId };
      this.#statements.run('UPDATE meta SET term_number = ?, term_leader_id = ?', term.number, leaderId);
      return term;
    });
  }

  adoptTerm(term: Term): void {
    inTransaction(this.#database, () => {
      const known = this.#meta().term;
      if (known !== undefined && compareTerms(term, known) < 0)
        throw new SyncError('stale-term', 'A newer leader writes this log.');
      this.#statements.run('UPDATE meta SET term_number = ?, term_leader_id = ?', term.number, term.leaderId);
    });
  }

  append(records: readonly LogRecord[], after: LogIndex, term: Term): void {
    inTransaction(this.#database, () => {
      const state = this.state();
      if (state.term === undefined || compareTerms(term, state.term) !== 0) {
        throw new SyncError('stale-term', 'A newer leader writes this log.');
      }
      // What is written into a file that nobody can open any more is not on disk (I6).
      if (!this.#place.isSame) throw new SyncError('log-moved', 'The log was taken away, or put back from a backup.');
      if (after !== state.last.index) throw new SyncError('log-moved', 'The log has moved on.');
      for (const record of records) this.#insert(record);
      if (records.some(({ entry }) => entry.kind === 'bulk')) markSchemaVersion(this.#database);
    });
  }

  findProposals(proposalIds: readonly ProposalId[]): Map<ProposalId, LogIndex> {
    const found = new Map<ProposalId, LogIndex>();
    for (const proposalId of proposalIds) {
      const row =
        this.#statements.get('SELECT idx FROM proposals WHERE proposal_id = ?', proposalId) ??
        this.#statements.get('SELECT idx FROM further_proposals WHERE proposal_id = ?', proposalId);
      if (row !== undefined) found.set(proposalId, Number(row['idx']) as LogIndex);
    }
    return found;
  }

  entries(since: LogIndex, limit: PageLimit): LogPage {
    if (since < this.#meta().horizon) throw new SyncError('log-compacted', 'The log does not reach back that far.');
    const rows = this.#statements.each(
      'SELECT idx, doc_id, units, body FROM entries WHERE idx > ? ORDER BY idx',
      since,
    );
    const entries: StoredEntry[] = [];
    let units = 0;
    // Row by row: a hundred bodies may be a hundred times what fits.
    for (const row of rows) {
      units += Number(row['units']);
      if (entries.length === limit.count || (entries.length > 0 && units > limit.units))
        return { entries, hasMore: true };
      entries.push(this.#stored(row));
    }
    return { entries, hasMore: false };
  }

  runningHashAt(index: LogIndex): string | undefined {
    if (index === 0) return '';
    const row =
      this.#statements.get('SELECT running_hash FROM entries WHERE idx = ?', index) ??
      this.#statements.get('SELECT lower(hex(running_hash)) AS running_hash FROM forgotten WHERE idx = ?', index);
    return row === undefined ? undefined : String(row['running_hash']);
  }

  headText(docId: DocId): HeadText | undefined {
    const row = this.#statements.get('SELECT idx FROM documents WHERE doc_id = ? AND hash IS NOT NULL', docId);
    return row === undefined ? undefined : this.#revisions.textAt(docId, Number(row['idx']) as LogIndex);
  }

  revisionText(docId: DocId, hash: RevisionHash): string | undefined {
    return this.#revisions.textOf(docId, hash);
  }

  history(docId: DocId, limit: number): DocumentEntry[] {
    return this.#revisions.changes(docId, limit);
  }

  compact(policy: CompactionPolicy): LogIndex {
    const before = this.#meta().horizon;
    const horizon = inTransaction(this.#database, () => {
      const next = this.#nextHorizon(policy);
      if (next === before) return next;
      this.#revisions.anchorAt(next);
      this.#statements.run('INSERT INTO forgotten SELECT idx, unhex(running_hash) FROM entries WHERE idx <= ?', next);
      this.#statements.run('DELETE FROM entries WHERE idx <= ?', next);
      this.#statements.run('DELETE FROM bulk_documents WHERE idx <= ?', next);
      markSchemaVersion(this.#database);
      this.#statements.run('UPDATE meta SET horizon = ?', next);
      return next;
    });
    // Only then is there room to give back, and giving it back rewrites the whole file.
    if (horizon > before) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM');
    return horizon;
  }

  rewind(to: LogIndex): void {
    inTransaction(this.#database, () => {
      const { horizon } = this.#meta();
      const undone = this.#entriesAfter(to);
      if (to < horizon || undone.some(({ entry }) => entry === undefined))
        throw new SyncError('log-compacted', 'The log does not reach back that far.');
      const { restored, gone } = headsBefore(
        undone.flatMap(({ entry }) => entry ?? []),
        (docId) => this.#head(docId),
        (docId) => this.#revisions.lastChange(docId, to),
        horizon,
      );
      this.#setAside(undone, to);
      for (const docId of gone) this.#statements.run('DELETE FROM documents WHERE doc_id = ?', docId);
      // In two steps, because documents may have exchanged their paths.
      for (const { docId } of restored) this.#statements.run('DELETE FROM documents WHERE doc_id = ?', docId);
      for (const head of restored) this.#putHead(head);
      this.#revisions.forgetAfter(to);
    });
  }

  replace({ shared, rows, heads, texts }: LogReplacement): void {
    inTransaction(this.#database, () => {
      this.#setAside(this.#entriesAfter(shared), shared);
      this.#statements.run('INSERT INTO forgotten SELECT idx, unhex(running_hash) FROM entries');
      this.#database.exec('DELETE FROM entries; DELETE FROM documents; DELETE FROM bulk_documents');
      this.#revisions.forgetAll();
      markSchemaVersion(this.#database);
      this.#statements.run('DELETE FROM forgotten WHERE idx > ?', shared);
      this.#forgetProposals(shared);
      for (const { index, proposalId, further, runningHash } of rows) {
        this.#statements.run('INSERT INTO proposals VALUES (?, ?)', proposalId, index);
        for (const one of further ?? [])
          this.#statements.run('INSERT INTO further_proposals VALUES (?, ?)', one, index);
        this.#statements.run('INSERT INTO forgotten VALUES (?, unhex(?))', index, runningHash);
      }
      const horizon = rows.at(-1)?.index ?? shared;
      this.#statements.run('UPDATE meta SET horizon = ?', horizon);
      for (const head of heads) this.#putHead(head);
      for (const { docId, hash, text } of texts)
        this.#revisions.addSnapshot(docId, this.#head(docId)?.index ?? horizon, hash, text);
    });
  }

  orphans(limit: number): LogEntry[] {
    const rows = this.#statements.all(`SELECT body FROM orphans ORDER BY ${ORPHANS_ORDER} LIMIT ?`, limit);
    return rows.flatMap((row) => parseLogEntry(readJson(String(row['body']))) ?? []);
  }

  forgetOrphans(proposalIds: readonly ProposalId[]): void {
    inTransaction(this.#database, () => {
      for (const proposalId of proposalIds)
        this.#statements.run('DELETE FROM orphans WHERE proposal_id = ?', proposalId);
    });
  }

  skeleton(since: LogIndex, limit: number): SkeletonRow[] {
    const found = this.#statements.all(
      `SELECT p.idx, p.proposal_id, coalesce(e.running_hash, lower(hex(f.running_hash))) AS running_hash
         FROM proposals p LEFT JOIN entries e ON e.idx = p.idx LEFT JOIN forgotten f ON f.idx = p.idx
         WHERE p.idx > ? ORDER BY p.idx LIMIT ?`,
      since,
      limit,
    );
    const rows: SkeletonRow[] = [];
    let named = 0;
    for (const row of found) {
      const index = Number(row['idx']) as LogIndex;
      const further = this.#statements.all('SELECT proposal_id FROM further_proposals WHERE idx = ?', index);
      named += further.length;
      if (rows.length > 0 && named > MAX_SKELETON_PROPOSALS) break;
      rows.push({
        index,
        proposalId: String(row['proposal_id']) as ProposalId,
        ...(further.length === 0 ? {} : { further: further.map((one) => String(one['proposal_id']) as ProposalId) }),
        runningHash: String(row['running_hash']),
      });
    }
    return rows;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#database.close();
  }

  #insert(record: LogRecord): void {
    const { entry, runningHash } = record;
    const [units, body] = this.#insertDocuments(entry);
    this.#statements.run(
      'INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)',
      entry.index,
      entry.kind === 'bulk' ? NO_DOCUMENT : entry.docId,
      entry.kind === 'bulk' ? null : (entry.hash ?? null),
      entry.at,
      units,
      runningHash,
      body,
    );
    this.#statements.run('INSERT INTO proposals VALUES (?, ?)', entry.proposalId, entry.index);
    for (const proposalId of furtherProposals(entry))
      this.#statements.run('INSERT INTO further_proposals VALUES (?, ?)', proposalId, entry.index);
    for (const head of record.heads) this.#putHead(head);
    for (const { docId, hash, text } of record.snapshots) this.#revisions.addSnapshot(docId, entry.index, hash, text);
  }

  /** Stores what an entry holds beside its own row, and answers with its size in UTF-16 units and that row's text. */
  #insertDocuments(entry: LogEntry): readonly [units: number, body: string] {
    const body = canonicalEntryText(entry.kind === 'bulk' ? { ...entry, documents: [] } : entry);
    if (entry.kind !== 'bulk') return [body.length, body];
    let units = body.length;
    for (const [position, { proposalId, docId, baseHash, hash, patch }] of entry.documents.entries()) {
      const patchText = JSON.stringify(patch ?? []);
      units += proposalId.length + docId.length + baseHash.length + hash.length + patchText.length;
      this.#statements.run(
        'INSERT INTO bulk_documents VALUES (?, ?, ?, ?, ?, ?, ?)',
        docId,
        entry.index,
        position,
        proposalId,
        baseHash,
        hash,
        patchText,
      );
    }
    return [units, body];
  }

  /** The entry in a row of `entries`, a bulk together with its documents. */
  #stored(row: Row): StoredEntry {
    if (row['doc_id'] !== NO_DOCUMENT) return parseStoredEntry(row);
    const index = Number(row['idx']);
    return parseStoredEntry(
      row,
      this.#statements.all('SELECT * FROM bulk_documents WHERE idx = ? ORDER BY position', index),
    );
  }

  #forgetProposals(after: LogIndex): void {
    this.#statements.run('DELETE FROM proposals WHERE idx > ?', after);
    this.#statements.run('DELETE FROM further_proposals WHERE idx > ?', after);
  }

  #putHead(head: DocumentHead): void {
    this.#statements.run(
      'INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      head.docId,
      head.path,
      foldPath(head.path),
      head.hash ?? null,
      head.index,
      head.author.peerId,
      head.author.name,
      head.at,
    );
  }

  #head(docId: DocId): DocumentHead | undefined {
    const row = this.#statements.get('SELECT * FROM documents WHERE doc_id = ?', docId);
    return row === undefined ? undefined : toHead(row);
  }

  #entriesAfter(index: LogIndex): StoredEntry[] {
    const rows = this.#statements.all('SELECT idx, doc_id, body FROM entries WHERE idx > ? ORDER BY idx', index);
    return rows.map((row) => this.#stored(row));
  }

  /** Takes entries out of the log, and remembers those that can be read. */
  #setAside(undone: readonly StoredEntry[], to: LogIndex): void {
    for (const { entry } of undone) {
      if (entry === undefined) continue;
      this.#statements.run(
        'INSERT OR IGNORE INTO orphans (proposal_id, body) VALUES (?, ?)',
        entry.proposalId,
        canonicalEntryText(entry),
      );
    }
    this.#statements.run('DELETE FROM entries WHERE idx > ?', to);
    this.#statements.run('DELETE FROM bulk_documents WHERE idx > ?', to);
    markSchemaVersion(this.#database);
    this.#forgetProposals(to);
  }

  #nextHorizon(policy: CompactionPolicy): LogIndex {
    const { horizon } = this.#meta();
    // SQLite takes no infinity for a number of milliseconds.
    const olderThan = Math.max(-Number.MAX_SAFE_INTEGER, Math.min(policy.olderThan, Number.MAX_SAFE_INTEGER));
    const old = this.#statements.get(
      'SELECT max(idx) AS idx FROM entries WHERE idx < coalesce((SELECT min(idx) FROM entries WHERE at >= ?), ?)',
      olderThan,
      Number.MAX_SAFE_INTEGER,
    );
    let units = 0;
    let tooMany = horizon;
    for (const row of this.#statements.each('SELECT idx, units FROM entries ORDER BY idx DESC')) {
      if (units >= policy.keepUnits) {
        tooMany = Number(row['idx']) as LogIndex;
        break;
      }
      units += Number(row['units']);
    }
    return Math.max(horizon, tooMany, Number(old?.['idx'] ?? 0)) as LogIndex;
  }

  #meta(): { readonly term: Term | undefined; readonly horizon: LogIndex } {
    const row = this.#statements.get('SELECT * FROM meta');
    if (row === undefined) throw new DamagedDatabaseError('The log does not say where it begins.');
    const leaderId = row['term_leader_id'];
    return {
      term:
        typeof leaderId === 'string' ? { number: Number(row['term_number']), leaderId: leaderId as PeerId } : undefined,
      horizon: Number(row['horizon']) as LogIndex,
    };
  }
}

/** The folder above is the user's own; this is for the day somebody copies the file elsewhere. */
function restrictToUser(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (!existsSync(file)) continue;
    try {
      chmodSync(file, 0o600);
    } catch {
      // A file system without modes refuses; the folder's own access rules hold there.
    }
  }
}
