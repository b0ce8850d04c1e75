import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameLayout, suggestPairs } from '../../../src/peer/pairing.ts';

test('documents pair by path, then by title, then by what operations they share; each file once', () => {
  const library = [
    { path: 'api/openapi.yaml', title: 'Shop' },
    { path: 'api/admin.yaml', title: 'Admin' },
    { path: 'api/events.yaml', operations: ['GET /events', 'POST /events'] },
    { path: 'api/alone.yaml', title: 'Alone' },
  ];
  const local = [
    { path: 'api/openapi.yaml', title: 'Admin' },
    { path: 'contracts/admin.yaml', title: 'Admin' },
    {
      path: 'contracts/events.json',
      title: 'Events API',
      operations: ['GET /events', 'POST /events', 'GET /events/{id}'],
    },
  ];
  const pairs = suggestPairs(library, local);
  assert.deepEqual(
    pairs.map(({ libraryPath, localPath, matchedBy }) => [libraryPath, localPath, matchedBy]),
    [
      ['api/openapi.yaml', 'api/openapi.yaml', 'path'],
      ['api/admin.yaml', 'contracts/admin.yaml', 'title'],
      ['api/events.yaml', 'contracts/events.json', 'operations'],
      ['api/alone.yaml', undefined, undefined],
    ],
  );
  assert.equal(isSameLayout(pairs), false);
});

test('a title that two files carry pairs nothing', () => {
  const pairs = suggestPairs(
    [{ path: 'a.yaml', title: 'API' }],
    [
      { path: 'x.yaml', title: 'API' },
      { path: 'y.yaml', title: 'API' },
    ],
  );
  assert.equal(pairs[0]?.localPath, undefined);
});
