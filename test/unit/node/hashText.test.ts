import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashText, rememberHashes } from '../../../src/node/hashText.ts';

test('[I8] a large text is hashed once while it is in use, and always as it would be by itself', () => {
  const hashed: string[] = [];
  const hash = rememberHashes((text) => {
    hashed.push(text.charAt(0));
    return hashText(text);
  });
  const large = (letter: string): string => letter.repeat(200_000);
  for (const letter of ['a', 'b', 'a', 'c', 'd', 'a', 'e', 'a', 'b'])
    assert.equal(hash(large(letter)), hashText(large(letter)));
  assert.deepEqual(hashed, ['a', 'b', 'c', 'd', 'e', 'b']);
  assert.equal(hash('small'), hashText('small'));
});
