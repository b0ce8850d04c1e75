import { chmodSync, existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
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
import { rebuildText } from '../../core/replication/revisionText.ts';
import type { RevisionAnchor } from '../../core/replication/revisionText.ts';
import { headsBefore } from '../../core/replication/rewoundHeads.ts';
import { canonicalEntryText } from '../../core/replication/runningHash.ts';
import { SyncError } from '../../core/replication/syncError.ts';
import { PreparedStatements } from '../preparedStatements.ts';
import { openDatabase } from './sqlite.ts';
import { markSchemaVersion, prepareLogDatabase } from './sqliteLogSchema.ts';
import { parseStoredChange, parseStoredEntry, readJson, toHead } from './sqliteLogRows.ts';
import type { Row } from './sqliteLogRows.ts';

/** Older snapshots only shorten the way to old revisions, and each may be as large as the document. */
const SNAPSHOTS_KEPT_PER_DOCUMENT = 4;

/** In `entries.doc_id` of a bulk, whose documents stand in `bulk_documents`: no document has this id. */
const NO_DOCUMENT = '';
const MAX_INDEX = Number.MAX_SAFE_INTEGER;

/** Every change of a document: as an entry of its own, and as part of a bulk. */
const CHANGES = `(SELECT idx, doc_id, hash FROM entries UNION ALL SELECT idx, doc_id, hash FROM bulk_documents)`;

/** The changes of document ?1 after ?2 up to ?3, with what `parseStoredChange` needs. */
const CHANGES_OF_DOCUMENT = `
  SELECT idx, body, NULL AS proposal_id, doc_id, NULL AS base_hash, NULL AS hash, NULL AS patch
    FROM entries WHERE doc_id = ?1 AND idx > ?2 AND idx <= ?3
  UNION ALL
  SELECT e.idx, e.body, b.proposal_id, b.doc_id, b.base_hash, b.hash, b.patch
    FROM bulk_documents b JOIN entries e ON e.idx = b.idx WHERE b.doc_id = ?1 AND b.idx > ?2 AND b.idx <= ?3`;

/** The log of one library in one SQLite file; synchronous, so it belongs in a worker. What it throws is SQLite's own error or a `SyncError`. */
export class SqliteLogStore {
  readonly #database: DatabaseSync;
  readonly #statements: PreparedStatements;
  #isClosed = false;

  constructor(path: string) {
    this.#database = openDatabase(path);
    this.#statements = new PreparedStatements(this.#database);
    try {
      prepareLogDatabase(this.#database);
      restrictToUser(path);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  state(): LogState {
    const meta = this.#meta();
    const newest = this.#get('SELECT idx, running_hash FROM entries ORDER BY idx DESC LIMIT 1');
    return {
      last: {
        index: (newest === undefined ? meta.horizon : Number(newest['idx'])) as LogIndex,
        runningHash: newest === undefined ? (this.runningHashAt(meta.horizon) ?? '') : String(newest['running_hash']),
      },
      horizon: meta.horizon,
      term: meta.term,
    };
  }

  heads(): DocumentHead[] {
    return this.#all('SELECT * FROM documents ORDER BY idx').map(toHead);
  }

  raiseTerm(leaderId: PeerId, above: number): Term {
    return this.#transaction(() => {
      const term = { number: Math.max(this.#meta().term?.number ?? 0, above) + 1, leaderId };
      this.#run('UPDATE meta SET term_number = ?, term_leader_id = ?', term.number, leaderId);
      return term;
    });
  }

  adoptTerm(term: Term): void {
    this.#transaction(() => {
      const known = this.#meta().term;
      if (known !== undefined && compareTerms(term, known) < 0)
        throw new SyncError('stale-term', 'A newer leader writes this log.');
      this.#run('UPDATE meta SET term_number = ?, term_leader_id = ?', term.number, term.leaderId);
    });
  }

  append(records: readonly LogRecord[], after: LogIndex, term: Term): void {
    this.#transaction(() => {
      const state = this.state();
      if (state.term === undefined || compareTerms(term, state.term) !== 0) {
        throw new SyncError('stale-term', 'A newer leader writes this log.');
      }
      if (after !== state.last.index) throw new SyncError('log-moved', 'The log has moved on.');
      for (const record of records) this.#insert(record);
      if (records.some(({ entry }) => entry.kind === 'bulk')) markSchemaVersion(this.#database);
    });
  }

  findProposals(proposalIds: readonly ProposalId[]): Map<ProposalId, LogIndex> {
    const found = new Map<ProposalId, LogIndex>();
    for (const proposalId of proposalIds) {
      const row =
        this.#get('SELECT idx FROM proposals WHERE proposal_id = ?', proposalId) ??
        this.#get('SELECT idx FROM further_proposals WHERE proposal_id = ?', proposalId);
      if (row !== undefined) found.set(proposalId, Number(row['idx']) as LogIndex);
    }
    return found;
  }

  entries(since: LogIndex, limit: PageLimit): LogPage {
    if (since < this.#meta().horizon) throw new SyncError('log-compacted', 'The log does not reach back that far.');
    const rows = this.#all(
      'SELECT idx, doc_id, units, body FROM entries WHERE idx > ? ORDER BY idx LIMIT ?',
      since,
      limit.count + 1,
    );
    const entries: StoredEntry[] = [];
    let units = 0;
    for (const row of rows) {
      units += Number(row['units']);
      if (entries.length === limit.count || (entries.length > 0 && units > limit.units)) break;
      entries.push(this.#stored(row));
    }
    return { entries, hasMore: entries.length < rows.length };
  }

  runningHashAt(index: LogIndex): string | undefined {
    if (index === 0) return '';
    const row =
      this.#get('SELECT running_hash FROM entries WHERE idx = ?', index) ??
      this.#get('SELECT lower(hex(running_hash)) AS running_hash FROM forgotten WHERE idx = ?', index);
    return row === undefined ? undefined : String(row['running_hash']);
  }

  headText(docId: DocId): HeadText | undefined {
    const row = this.#get('SELECT idx FROM documents WHERE doc_id = ? AND hash IS NOT NULL', docId);
    return row === undefined ? undefined : this.#rebuild(docId, Number(row['idx']) as LogIndex);
  }

  revisionText(docId: DocId, hash: RevisionHash): string | undefined {
    const snapshot = this.#get('SELECT body FROM snapshots WHERE doc_id = ? AND hash = ? LIMIT 1', docId, hash);
    if (snapshot !== undefined) return snapshotText(snapshot);
    const made = this.#get(`SELECT max(idx) AS idx FROM ${CHANGES} WHERE doc_id = ? AND hash = ?`, docId, hash);
    const index = made?.['idx'];
    return typeof index === 'number' ? this.#rebuild(docId, index as LogIndex)?.text : undefined;
  }

  history(docId: DocId, limit: number): DocumentEntry[] {
    const rows = this.#all(`${CHANGES_OF_DOCUMENT} ORDER BY 1 DESC LIMIT ?4`, docId, 0, MAX_INDEX, limit);
    return rows.flatMap((row) => parseStoredChange(row) ?? []);
  }

  compact(policy: CompactionPolicy): LogIndex {
    const before = this.#meta().horizon;
    const horizon = this.#transaction(() => {
      const next = this.#nextHorizon(policy);
      if (next === before) return next;
      for (const row of this.#all(`SELECT DISTINCT doc_id FROM ${CHANGES} WHERE idx <= ?`, next)) {
        this.#anchorAt(String(row['doc_id']) as DocId, next);
      }
      this.#run('INSERT INTO forgotten SELECT idx, unhex(running_hash) FROM entries WHERE idx <= ?', next);
      this.#run('DELETE FROM entries WHERE idx <= ?', next);
      this.#run('DELETE FROM bulk_documents WHERE idx <= ?', next);
      markSchemaVersion(this.#database);
      this.#run('UPDATE meta SET horizon = ?', next);
      return next;
    });
    // Only then is there room to give back, and giving it back rewrites the whole file.
    if (horizon > before) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM');
    return horizon;
  }

  rewind(to: LogIndex): void {
    this.#transaction(() => {
      const { horizon } = this.#meta();
      const undone = this.#entriesAfter(to);
      if (to < horizon || undone.some(({ entry }) => entry === undefined))
        throw new SyncError('log-compacted', 'The log does not reach back that far.');
      const { restored, gone } = headsBefore(
        undone.flatMap(({ entry }) => entry ?? []),
        (docId) => this.#head(docId),
        (docId) => this.#lastChangeOf(docId, to),
        horizon,
      );
      this.#setAside(undone, to);
      for (const docId of gone) this.#run('DELETE FROM documents WHERE doc_id = ?', docId);
      // In two steps, because documents may have exchanged their paths.
      for (const { docId } of restored) this.#run('DELETE FROM documents WHERE doc_id = ?', docId);
      for (const head of restored) this.#putHead(head);
      this.#run('DELETE FROM snapshots WHERE idx > ?', to);
    });
  }

  replace({ shared, rows, heads, texts }: LogReplacement): void {
    this.#transaction(() => {
      this.#setAside(this.#entriesAfter(shared), shared);
      this.#run('INSERT INTO forgotten SELECT idx, unhex(running_hash) FROM entries');
      this.#database.exec(
        'DELETE FROM entries; DELETE FROM documents; DELETE FROM snapshots; DELETE FROM bulk_documents',
      );
      markSchemaVersion(this.#database);
      this.#run('DELETE FROM forgotten WHERE idx > ?', shared);
      this.#forgetProposals(shared);
      for (const { index, proposalId, further, runningHash } of rows) {
        this.#run('INSERT INTO proposals VALUES (?, ?)', proposalId, index);
        for (const one of further ?? []) this.#run('INSERT INTO further_proposals VALUES (?, ?)', one, index);
        this.#run('INSERT INTO forgotten VALUES (?, unhex(?))', index, runningHash);
      }
      const horizon = rows.at(-1)?.index ?? shared;
      this.#run('UPDATE meta SET horizon = ?', horizon);
      for (const head of heads) this.#putHead(head);
      for (const { docId, hash, text } of texts)
        this.#addSnapshot(docId, this.#head(docId)?.index ?? horizon, hash, text);
    });
  }

  orphans(limit: number): LogEntry[] {
    const rows = this.#all('SELECT number AS idx, body FROM orphans ORDER BY number LIMIT ?', limit);
    return rows.flatMap((row) => parseLogEntry(readJson(String(row['body']))) ?? []);
  }

  forgetOrphans(proposalIds: readonly ProposalId[]): void {
    this.#transaction(() => {
      for (const proposalId of proposalIds) this.#run('DELETE FROM orphans WHERE proposal_id = ?', proposalId);
    });
  }

  skeleton(since: LogIndex, limit: number): SkeletonRow[] {
    const found = this.#all(
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
      const further = this.#all('SELECT proposal_id FROM further_proposals WHERE idx = ?', index);
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
    this.#run(
      'INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)',
      entry.index,
      entry.kind === 'bulk' ? NO_DOCUMENT : entry.docId,
      entry.kind === 'bulk' ? null : (entry.hash ?? null),
      entry.at,
      units,
      runningHash,
      body,
    );
    this.#run('INSERT INTO proposals VALUES (?, ?)', entry.proposalId, entry.index);
    for (const proposalId of furtherProposals(entry))
      this.#run('INSERT INTO further_proposals VALUES (?, ?)', proposalId, entry.index);
    for (const head of record.heads) this.#putHead(head);
    for (const { docId, hash, text } of record.snapshots) this.#addSnapshot(docId, entry.index, hash, text);
  }

  /** Stores what an entry holds beside its own row, and answers with its size in UTF-16 units and that row's text. */
  #insertDocuments(entry: LogEntry): readonly [units: number, body: string] {
    const body = canonicalEntryText(entry.kind === 'bulk' ? { ...entry, documents: [] } : entry);
    if (entry.kind !== 'bulk') return [body.length, body];
    let units = body.length;
    for (const [position, { proposalId, docId, baseHash, hash, patch }] of entry.documents.entries()) {
      const patchText = JSON.stringify(patch ?? []);
      units += proposalId.length + docId.length + baseHash.length + hash.length + patchText.length;
      this.#run(
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
    return parseStoredEntry(row, this.#all('SELECT * FROM bulk_documents WHERE idx = ? ORDER BY position', index));
  }

  #forgetProposals(after: LogIndex): void {
    this.#run('DELETE FROM proposals WHERE idx > ?', after);
    this.#run('DELETE FROM further_proposals WHERE idx > ?', after);
  }

  #putHead(head: DocumentHead): void {
    this.#run(
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
    const row = this.#get('SELECT * FROM documents WHERE doc_id = ?', docId);
    return row === undefined ? undefined : toHead(row);
  }

  #entriesAfter(index: LogIndex): StoredEntry[] {
    const rows = this.#all('SELECT idx, doc_id, body FROM entries WHERE idx > ? ORDER BY idx', index);
    return rows.map((row) => this.#stored(row));
  }

  #lastChangeOf(docId: DocId, upTo: LogIndex): DocumentEntry | undefined {
    const row = this.#get(`${CHANGES_OF_DOCUMENT} ORDER BY 1 DESC LIMIT 1`, docId, 0, upTo);
    return row === undefined ? undefined : parseStoredChange(row);
  }

  /** Takes entries out of the log, and remembers those that can be read. */
  #setAside(undone: readonly StoredEntry[], to: LogIndex): void {
    for (const { entry } of undone) {
      if (entry === undefined) continue;
      this.#run(
        'INSERT OR IGNORE INTO orphans (proposal_id, body) VALUES (?, ?)',
        entry.proposalId,
        canonicalEntryText(entry),
      );
    }
    this.#run('DELETE FROM entries WHERE idx > ?', to);
    this.#run('DELETE FROM bulk_documents WHERE idx > ?', to);
    markSchemaVersion(this.#database);
    this.#forgetProposals(to);
  }

  #addSnapshot(docId: DocId, index: LogIndex, hash: RevisionHash, text: string): void {
    this.#run('INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)', docId, index, hash, Buffer.from(text, 'utf8'));
    // The one that the horizon rests on stays: before it there are no patches to rebuild from.
    this.#run(
      `DELETE FROM snapshots WHERE doc_id = ?1 AND idx > (SELECT horizon FROM meta) AND idx NOT IN
         (SELECT idx FROM snapshots WHERE doc_id = ?1 ORDER BY idx DESC LIMIT ?2)`,
      docId,
      SNAPSHOTS_KEPT_PER_DOCUMENT,
    );
  }

  #rebuild(docId: DocId, upTo: LogIndex): HeadText | undefined {
    const snapshot = this.#get(
      'SELECT idx, body FROM snapshots WHERE doc_id = ? AND idx <= ? ORDER BY idx DESC LIMIT 1',
      docId,
      upTo,
    );
    const anchor: RevisionAnchor | undefined =
      snapshot === undefined ? undefined : { index: Number(snapshot['idx']) as LogIndex, text: snapshotText(snapshot) };
    const rows = this.#all(`${CHANGES_OF_DOCUMENT} ORDER BY 1`, docId, anchor?.index ?? 0, upTo);
    const changes = rows.map(parseStoredChange);
    // One unreadable entry breaks the chain of patches; no text is better than a wrong one.
    return changes.every((change) => change !== undefined) ? rebuildText(anchor, changes) : undefined;
  }

  /** Stores the text that the document had at the horizon, and drops the snapshots before that. */
  #anchorAt(docId: DocId, horizon: LogIndex): void {
    const made = this.#get(
      `SELECT idx, hash FROM ${CHANGES} WHERE doc_id = ? AND idx <= ? ORDER BY idx DESC LIMIT 1`,
      docId,
      horizon,
    );
    if (made === undefined) return;
    const index = Number(made['idx']) as LogIndex;
    const hash = made['hash'];
    const rebuilt = hash === null ? undefined : this.#rebuild(docId, index);
    this.#run('DELETE FROM snapshots WHERE doc_id = ? AND idx <= ?', docId, horizon);
    if (rebuilt !== undefined) this.#addSnapshot(docId, index, String(hash) as RevisionHash, rebuilt.text);
  }

  #nextHorizon(policy: CompactionPolicy): LogIndex {
    let units = 0;
    let { horizon } = this.#meta();
    for (const row of this.#statements.of('SELECT idx, at, units FROM entries ORDER BY idx DESC').iterate()) {
      if (Number(row['at']) < policy.olderThan || units >= policy.keepUnits) {
        horizon = Number(row['idx']) as LogIndex;
        break;
      }
      units += Number(row['units']);
    }
    return horizon;
  }

  #meta(): { readonly term: Term | undefined; readonly horizon: LogIndex } {
    const row = this.#get('SELECT * FROM meta');
    if (row === undefined) throw new SyncError('log-unavailable', "The library's log is damaged.");
    const leaderId = row['term_leader_id'];
    return {
      term:
        typeof leaderId === 'string' ? { number: Number(row['term_number']), leaderId: leaderId as PeerId } : undefined,
      horizon: Number(row['horizon']) as LogIndex,
    };
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#database.exec('COMMIT');
      return value;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // After a failed COMMIT (a full disk) SQLite may have rolled back by itself, and then refuses to do it again.
    }
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statements.of(sql).get(...values);
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#statements.of(sql).all(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statements.of(sql).run(...values);
  }
}

function snapshotText(row: Row): string {
  const body = row['body'];
  if (!(body instanceof Uint8Array)) throw new SyncError('log-unavailable', "The library's log is damaged.");
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
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
