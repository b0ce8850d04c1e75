import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogIndex, ProposalId, RevisionHash } from '../../../src/core/ids.ts';
import {
  elementDetail,
  elementRestores,
  historyContext,
  historyDetail,
  historyLabel,
  historyTooltip,
  noElements,
} from '../../../src/extension/historyViewModel.ts';
import type { ChangedPlace } from '../../../src/core/history/changedPlaces.ts';
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
    assert.equal(historyLabel(entry({ kind: 'resolve' })), 'A choice was taken back');
    assert.equal(historyLabel(entry({ kind: 'resolve', changes: ['GET /pets'] })), 'Taken back: GET /pets');
    assert.equal(historyLabel(entry({ kind: 'create' })), 'The file came in');
    assert.equal(historyLabel(entry({ kind: 'delete' })), 'The file was deleted');
    assert.equal(historyLabel(entry({ kind: 'rename', path: 'b.yaml' })), 'Renamed to b.yaml');
  });

  it('says who and when', () => {
    assert.equal(historyDetail(entry({}), 5 * 60_000), 'alice, 5 minutes ago');
  });

  it('says what a change of many files it was part of, which can be taken back as a whole', () => {
    const bulk = { id: 'alice:1' as ProposalId, reason: 'pull', documentCount: 25 } as const;
    const part = entry({ bulk, changes: ['GET /pets · summary'] });
    assert.equal(historyDetail(part, 5 * 60_000), 'alice, 5 minutes ago · pulled: 25 documents');
    assert.equal(
      historyTooltip(part, 'today'),
      'alice, today\nPart of one change of many files. alice pulled: 25 documents\nGET /pets · summary',
    );
    assert.deepEqual(
      [historyContext(part, false), historyContext(part, true), historyContext(entry({}), false)],
      ['earlier.bulk', 'newest.bulk', 'earlier'],
    );
  });
});

describe('an element of an earlier version', () => {
  const place: ChangedPlace = { kind: 'changed', path: ['info', 'title'], label: 'info · title' };
  const restored = (text: string, element: string | undefined = 'title: Pets\n') =>
    ({ kind: 'restored', text, element }) as const;
  const same = { kind: 'same' } as const;

  it('is offered as it was before the change and as it is after it, without what is there already', () => {
    const both = elementRestores(restored('a'), restored('b'), place);
    assert.ok(!('code' in both));
    assert.deepEqual(
      both.map(({ button, text }) => [button, text]),
      [
        ['As Before This Change', 'a'],
        ['As After This Change', 'b'],
      ],
    );
    const one = elementRestores(restored('a'), same, place);
    assert.ok(!('code' in one) && one.length === 1);
    assert.match(
      elementDetail(one, 'alice'),
      /^Before this change by alice it reads:\ntitle: Pets\n\nNothing else of the file changes\./,
    );
    const long = elementRestores(restored('a', 'x: y\n'.repeat(1000)), same, place);
    assert.ok(!('code' in long));
    assert.ok(elementDetail(long, 'alice').length < 700 && elementDetail(long, 'alice').includes('\n…'));
  });

  it('says so where restoring removes it', () => {
    const gone = { kind: 'restored', text: 'a', element: undefined } as const;
    const added = elementRestores(gone, same, { ...place, kind: 'added' });
    assert.ok(!('code' in added));
    assert.match(
      elementDetail(added, 'alice'),
      /^Before this change by alice it is not there, so it would be removed\./,
    );
    const removed = elementRestores(same, gone, { ...place, kind: 'removed' });
    assert.ok(!('code' in removed));
    assert.match(elementDetail(removed, 'alice'), /^After this change by alice it is not there/);
  });

  it('is refused in words', () => {
    const refused = { kind: 'refused', sentence: 'GET /pets is not there any more.' } as const;
    for (const [before, after, code] of [
      [refused, same, 'element-not-restored'],
      [same, same, 'element-same'],
      [undefined, undefined, 'version-gone'],
    ] as const) {
      const problem = elementRestores(before, after, place);
      assert.ok('code' in problem && problem.code === code, code);
    }
    assert.match(noElements(undefined), /not there any more/);
    assert.match(noElements({ places: [], leftOut: 0 }), /layout, order or comments/);
  });
});
