import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { RememberedBulk, RememberedPart } from '../../../src/core/history/bulkMemory.ts';
import type { DocId, LogIndex, ProposalId } from '../../../src/core/ids.ts';
import { BulkRecords } from '../../../src/node/replica/bulkRecords.ts';
import { hashOf } from '../replication/fakes.ts';

const MAX_PARTS = 4;

function bulk(id: string, index: number, parts: readonly RememberedPart[]): RememberedBulk {
  return {
    id: id as ProposalId,
    index: index as LogIndex,
    authorName: 'bob',
    reason: 'pull',
    documentCount: parts.length,
  };
}

function part(docId: string, text: string): RememberedPart {
  return { docId: docId as DocId, baseHash: hashOf('before'), hash: hashOf(text) };
}

async function openRecords(context: TestContext): Promise<() => BulkRecords> {
  const folder = await mkdtemp(join(tmpdir(), 'api-live-sync-'));
  const open: DatabaseSync[] = [];
  context.after(() => {
    for (const database of open) database.close();
    return rm(folder, { recursive: true, force: true });
  });
  return () => {
    const database = new DatabaseSync(join(folder, 'replica.sqlite'));
    open.push(database);
    return new BulkRecords(database, MAX_PARTS);
  };
}

test('[BLK-09] bulks are remembered over a restart, each once and newest first, with what they made of each document', async (context) => {
  const open = await openRecords(context);
  const [first, second] = [
    [part('a', 'one'), part('b', 'one')],
    [part('a', 'two'), part('c', 'two')],
  ];
  open().remember(bulk('bob:1', 5, first), first);
  open().remember(bulk('bob:2', 7, second), second);
  // The same bulk, in a log that has taken the place of the other.
  open().remember(bulk('bob:2', 8, second), second);
  const records = open();
  assert.deepEqual(records.partsOf('bob:2' as ProposalId), second);
  const { baseHash } = part('a', '');
  assert.deepEqual(records.bulksOf('a' as DocId), [
    { ...bulk('bob:2', 8, second), baseHash, hash: hashOf('two') },
    { ...bulk('bob:1', 5, first), baseHash, hash: hashOf('one') },
  ]);
  assert.deepEqual(records.bulksOf('d' as DocId), []);
});

test('[I10] only so many are remembered, and the newest in any case', async (context) => {
  const records = (await openRecords(context))();
  const parts = ['a', 'b', 'c'].map((docId) => part(docId, 'text'));
  records.remember(bulk('bob:1', 1, parts), parts);
  records.remember(bulk('bob:2', 2, parts), parts);
  assert.deepEqual(records.partsOf('bob:1' as ProposalId), []);
  assert.equal(records.bulksOf('a' as DocId).length, 1);
  const many = ['a', 'b', 'c', 'd', 'e'].map((docId) => part(docId, 'text'));
  records.remember(bulk('bob:3', 3, many), many);
  assert.equal(records.partsOf('bob:3' as ProposalId).length, 5);
  assert.deepEqual(records.partsOf('bob:2' as ProposalId), []);
});
