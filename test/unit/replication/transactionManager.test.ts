import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, ProposalId, Term } from '../../../src/core/ids.ts';
import type { LogEntry, Proposal, ProposeResult } from '../../../src/core/replication/entry.ts';
import { BadEntryError } from '../../../src/core/replication/libraryLink.ts';
import { MemoryReplicatedLog } from '../../../src/core/replication/memoryReplicatedLog.ts';
import { LOG_START } from '../../../src/core/replication/replicatedLog.ts';
import type { LogRecord } from '../../../src/core/replication/replicatedLog.ts';
import { SyncError } from '../../../src/core/replication/syncError.ts';
import { TransactionManager } from '../../../src/core/replication/transactionManager.ts';
import {
  authorOf,
  createFakeAmbient,
  createOf,
  deleteOf,
  editOf,
  FakeTime,
  hashOf,
  nextProposalId,
  renameOf,
} from './fakes.ts';

const alice = authorOf('alice');
const spec = 'doc-1' as DocId;
const WHOLE = { count: 1_000, units: Infinity };

/** A log whose appends a test can let fail, before or after they have become durable. */
class FlakyLog extends MemoryReplicatedLog {
  failures: ('before' | 'after')[] = [];
  appends: number[] = [];

  override async raiseTerm(leaderId: PeerId, above: number): Promise<Term> {
    const failure = this.failures.shift();
    const term = await super.raiseTerm(leaderId, above);
    if (failure === 'after') throw new SyncError('log-unavailable', 'The disk went away.');
    return term;
  }

  override async append(records: readonly LogRecord[], after: LogIndex, term: Term): Promise<void> {
    const failure = this.failures.shift();
    if (failure === 'before') throw new SyncError('log-unavailable', 'The disk is full.');
    this.appends.push(records.length);
    await super.append(records, after, term);
    if (failure === 'after') throw new SyncError('log-unavailable', 'The disk went away.');
  }
}

async function open(log: MemoryReplicatedLog = new MemoryReplicatedLog(), leaderId = alice.peerId) {
  const time = new FakeTime();
  const manager = await TransactionManager.open({ log, leaderId, ambient: createFakeAmbient(time) });
  const commits: LogEntry[][] = [];
  manager.onDidCommit((entries) => commits.push([...entries]));
  const append = (proposal: Proposal): Promise<ProposeResult> => manager.append(proposal, alice, manager.term);
  return { manager, log, time, commits, append };
}

function kindOf(result: ProposeResult): string {
  return result.kind === 'rejected' ? `rejected ${result.code}` : result.kind;
}

