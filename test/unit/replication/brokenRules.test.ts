import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BROKEN_RULES } from '../../simulation/brokenRules.ts';

test('[REP] [ELE] [REC] each rule that the long run breaks still stands in its file, once', async () => {
  for (const { rule, file, find, replace } of BROKEN_RULES) {
    const source = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8');
    assert.equal(source.split(find).length - 1, 1, `${rule}: ${find}`);
    assert.notEqual(find, replace, rule);
  }
});
