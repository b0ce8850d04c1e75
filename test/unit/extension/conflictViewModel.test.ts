import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  announcementId,
  conflictFingerprint,
  conflictKey,
  diffTitle,
  emptyText,
  kindText,
  noticeSentence,
  readConflictKey,
  toConflictViews,
} from '../../../src/extension/conflictViewModel.ts';
import type { HeldConflict } from '../../../src/peer/folderSession.ts';
import { heldConflict } from './fakeSession.ts';

describe('conflicts in words', () => {
  it('says who did what', () => {
    assert.equal(kindText(heldConflict({})), 'You and alice both changed this');
    assert.equal(kindText(without('ours')), 'alice changed it, you deleted it');
    assert.equal(kindText(without('theirs')), 'You changed it, alice deleted it');
    assert.equal(kindText(heldConflict({ kind: 'add-add' })), 'You and alice both added this, differently');
    assert.equal(kindText(heldConflict({ kind: 'move-move' })), 'You and alice both moved this, to different places');
    assert.equal(kindText(heldConflict({ kind: 'semantic' })), 'Your change does not fit with the one from alice');
  });

  it('announces one exactly and several by count', () => {
    assert.equal(
      noticeSentence([heldConflict({})]),
      '1 conflict in openapi.yaml: you and alice both changed GET /pets · summary.',
    );
    assert.equal(
      noticeSentence([heldConflict({}), heldConflict({ id: 'other' })]),
      '2 conflicts in openapi.yaml: both sides are kept until you choose.',
    );
    assert.match(noticeSentence([heldConflict({}), heldConflict({}, { file: '/b.yaml' })]), /^2 conflicts in 2 files/);
    assert.equal(noticeSentence([]), '');
  });

  it('says why the panel is empty', () => {
    assert.equal(emptyText(['running']), 'No conflicts. Everything is in step.');
    assert.match(emptyText(['asleep']), /Nothing is kept in step/);
    assert.match(emptyText([]), /Open a folder/);
  });

  it('titles the difference view', () => {
    assert.equal(diffTitle(heldConflict({}), 'ours', 'theirs'), 'GET /pets · summary: Yours ↔ From alice');
    assert.equal(diffTitle(heldConflict({}), 'base', 'ours'), 'GET /pets · summary: Base ↔ Yours');
  });
});

describe('conflicts for the panel', () => {
  it('come by document, then by label', () => {
    const views = toConflictViews([
      folder([
        heldConflict({ id: '1', label: 'b' }),
        heldConflict({ id: '2', label: 'a' }, { path: 'z.yaml', file: '/z.yaml' }),
        heldConflict({ id: '3', label: 'a' }),
      ]),
    ]);
    assert.deepEqual(
      views.map((view) => `${view.documentName} ${view.label}`),
      ['openapi.yaml a', 'openapi.yaml b', 'z.yaml a'],
    );
  });

  it('of two folders on one library are told apart', () => {
    const held = heldConflict({});
    const views = toConflictViews([folder([held]), { folder: '/work/b', folderName: 'b', conflicts: [held] }]);
    assert.equal(new Set(views.map((view) => view.key)).size, 2);
    assert.deepEqual(views.map((view) => view.documentName).sort(), ['openapi.yaml (b)', 'openapi.yaml (petstore)']);
    assert.notEqual(announcementId('/work/a', held), announcementId('/work/b', held));
    assert.deepEqual(readConflictKey(conflictKey('/work/a', held)), {
      folder: '/work/a',
      docId: 'doc',
      conflictId: 'conflict',
    });
    for (const wrong of ['', '{}', '[1, 2]', '["a", "b"]', 'null']) assert.equal(readConflictKey(wrong), undefined);
  });

  it('change their fingerprint with any text, and only then', () => {
    const one = conflictFingerprint(heldConflict({}));
    assert.equal(conflictFingerprint(heldConflict({}, { theirsAt: 2000 })), one);
    assert.notEqual(conflictFingerprint(heldConflict({ theirs: { text: 'theirs ', start: 0, end: 7 } })), one);
    assert.notEqual(conflictFingerprint(without('theirs')), one);
  });

  it('leave out what does not exist, and cut what nobody reads', () => {
    const [view] = toConflictViews([folder([without('theirs')])]);
    assert.equal(view !== undefined && 'theirs' in view, false);
    const [long] = toConflictViews([
      folder([heldConflict({ ours: { text: 'x'.repeat(200_000), start: 0, end: 200_000 } })]),
    ]);
    assert.ok((long?.ours?.length ?? 0) < 101_000);
  });
});

function folder(conflicts: readonly HeldConflict[]): {
  folder: string;
  folderName: string;
  conflicts: readonly HeldConflict[];
} {
  return { folder: '/work/petstore', folderName: 'petstore', conflicts };
}

/** One side deleted the element. */
function without(side: 'ours' | 'theirs'): HeldConflict {
  const held = heldConflict({ kind: 'edit-delete' });
  const pieces = Object.entries(held.conflict).filter(([name]) => name !== side);
  return { ...held, conflict: Object.fromEntries(pieces) as unknown as HeldConflict['conflict'] };
}
