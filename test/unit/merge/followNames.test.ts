import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat } from '../../../src/core/merge/types.ts';

const SHOP = `openapi: 3.0.3
info: { title: Shop, version: 1.0.0 }
tags:
  - name: animals
    description: All that lives
  - name: other
security:
  - login: []
paths:
  /pets:
    get:
      operationId: pets
      tags: [animals]
      responses:
        '200':
          description: Good
          content:
            application/json:
              schema:
                $ref: '#/components/schemas/Pet'
components:
  securitySchemes:
    login: { type: http, scheme: basic }
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        name: { type: string }
        born: { type: string, format: date }
    Owner:
      type: object
      properties:
        city: { type: string }
`;

const NEW_OPERATION = `    post:
      operationId: addPet
      tags: [animals]
      security:
        - login: []
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Pet" } # the whole pet
      responses:
        '201':
          description: Made
`;
const ADDED = SHOP.replace('components:\n', `${NEW_OPERATION}components:\n`);

function both(ours: string, theirs: string, format: DocumentFormat = 'yaml', base = SHOP): readonly [string, string] {
  const results = [
    threeWayMerge({ base, ours, theirs }, format),
    threeWayMerge({ base, ours: theirs, theirs: ours }, format),
  ] as const;
  for (const { conflicts, problems } of results) assert.deepEqual([conflicts, problems], [[], []]);
  return [results[0].text, results[1].text];
}

test('[rename] a new $ref follows the schema that the other side renamed, and no other byte changes', () => {
  const renamed = SHOP.replaceAll('Pet:', 'Animal:').replaceAll('schemas/Pet', 'schemas/Animal');
  const expected = ADDED.replaceAll('Pet:', 'Animal:').replaceAll('schemas/Pet', 'schemas/Animal');
  assert.deepEqual(both(ADDED, renamed), [expected, expected]);
});

test('[rename] a pointer into the renamed schema follows it, and a name is escaped as pointers are', () => {
  const deep = SHOP.replace(
    '        city: { type: string }',
    "        city: { $ref: '#/components/schemas/Pet/properties/name' }",
  );
  const renamed = SHOP.replace('    Pet:', '    a/b~c:').replace('schemas/Pet', 'schemas/a~1b~0c');
  const [text] = both(deep, renamed);
  assert.ok(text.includes("city: { $ref: '#/components/schemas/a~1b~0c/properties/name' }"));
});

test('[rename] without a $ref of its own, a renamed schema is known by its body', () => {
  const base = SHOP.replace("'#/components/schemas/Pet'", "'#/components/schemas/Owner'");
  const ours = base.replace('        city: { type: string }', "        pet: { $ref: '#/components/schemas/Pet' }");
  const theirs = base.replace('    Pet:', '    Animal:');
  const [text] = both(ours, theirs, 'yaml', base);
  assert.ok(text.includes("pet: { $ref: '#/components/schemas/Animal' }"));
});

test('[rename] a new security requirement follows the renamed scheme', () => {
  const renamed = SHOP.replaceAll('login:', 'password:');
  const expected = ADDED.replaceAll('login:', 'password:');
  assert.deepEqual(both(ADDED, renamed), [expected, expected]);
});

test('[rename] a new operation’s tag follows the renamed tag', () => {
  const renamed = SHOP.replace('name: animals', 'name: creatures').replace('[animals]', '[creatures]');
  const expected = ADDED.replace('name: animals', 'name: creatures').replaceAll('[animals]', '[creatures]');
  assert.deepEqual(both(ADDED, renamed), [expected, expected]);
});

