import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogIndex, RevisionHash } from '../../../src/core/ids.ts';
import { historyDetail, historyLabel } from '../../../src/extension/historyViewModel.ts';
import type { HistoryEntry } from '../../../src/peer/folderSession.ts';

function entry(more: Partial<HistoryEntry>): HistoryEntry {
  return {
    index: 1 as LogIndex,
    kind: 'edit',
    authorName: 'alice',
    at: 0,
    changes: [],
    hash: 'hash' as RevisionHash,
    path: undefined,
    ...more,
  };
}

describe('the history of a file in words', () => {
  it('says what changed, by element', () => {
    assert.equal(
      historyLabel(entry({ changes: ['GET /pets · summary', 'schema Pet'] })),
      'GET /pets · summary and schema Pet',
    );
    assert.equal(historyLabel(entry({ changes: [] })), 'A change');
    assert.equal(historyLabel(entry({ kind: 'resolve' })), 'A conflict was settled');
    assert.equal(historyLabel(entry({ kind: 'create' })), 'The file came in');
    assert.equal(historyLabel(entry({ kind: 'delete' })), 'The file was deleted');
    assert.equal(historyLabel(entry({ kind: 'rename', path: 'b.yaml' })), 'Renamed to b.yaml');
  });

  it('says who and when', () => {
    assert.equal(historyDetail(entry({}), 5 * 60_000), 'alice, 5 minutes ago');
  });
});
