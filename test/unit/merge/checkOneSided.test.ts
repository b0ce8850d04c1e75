import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOneSided } from '../../../src/core/merge/checkOneSided.ts';
import { PlainCache, readPlainDocument } from '../../../src/core/openapi/plainDocument.ts';

const BASE = `paths:
  /a: # first
    get:
      summary: A
      tags: [x, y]
  /b:
    get:
      summary: B
      operationId: b
`;

function prove(ours: string, theirs: string, merged: string, base = BASE): boolean {
  const cache = new PlainCache();
  const read = (text: string): ReturnType<typeof readPlainDocument> => readPlainDocument(text, 'yaml', cache);
  return isOneSided({ base: read(base), ours: read(ours), theirs: read(theirs), merged: read(merged) });
}

const edited = (from: string, to: string, text = BASE): string => text.replace(from, to);

test('[I4] the result of edits at different keys is proven, and nothing that differs from it', () => {
  const ours = edited('summary: A', 'summary: AA');
  const theirs = edited('summary: B', 'summary: BB');
  const merged = edited('summary: B', 'summary: BB', ours);
  assert.equal(prove(ours, theirs, merged), true);
  assert.equal(prove(theirs, ours, merged), true);
  for (const wrong of [
    ours,
    theirs,
    BASE,
    edited('operationId: b', 'operationId: c', merged),
    edited('      operationId: b\n', '', merged),
    edited(' # first', '', merged),
    `${merged}x-new: 1\n`,
  ])
    assert.equal(prove(ours, theirs, wrong), false, wrong);
});

test('[I4] what one side added or removed is proven where the other left it alone', () => {
  const added = `${BASE}components: {}\n`;
  const removed = BASE.slice(0, BASE.indexOf('  /b:'));
  assert.equal(prove(added, removed, `${removed}components: {}\n`), true);
  assert.equal(prove(removed, edited('summary: B', 'summary: BB'), removed), false);
  assert.equal(prove(added, added, added), true);
  assert.equal(prove(added, `${BASE}components: {x: 1}\n`, added), false);
});

test('[I4] two edits in one sequence, in one value, or of merge keys are left to the whole check', () => {
  const ours = edited('[x, y]', '[w, x, y]');
  const theirs = edited('[x, y]', '[x, y, z]');
  assert.equal(prove(ours, theirs, edited('[x, y]', '[w, x, y, z]')), false);
  assert.equal(prove(edited('summary: A', 'summary: A1'), edited('summary: A', 'summary: A2'), BASE), false);
  const base = 'x: &x {a: 1}\ny: &y {b: 1}\nz:\n  <<: *x\n  c: 1\n';
  const [o, t] = [base.replace('  c: 1', '  <<: *y\n  c: 1'), base.replace('c: 1', 'd: 1')];
  assert.equal(prove(o, t, o.replace('c: 1', 'd: 1'), base), false);
});