test('[rename] a discriminator mapping follows, as a pointer and as a bare name', () => {
  for (const [value, expected] of [
    ["'#/components/schemas/Pet'", "'#/components/schemas/Animal'"],
    ['Pet', 'Animal'],
  ] as const) {
    const discriminator = `      discriminator:\n        propertyName: kind\n        mapping:\n          pet: `;
    const ours = SHOP.replace(
      '    Owner:\n      type: object\n',
      `    Owner:\n      type: object\n${discriminator}${value}\n`,
    );
    const theirs = SHOP.replaceAll('Pet:', 'Animal:').replaceAll('schemas/Pet', 'schemas/Animal');
    for (const text of both(ours, theirs)) assert.ok(text.includes(`          pet: ${expected}\n`), text);
  }
});

test('[rename] in JSON, a new $ref follows too', () => {
  const base = JSON.stringify(
    {
      definitions: {
        Pet: { type: 'object', properties: { name: { type: 'string' }, born: { type: 'string' } } },
        Shop: { properties: { main: { $ref: '#/definitions/Pet' } } },
      },
    },
    undefined,
    2,
  );
  const theirs = base.replaceAll('Pet', 'Animal');
  const ours = base
    .replace('"type": "object",', '"type": "object",\n      "example": {},')
    .replace('"Shop"', '"Cage": {\n      "$ref": "#/definitions/Pet"\n    },\n    "Shop"');
  const expected = ours.replaceAll('Pet', 'Animal');
  assert.deepEqual(both(ours, theirs, 'json', base), [expected, expected]);
});

test('[I4] where the new name is not certain, the new $ref is a conflict', () => {
  const base = SHOP.replace("'#/components/schemas/Pet'", "'#/components/schemas/Owner'");
  const ours = base.replace('        city: { type: string }', "        pet: { $ref: '#/components/schemas/Pet' }");
  const gone = base.slice(0, base.indexOf('    Pet:')) + base.slice(base.indexOf('    Owner:'));
  const pet = base.slice(base.indexOf('    Pet:'), base.indexOf('    Owner:'));
  const twins = gone + pet.replace('Pet:', 'Dog:') + pet.replace('Pet:', 'Cat:');
  for (const theirs of [gone, twins]) {
    const { conflicts } = threeWayMerge({ base, ours, theirs }, 'yaml');
    assert.ok(conflicts.length > 0);
    assert.ok(conflicts.every(({ kind }) => kind === 'semantic'));
  }
});

test('[rename] a $ref that the renaming side left behind itself is not touched', () => {
  const base = SHOP.replace('        city: { type: string }', "        pet: { $ref: '#/components/schemas/Pet' }");
  const theirs = base
    .replace('    Pet:', '    Animal:')
    .replace(
      "schema:\n                $ref: '#/components/schemas/Pet'",
      "schema:\n                $ref: '#/components/schemas/Animal'",
    );
  const ours = base.replace('title: Shop', 'title: The shop');
  const [text] = both(ours, theirs, 'yaml', base);
  assert.ok(text.includes("pet: { $ref: '#/components/schemas/Pet' }"));
});

test('[held] with another conflict open, the merge with a followed name comes out the same again', () => {
  const ours = ADDED.replace('title: Shop', 'title: Ours');
  const theirs = SHOP.replaceAll('Pet:', 'Animal:')
    .replaceAll('schemas/Pet', 'schemas/Animal')
    .replace('title: Shop', 'title: Theirs');
  for (const input of [
    { base: SHOP, ours, theirs },
    { base: SHOP, ours: theirs, theirs: ours },
  ]) {
    const first = threeWayMerge(input, 'yaml');
    assert.deepEqual(
      first.conflicts.map(({ pointer }) => pointer),
      ['/info/title'],
    );
    assert.ok(!first.text.includes('schemas/Pet'));
    const again = threeWayMerge({ base: first.nextBase, ours: first.text, theirs: input.theirs }, 'yaml');
    assert.equal(again.text, first.text);
    const resolved = threeWayMerge(input, 'yaml', {
      resolutions: new Map(first.conflicts.map(({ id }) => [id, { choice: 'theirs' }])),
    });
    assert.ok(!resolved.text.includes('schemas/Pet'));
  }
});
