import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fileReferences,
  hasFragments,
  referencePlaces,
  referenceTarget,
} from '../../../src/core/references/fileReferences.ts';

const API = `openapi: 3.1.0
paths:
  /pets:
    get:
      responses:
        '200': { $ref: 'common.yaml#/components/responses/Pets' }
        '404': { $ref: '#/components/responses/NotFound' }
        '500': { $ref: "https://example.com/errors.yaml#/Error" }
      example: { $ref: 'example.yaml#/Pet' }
components:
  schemas:
    Pet:
      discriminator:
        propertyName: kind
        mapping: { cat: 'cats.yaml#/Cat', dog: Dog, bird: '#/components/schemas/Bird' }
      properties:
        $ref: { type: string }
        example: { $ref: ../shared/example.yaml }
`;

test('[I5] the references that lead out of a document are those of the specification, each once', () => {
  const expected = ['common.yaml#/components/responses/Pets', 'cats.yaml#/Cat', '../shared/example.yaml'];
  assert.deepEqual(fileReferences(API + API.slice(API.indexOf('    Pet:')).replace('Pet:', 'Pets:'), 'yaml'), expected);
  assert.deepEqual(fileReferences('{"a":{"$ref":"a.json#\\/b"},"b":{"$ref":"a.json#/b"}}', 'json'), ['a.json#/b']);
  assert.deepEqual(fileReferences('a: [', 'yaml'), []);
});

test('[I5] a document has what a fragment names; what cannot be told is taken to be there', () => {
  const text = 'paths:\n  /pets: { get: {} }\nlist: [{ a: 1 }]\nshared: &s { $ref: other.yaml }\nalso: *s\n';
  const found = ['#/paths/~1pets/get', '#/list/0/a', '#/shared/name', '#/also/name', '#Anchor', ''];
  assert.deepEqual(new Set(hasFragments(text, 'yaml', found)), new Set([true]));
  const missing = ['#/paths/~1pets/put', '#/list/1', '#/list/0/b', '#/components/schemas/Pet'];
  assert.deepEqual(new Set(hasFragments(text, 'yaml', missing)), new Set([false]));
  assert.deepEqual(hasFragments('a: [', 'yaml', ['#/b']), [true]);
});

test('[I5][I10] a reference leads to a path beside the document that has it, and never out of the folder', () => {
  const from = 'api/v1/openapi.yaml';
  const target = (reference: string): unknown => referenceTarget(from, reference);
  assert.deepEqual(target('./common.yaml#/Pet'), { path: 'api/v1/common.yaml', fragment: '#/Pet' });
  assert.deepEqual(target('../my%20pets.yaml'), { path: 'api/my pets.yaml', fragment: '' });
  for (const reference of [
    '#/Pet',
    'openapi.yaml#/Pet',
    '../../../a.yaml',
    '/etc/a.yaml',
    '//host/a.yaml',
    'file:a.yaml',
  ])
    assert.equal(target(reference), undefined, reference);
});

test('[I5] a reference is found where it stands as a value, not in words about it nor at the beginning of a longer one', () => {
  const text = `# see a.yaml#/Pet\na: { $ref: 'a.yaml#/Pet' }\nb:\n  $ref: a.yaml#/Pet\nc: { $ref: a.yaml#/Pets }\n`;
  const places = referencePlaces(text, 'a.yaml#/Pet').map((at) => text.slice(0, at).split('\n').length);
  assert.deepEqual(places, [2, 4]);
  assert.equal(referencePlaces('{"$ref":"a.json#/b"}', 'a.json#/b').length, 1);
});
