import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, ProposalId } from '../../src/core/ids.ts';
import type { BulkProposal, ProposeResult } from '../../src/core/replication/entry.ts';
import { LOG_START } from '../../src/core/replication/replicatedLog.ts';
import type { ReplicatedLog } from '../../src/core/replication/replicatedLog.ts';
import { TransactionManager } from '../../src/core/replication/transactionManager.ts';
import { authorOf, createFakeAmbient, createOf, editOf, FakeTime, hashOf } from '../unit/replication/fakes.ts';

const WHOLE = { count: 100, units: Infinity };
const DOCUMENTS = ['doc-1', 'doc-2', 'doc-3'] as const;
const textOf = (docId: string, number: number): string => `${docId} ${String(number)}\n`;

/** The edits from one numbered text of each document to the next. */
function bulkOf(from: number, documents: readonly string[] = DOCUMENTS): BulkProposal {
  return {
    reason: 'pull',
    headCommit: 'a'.repeat(40),
    documents: documents.map((docId) => ({
      proposalId: `replica:${docId}-${String(from)}` as ProposalId,
      docId: docId as DocId,
      baseHash: hashOf(textOf(docId, from)),
      hash: hashOf(textOf(docId, from + 1)),
      patch: [{ offset: 0, deleteCount: textOf(docId, from).length, insert: textOf(docId, from + 1) }],
    })),
  };
}

async function openWith(log: ReplicatedLog): Promise<{
  readonly manager: TransactionManager;
  readonly appendBulk: (bulk: BulkProposal) => Promise<readonly ProposeResult[]>;
}> {
  const ambient = createFakeAmbient(new FakeTime());
  const manager = await TransactionManager.open({ log, leaderId: 'peer-alice' as PeerId, ambient });
  for (const docId of DOCUMENTS)
    await manager.append(createOf('a', docId, `${docId}.yaml`, textOf(docId, 1)), authorOf('alice'), manager.term);
  return { manager, appendBulk: (bulk) => manager.appendBulk(bulk, authorOf('bob'), manager.term) };
}

