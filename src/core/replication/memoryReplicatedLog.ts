import { compareTerms } from '../ids.ts';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../ids.ts';
import { documentEntries, furtherProposals } from './bulkEntry.ts';
import type { DocumentEntry, DocumentHead, LogEntry } from './entry.ts';
import { MAX_SKELETON_PROPOSALS } from './limits.ts';
import { LOG_START } from './replicatedLog.ts';
import type {
  CompactionPolicy,
  HeadText,
  LogPage,
  LogRecord,
  LogState,
  LogReplacement,
  PageLimit,
  ReplicatedLog,
  SkeletonRow,
} from './replicatedLog.ts';
import { headsBefore } from './rewoundHeads.ts';
import { canonicalEntryText } from './runningHash.ts';
import { rebuildText } from './revisionText.ts';
import type { RevisionAnchor } from './revisionText.ts';
import { SyncError } from './syncError.ts';

interface StoredRecord {
  readonly entry: LogEntry;
  readonly runningHash: string;
  readonly units: number;
}

/** A log that lives as long as the object: for tests, for the simulator, and as the plainest statement of what a log is. */
export class MemoryReplicatedLog implements ReplicatedLog {
  readonly #records: StoredRecord[] = [];
  readonly #heads = new Map<DocId, DocumentHead>();
  readonly #proposals = new Map<ProposalId, LogIndex>();
  /** The further ones of bulks. */
  readonly #further = new Map<ProposalId, LogIndex>();
  readonly #snapshots = new Map<DocId, (RevisionAnchor & { readonly hash: RevisionHash })[]>();
  /** Running hashes up to the horizon, by index. */
  readonly #forgottenHashes = [''];
  readonly #orphans = new Map<ProposalId, LogEntry>();
  #horizon = LOG_START;
  #term: Term | undefined;

  state(): Promise<LogState> {
    const newest = this.#records.at(-1);
    return Promise.resolve({
      last: {
        index: this.#lastIndex(),
        runningHash: newest?.runningHash ?? this.#forgottenHashes[this.#horizon] ?? '',
      },
      horizon: this.#horizon,
      term: this.#term,
    });
  }

