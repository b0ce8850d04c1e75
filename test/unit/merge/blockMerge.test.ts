import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeBlocks } from '../../../src/core/merge/blockMerge.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';

const BASE = 'paths:\n  /a:\n    get:\n      summary: A\n      tags: [x]\n  /b:\n    get:\n      summary: B\n';

test('[scale] edits inside two blocks are merged without reading the document, as the whole merge would', () => {
  const input = {
    base: BASE,
    ours: BASE.replace('summary: A', 'summary: AA'),
    theirs: BASE.replace('summary: B', 'summary: BB\n      description: b'),
  };
  assert.equal(mergeBlocks(input), threeWayMerge(input, 'yaml').text);
  const json = `${JSON.stringify({ a: { x: { k: 1, l: 2 } }, b: { y: { k: 1, l: 2 } } }, undefined, 2)}\n`;
  const inJson = {
    base: json,
    ours: json.replace('"k": 1', '"k": 3'),
    theirs: json.replace(/"l": 2(?![\s\S]*"l")/, '"l": 4'),
  };
  assert.equal(mergeBlocks(inJson), threeWayMerge(inJson, 'json').text);
});

test('[scale] what lies in one block, or adds beside blocks, is left to the whole merge', () => {
  const cases: readonly (readonly [string, string])[] = [
    [BASE.replace('summary: A', 'summary: AA'), BASE.replace('tags: [x]', 'tags: [y]')],
    [`${BASE}  /c:\n    get: {}\n`, BASE.replace('  /a:', '  /c:\n    get: {}\n  /a:')],
    [BASE.replace('summary: A', 'summary: AA'), BASE.replace('  /b:', '  /c:')],
    [BASE.replace('summary: A', 'summary: AA'), `${BASE}other: 1\n`],
  ];
  for (const [ours, theirs] of cases) assert.equal(mergeBlocks({ base: BASE, ours, theirs }), undefined);
});
