import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../../src/core/ids.ts';
import { diffSplices } from '../../../src/core/merge/splices.ts';
import { BulkHistory } from '../../../src/peer/bulkHistory.ts';
import type { HistoryEntry } from '../../../src/peer/folderSession.ts';
import { hashOf } from '../replication/fakes.ts';

const DOC = 'doc-1' as DocId;
const COUNT = 30;
const textAt = (at: number): string =>
  `openapi: 3.1.0\ninfo:\n  title: Pets\npaths:\n  /pets:\n    get:\n      summary: ${String(at)}\n`;

function entryAt(at: number, more: Partial<HistoryEntry> = {}): HistoryEntry {
  const hash = hashOf(textAt(at));
  return { index: at as LogIndex, kind: 'edit', authorName: 'bob', at: 0, changes: [], hash, path: undefined, ...more };
}

/** A document that 30 bulks have changed, one after the other; the log has forgotten the texts up to `forgotten`. */
function bulkHistory(forgotten: number): { readonly history: BulkHistory; readonly asked: RevisionHash[] } {
  const asked: RevisionHash[] = [];
  const known = new Map(Array.from({ length: COUNT + 1 }, (_, at) => [hashOf(textAt(at)), at]));
  const bulks = Array.from({ length: COUNT }, (_, at) => ({
    id: `bob:${String(at + 1)}` as ProposalId,
    index: (at + 1) as LogIndex,
    authorName: 'bob',
    reason: 'pull' as const,
    documentCount: 25,
    baseHash: hashOf(textAt(at)),
    hash: hashOf(textAt(at + 1)),
  }));
  const history = new BulkHistory({
    bulksOf: () => Promise.resolve(bulks.reverse()),
    textOf: (_docId, hash) => {
      asked.push(hash);
      const at = known.get(hash) ?? 0;
      return Promise.resolve(at > forgotten ? textAt(at) : undefined);
    },
    texts: { diff: (before, after) => Promise.resolve(diffSplices(before, after)) },
  });
  return { history, asked };
}

test('[BLK-09] a part of a bulk says what changed in its document, and of what it is a part; an edit of its own stays as it is', async () => {
  const { history } = bulkHistory(27);
  const own = entryAt(31, { changes: ['schema Pet'] });
  const otherLog = entryAt(28, { hash: hashOf('of another log') });
  const entries = await history.complete(DOC, [own, entryAt(30), otherLog, entryAt(27)]);
  assert.deepEqual(
    entries.map(({ changes, bulk }) => [changes, bulk?.id]),
    [
      [['schema Pet'], undefined],
      [['GET /pets · summary'], 'bob:30'],
      [[], undefined],
      [[], 'bob:27'],
    ],
  );
  assert.deepEqual(entries[1]?.bulk, { id: 'bob:30', reason: 'pull', documentCount: 25 });
});

test('[I10] only the newest parts ask for texts, and each but once', async () => {
  const { history, asked } = bulkHistory(0);
  const all = Array.from({ length: COUNT }, (_, at) => entryAt(COUNT - at));
  const entries = await history.complete(DOC, all);
  assert.equal(entries.filter(({ changes }) => changes.length > 0).length, 20);
  assert.equal(entries.filter(({ bulk }) => bulk !== undefined).length, COUNT);
  assert.equal(asked.length, 40);
  assert.deepEqual(await history.complete(DOC, all), entries);
  assert.equal(asked.length, 40);
});
