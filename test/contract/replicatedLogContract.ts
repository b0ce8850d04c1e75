import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, ProposalId, Term } from '../../src/core/ids.ts';
import { documentEntries } from '../../src/core/replication/bulkEntry.ts';
import type { LogEntry } from '../../src/core/replication/entry.ts';
import { LOG_START } from '../../src/core/replication/replicatedLog.ts';
import type { LogRecord, ReplicatedLog } from '../../src/core/replication/replicatedLog.ts';
import { nextRunningHash } from '../../src/core/replication/runningHash.ts';
import { SyncError } from '../../src/core/replication/syncError.ts';
import { authorOf, hashOf } from '../unit/replication/fakes.ts';

const alice = 'peer-alice' as PeerId;
const bob = 'peer-bob' as PeerId;
const spec = 'doc-1' as DocId;
const WHOLE = { count: 100, units: Infinity };

/** Builds records that continue a log; the log itself checks none of what the TransactionManager has checked. */
class RecordBuilder {
  index = 0;
  runningHash = '';
  text = '';
  readonly term: Term;

  constructor(term: Term) {
    this.term = term;
  }

  next(
    text: string,
    options: {
      readonly docId?: DocId;
      readonly path?: string;
      readonly at?: number;
      readonly snapshot?: boolean;
      readonly kind?: 'create' | 'edit' | 'delete';
    } = {},
  ): LogRecord {
    const { docId = spec, path = 'openapi.yaml', at = 1_000 + this.index, snapshot = false } = options;
    const kind = options.kind ?? (this.index === 0 ? 'create' : 'edit');
    const before = kind === 'create' ? '' : this.text;
    this.index += 1;
    const hash = kind === 'delete' ? undefined : hashOf(text);
    const entry: LogEntry = {
      index: this.index as LogIndex,
      term: this.term,
      proposalId: `replica:${String(this.index)}` as ProposalId,
      docId,
      kind,
      baseHash: kind === 'create' ? undefined : hashOf(before),
      hash,
      patch: kind === 'delete' ? [] : [{ offset: 0, deleteCount: before.length, insert: text }],
      ...(kind === 'create' ? { path } : {}),
      changes: [],
      author: authorOf('alice'),
      at,
    };
    this.runningHash = nextRunningHash(this.runningHash, entry, hashOf);
    this.text = text;
    return {
      entry,
      runningHash: this.runningHash,
      heads: [{ docId, path, hash, index: entry.index, author: entry.author, at }],
      snapshots: snapshot && hash !== undefined ? [{ docId, hash, text }] : [],
    };
  }
}

async function filled(log: ReplicatedLog, count: number, snapshotAt?: number): Promise<RecordBuilder> {
  const builder = new RecordBuilder(await log.raiseTerm(alice, 0));
  for (let index = 1; index <= count; index += 1) {
    await log.append(
      [builder.next(`text ${String(index)}\n`, { snapshot: index === snapshotAt })],
      (index - 1) as LogIndex,
      builder.term,
    );
  }
  return builder;
}

async function failsWith(code: string, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error: unknown) => error instanceof SyncError && error.code === code);
}