  heads(): Promise<readonly DocumentHead[]> {
    return Promise.resolve([...this.#heads.values()]);
  }

  raiseTerm(leaderId: PeerId, above: number): Promise<Term> {
    this.#term = { number: Math.max(this.#term?.number ?? 0, above) + 1, leaderId };
    return Promise.resolve(this.#term);
  }

  adoptTerm(term: Term): Promise<void> {
    if (this.#term !== undefined && compareTerms(term, this.#term) < 0)
      return Promise.reject(new SyncError('stale-term', 'A newer leader writes this log.'));
    this.#term = term;
    return Promise.resolve();
  }

  async append(records: readonly LogRecord[], after: LogIndex, term: Term): Promise<void> {
    if (this.#term === undefined || compareTerms(term, this.#term) !== 0) {
      throw new SyncError('stale-term', 'A newer leader writes this log.');
    }
    if (after !== this.#lastIndex()) throw new SyncError('log-moved', 'The log has moved on.');
    for (const record of records) {
      const { entry, runningHash } = record;
      this.#records.push({ entry, runningHash, units: canonicalEntryText(entry).length });
      this.#proposals.set(entry.proposalId, entry.index);
      for (const proposalId of furtherProposals(entry)) this.#further.set(proposalId, entry.index);
      for (const head of record.heads) this.#heads.set(head.docId, head);
      for (const { docId, hash, text } of record.snapshots)
        this.#addSnapshot(docId, { index: entry.index, hash, text });
    }
    return Promise.resolve();
  }

  findProposals(proposalIds: readonly ProposalId[]): Promise<ReadonlyMap<ProposalId, LogIndex>> {
    const found = new Map<ProposalId, LogIndex>();
    for (const proposalId of proposalIds) {
      const index = this.#proposals.get(proposalId) ?? this.#further.get(proposalId);
      if (index !== undefined) found.set(proposalId, index);
    }
    return Promise.resolve(found);
  }

  async entries(since: LogIndex, limit: PageLimit): Promise<LogPage> {
    if (since < this.#horizon) throw new SyncError('log-compacted', 'The log does not reach back that far.');
    const page: StoredRecord[] = [];
    let units = 0;
    let position = since - this.#horizon;
    for (; position < this.#records.length && page.length < limit.count; position += 1) {
      const record = this.#records[position];
      if (record === undefined || (page.length > 0 && units + record.units > limit.units)) break;
      units += record.units;
      page.push(record);
    }
    const entries = page.map(({ entry }) => ({ index: entry.index, entry }));
    return Promise.resolve({ entries, hasMore: position < this.#records.length });
  }

  runningHashAt(index: LogIndex): Promise<string | undefined> {
    return Promise.resolve(this.#hashAt(index));
  }

  headText(docId: DocId): Promise<HeadText | undefined> {
    const head = this.#heads.get(docId);
    if (head?.hash === undefined) return Promise.resolve(undefined);
    return Promise.resolve(this.#rebuild(docId, head.index));
  }

  revisionText(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    const snapshot = this.#snapshots.get(docId)?.find((candidate) => candidate.hash === hash);
    if (snapshot !== undefined) return Promise.resolve(snapshot.text);
    const made = this.#changesOf(docId).findLast((change) => change.hash === hash);
    return Promise.resolve(made === undefined ? undefined : this.#rebuild(docId, made.index)?.text);
  }

  history(docId: DocId, limit: number): Promise<readonly DocumentEntry[]> {
    return Promise.resolve([...this.#changesOf(docId)].reverse().slice(0, limit));
  }

  compact(policy: CompactionPolicy): Promise<LogIndex> {
    let keep = 0;
    let units = 0;
    for (const record of [...this.#records].reverse()) {
      if (units >= policy.keepUnits) break;
      units += record.units;
      keep += 1;
    }
    const firstYoung = this.#records.findIndex(({ entry }) => entry.at >= policy.olderThan);
    const old = firstYoung === -1 ? this.#records.length : firstYoung;
    const forgotten = Math.max(this.#records.length - keep, old);
    const newest = this.#records[forgotten - 1];
    if (newest === undefined) return Promise.resolve(this.#horizon);
    const horizon = newest.entry.index;
    this.#anchorAt(horizon);
    for (const { runningHash } of this.#records.splice(0, forgotten)) this.#forgottenHashes.push(runningHash);
    this.#horizon = horizon;
    return Promise.resolve(horizon);
  }

  rewind(to: LogIndex): Promise<void> {
    if (to < this.#horizon)
      return Promise.reject(new SyncError('log-compacted', 'The log does not reach back that far.'));
    const undone = this.#setAside(to);
    const before = (docId: DocId): DocumentEntry | undefined => this.#changesOf(docId).at(-1);
    const { restored, gone } = headsBefore(undone, (docId) => this.#heads.get(docId), before, this.#horizon);
    for (const docId of gone) this.#heads.delete(docId);
    for (const head of restored) this.#heads.set(head.docId, head);
    for (const [docId, snapshots] of this.#snapshots)
      this.#snapshots.set(
        docId,
        snapshots.filter(({ index }) => index <= to),
      );
    return Promise.resolve();
  }

  replace({ shared, rows, heads, texts }: LogReplacement): Promise<void> {
    this.#setAside(shared);
    for (const { runningHash } of this.#records.splice(0)) this.#forgottenHashes.push(runningHash);
    for (const known of [this.#proposals, this.#further])
      for (const [proposalId, index] of known) if (index > shared) known.delete(proposalId);
    this.#forgottenHashes.splice(shared + 1);
    for (const { index, proposalId, further, runningHash } of rows) {
      this.#proposals.set(proposalId, index);
      for (const one of further ?? []) this.#further.set(one, index);
      this.#forgottenHashes.push(runningHash);
    }
    this.#horizon = rows.at(-1)?.index ?? shared;
    this.#heads.clear();
    this.#snapshots.clear();
    for (const head of heads) this.#heads.set(head.docId, head);
    for (const { docId, hash, text } of texts) {
      const index = this.#heads.get(docId)?.index ?? this.#horizon;
      this.#addSnapshot(docId, { index, hash, text });
    }
    return Promise.resolve();
  }

  orphans(limit: number): Promise<readonly LogEntry[]> {
    const inOrder = [...this.#orphans.values()].sort((a, b) => compareTerms(a.term, b.term) || a.index - b.index);
    return Promise.resolve(inOrder.slice(0, limit));
  }

  forgetOrphans(proposalIds: readonly ProposalId[]): Promise<void> {
    for (const proposalId of proposalIds) this.#orphans.delete(proposalId);
    return Promise.resolve();
  }

  skeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[]> {
    const found = [...this.#proposals]
      .filter(([, index]) => index > since)
      .sort(([, a], [, b]) => a - b)
      .slice(0, limit);
    const rows: SkeletonRow[] = [];
    let named = 0;
    for (const [proposalId, index] of found) {
      const further = [...this.#further].filter(([, at]) => at === index).map(([one]) => one);
      named += further.length;
      if (rows.length > 0 && named > MAX_SKELETON_PROPOSALS) break;
      const row = { index, proposalId, runningHash: this.#hashAt(index) ?? '' };
      rows.push(further.length === 0 ? row : { ...row, further });
    }
    return Promise.resolve(rows);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Takes the entries after `to` out of the log, and remembers them. */
  #setAside(to: LogIndex): readonly LogEntry[] {
    const undone = this.#records.splice(Math.max(0, to - this.#horizon)).map(({ entry }) => entry);
    for (const entry of undone) {
      this.#proposals.delete(entry.proposalId);
      for (const proposalId of furtherProposals(entry)) this.#further.delete(proposalId);
      if (!this.#orphans.has(entry.proposalId)) this.#orphans.set(entry.proposalId, entry);
    }
    return undone;
  }

  #hashAt(index: LogIndex): string | undefined {
    if (index <= this.#horizon) return this.#forgottenHashes[index];
    return this.#records[index - this.#horizon - 1]?.runningHash;
  }

  #lastIndex(): LogIndex {
    return this.#records.at(-1)?.entry.index ?? this.#horizon;
  }

  /** Stores the text that each document had at the horizon, and drops the snapshots that lie before it. */
  #anchorAt(horizon: LogIndex): void {
    for (const docId of this.#heads.keys()) {
      const made = this.#changesOf(docId).findLast((change) => change.index <= horizon);
      if (made?.hash !== undefined) {
        const rebuilt = this.#rebuild(docId, made.index);
        if (rebuilt !== undefined) this.#addSnapshot(docId, { index: made.index, hash: made.hash, text: rebuilt.text });
      }
      const snapshots = this.#snapshots.get(docId) ?? [];
      const anchor = made?.kind === 'delete' ? undefined : snapshots.findLast((snapshot) => snapshot.index <= horizon);
      this.#snapshots.set(
        docId,
        snapshots.filter((snapshot) => snapshot.index > horizon || snapshot === anchor),
      );
    }
  }

  #addSnapshot(docId: DocId, snapshot: RevisionAnchor & { readonly hash: RevisionHash }): void {
    const others = (this.#snapshots.get(docId) ?? []).filter((other) => other.index !== snapshot.index);
    this.#snapshots.set(
      docId,
      [...others, snapshot].sort((a, b) => a.index - b.index),
    );
  }

  #rebuild(docId: DocId, upTo: LogIndex): HeadText | undefined {
    const anchor = this.#snapshots.get(docId)?.findLast((snapshot) => snapshot.index <= upTo);
    const changes = this.#changesOf(docId).filter(({ index }) => index <= upTo);
    return rebuildText(anchor, changes);
  }

  #changesOf(docId: DocId): readonly DocumentEntry[] {
    return this.#records.flatMap(({ entry }) => documentEntries(entry)).filter((change) => change.docId === docId);
  }
}
