import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeysAhead } from '../../../src/webview/conflictPanel/keysAhead.ts';

describe('keys pressed while an answer is awaited', () => {
  it('are done in order when it has come, up to the next that has an answer of its own', () => {
    const keys = new KeysAhead();
    const done: string[] = [];
    let isBusy = true;
    keys.wait(() => done.push('choose'));
    keys.wait(() => {
      done.push('apply');
      isBusy = true;
    });
    keys.wait(() => done.push('choose the next'));
    assert.deepEqual(done, []);
    isBusy = false;
    keys.answered(true, () => isBusy);
    assert.deepEqual(done, ['choose', 'apply']);
    isBusy = false;
    keys.answered(true, () => isBusy);
    assert.deepEqual(done, ['choose', 'apply', 'choose the next']);
    assert.ok(keys.isEmpty);
  });

  it('are dropped where it went another way, and bounded where none comes', () => {
    const keys = new KeysAhead();
    let count = 0;
    keys.wait(() => count++);
    keys.answered(false, () => false);
    assert.equal(count, 0);
    for (let at = 0; at < 100; at++) keys.wait(() => count++);
    keys.answered(true, () => false);
    assert.equal(count, 20);
  });
});
