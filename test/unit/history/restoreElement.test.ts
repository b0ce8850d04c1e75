import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changedPlaces } from '../../../src/core/history/changedPlaces.ts';
import { type RestoredElement, restoreElement } from '../../../src/core/history/restoreElement.ts';
import type { DocumentFormat } from '../../../src/core/merge/types.ts';

const TEXT = `openapi: 3.1.0
info:
  title: Pets # by hand
  version: 1.0.0
paths:
  # Everything about pets
  /pets:
    parameters:
      - { in: header, name: X-Trace, schema: { type: string } }
    get:
      summary: List pets
      parameters:
        - in: query
          name: limit
          schema: { type: integer }
        - in: query
          name: offset
          schema: { type: integer }
      responses:
        '200':
          description: Pets
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Pet'
    post:
      summary: Add a pet
      responses: {}
  /health:
    get: { summary: Up, responses: {} }
components:
  schemas:
    Pet:
      type: object
      properties:
        name: { type: string }
        tag: { type: string }
    Toy:
      type: string
`;

const JSON_TEXT = `{
  "openapi": "3.1.0",
  "info": { "title": "Pets", "version": "1.0.0" },
  "paths": {
    "/pets": { "get": { "summary": "List pets", "responses": {} } },
    "/toys": { "get": { "summary": "List toys", "responses": {} } }
  }
}
`;

function edit(text: string, ...edits: readonly (readonly [string, string])[]): string {
  return edits.reduce((all, [from, to]) => {
    assert.ok(all.includes(from), from);
    return all.replace(from, to);
  }, text);
}

function placesOf(before: string, after: string, format: DocumentFormat = 'yaml'): string[] {
  return changedPlaces(before, after, format).places.map(({ kind, label }) => `${kind} ${label}`);
}

/** Without how the element reads. */
function brief(restored: RestoredElement): Record<string, unknown> {
  const { kind } = restored;
  return kind === 'restored' ? { kind, text: restored.text } : { ...restored };
}

/** Restores the only element that differs between two versions, by its label where several do, in a third text. */
function restore(
  current: string,
  [before, after]: readonly [string, string],
  to: 'before' | 'after',
  label?: string,
  format: DocumentFormat = 'yaml',
): RestoredElement {
  const { places } = changedPlaces(before, after, format);
  const chosen = places.filter((place) => label === undefined || place.label === label);
  assert.equal(chosen.length, 1, places.map((place) => place.label).join());
  return restoreElement(current, to === 'before' ? before : after, chosen[0]?.path ?? [], format);
}

const noGet = edit(TEXT, [TEXT.slice(TEXT.indexOf('    get:'), TEXT.indexOf('    post:')), '']);
const noPath = edit(TEXT, [TEXT.slice(TEXT.indexOf('  # Everything'), TEXT.indexOf('  /health:')), '']);
const noPaths = edit(TEXT, [TEXT.slice(TEXT.indexOf('  # Everything'), TEXT.indexOf('components:')), '']);
const noToy = edit(TEXT, ['    Toy:\n      type: string\n', '']);
const noComponents = TEXT.slice(0, TEXT.indexOf('components:')).replace(
  "$ref: '#/components/schemas/Pet'",
  'type: object',
);

describe('what a change touched', () => {
  it('is told by element, parameters by their name', () => {
    assert.deepEqual(placesOf(TEXT, edit(TEXT, ['title: Pets', 'title: Cats'])), ['changed info · title']);
    assert.deepEqual(
      placesOf(
        TEXT,
        edit(TEXT, ['name: limit\n          schema: { type: integer }', 'name: limit\n          required: true']),
      ),
      ['added GET /pets · parameter 1 · required', 'removed GET /pets · parameter 1 · schema'],
    );
    assert.deepEqual(placesOf(TEXT, noToy), ['removed schema Toy']);
    assert.deepEqual(placesOf(TEXT, noGet), ['removed GET /pets']);
    assert.deepEqual(placesOf(JSON_TEXT, JSON_TEXT.replace('List toys', 'Toys'), 'json'), [
      'changed GET /toys · summary',
    ]);
  });

  it('is told by operations where a whole path came or went, and by schemas where all did', () => {
    assert.deepEqual(placesOf(TEXT, noPath), ['removed GET /pets', 'removed POST /pets']);
    assert.deepEqual(placesOf(noComponents, edit(TEXT, ["$ref: '#/components/schemas/Pet'", 'type: object'])), [
      'added schema Pet',
      'added schema Toy',
    ]);
  });

  it('is one place where much changed inside of one operation or component, and is bounded', () => {
    const properties = (word: string): string =>
      Array.from({ length: 9 }, (_, at) => `        p${at}: { type: ${word} }\n`).join('');
    const many = (word: string): string => edit(TEXT, ['        tag: { type: string }\n', properties(word)]);
    assert.deepEqual(placesOf(many('string'), many('number')), ['changed schema Pet']);
    const schemas = (word: string): string =>
      TEXT + Array.from({ length: 300 }, (_, at) => `    S${at}: { type: ${word} }\n`).join('');
    const { places, leftOut } = changedPlaces(schemas('string'), schemas('number'), 'yaml');
    assert.deepEqual([places.length, leftOut], [200, 100]);
  });

  it('is nothing where a text cannot be read', () => {
    assert.deepEqual(placesOf(TEXT, '"'), []);
    assert.deepEqual(placesOf('', TEXT), []);
  });
});