test('[REP-04] an edit of the head is appended, one of an older revision is stale and told the head', async () => {
  const { append, manager } = await open();
  assert.deepEqual(await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n')), { kind: 'committed', index: 1 });
  assert.deepEqual(await append(editOf('a', 'doc-1', 'one\n', 'two\n')), { kind: 'committed', index: 2 });
  const late = await append(editOf('b', 'doc-1', 'one\n', 'three\n'));
  assert.equal(late.kind, 'stale');
  assert.deepEqual([late.head?.hash, late.head?.index], [hashOf('two\n'), 2]);
  assert.equal(manager.position.index, 2);
});

test('[REP-04] an edit of a document that nobody knows is stale without a head', async () => {
  const { append } = await open();
  assert.deepEqual(await append(editOf('a', 'doc-9', 'one\n', 'two\n')), { kind: 'stale', head: undefined });
});

test('[REP-04] two edits of one document that arrive together skip neither: the first is committed, the second is stale', async () => {
  const { append } = await open();
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  const [first, second] = await Promise.all([
    append(editOf('a', 'doc-1', 'one\n', 'two\n')),
    append(editOf('b', 'doc-1', 'one\n', 'three\n')),
  ]);
  assert.deepEqual(first, { kind: 'committed', index: 2 });
  assert.equal(second.kind === 'stale' ? second.head?.hash : '', hashOf('two\n'));
});

test('[REP-08] proposals that arrive together share transactions, keep their order and each get their own result', async () => {
  const log = new FlakyLog();
  const { append, commits } = await open(log);
  const texts = Array.from({ length: 300 }, (_, index) => `text ${String(index)}\n`);
  const results = await Promise.all([
    append(createOf('a', 'doc-1', 'openapi.yaml', 'start\n')),
    ...texts.map((text, index) => append(editOf('a', 'doc-1', texts[index - 1] ?? 'start\n', text))),
  ]);
  assert.deepEqual(
    results,
    Array.from({ length: 301 }, (_, index) => ({ kind: 'committed', index: index + 1 })),
  );
  assert.ok(log.appends.length <= 4, `one transaction for many proposals, not ${String(log.appends.length)}`);
  assert.deepEqual(
    commits.flat().map(({ index }) => index),
    results.map((_, index) => index + 1),
  );
});

test('[REP-05] a proposal sent again is answered with its index and committed once, also after a revert in between', async () => {
  const { append, manager } = await open();
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  const edit = editOf('a', 'doc-1', 'one\n', 'two\n');
  assert.deepEqual(await append(edit), { kind: 'committed', index: 2 });
  await append(editOf('b', 'doc-1', 'two\n', 'one\n'));
  // The base is the head again, so only the proposal's id can tell.
  assert.deepEqual(await append(edit), { kind: 'committed', index: 2 });
  assert.equal(manager.position.index, 3);
  const twice = editOf('a', 'doc-1', 'one\n', 'four\n');
  assert.deepEqual(await Promise.all([append(twice), append(twice)]), [
    { kind: 'committed', index: 4 },
    { kind: 'committed', index: 4 },
  ]);
  assert.equal(manager.position.index, 4);
});

test('[REP-05] a proposal committed before a restart and before the horizon is still known', async () => {
  const log = new MemoryReplicatedLog();
  const before = await open(log);
  const create = createOf('a', 'doc-1', 'openapi.yaml', 'one\n');
  await before.append(create);
  await before.manager.compact({ olderThan: Infinity, keepUnits: Infinity });
  await before.manager.close();
  const after = await open(log, 'peer-bob' as PeerId);
  assert.deepEqual(await after.append(create), { kind: 'committed', index: 1 });
  assert.equal(after.manager.position.index, 1);
});

test('[REP-06] what cannot be true is rejected and leaves no trace', async () => {
  const { append, manager } = await open();
  const text = 'one\n';
  await append(createOf('a', 'doc-1', 'openapi.yaml', text));
  const edit = editOf('a', 'doc-1', text, 'two\n');
  const cases: [string, Proposal][] = [
    ['rejected patch-out-of-bounds', { ...edit, patch: [{ offset: 3, deleteCount: 5, insert: '' }] }],
    [
      'rejected patch-out-of-bounds',
      {
        ...edit,
        patch: [
          { offset: 2, deleteCount: 1, insert: '' },
          { offset: 1, deleteCount: 0, insert: 'x' },
        ],
      },
    ],
    ['rejected hash-mismatch', { ...edit, patch: [{ offset: 0, deleteCount: 0, insert: 'x' }] }],
    ['rejected hash-missing', { ...edit, hash: undefined }],
    [
      'rejected text-not-well-formed',
      { ...edit, patch: [{ offset: 0, deleteCount: 0, insert: '\ud800' }], hash: hashOf(`\ud800${text}`) },
    ],
    ['rejected delete-with-edit', { ...deleteOf('a', 'doc-1', 'openapi.yaml', text), hash: hashOf(text) }],
    ['rejected rename-with-edit', { ...renameOf('a', 'doc-1', 'openapi.yaml', 'b.yaml', text), hash: hashOf('else') }],
    ['rejected path-not-allowed', createOf('a', 'doc-2', '../outside.yaml', text)],
    ['rejected path-not-allowed', renameOf('a', 'doc-1', 'openapi.yaml', '.git/hooks/pre-commit', text)],
    ['rejected path-missing', { ...createOf('a', 'doc-2', 'x', text), path: undefined } as unknown as Proposal],
  ];
  for (const [expected, proposal] of cases)
    assert.equal(kindOf(await append({ ...proposal, proposalId: nextProposalId('a') })), expected);
  assert.equal(manager.position.index, 1);
  assert.equal(manager.heads().length, 1);
});

test('[REP-06] a document larger than 64 MiB is rejected', async () => {
  const { append } = await open();
  const text = 'é'.repeat(33 * 1024 * 1024);
  assert.equal(kindOf(await append(createOf('a', 'doc-1', 'openapi.yaml', text))), 'rejected document-too-large');
});

test('[REP-04] a path belongs to one living document, whatever its case', async () => {
  const { append } = await open();
  await append(createOf('a', 'doc-1', 'api/openapi.yaml', 'one\n'));
  const taken = await append(createOf('b', 'doc-2', 'API/OpenAPI.yaml', 'two\n'));
  assert.equal(taken.kind === 'stale' ? taken.head?.docId : '', 'doc-1');
  const both = await Promise.all([
    append(createOf('a', 'doc-3', 'c.yaml', 'c\n')),
    append(createOf('b', 'doc-4', 'C.yaml', 'C\n')),
  ]);
  assert.deepEqual(both.map(kindOf), ['committed', 'stale'], 'also within one transaction');
  assert.equal(kindOf(await append(renameOf('b', 'doc-3', 'c.yaml', 'api/openapi.yaml', 'c\n'))), 'stale');
  assert.equal(
    kindOf(await append(renameOf('b', 'doc-3', 'c.yaml', 'C.yaml', 'c\n'))),
    'committed',
    'its own path in another case',
  );
});

test('[REP-04] a path that was given up can be taken, and an edit never lands in the document that took it', async () => {
  const { append, manager } = await open();
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  assert.equal(kindOf(await append(renameOf('a', 'doc-1', 'openapi.yaml', 'old.yaml', 'one\n'))), 'committed');
  assert.equal(kindOf(await append(createOf('b', 'doc-2', 'openapi.yaml', 'one\n'))), 'committed');
  assert.equal(kindOf(await append(editOf('c', 'doc-1', 'one\n', 'edited\n'))), 'committed');
  const heads = new Map(manager.heads().map(({ path, hash }) => [path, hash]));
  assert.deepEqual([heads.get('old.yaml'), heads.get('openapi.yaml')], [hashOf('edited\n'), hashOf('one\n')]);
});

test('[REP-04] a rename or delete that saw another path is stale', async () => {
  const { append } = await open();
  await append(createOf('a', 'doc-1', 'a.yaml', 'one\n'));
  await append(renameOf('a', 'doc-1', 'a.yaml', 'b.yaml', 'one\n'));
  assert.equal(kindOf(await append(renameOf('b', 'doc-1', 'a.yaml', 'c.yaml', 'one\n'))), 'stale');
  assert.equal(kindOf(await append(deleteOf('b', 'doc-1', 'a.yaml', 'one\n'))), 'stale');
  assert.equal(kindOf(await append(deleteOf('b', 'doc-1', 'b.yaml', 'one\n'))), 'committed');
});

test('[REP-04] a deletion does not come back by a late create or edit, only by one that saw the tombstone', async () => {
  const { append, manager } = await open();
  const text = 'one\n';
  await append(createOf('a', 'doc-1', 'a.yaml', text));
  await append(deleteOf('a', 'doc-1', 'a.yaml', text));
  assert.equal(kindOf(await append(createOf('b', 'doc-1', 'a.yaml', text))), 'stale');
  assert.equal(kindOf(await append(editOf('b', 'doc-1', text, 'two\n'))), 'stale');
  assert.equal(manager.heads()[0]?.hash, undefined);
  assert.equal(
    kindOf(await append({ ...createOf('b', 'doc-1', 'a.yaml', 'back\n'), basePath: 'a.yaml' })),
    'committed',
  );
  assert.equal(await manager.revisionText(spec, hashOf('back\n')), 'back\n');
  assert.equal(kindOf(await append(editOf('b', 'doc-1', 'back\n', 'two\n'))), 'committed');
});

test('[REP-07] a failed append leaves no hole, no head and no event, and the next one takes its index', async () => {
  const log = new FlakyLog();
  const { append, manager, commits } = await open(log);
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  log.failures = ['before'];
  const edit = editOf('a', 'doc-1', 'one\n', 'two\n');
  await assert.rejects(
    append(edit),
    (error: unknown) => error instanceof SyncError && error.code === 'log-unavailable',
  );
  assert.equal(manager.position.index, 1);
  assert.equal(manager.heads()[0]?.hash, hashOf('one\n'));
  assert.equal(commits.flat().length, 1);
  assert.deepEqual(await append(edit), { kind: 'committed', index: 2 });
  const { entries } = await log.entries(LOG_START, WHOLE);
  assert.deepEqual(
    entries.map(({ index }) => index),
    [1, 2],
  );
});

test('[REP-07] an append that failed after it was durable is found again, announced, and not committed twice', async () => {
  const log = new FlakyLog();
  const { append, manager, commits } = await open(log);
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  log.failures = ['after'];
  const edit = editOf('a', 'doc-1', 'one\n', 'two\n');
  await assert.rejects(append(edit));
  assert.deepEqual(await append(edit), { kind: 'committed', index: 2 });
  assert.equal(manager.position.index, 2);
  assert.deepEqual(
    commits.flat().map(({ index }) => index),
    [1, 2],
  );
});

test('[REP-07] [ELE-09] a term whose raising failed after it was durable is known to whoever leads no more', async () => {
  const log = new FlakyLog();
  const { manager } = await open(log);
  log.failures = ['after'];
  await assert.rejects(manager.raiseTerm(7));
  await manager.retire();
  assert.equal(manager.term.number, 8);
});

test('[REP-07] [REC-10] an entry of another leader whose write failed after it was durable is no bad entry when it comes again', async () => {
  const { manager, append } = await open();
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  await append(editOf('a', 'doc-1', 'one\n', 'two\n'));
  const [first, second] = (await manager.entries(0 as LogIndex, WHOLE)).entries.flatMap(({ entry }) => entry ?? []);
  assert.ok(first !== undefined && second !== undefined);
  const log = new FlakyLog();
  const ambient = createFakeAmbient(new FakeTime());
  const copy = await TransactionManager.openCopy({ log, leaderId: 'host-b' as PeerId, ambient });
  await copy.adoptTerm(manager.term);
  await copy.take(first);
  log.failures = ['after'];
  await assert.rejects(copy.take(second));
  await copy.take(second);
  assert.deepEqual(copy.position, manager.position);
  await assert.rejects(copy.take({ ...second, proposalId: 'b:7' as ProposalId }), BadEntryError);
});

test('[REP-07] an append in doubt that was compacted before anybody looked is still known', async () => {
  const log = new FlakyLog();
  const { append, manager } = await open(log);
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  log.failures = ['after'];
  const edit = editOf('a', 'doc-1', 'one\n', 'two\n');
  await assert.rejects(append(edit));
  await manager.compact({ olderThan: Infinity, keepUnits: Infinity });
  assert.deepEqual(await append(edit), { kind: 'committed', index: 2 });
  assert.deepEqual(await append(editOf('a', 'doc-1', 'two\n', 'three\n')), { kind: 'committed', index: 3 });
});

test('[REP-09] nothing is answered or announced before the log has it', async () => {
  const log = new FlakyLog();
  const { append, commits } = await open(log);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const durable = log.append.bind(log);
  log.append = async (...values) => {
    await promise;
    await durable(...values);
  };
  let isAnswered = false;
  const result = append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n')).then((value) => {
    isAnswered = true;
    return value;
  });
  await new Promise((done) => setImmediate(done));
  assert.deepEqual([isAnswered, commits.length], [false, 0]);
  resolve(undefined);
  assert.equal((await result).kind, 'committed');
  assert.equal(commits.length, 1);
});

