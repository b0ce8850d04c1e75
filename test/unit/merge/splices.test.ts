import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applySplices, checkSplices, diffSplices, mapOffset } from '../../../src/core/merge/splices.ts';

const PAIRS: readonly (readonly [string, string])[] = [
  ['', ''],
  ['', 'a'],
  ['a', ''],
  ['a\nb\nc\n', 'a\nX\nc\n'],
  ['a\nb', 'a\nXb'],
  ['one\ntwo\n', 'two\none\n'],
  ['aaa\n', 'aa\n'],
  ['x: \u{1F600}\n', 'x: \u{1F601}\n'],
  ['a\nb\nc\nd\n', 'b\nd\ne'],
  ['same\n'.repeat(50), 'same\n'.repeat(49)],
];

test('[splices] applying the difference of two texts to the first gives the second', () => {
  for (const [before, after] of PAIRS) {
    const splices = diffSplices(before, after);
    assert.equal(applySplices(before, splices), after);
    assert.deepEqual(checkSplices(splices, before.length), []);
  }
});

test('[splices] two distant edits are two small replacements', () => {
  const before = `first line\n${'same\n'.repeat(1000)}last line\n`;
  const splices = diffSplices(before, before.replace('first', 'First').replace('last', 'Last'));
  assert.deepEqual(
    splices.map(({ deleteCount, insert }) => [deleteCount, insert]),
    [
      [1, 'F'],
      [1, 'L'],
    ],
  );
});

test('[splices] halves of one character stay together', () => {
  const [splice] = diffSplices('x: \u{1F600}\n', 'x: \u{1F601}\n');
  assert.deepEqual([splice?.deleteCount, splice?.insert], [2, '\u{1F601}']);
});

test('[I10] foreign replacements are checked: bounds, order, whole numbers', () => {
  const codes = (splices: Parameters<typeof checkSplices>[0]): string[] =>
    checkSplices(splices, 10).map(({ code }) => code);
  assert.deepEqual(codes([{ offset: 9, deleteCount: 2, insert: '' }]), ['splice-outside']);
  assert.deepEqual(
    codes([
      { offset: 5, deleteCount: 2, insert: '' },
      { offset: 6, deleteCount: 0, insert: '' },
    ]),
    ['splice-order'],
  );
  assert.deepEqual(
    codes([
      { offset: -1, deleteCount: 0, insert: '' },
      { offset: 0.5, deleteCount: 0, insert: '' },
    ]),
    ['splice-invalid', 'splice-invalid'],
  );
  assert.throws(() => applySplices('abc', [{ offset: 2, deleteCount: 5, insert: '' }]), RangeError);
});

test('[splices] an offset is carried over', () => {
  const splices = [
    { offset: 2, deleteCount: 3, insert: 'XY' },
    { offset: 8, deleteCount: 0, insert: 'new' },
  ];
  assert.deepEqual(
    [0, 1, 3, 5, 7, 8, 9].map((offset) => mapOffset(offset, splices)),
    [0, 1, 4, 4, 6, 10, 11],
  );
});

test('[splices] texts of many equal and many different lines are compared in linear time', () => {
  const before = Array.from({ length: 40_000 }, (_, i) => `${(i * 7919) % 13}\n`).join('');
  const after = Array.from({ length: 40_000 }, (_, i) => `${(i * 104_729) % 17}\n`).join('');
  const start = performance.now();
  assert.equal(applySplices(before, diffSplices(before, after)), after);
  assert.ok(performance.now() - start < 5_000);
});