/** What every `ReplicatedLog` must do. `open` makes a new, empty one; whoever calls disposes of it. */
export function testReplicatedLog(name: string, open: () => Promise<ReplicatedLog>): void {
  test(`[REP-04] ${name}: an empty log is at its start`, async () => {
    const log = await open();
    assert.deepEqual(await log.state(), { last: { index: 0, runningHash: '' }, horizon: 0, term: undefined });
    assert.deepEqual(await log.heads(), []);
    assert.deepEqual(await log.entries(LOG_START, WHOLE), { entries: [], hasMore: false });
    assert.equal(await log.runningHashAt(LOG_START), '');
  });

  test(`[REP-04] ${name}: an append makes entry, head, proposal and running hash known together`, async () => {
    const log = await open();
    const builder = new RecordBuilder(await log.raiseTerm(alice, 0));
    const first = builder.next('one\n');
    const second = builder.next('two\n');
    await log.append([first, second], LOG_START, builder.term);
    assert.deepEqual((await log.state()).last, { index: 2, runningHash: second.runningHash });
    assert.deepEqual(await log.heads(), second.heads);
    assert.deepEqual(
      (await log.entries(LOG_START, WHOLE)).entries.map(({ entry }) => entry),
      [first.entry, second.entry],
    );
    assert.deepEqual(
      [...(await log.findProposals([first.entry.proposalId, 'replica:99' as ProposalId]))],
      [['replica:1', 1]],
    );
    assert.equal(await log.runningHashAt(1 as LogIndex), first.runningHash);
    assert.equal(await log.runningHashAt(3 as LogIndex), undefined);
    assert.deepEqual(await log.headText(spec), { text: 'two\n', depth: 2 });
  });

  test(`[REP-07] ${name}: an append that does not continue the log changes nothing`, async () => {
    const log = await open();
    const builder = await filled(log, 2);
    const before = await log.state();
    const record = builder.next('three\n');
    await failsWith('log-moved', () => log.append([record], 1 as LogIndex, builder.term));
    assert.deepEqual(await log.state(), before);
    await log.append([record], 2 as LogIndex, builder.term);
    assert.equal((await log.state()).last.index, 3);
  });

  test(`[ELE-02] ${name}: a term grows above all that were before and above what it is told, and an older one writes nothing`, async () => {
    const log = await open();
    const builder = await filled(log, 1);
    assert.deepEqual(await log.raiseTerm(bob, 0), { number: 2, leaderId: bob });
    assert.deepEqual(await log.raiseTerm(bob, 7), { number: 8, leaderId: bob });
    await failsWith('stale-term', () => log.append([builder.next('late\n')], 1 as LogIndex, builder.term));
    assert.equal((await log.state()).last.index, 1);
    assert.deepEqual((await log.state()).term, { number: 8, leaderId: bob });
  });

  test(`[REP-12] ${name}: pages are never larger than asked, and say rightly whether there is more`, async () => {
    const log = await open();
    await filled(log, 7);
    const indexes = async (since: number, count: number, units = Infinity) => {
      const page = await log.entries(since as LogIndex, { count, units });
      return { indexes: page.entries.map(({ index }) => index), hasMore: page.hasMore };
    };
    assert.deepEqual(await indexes(0, 3), { indexes: [1, 2, 3], hasMore: true });
    assert.deepEqual(await indexes(3, 4), { indexes: [4, 5, 6, 7], hasMore: false });
    assert.deepEqual(await indexes(6, 4), { indexes: [7], hasMore: false });
    assert.deepEqual(await indexes(7, 4), { indexes: [], hasMore: false });
    assert.deepEqual(await indexes(2, 4, 1), { indexes: [3], hasMore: true }, 'one entry always fits');
    assert.deepEqual(await indexes(6, 4, 1), { indexes: [7], hasMore: false });
  });

  test(`[REC-06] ${name}: every revision has its text, from the patches or from a snapshot`, async () => {
    const log = await open();
    await filled(log, 6, 4);
    for (let index = 1; index <= 6; index += 1) {
      const text = `text ${String(index)}\n`;
      assert.equal(await log.revisionText(spec, hashOf(text)), text);
    }
    assert.equal(await log.revisionText(spec, hashOf('never there')), undefined);
    assert.equal(await log.revisionText('doc-2' as DocId, hashOf('text 1\n')), undefined);
    assert.deepEqual(await log.headText(spec), { text: 'text 6\n', depth: 2 });
  });

  test(`[REC-06] ${name}: history is the document's own, newest first`, async () => {
    const log = await open();
    const builder = await filled(log, 2);
    await log.append(
      [builder.next('other\n', { docId: 'doc-2' as DocId, path: 'b.yaml', kind: 'create' })],
      2 as LogIndex,
      builder.term,
    );
    assert.deepEqual(
      (await log.history(spec, 10)).map(({ index }) => index),
      [2, 1],
    );
    assert.deepEqual(
      (await log.history(spec, 1)).map(({ index }) => index),
      [2],
    );
    assert.deepEqual(
      (await log.history('doc-2' as DocId, 10)).map(({ index }) => index),
      [3],
    );
  });

  test(`[REC-05] ${name}: compaction forgets old entries and keeps heads, proposals, later revisions and the running hash`, async () => {
    const log = await open();
    const builder = await filled(log, 6);
    const hashes = await Promise.all([0, 1, 2, 3, 4].map((index) => log.runningHashAt(index as LogIndex)));
    assert.equal(await log.compact({ olderThan: 1_004, keepUnits: Infinity }), 4);
    assert.deepEqual(await log.state(), {
      last: { index: 6, runningHash: builder.runningHash },
      horizon: 4,
      term: builder.term,
    });
    assert.equal(await log.runningHashAt(4 as LogIndex), hashes[4]);
    assert.equal(await log.runningHashAt(3 as LogIndex), hashes[3]);
    assert.equal(await log.runningHashAt(0 as LogIndex), '');
    await failsWith('log-compacted', () => log.entries(3 as LogIndex, WHOLE));
    const page = await log.entries(4 as LogIndex, { count: 1, units: Infinity });
    assert.deepEqual([page.entries.map(({ index }) => index), page.hasMore], [[5], true]);
    assert.equal(await log.revisionText(spec, hashOf('text 4\n')), 'text 4\n');
    assert.equal(await log.revisionText(spec, hashOf('text 5\n')), 'text 5\n');
    assert.equal(await log.revisionText(spec, hashOf('text 3\n')), undefined);
    assert.equal((await log.headText(spec))?.text, 'text 6\n');
    assert.equal((await log.findProposals(['replica:1' as ProposalId])).get('replica:1' as ProposalId), 1);
    await log.append([builder.next('text 7\n')], 6 as LogIndex, builder.term);
    assert.equal((await log.headText(spec))?.text, 'text 7\n');
  });

  test(`[REC-05] ${name}: a log that is compacted as a whole goes on at its next index`, async () => {
    const log = await open();
    const builder = await filled(log, 3);
    assert.equal(await log.compact({ olderThan: Infinity, keepUnits: Infinity }), 3);
    assert.deepEqual((await log.state()).last, { index: 3, runningHash: builder.runningHash });
    assert.equal((await log.headText(spec))?.text, 'text 3\n');
    await log.append([builder.next('text 4\n')], 3 as LogIndex, builder.term);
    assert.deepEqual(
      (await log.entries(3 as LogIndex, WHOLE)).entries.map(({ index }) => index),
      [4],
    );
    assert.equal((await log.headText(spec))?.text, 'text 4\n');
    assert.equal(await log.compact({ olderThan: Infinity, keepUnits: Infinity }), 4);
    assert.equal((await log.headText(spec))?.text, 'text 4\n');
  });

  test(`[REC-05] ${name}: an entry that was written while the clock was wrong takes none before it along`, async () => {
    const log = await open();
    const builder = await filled(log, 3);
    const late = builder.next('text 4\n');
    await log.append([{ ...late, entry: { ...late.entry, at: 1 } }], 3 as LogIndex, builder.term);
    assert.equal(await log.compact({ olderThan: 1_002, keepUnits: Infinity }), 2);
  });

  test(`[REC-05] ${name}: compaction by size keeps the newest entries`, async () => {
    const log = await open();
    await filled(log, 5);
    assert.equal(await log.compact({ olderThan: 0, keepUnits: 1 }), 4);
    assert.equal(await log.compact({ olderThan: 0, keepUnits: Infinity }), 4, 'nothing more to forget');
    assert.deepEqual(
      (await log.entries(4 as LogIndex, WHOLE)).entries.map(({ index }) => index),
      [5],
    );
  });

  test(`[REC-05] ${name}: a document deleted before the horizon stays deleted`, async () => {
    const log = await open();
    const builder = await filled(log, 2, 2);
    await log.append([builder.next('', { kind: 'delete' })], 2 as LogIndex, builder.term);
    await log.compact({ olderThan: Infinity, keepUnits: Infinity });
    assert.equal(await log.headText(spec), undefined);
    assert.deepEqual(
      (await log.heads()).map(({ docId, hash }) => [docId, hash]),
      [[spec, undefined]],
    );
    assert.equal(await log.revisionText(spec, hashOf('text 2\n')), undefined);
  });

  test(`[REC-06] ${name}: any text comes back as it was, also a NUL and what looks like a query`, async () => {
    const log = await open();
    const builder = new RecordBuilder(await log.raiseTerm(alice, 0));
    const text = "a\u0000b\n'; DROP TABLE entries; --\n\u{1f600}\u2028é\n";
    await log.append([builder.next(text, { snapshot: true })], LOG_START, builder.term);
    assert.equal((await log.headText(spec))?.text, text);
    assert.equal(await log.revisionText(spec, hashOf(text)), text);
    const [stored] = (await log.entries(LOG_START, WHOLE)).entries;
    assert.equal(stored?.entry !== undefined && documentEntries(stored.entry)[0]?.patch[0]?.insert, text);
  });

  test(`[REC-09] ${name}: rewound, the log is what it was, and what came after is set aside in order`, async () => {
    const log = await open();
    const builder = await filled(log, 2, 2);
    const then = { state: await log.state(), heads: await log.heads() };
    const other = 'doc-2' as DocId;
    const undone = [
      builder.next('text 3\n'),
      builder.next('new\n', { kind: 'create', docId: other, path: 'other.yaml' }),
      builder.next('', { kind: 'delete' }),
    ];
    await log.append(undone, 2 as LogIndex, builder.term);
    await log.rewind(2 as LogIndex);
    assert.deepEqual(await log.state(), then.state);
    assert.deepEqual(await log.heads(), then.heads);
    assert.equal((await log.headText(spec))?.text, 'text 2\n');
    assert.equal(await log.headText(other), undefined);
    assert.equal((await log.findProposals(undone.map(({ entry }) => entry.proposalId))).size, 0);
    const entries = undone.map(({ entry }) => entry);
    assert.deepEqual(await log.orphans(100), entries);
    await log.forgetOrphans([entries[0]?.proposalId as ProposalId]);
    assert.deepEqual(await log.orphans(1), entries.slice(1, 2));
  });

  test(`[REC-08] [REC-09] ${name}: what is set aside in several steps, the newest first, is in its old order all the same`, async () => {
    const log = await open();
    await filled(log, 9);
    const entries = (await log.entries(LOG_START, WHOLE)).entries.map(({ entry }) => entry);
    for (const to of [8, 5, 2] as LogIndex[]) await log.rewind(to);
    assert.deepEqual(await log.orphans(100), entries.slice(2));
    assert.deepEqual(await log.orphans(1), entries.slice(2, 3));
  });

  test(`[REC-09] ${name}: a log goes back behind nothing that it has compacted, but to the horizon itself`, async () => {
    const log = await open();
    const builder = await filled(log, 3);
    await log.compact({ olderThan: Infinity, keepUnits: Infinity });
    await log.append([builder.next('text 4\n')], 3 as LogIndex, builder.term);
    await failsWith('log-compacted', () => log.rewind(2 as LogIndex));
    await log.rewind(3 as LogIndex);
    assert.equal((await log.headText(spec))?.text, 'text 3\n');
    assert.equal((await log.state()).last.index, 3);
  });

  test(`[REC-10] ${name}: another log's state takes the place of its own, with every proposal that it knows`, async () => {
    const theirs = await open();
    const builder = await filled(theirs, 6);
    await theirs.compact({ olderThan: 1_004, keepUnits: Infinity });
    const log = await open();
    const own = await filled(log, 2);
    const mine = own.next('mine\n');
    await log.append([mine], 2 as LogIndex, own.term);
    const rows = [...(await theirs.skeleton(2 as LogIndex, 2)), ...(await theirs.skeleton(4 as LogIndex, 2))];
    assert.deepEqual(
      rows.map(({ index }) => index),
      [3, 4, 5, 6],
    );
    const heads = await theirs.heads();
    const texts = [{ docId: spec, hash: hashOf('text 6\n'), text: 'text 6\n' }];
    await log.replace({ shared: 2 as LogIndex, rows, heads, texts });
    assert.deepEqual((await log.state()).last, (await theirs.state()).last);
    assert.deepEqual(await log.heads(), heads);
    assert.equal((await log.headText(spec))?.text, 'text 6\n');
    assert.deepEqual(await log.orphans(100), [mine.entry]);
    for (const index of [1, 2, 3, 4, 5, 6] as LogIndex[])
      assert.equal(await log.runningHashAt(index), await theirs.runningHashAt(index));
    const ids = [1, 2, 3, 4, 5, 6].map((index) => `replica:${String(index)}` as ProposalId);
    assert.equal((await log.findProposals(ids)).size, 6);
    await log.append([builder.next('text 7\n')], 6 as LogIndex, builder.term);
    assert.equal((await log.headText(spec))?.text, 'text 7\n');
    assert.deepEqual(await log.skeleton(6 as LogIndex, 5), await log.skeleton(6 as LogIndex, 1));
  });

  test(`[REC-10] [REP-17] ${name}: a head whose text nobody has comes with another log's state all the same`, async () => {
    const theirs = await open();
    const builder = await filled(theirs, 2);
    const log = await open();
    await log.adoptTerm(builder.term);
    const rows = await theirs.skeleton(LOG_START, 2);
    await log.replace({ shared: LOG_START, rows, heads: await theirs.heads(), texts: [] });
    assert.deepEqual(await log.heads(), await theirs.heads());
    assert.equal(await log.headText(spec), undefined);
    assert.equal(await log.revisionText(spec, hashOf('text 2\n')), undefined);
  });

  test(`[ELE-09] ${name}: the term of another host's leader is adopted, and no older one after it`, async () => {
    const log = await open();
    await log.adoptTerm({ number: 5, leaderId: alice });
    await failsWith('stale-term', () => log.adoptTerm({ number: 4, leaderId: bob }));
    await failsWith('stale-term', () => log.append([], LOG_START, { number: 5, leaderId: bob }));
    assert.deepEqual(await log.raiseTerm(bob, 0), { number: 6, leaderId: bob });
  });
}