test('[REP-16] a restart goes on at the next index, never at 1, and knows heads and texts', async () => {
  const log = new MemoryReplicatedLog();
  const before = await open(log);
  await before.append(createOf('a', 'doc-1', 'openapi.yaml', 'one\n'));
  await before.manager.close();
  const after = await open(log);
  assert.ok(after.manager.term.number > before.manager.term.number);
  assert.deepEqual(await after.append(editOf('a', 'doc-1', 'one\n', 'two\n')), { kind: 'committed', index: 2 });
});

test('[ELE-02] an append in an older term is refused, and a log that was taken over says so once', async () => {
  const log = new MemoryReplicatedLog();
  const { manager, append } = await open(log);
  const older = manager.term;
  const lost: string[] = [];
  manager.onDidLoseLog(({ code }) => lost.push(code));
  await manager.raiseTerm(older.number);
  await assert.rejects(manager.append(createOf('a', 'doc-1', 'a.yaml', 'x'), alice, older), { code: 'stale-term' });
  assert.deepEqual(lost, []);
  await log.raiseTerm('peer-bob' as PeerId, 0);
  await assert.rejects(append(createOf('a', 'doc-1', 'a.yaml', 'x')), { code: 'stale-term' });
  assert.deepEqual(lost, ['stale-term']);
});