describe('[I3] restoring one element', () => {
  const later = edit(TEXT, ['summary: Add a pet', 'summary: Add one'], ['version: 1.0.0', 'version: 2.0.0 # out']);

  it('changes it and not a byte of anything else, however much that has changed since', () => {
    const changed = edit(TEXT, ['summary: List pets', 'summary: All the pets']);
    const now = edit(later, ['summary: List pets', 'summary: All the pets']);
    assert.deepEqual(brief(restore(now, [TEXT, changed], 'before')), { kind: 'restored', text: later });
    assert.deepEqual(brief(restore(later, [TEXT, changed], 'after')), { kind: 'restored', text: now });
    assert.deepEqual(brief(restore(later, [TEXT, changed], 'before')), { kind: 'same' });
    const back = restore(now, [TEXT, changed], 'before');
    assert.ok(back.kind === 'restored' && back.element === 'summary: List pets\n');
  });

  it('puts back what was removed, where it stood, and takes out what was added', () => {
    for (const without of [noToy, noGet]) {
      const now = edit(without, ['version: 1.0.0', 'version: 2.0.0']);
      const back = restore(now, [TEXT, without], 'before');
      assert.deepEqual(brief(back), { kind: 'restored', text: edit(TEXT, ['version: 1.0.0', 'version: 2.0.0']) });
      assert.deepEqual(brief(restore(TEXT, [without, TEXT], 'before')), { kind: 'restored', text: without });
    }
  });

  it('tells parameters apart by their name, not by their place', () => {
    const now = edit(TEXT, [
      '        - in: query\n          name: limit\n          schema: { type: integer }\n',
      '        - in: query\n          name: sort\n          schema: { type: string }\n',
    ]);
    const changed = edit(TEXT, [
      'name: offset\n          schema: { type: integer }',
      'name: offset\n          schema: { type: number }',
    ]);
    const back = restore(now, [TEXT, changed], 'after');
    assert.deepEqual(brief(back), {
      kind: 'restored',
      text: edit(now, [
        'name: offset\n          schema: { type: integer }',
        'name: offset\n          schema: { type: number }',
      ]),
    });
  });

  it('brings the path of an operation back with it, and what the path says for all, but no other operation', () => {
    const back = restore(noPath, [TEXT, noPath], 'before', 'GET /pets');
    assert.ok(back.kind === 'restored', JSON.stringify(back));
    assert.equal(back.text, edit(TEXT, ['    post:\n      summary: Add a pet\n      responses: {}\n', '']));
    const gone = restore(back.text, [noPath, back.text], 'before');
    assert.deepEqual(brief(gone), { kind: 'restored', text: noPath });
    const first = restore(noPaths, [TEXT, noPaths], 'before', 'GET /health');
    assert.ok(
      first.kind === 'restored' &&
        first.text.includes('paths:\n  /health:\n    get: { summary: Up, responses: {} }\ncomponents:'),
      JSON.stringify(first),
    );
  });

  it('keeps JSON as it is written', () => {
    const without = edit(JSON_TEXT, [',\n    "/toys": { "get": { "summary": "List toys", "responses": {} } }', '']);
    assert.deepEqual(brief(restore(without, [JSON_TEXT, without], 'before', undefined, 'json')), {
      kind: 'restored',
      text: JSON_TEXT,
    });
    assert.deepEqual(brief(restore(JSON_TEXT, [without, JSON_TEXT], 'before', undefined, 'json')), {
      kind: 'restored',
      text: without,
    });
    const changed = edit(JSON_TEXT, ['List toys', 'Toys']);
    assert.deepEqual(brief(restore(changed, [JSON_TEXT, changed], 'before', undefined, 'json')), {
      kind: 'restored',
      text: JSON_TEXT,
    });
  });

  it('keeps a last line without an end as it is', () => {
    const now = TEXT.trimEnd();
    const changed = edit(TEXT, ['title: Pets', 'title: Cats']);
    assert.deepEqual(brief(restore(edit(now, ['title: Pets', 'title: Dogs']), [TEXT, changed], 'before')), {
      kind: 'restored',
      text: now,
    });
  });

  it('[I5] is refused in words where the API would not be valid with it', () => {
    const withoutUse = edit(TEXT, ["$ref: '#/components/schemas/Pet'", 'type: object']);
    const noPet = edit(withoutUse, [TEXT.slice(TEXT.indexOf('    Pet:'), TEXT.indexOf('    Toy:')), '']);
    const back = restore(
      noPet,
      [TEXT, withoutUse],
      'before',
      'GET /pets · response 200 · application/json · schema · $ref',
    );
    assert.ok(back.kind === 'refused');
    assert.match(back.sentence, /^The API would not be valid with it any more\. .*Pet/);
  });

  it('is refused in words where what it stood in is gone, or cannot be told apart', () => {
    const changed = edit(TEXT, ['summary: List pets', 'summary: All the pets']);
    const back = restore(noGet, [TEXT, changed], 'before');
    assert.deepEqual(brief(back), {
      kind: 'refused',
      sentence: 'GET /pets is not there any more. Restore it first, from the change that removed it.',
    });
    const other = edit(TEXT, [TEXT.slice(TEXT.indexOf('    get:'), TEXT.indexOf('    post:')), '    get: nothing\n']);
    assert.match((restore(other, [TEXT, changed], 'before') as { sentence: string }).sentence, /changed too much/);
    assert.match((restore('"', [TEXT, changed], 'before') as { sentence: string }).sentence, /cannot be read/);
  });
});
