import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNames } from '../../../src/core/merge/checkNames.ts';
import type { FollowedName } from '../../../src/core/merge/followNames.ts';
import { type PlainNode, readPlainDocument } from '../../../src/core/openapi/plainDocument.ts';

function read(text: string): PlainNode {
  const { root } = readPlainDocument(text, 'yaml');
  assert.ok(root !== undefined);
  return root;
}

const BASE = `definitions:
  Pet:
    type: object
    description: A pet
    required: [name]
`;
const KEEPER = `${BASE}  Shop:
    $ref: '#/definitions/Pet'
`;
const RENAMER = BASE.replace('Pet:', 'Animal:');
const BEFORE = KEEPER.replace('Pet:', 'Animal:');
const AFTER = BEFORE.replace('/Pet', '/Animal');
const FOLLOWED: FollowedName = {
  use: { place: ['definitions', 'Shop', '$ref'], name: '#/definitions/Pet', target: ['definitions', 'Pet'] },
  from: ['definitions', 'Pet'],
  to: ['definitions', 'Animal'],
  renamer: 'theirs',
};

function isProven(
  after: string,
  followed: FollowedName = FOLLOWED,
  texts: { readonly base?: string; readonly ours?: string; readonly theirs?: string } = {},
): boolean {
  const { base = BASE, ours = KEEPER, theirs = RENAMER } = texts;
  const revisions = { base: read(base), ours: read(ours), theirs: read(theirs) };
  return checkNames(read(BEFORE), read(after), [followed], revisions);
}

test('[I4] a name that follows a rename is proven', () => {
  assert.ok(isProven(AFTER));
});

test('[I4] nothing but the names may be different', () => {
  assert.ok(!isProven(AFTER.replace('A pet', 'A dog')));
  assert.ok(!isProven(`${AFTER}    title: more\n`));
  assert.ok(!isProven(AFTER.replace('[name]', '[name, age]')));
  assert.ok(!isProven(AFTER.replace('[name]', '!!set [name]')));
});

test('[I4] the new name must be the one that the thing has now', () => {
  assert.ok(!isProven(BEFORE));
  assert.ok(!isProven(BEFORE.replace('/Pet', '/Shop')));
  assert.ok(!isProven(AFTER, { ...FOLLOWED, to: ['definitions', 'Shop'] }));
});

test('[I4] what only looks like a rename is refused', () => {
  // The other side still has it; it was new; the base has the new name, too; the bodies have too little in common.
  assert.ok(!isProven(AFTER, FOLLOWED, { theirs: RENAMER + BASE.slice(BASE.indexOf('  Pet:')) }));
  assert.ok(!isProven(AFTER, FOLLOWED, { base: 'definitions: {}' }));
  assert.ok(!isProven(AFTER, FOLLOWED, { base: `${BASE}  Animal: {}\n` }));
  assert.ok(!isProven(AFTER, FOLLOWED, { theirs: 'definitions:\n  Animal:\n    type: string\n    format: date\n' }));
  assert.ok(!isProven(AFTER, { ...FOLLOWED, renamer: 'ours' }));
});