test('[REP-06] a document whose text the log has lost keeps no other from being changed', async () => {
  const log = new MemoryReplicatedLog();
  const before = await open(log);
  await before.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'));
  await before.append(createOf('a', 'doc-2', 'b.yaml', 'one\n'));
  await before.manager.close();
  const headText = log.headText.bind(log);
  log.headText = (docId) => (docId === spec ? Promise.resolve(undefined) : headText(docId));
  const { append } = await open(log);
  const results = await Promise.all([
    append({ ...editOf('a', 'doc-1', 'one\n', 'two\n'), patch: [{ offset: 0, deleteCount: 3, insert: 'two' }] }),
    append(editOf('a', 'doc-2', 'one\n', 'two\n')),
  ]);
  assert.deepEqual(results.map(kindOf), ['rejected document-damaged', 'committed']);
});

test('[REP-17] a document whose text the log has lost has one again from an edit that holds the whole of it', async () => {
  const log = new MemoryReplicatedLog();
  const before = await open(log);
  await before.append(createOf('a', 'doc-1', 'a.yaml', 'one\n'));
  await before.manager.close();
  const headText = log.headText.bind(log);
  log.headText = () => Promise.resolve(undefined);
  const { append, manager } = await open(log);
  const edit = editOf('a', 'doc-1', 'one\n', 'two\n');
  const whole = { ...edit, patch: [{ offset: 0, deleteCount: 4, insert: 'two\n' }] };
  const part = { ...edit, patch: [{ offset: 0, deleteCount: 3, insert: 'two' }] };
  assert.equal(kindOf(await append({ ...part, proposalId: nextProposalId('a') })), 'rejected document-damaged');
  assert.equal(kindOf(await append({ ...whole, baseHash: hashOf('other') })), 'stale');
  assert.equal(kindOf(await append(whole)), 'committed');
  await manager.close();
  log.headText = headText;
  const next = await open(log);
  assert.equal(kindOf(await next.append(editOf('a', 'doc-1', 'two\n', 'three\n'))), 'committed');
  assert.equal(await log.revisionText(spec, hashOf('three\n')), 'three\n');
});

test('[REC-06] a long row of edits stores whole texts now and then, so no revision needs more than 64 patches', async () => {
  const log = new MemoryReplicatedLog();
  const { append } = await open(log);
  await append(createOf('a', 'doc-1', 'openapi.yaml', 'text 0\n'));
  for (let edit = 1; edit <= 200; edit += 1) {
    await append(editOf('a', 'doc-1', `text ${String(edit - 1)}\n`, `text ${String(edit)}\n`));
    assert.ok(((await log.headText(spec))?.depth ?? Infinity) < 65);
  }
  assert.equal(await log.revisionText(spec, hashOf('text 77\n')), 'text 77\n');
});

test('[REP-02] the proposal ids of different replicas are never confused', async () => {
  const { append, manager } = await open();
  const create = createOf('a', 'doc-1', 'a.yaml', 'one\n');
  await append(create);
  const other = { ...createOf('b', 'doc-2', 'b.yaml', 'one\n'), proposalId: `${create.proposalId}0` as ProposalId };
  assert.deepEqual(await append(other), { kind: 'committed', index: 2 });
  assert.equal(manager.heads().length, 2);
});
