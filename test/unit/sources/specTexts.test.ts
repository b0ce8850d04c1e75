import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changeSentence } from '../../../src/core/sources/elementChange.ts';
import { elementChanges } from '../../../src/core/sources/elementChanges.ts';
import { firstContact } from '../../../src/core/sources/firstContact.ts';
import { globPattern } from '../../../src/core/sources/globPattern.ts';
import { indentOf } from '../../../src/core/sources/indentOf.ts';
import { checkLiveSource, checkLiveSources } from '../../../src/core/sources/liveSourceConfig.ts';
import { translateSpec } from '../../../src/core/sources/translateSpec.ts';

const whole = { include: {}, exclude: {}, indent: 2 } as const;

test('[SRC] JSON to YAML and back is the same data, whatever strings and numbers it has', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.string({ unit: 'binary' }), (value, key) => {
      // Keys that JSON.stringify would reorder, and `<<`, which YAML gives a meaning, have tests of their own.
      const spec = { openapi: '3.1.0', info: { title: 'T' }, 'x-value': value, [`x-${key}`]: key };
      const text = `${JSON.stringify(spec, undefined, 2)}\n`;
      const yaml = translateSpec(text, { ...whole, format: 'yaml' });
      if (yaml.value === undefined) {
        assert.match(text, /"<</);
        return;
      }
      const json = translateSpec(yaml.value, { ...whole, format: 'json' });
      assert.deepEqual(JSON.parse(json.value ?? ''), JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('[SRC] numbers stay as they are written, and words that YAML would take for something else stay strings', () => {
  const text =
    '{"openapi":"3.0.3","x":[1.10,1e21,12345678901234567890,"1.10","yes","null","2020-01-01","~"," a","a: b","#a"]}';
  const { value = '' } = translateSpec(text, { ...whole, format: 'yaml' });
  assert.equal(
    value,
    `openapi: '3.0.3'\nx:\n  - 1.10\n  - 1e21\n  - 12345678901234567890\n  - '1.10'\n  - 'yes'\n  - 'null'\n  - '2020-01-01'\n  - '~'\n  - ' a'\n  - 'a: b'\n  - '#a'\n`,
  );
  assert.equal(
    translateSpec(value, { ...whole, format: 'json' }).value?.replaceAll(/\s/g, ''),
    text.replaceAll(' ', ''),
  );
});

test('[SRC] YAML that stays YAML stays as it is written', () => {
  const text = '# hello\nopenapi: 3.0.3 # why\npaths: {}\n';
  assert.equal(translateSpec(`\uFEFF${text.replaceAll('\n', '\r\n')}`, { ...whole, format: 'yaml' }).value, text);
});

test('[SRC] aliases are written out where the format has none', () => {
  const text = 'openapi: 3.0.3\nx-a: &a { b: 1 }\nx-b: *a\n';
  const { value = '' } = translateSpec(text, { ...whole, format: 'json' });
  assert.deepEqual(JSON.parse(value), { openapi: '3.0.3', 'x-a': { b: 1 }, 'x-b': { b: 1 } });
});

test('[SRC] a selection keeps what the chosen operations need, through references of references', () => {
  const spec = {
    openapi: '3.0.3',
    paths: {
      '/pets': {
        parameters: [{ $ref: '#/components/parameters/limit' }],
        get: { tags: ['pets'], responses: { 200: { $ref: '#/components/responses/Pets' } } },
        delete: { tags: ['admin'], security: [{ key: [] }] },
      },
      '/users': { get: { tags: ['users'] } },
    },
    components: {
      parameters: { limit: {}, other: {} },
      responses: { Pets: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } } } },
      schemas: { Pet: { discriminator: { mapping: { cat: '#/components/schemas/Cat' } } }, Cat: {}, User: {} },
      securitySchemes: { key: {} },
    },
  };
  const select = (include: object, exclude: object): { paths: object; components?: Record<string, object> } =>
    JSON.parse(
      translateSpec(JSON.stringify(spec), { include, exclude, format: 'json', indent: 2 }).value ?? '',
    ) as never;
  const pets = select({ paths: ['/pets'] }, { methods: ['delete'] });
  assert.deepEqual(Object.keys(pets.paths), ['/pets']);
  assert.deepEqual(Object.keys(pets.components?.['schemas'] ?? {}), ['Pet', 'Cat']);
  assert.deepEqual(Object.keys(pets.components?.['parameters'] ?? {}), ['limit']);
  assert.equal(pets.components?.['securitySchemes'], undefined);
  const admin = select({ tags: ['admin'] }, {});
  assert.deepEqual(Object.keys(admin.components ?? {}), ['parameters', 'securitySchemes']);
  const without = select({}, { components: ['schemas/User', 'schemas/Pet'] });
  // Pet is still referred to: without it the rest would not be valid.
  assert.deepEqual(Object.keys(without.components?.['schemas'] ?? {}), ['Pet', 'Cat']);
});

test('[SRC] what both say alike is the base of first contact, whatever the style', () => {
  const ours = "openapi: '3.0.3'\ninfo: { title: Mine, version: 1.0.0 }\nx-mine: 1\n";
  const theirs = '{"openapi":"3.0.3","info":{"title":"Theirs","version":"1.0.0"},"x-theirs":1}';
  const { base } = firstContact(ours, theirs, 'yaml');
  assert.equal(base, "openapi: '3.0.3'\ninfo:\n  version: '1.0.0'\n");
});

test('[SRC] changes are named by operation and component; order and style are no change', () => {
  const before = `openapi: 3.0.3
paths:
  /a: { get: { summary: A, description: x }, post: {} }
  /b: { get: {} }
components: { schemas: { Pet: { type: object }, Old: {} } }
`;
  const after = `openapi: '3.0.3'
components: { schemas: { Pet: { type: object, nullable: true }, New: {} } }
paths:
  /b: { get: {} }
  /a: { post: {}, get: { summary: B, description: x } }
  /c: { put: {} }
`;
  assert.deepEqual(elementChanges(before, after, 'yaml').map(changeSentence), [
    'changed schema Pet (nullable)',
    'added schema New',
    'changed GET /a (summary)',
    'added PUT /c',
    'removed schema Old',
  ]);
});

test('[SRC] indentation is that of the first indented key', () => {
  assert.equal(indentOf('openapi: 3.0.3\ninfo:\n    title: T\n'), 4);
  assert.equal(indentOf('# c\ninfo: # c\n\n   # d\n   title: T\n'), 3);
  assert.equal(indentOf('{\n    "openapi": "3.0.3"\n}\n'), 4);
  assert.equal(indentOf('openapi: 3.0.3\n'), 2);
});

test('[SRC] globs stay within a segment but for **', () => {
  const fits = (glob: string, path: string): boolean => globPattern(glob)(path);
  assert.ok(
    fits('/pets/**', '/pets/{id}/toys') && fits('/pets/*', '/pets/{id}') && !fits('/pets/*', '/pets/{id}/toys'),
  );
  assert.ok(fits('**/openapi.json', 'openapi.json') && fits('**/openapi.json', 'a/b/openapi.json'));
  assert.ok(!fits('/pets', '/pets2') && fits('/p?ts', '/pets') && !fits('a.b', 'axb'));
});

test('[SRC] [I10] a source that could do harm is refused, and said in words', () => {
  const good = { url: 'http://localhost:8000/openapi.json', target: 'api/openapi.yaml' };
  assert.equal(checkLiveSource(good).value?.id, good.target);
  for (const wrong of [
    { ...good, target: '../openapi.yaml' },
    { ...good, target: '.git/config.json' },
    { ...good, target: 'api/run.sh' },
    { ...good, url: 'file:///etc/passwd' },
    { ...good, url: 'http://user:password@localhost/' },
    { ...good, file: 'build/openapi.json' },
    { target: 'a.yaml' },
    { ...good, headers: { host: 'x' } },
    { ...good, headers: { authorization: 'a\r\nb: c' } },
    { ...good, intervalSeconds: 0 },
    { ...good, unknown: 1 },
    'text',
  ]) {
    const { value, problems } = checkLiveSource(wrong);
    assert.equal(value, undefined, JSON.stringify(wrong));
    assert.ok(problems.length > 0 && problems.every(({ message }) => message.endsWith('.')));
  }
  const twice = checkLiveSources([good, good]);
  assert.match(twice.problems[0]?.message ?? '', /Two sources have the id "api\/openapi\.yaml"/);
  assert.equal(twice.value, undefined);
});