/** What every `ReplicatedLog` must do with bulk entries. */
export function testBulkLog(name: string, open: () => Promise<ReplicatedLog>): void {
  test(`[BLK-02] ${name}: a bulk is one entry, and makes every head, text and proposal of it known`, async () => {
    const log = await open();
    const { manager, appendBulk } = await openWith(log);
    const bulk = bulkOf(1);
    const results = await appendBulk(bulk);
    assert.deepEqual(
      results,
      DOCUMENTS.map(() => ({ kind: 'committed', index: 4 })),
    );
    const { entries, hasMore } = await log.entries(3 as LogIndex, WHOLE);
    const [stored] = entries;
    assert.equal(hasMore, false);
    assert.deepEqual(stored?.entry?.kind === 'bulk' && stored.entry.documents, bulk.documents);
    assert.deepEqual(stored?.entry?.kind === 'bulk' && [stored.entry.reason, stored.entry.headCommit], [
      'pull',
      'a'.repeat(40),
    ]);
    for (const docId of DOCUMENTS) {
      assert.equal((await log.headText(docId as DocId))?.text, textOf(docId, 2));
      assert.equal(await log.revisionText(docId as DocId, hashOf(textOf(docId, 2))), textOf(docId, 2));
      const [newest, first] = await log.history(docId as DocId, 10);
      assert.deepEqual([newest?.kind, newest?.index, newest?.author.name, first?.kind], ['edit', 4, 'bob', 'create']);
    }
    const ids = bulk.documents.map(({ proposalId }) => proposalId);
    assert.deepEqual(
      [...(await log.findProposals(ids))],
      ids.map((id) => [id, 4]),
    );
    const after = await log.skeleton(3 as LogIndex, 10);
    assert.deepEqual(
      after.map(({ index, proposalId, further }) => [index, proposalId, [...(further ?? [])].sort()]),
      [[4, ids[0], ids.slice(1).sort()]],
    );
    assert.equal(await log.runningHashAt(4 as LogIndex), manager.position.runningHash);
  });

  test(`[BLK-02] [REC-06] ${name}: edits before and after a bulk lead on from each other`, async () => {
    const log = await open();
    const { manager, appendBulk } = await openWith(log);
    for (let number = 1; number < 8; number += 2) {
      await appendBulk(bulkOf(number));
      for (const docId of DOCUMENTS)
        await manager.append(
          editOf('a', docId, textOf(docId, number + 1), textOf(docId, number + 2)),
          authorOf('alice'),
          manager.term,
        );
    }
    for (let number = 1; number <= 9; number += 1)
      assert.equal(await log.revisionText('doc-2' as DocId, hashOf(textOf('doc-2', number))), textOf('doc-2', number));
  });

  test(`[BLK-02] [REC-05] ${name}: compaction keeps the text that a bulk led to, and its proposals`, async () => {
    const log = await open();
    const { appendBulk } = await openWith(log);
    const bulk = bulkOf(1);
    await appendBulk(bulk);
    await appendBulk(bulkOf(2, ['doc-2']));
    assert.equal(await log.compact({ olderThan: Infinity, keepUnits: Infinity }), 5);
    for (const [docId, number] of [
      ['doc-1', 2],
      ['doc-2', 3],
      ['doc-3', 2],
    ] as const)
      assert.equal((await log.headText(docId as DocId))?.text, textOf(docId, number));
    const ids = bulk.documents.map(({ proposalId }) => proposalId);
    assert.equal((await log.findProposals(ids)).size, ids.length);
    await appendBulk(bulkOf(2, ['doc-1', 'doc-3']));
    assert.equal((await log.headText('doc-3' as DocId))?.text, textOf('doc-3', 3));
  });

  test(`[BLK-07] [REC-09] ${name}: rewound behind a bulk the log is what it was, and all of the bulk is set aside`, async () => {
    const log = await open();
    const { appendBulk } = await openWith(log);
    const then = { state: await log.state(), heads: byId(await log.heads()) };
    const bulk = bulkOf(1);
    await appendBulk(bulk);
    await log.rewind(3 as LogIndex);
    assert.deepEqual(await log.state(), then.state);
    assert.deepEqual(byId(await log.heads()), then.heads);
    assert.equal((await log.headText('doc-3' as DocId))?.text, textOf('doc-3', 1));
    assert.equal((await log.findProposals(bulk.documents.map(({ proposalId }) => proposalId))).size, 0);
    const [orphan] = await log.orphans(10);
    assert.deepEqual(orphan?.kind === 'bulk' && orphan.documents, bulk.documents);
    const ambient = createFakeAmbient(new FakeTime());
    const manager = await TransactionManager.open({ log, leaderId: 'peer-carol' as PeerId, ambient });
    await manager.appendBulk(bulkOf(1, ['doc-2']), authorOf('carol'), manager.term);
    assert.equal((await log.headText('doc-2' as DocId))?.text, textOf('doc-2', 2));
    assert.deepEqual(
      (await log.history('doc-3' as DocId, 10)).map(({ kind }) => kind),
      ['create'],
    );
  });

  test(`[BLK-07] [REC-10] ${name}: another log's skeleton brings every proposal of its bulks`, async () => {
    const theirs = await open();
    const { manager, appendBulk } = await openWith(theirs);
    const bulk = bulkOf(1);
    await appendBulk(bulk);
    const log = await open();
    const rows = await theirs.skeleton(LOG_START, 100);
    const heads = manager.heads();
    const texts = DOCUMENTS.map((docId) => ({
      docId: docId as DocId,
      hash: hashOf(textOf(docId, 2)),
      text: textOf(docId, 2),
    }));
    await log.replace({ shared: LOG_START, rows, heads, texts });
    assert.equal((await log.findProposals(bulk.documents.map(({ proposalId }) => proposalId))).size, 3);
    assert.deepEqual((await log.state()).last, manager.position);
    assert.deepEqual(await log.skeleton(LOG_START, 100), rows);
  });
}

function byId<T extends { readonly docId: string }>(heads: readonly T[]): readonly T[] {
  return [...heads].sort((a, b) => a.docId.localeCompare(b.docId));
}
