import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applySplices, diffSplices } from '../../../src/core/merge/splices.ts';
import { mapCaret, mapLine, toBufferWrite } from '../../../src/extension/editorSplices.ts';

const BOM = '\uFEFF';

describe('a write, translated for an editor', () => {
  it('leaves a file with one kind of line end as it is', () => {
    const before = 'a: 1\nb: 2\n';
    const write = toBufferWrite(before, 'a: 1\nb: 3\n', diffSplices(before, 'a: 1\nb: 3\n'));
    assert.deepEqual(write?.splices, [{ offset: 8, deleteCount: 1, insert: '3' }]);
  });

  it('takes the BOM away, which a buffer does not hold', () => {
    const before = `${BOM}a: 1\r\nb: 2\r\n`;
    const after = `${BOM}a: 1\r\nb: 3\r\n`;
    const write = toBufferWrite(before, after, diffSplices(before, after));
    assert.equal(write?.before, 'a: 1\r\nb: 2\r\n');
    assert.equal(applySplices(write.before, write.splices), write.after);
  });

  it('never cuts between a carriage return and its line feed', () => {
    const before = 'a: 1\r\nb: 2\r\n';
    const after = 'a: 1\r\nx: 0\r\nb: 2\r\n';
    // As a careless difference would have it: between the two characters of the first line end.
    const write = toBufferWrite(before, after, [{ offset: 5, deleteCount: 0, insert: '\nx: 0\r' }]);
    assert.deepEqual(write?.splices, [{ offset: 4, deleteCount: 2, insert: '\r\nx: 0\r\n' }]);
    assert.equal(applySplices(before, write.splices), after);
  });

  it('leaves to the disk what an editor would not write byte for byte', () => {
    assert.equal(toBufferWrite('a\r\nb\n', 'a\r\nc\n', [{ offset: 3, deleteCount: 1, insert: 'c' }]), undefined);
    assert.equal(toBufferWrite('a\rb\n', 'a\rc\n', [{ offset: 2, deleteCount: 1, insert: 'c' }]), undefined);
    assert.equal(toBufferWrite('a\n', `${BOM}a\n`, [{ offset: 0, deleteCount: 0, insert: BOM }]), undefined);
    assert.equal(toBufferWrite('{}', '{\n}', [{ offset: 1, deleteCount: 0, insert: '\n' }]), undefined);
  });
});

describe('a caret in a file that is written', () => {
  const before = 'one\ntwo\nthree\nfour\n';
  const after = 'ONE more\nand\ntwo\nthree\nFOUR\n';
  const splices = diffSplices(before, after);

  it('stays with its text between two distant changes', () => {
    for (const word of ['two', 'three']) {
      for (let at = 0; at <= word.length; at++) {
        assert.equal(mapCaret(before.indexOf(word) + at, splices), after.indexOf(word) + at, `${word} ${at}`);
      }
    }
  });

  it('stays before what is inserted at it', () => {
    assert.equal(mapCaret(4, [{ offset: 4, deleteCount: 0, insert: 'new\n' }]), 4);
    assert.equal(mapCaret(5, [{ offset: 4, deleteCount: 0, insert: 'new\n' }]), 9);
    assert.equal(mapCaret(0, []), 0);
  });

  it('keeps the line at the top of the window', () => {
    assert.equal(mapLine(2, before, splices), 3);
    assert.equal(mapLine(0, before, splices), 0);
    assert.equal(mapLine(2, 'a\nb\nc\nd\n', [{ offset: 0, deleteCount: 4, insert: '' }]), 0);
  });
});
