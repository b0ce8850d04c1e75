import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toConflictViews } from '../../../src/extension/conflictViewModel.ts';
import { readHostToPanel, readPanelToHost } from '../../../src/protocol/conflictPanel.ts';
import { relativeTime } from '../../../src/core/relativeTime.ts';
import { heldConflict } from '../extension/fakeSession.ts';

describe('messages between panel and extension', () => {
  it('pass as the extension makes them', () => {
    const folder = {
      folder: '/work/petstore',
      folderName: 'petstore',
      conflicts: [heldConflict({ kind: 'semantic', explanation: 'Why' })],
    };
    const message = {
      type: 'state',
      isReady: true,
      emptyText: '',
      canUndo: true,
      conflicts: toConflictViews([folder]),
    };
    assert.deepEqual(readHostToPanel(JSON.parse(JSON.stringify(message))), message);
  });

  it('are refused where they are anything else', () => {
    const wrong: readonly unknown[] = [
      undefined,
      null,
      'apply',
      {},
      { type: 'delete' },
      { type: 'apply', decisions: [] },
      { type: 'apply', decisions: [{ key: 'a', fingerprint: 'b', choice: 'base' }] },
      { type: 'apply', decisions: [{ key: 1, fingerprint: 'b', choice: 'ours' }] },
      { type: 'openDiff' },
      { type: 'ask', keys: [] },
      { type: 'takeAll', documentKey: 'file', choice: 'ai' },
    ];
    for (const message of wrong) assert.equal(readPanelToHost(message), undefined, JSON.stringify(message));
    assert.equal(readHostToPanel({ type: 'state', conflicts: [{}] }), undefined);
  });

  it('pass as the panel makes them', () => {
    const decision = { key: 'a', fingerprint: 'b', choice: 'ours' };
    for (const message of [
      { type: 'ready' },
      { type: 'undo' },
      { type: 'apply', decisions: [decision] },
      { type: 'openFile', key: 'a' },
      { type: 'preview', decisions: [{ ...decision, choice: 'ai' }] },
      { type: 'takeAll', documentKey: 'file', choice: 'theirs' },
      { type: 'ask', keys: ['a'] },
    ]) {
      assert.deepEqual(readPanelToHost(message), message);
    }
  });
});

describe('time in words', () => {
  const now = Date.UTC(2026, 0, 10);
  const ago = (seconds: number): string => relativeTime(now - seconds * 1000, now);

  it('is as long as people say it', () => {
    assert.equal(ago(5), 'just now');
    assert.equal(ago(-60), 'just now');
    assert.equal(ago(61), '1 minute ago');
    assert.equal(ago(3 * 3600), '3 hours ago');
    assert.equal(ago(86_400), 'yesterday');
    assert.equal(ago(400 * 86_400), 'last year');
  });
});
