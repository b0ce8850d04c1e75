import assert from 'node:assert/strict';
import { test } from 'node:test';
import { likenessOf, pairRenames } from '../../../src/peer/replica/renamedFiles.ts';

const text = (...lines: readonly string[]): string => lines.join('\n');
const long = text('a', 'b', 'c', 'd', 'e', 'f');

test('[REN-01] a file that reads as one that is gone is that one, of several the one of the same name', () => {
  const missing = [
    { key: 1, path: 'a/one.yaml', texts: [long] },
    { key: 2, path: 'a/two.yaml', texts: [long] },
  ];
  const appeared = [
    { key: 'b/two.yaml', path: 'b/two.yaml', text: long },
    { key: 'b/three.yaml', path: 'b/three.yaml', text: long },
  ];
  assert.deepEqual(pairRenames(missing, appeared), [
    [2, 'b/two.yaml'],
    [1, 'b/three.yaml'],
  ]);
});

test('[REN-01] an older text of it counts too, and one that was changed on the way goes to the likest', () => {
  const missing = [
    { key: 1, path: 'one.yaml', texts: [text('a', 'b', 'c', 'd'), text('a', 'b', 'c')] },
    { key: 2, path: 'two.yaml', texts: [text('v', 'w', 'x', 'y', 'z')] },
  ];
  const appeared = [
    { key: 'old.yaml', path: 'old.yaml', text: text('a', 'b', 'c') },
    { key: 'new.yaml', path: 'new.yaml', text: text('v', 'w', 'x', 'y', '!') },
  ];
  assert.deepEqual(pairRenames(missing, appeared), [
    [1, 'old.yaml'],
    [2, 'new.yaml'],
  ]);
});

test('[REN-01] what has little in common is another document', () => {
  const missing = [{ key: 1, path: 'one.yaml', texts: [long] }];
  assert.deepEqual(pairRenames(missing, [{ key: 'x', path: 'x', text: text('a', 'b', 'c', 'd', 't', 'u') }]), []);
  assert.equal(likenessOf(long, long), 1);
  assert.equal(likenessOf('', ''), 0);
});
