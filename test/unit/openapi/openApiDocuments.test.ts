import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { checkDocument } from '../../../src/core/openapi/checkDocument.ts';
import { collectReferences } from '../../../src/core/openapi/collectReferences.ts';
import { describeApi } from '../../../src/core/openapi/describeApi.ts';
import { detectOpenApi } from '../../../src/core/openapi/detectOpenApi.ts';
import { elementLabel } from '../../../src/core/openapi/elementLabel.ts';
import { PlainCache, readPlainDocument } from '../../../src/core/openapi/plainDocument.ts';
import { findViolations } from '../../../src/core/openapi/semanticRules.ts';
import { countAnchorPlaces } from '../../../src/core/openapi/yamlBlocks.ts';

test('[detect] the root key decides, in YAML and JSON, with title', () => {
  assert.deepEqual(
    detectOpenApi('# x\nopenapi: 3.1.0\ninfo:\n  description: |\n    title: no\n  title: "Pets: all" # c\n'),
    { version: '3.1.0', format: 'yaml', title: 'Pets: all' },
  );
  assert.deepEqual(detectOpenApi("swagger: '2.0'\n"), { version: '2.0', format: 'yaml' });
  assert.deepEqual(detectOpenApi('{"info":{"title":"T"},"x":{"openapi":"9"},"openapi":"3.0.1"}'), {
    version: '3.0.1',
    format: 'json',
    title: 'T',
  });
  assert.deepEqual(detectOpenApi('// c\n{"swagger":"2.0",}'), { version: '2.0', format: 'jsonc' });
  for (const text of ['', 'a: 1', '{"a":{"openapi":"3.0.0"}}', 'x:\n  openapi: 3.0.0\n', 'openapi: yes\n'])
    assert.equal(detectOpenApi(text), undefined, text);
});

test('[check] doubled keys, several documents and bad syntax are told with their place', () => {
  const [doubled] = checkDocument('a:\n  x: 1\n  x: 2\n', 'yaml');
  assert.equal(doubled?.code, 'doubled-key');
  assert.equal(doubled.range?.start, 12);
  assert.equal(checkDocument('a: 1\n---\nb: 1\n', 'yaml')[0]?.code, 'several-documents');
  assert.equal(checkDocument('a: [1\n', 'yaml')[0]?.code, 'yaml-syntax');
  assert.equal(checkDocument('{"a":1,"a":2}', 'json')[0]?.code, 'doubled-key');
  assert.equal(checkDocument('{"a":1,}', 'json')[0]?.code, 'json-syntax');
  assert.deepEqual(checkDocument('{"a":1,} // c', 'jsonc'), []);
});

test('[check] what real files have is accepted: repeated merge keys, quoted lines at the margin of their key', () => {
  assert.deepEqual(checkDocument('a: &a {x: 1}\nb: &b {y: 1}\nc:\n  <<: *a\n  <<: *b\n', 'yaml'), []);
  assert.deepEqual(checkDocument('a:\n  d: "first\n  second"\n  e: 1\n', 'yaml'), []);
});

test('[check] a large file read in pieces gives the data and the problems of the whole', () => {
  const schema = (index: number): string =>
    `    Schema${index}:\n      # c${index}\n      type: object\n      description: |\n        text\n\n        - more: text\n${'      x-pad: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n'.replace('x-pad', `x-pad${index}`)}`;
  const text = `openapi: 3.0.0\ncomponents:\n  schemas:\n${Array.from({ length: 60 }, (_, index) => schema(index)).join('')}`;
  const inPieces = readPlainDocument(text, 'yaml');
  assert.ok(inPieces.pieces.length > 50);
  const whole = readPlainDocument(`${text}x-a: &a 1\n`, 'yaml');
  assert.equal(whole.pieces.length, 1);
  const plain = (node: unknown): string =>
    JSON.stringify(node, (key, value: unknown) =>
      key === 'start' || key === 'end' ? undefined : value instanceof Map ? [...value] : value,
    );
  assert.ok(inPieces.root?.kind === 'map' && whole.root?.kind === 'map');
  assert.equal(plain(inPieces.root.entries.get('components')), plain(whole.root.entries.get('components')));
  assert.equal(checkDocument(text.replace('Schema7:', 'Schema8:'), 'yaml')[0]?.code, 'doubled-key');
  assert.ok(checkDocument(text.replace('      type: object', '     type: object'), 'yaml').length > 0);
});

test('[references] files that are reached, once each and without fragment', () => {
  const text =
    "a:\n  $ref: './x.yaml#/A'\nb:\n  $ref: x.yaml\nc:\n  - $ref: './x.yaml'\nd:\n  $ref: '#/a'\ne:\n  $ref: https://h/x.yaml\nf:\n  discriminator:\n    mapping:\n      k: m.yaml#/M\n      l: Bare\n";
  assert.deepEqual(collectReferences(text, 'yaml'), ['./x.yaml', 'x.yaml', 'm.yaml']);
  assert.deepEqual(collectReferences('{"$ref":"../y.json#/z"}', 'json'), ['../y.json']);
});

test('[describe] title, version and operations', () => {
  assert.deepEqual(
    describeApi(
      'info: {title: T, version: 1.10}\npaths:\n  /a:\n    parameters: []\n    get: {}\n    post: {}\n',
      'yaml',
    ),
    { title: 'T', version: '1.10', operations: ['GET /a', 'POST /a'] },
  );
  assert.deepEqual(describeApi('{', 'json'), { title: '', version: '', operations: [] });
});

test('[label] names that a person recognises', () => {
  const labels: readonly (readonly [string, string])[] = [
    ['', 'whole document'],
    ['/paths/~1users~1{id}/put/responses/200', 'PUT /users/{id} · response 200'],
    ['/paths/~1users/parameters/0', '/users · parameter 1'],
    ['/components/schemas/Pet/properties/name/type', 'schema Pet · property name · type'],
    ['/definitions/Pet', 'schema Pet'],
    ['/info/version', 'info · version'],
  ];
  for (const [pointer, label] of labels) assert.equal(elementLabel(pointer), label);
  const inTours = (id: string): string =>
    elementLabel('/paths/~1tours/get/parameters/2', ['paths', '/tours', 'get', 'parameters', id]);
  assert.equal(inTours('in=query&name=limit'), 'GET /tours · parameter limit');
  assert.equal(inTours('$ref=#/components/parameters/Limit'), 'GET /tours · parameter Limit');
  assert.equal(inTours('anything else'), 'GET /tours · parameter 3');
  assert.equal(
    elementLabel('/servers/0/url', ['servers', 'url=https://a.example/v1', 'url']),
    'server https://a.example/v1 · url',
  );
});

test('[I5] the rules find what a combination can break', () => {
  const find = (text: string): string[] => findViolations(readPlainDocument(text, 'yaml').root).map(({ key }) => key);
  assert.deepEqual(find("a:\n  $ref: '#/b/c'\n"), ['reference #/b/c']);
  assert.deepEqual(
    find('paths:\n  /a/{x}:\n    get: {operationId: o}\n  /a/{y}:\n    get: {operationId: o}\n').sort(),
    ['operationId o', 'template /a/{}', 'undeclared /a/{x} get x', 'undeclared /a/{y} get y'],
  );
  assert.deepEqual(find('paths:\n  /a:\n    get:\n      parameters:\n        - {in: path, name: z}\n'), [
    'unused /a get z',
  ]);
  assert.deepEqual(find('s:\n  required: [a, b]\n  properties: {a: {}}\n'), ['required /s b']);
  assert.deepEqual(find("s:\n  example: {$ref: '#/no'}\n"), []);
  assert.deepEqual(find('security:\n  - {a: []}\ncomponents:\n  securitySchemes: {b: {}}\n'), ['security a']);
  assert.deepEqual(
    find('swagger: "2.0"\nsecurityDefinitions: {b: {}}\npaths:\n  /p:\n    get: {security: [{a: []}, {b: []}, {}]}\n'),
    ['security a'],
  );
  const mapping = 'discriminator: {propertyName: k, mapping: {';
  assert.deepEqual(
    find(`s:\n  ${mapping}a: Gone, b: other.yaml, c: './x', d: Here}}\ncomponents: {schemas: {Here: {}}}\n`),
    ['mapping Gone'],
  );
});

function largeJson(paths: number): string {
  const path = (index: number): readonly [string, unknown] => {
    const get = { summary: `Path ${index}`, operationId: `op${index}`, 'x-pad': 'a'.repeat(1_000), 'x-number': index };
    return [`/p${index}`, { get, put: { summary: 'Same' }, delete: { summary: 'Same' } }];
  };
  const all = Object.fromEntries(Array.from({ length: paths }, (_, index) => path(index)));
  return `${JSON.stringify({ openapi: '3.1.0', paths: all, 'x-last': 1 }, undefined, 2)}\n`;
}

test('[scale] of a second revision only what differs is read again, and it reads as it would by itself', () => {
  const text = largeJson(20);
  const revisions = [
    text,
    text.replace('Path 7', 'Path seven'),
    text.replace('"x-last": 1', '"x-last": 12'),
    text.replace('"x-number": 3', '"x-number": 3.10'),
    text.replace('    "/p4": {', '    "/new": {},\n    "/p4": {'),
    text.replace('"Same"', '"same"'),
  ];
  for (const format of ['json', 'yaml'] as const) {
    const cache = new PlainCache();
    const first = new Set(readPlainDocument(revisions[0] ?? '', format, cache).pieces);
    assert.ok(format === 'yaml' || first.size > 20);
    for (const revision of revisions) {
      const again = readPlainDocument(revision, format, cache);
      assert.deepEqual(again.root, readPlainDocument(revision, format).root);
      assert.ok(format === 'yaml' || again.pieces.length > 20);
      if (format === 'json') assert.ok(again.pieces.filter((piece) => !first.has(piece)).length <= 2);
    }
  }
});

test('[scale] what was read before makes no broken text readable', () => {
  const text = largeJson(20);
  const cache = new PlainCache();
  readPlainDocument(text, 'json', cache);
  const broken = [
    text.replace('"x-last": 1', '"x-last": 1x'),
    text.replace('"x-last": 1', '"x-last": 1,'),
    text.replace('"/p4"', '"/p3"'),
    text.replace('"x-number": 3', '"x-number": 3 3'),
    text.slice(0, -3),
    `${text}}`,
  ];
  for (const one of broken) {
    const { problems } = readPlainDocument(one, 'json', cache);
    assert.ok(problems.length > 0, one.slice(-40));
    assert.deepEqual(problems, readPlainDocument(one, 'json').problems);
  }
});

test('[scale] what stood at the end of a text is read again where its line goes on', () => {
  const schemas = Array.from({ length: 20 }, (_, index) => `  s${index}:\n    description: ${'a '.repeat(100)}\n`);
  const text = `openapi: 3.1.0\nx:\n${schemas.join('')}  last: 1`;
  const cache = new PlainCache();
  assert.ok(readPlainDocument(text, 'yaml', cache).pieces.length > 20);
  for (const more of ['  b: 2', '2', ' # c', '\n  b: 2\n'])
    assert.deepEqual(readPlainDocument(text + more, 'yaml', cache), readPlainDocument(text + more, 'yaml'));
});

test('[scale] too many places that look like anchors are too many however they came together', () => {
  const paths = (count: number): string =>
    Array.from(
      { length: count },
      (_, index) => `  p${index}:\n    a: "/search{&page}"\n    b: "/${'x'.repeat(60)}"\n`,
    ).join('');
  const cache = new PlainCache();
  for (const count of [300, 450, 501, 499, 600]) {
    const text = `openapi: 3.1.0\npaths:\n${paths(count)}`;
    const { pieces } = readPlainDocument(text, 'yaml', cache);
    assert.equal(pieces.length, readPlainDocument(text, 'yaml').pieces.length);
    assert.equal(pieces.length === 1, count > 500);
  }
});

test('[I5] what was found in a part holds only where the part means the same and what it names is the same', () => {
  const cache = new PlainCache();
  const find = (components: unknown, paths: unknown, more: object = {}): string[] => {
    const text = JSON.stringify(
      { openapi: '3.1.0', components, paths, 'x-pad': 'x'.repeat(4_000), ...more },
      undefined,
      1,
    );
    const found = findViolations(readPlainDocument(text, 'json', cache).root);
    assert.deepEqual(found, findViolations(readPlainDocument(text, 'json').root));
    return found.map(({ key }) => key);
  };
  const lacking = { 'x-pad': 'x'.repeat(5_000), required: ['a'], properties: { b: {} } };
  const dangling = { 'x-pad': 'y'.repeat(5_000), schema: { $ref: '#/no' } };
  // The same text, first as a schema, then as data, then elsewhere.
  assert.deepEqual(find({ schemas: { X: lacking, Z: dangling } }, {}).sort(), [
    'reference #/no',
    'required /components/schemas/X a',
  ]);
  for (const part of [lacking, dangling]) assert.deepEqual(find({ examples: { X: part } }, {}), []);
  assert.deepEqual(find({ schemas: { Y: lacking } }, {}), ['required /components/schemas/Y a']);
  const small = { required: ['a'], properties: {} };
  for (const key of ['x-a', 'x-b']) assert.deepEqual(find({}, {}, { [key]: small }), [`required /${key} a`]);
  // A path item that stays, and a parameter that it refers to.
  const item = { get: { parameters: [{ $ref: '#/components/parameters/id' }], 'x-pad': 'y'.repeat(5_000) } };
  const withParameter = (name: string): unknown => ({ parameters: { id: { in: 'path', name } } });
  assert.deepEqual(find(withParameter('id'), { '/a/{id}': item }), []);
  assert.deepEqual(find(withParameter('key'), { '/a/{id}': item }), [
    'undeclared /a/{id} get id',
    'unused /a/{id} get key',
  ]);
  assert.deepEqual(find(withParameter('key'), { '/a/{key}': item }), []);
  assert.deepEqual(find({}, { '/a/{key}': item }), ['reference #/components/parameters/id']);
});

test('[I5] what stands as it stood is judged again where the names around it are others, and a fault stays one', () => {
  const cache = new PlainCache();
  const pad = 'x'.repeat(5_000);
  const uses = { '/a': { get: { 'x-pad': pad, schema: { $ref: '#/components/schemas/A' } } } };
  const [a, lacking] = [{ 'x-pad': pad }, { 'x-pad': pad, required: ['a'], properties: { b: {} } }];
  const dangling = 'reference #/components/schemas/A';
  const missing = 'required /components/schemas/C a';
  const revisions: readonly (readonly [schemas: object, title: string, found: readonly string[]])[] = [
    [{ A: a }, 'one', []],
    [{ B: a }, 'one', [dangling]],
    [{ B: a }, 'two', [dangling]],
    [{ A: a }, 'two', []],
    [{ A: a, C: lacking }, 'two', [missing]],
    [{ A: a, C: lacking }, 'three', [missing]],
    [{ A: { ...a, type: 'object' }, C: lacking }, 'three', [missing]],
    [{ B: a, C: lacking }, 'three', [dangling, missing]],
  ];
  for (const [schemas, title, expected] of revisions) {
    const document = { openapi: '3.1.0', info: { title }, paths: uses, components: { schemas } };
    const { root } = readPlainDocument(JSON.stringify(document, undefined, 1), 'json', cache);
    assert.deepEqual(
      findViolations(root).map(({ key }) => key),
      expected,
    );
  }
});

test('[I10] a document that was read does not hold on to the texts of its earlier revisions', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const cache = new PlainCache();
  const names = Array.from({ length: 30 }, (_, index) => `a-schema-with-a-long-name-${index}`);
  for (const format of ['json', 'yaml'] as const) {
    const schemas = Object.fromEntries(names.map((name) => [name, { description: 'd'.repeat(70_000) }]));
    const text =
      format === 'json'
        ? JSON.stringify({ openapi: '3.1.0', components: { schemas } }, undefined, 1)
        : `openapi: 3.1.0\npaths:\n${names.map((name) => `  /${name}:\n    description: ${'d'.repeat(70_000)}\n    get: {}\n`).join('')}`;
    readPlainDocument(text, format, cache);
    collect();
    const before = process.memoryUsage().heapUsed;
    // Each revision edits another schema by one word, and takes over the rest.
    for (const name of names)
      readPlainDocument(
        [text.slice(0, text.indexOf(name)), name, 'x', text.slice(text.indexOf(name) + name.length)].join(''),
        format,
        cache,
      );
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 10 * text.length, `${format}: ${names.length} revisions hold ${grown} bytes`);
  }
});

test('[scale] what is remembered is bounded: the oldest pieces are forgotten', () => {
  const cache = new PlainCache(10);
  let reads = 0;
  const ask = (text: string): void => {
    cache.piece(text, (own) => {
      reads++;
      return { text: own, node: undefined };
    });
  };
  for (const text of ['aaaa', 'bbbb', 'aaaa', 'cccc', 'dddd', 'cccc']) ask(text);
  assert.equal(reads, 4);
  for (const text of ['eeee', 'ffff', 'gggg', 'aaaa']) ask(text);
  assert.equal(reads, 8);
  assert.ok(cache.length.pieces <= 20);
  for (const text of Array.from({ length: 9 }, (_, index) => `a: ${index}`)) readPlainDocument(text, 'yaml', cache);
  assert.equal(cache.length.texts, 4 * 4);
});

test('[scale] only what may be an anchor keeps a document from being cut', () => {
  for (const text of [
    'a: &x 1',
    'a:\n  &x b: 1',
    'a:   &x\n',
    '- &x 1',
    '- !!map &x {}',
    'a: [1, &x 2]',
    'a: {b:&x 1}',
    '? &x a',
    '--- &x',
    'a: "b" # c\nd: {e: "f", g: &x 1}',
    "a: 'it''s'\nb: [&x 1]",
  ])
    assert.equal(countAnchorPlaces(text), undefined, text);
  for (const text of [
    'a: research &development',
    'a: https://a.b/c?d=e&f=g',
    'url: "https://a.b/search?q={q}{&page,sort}"',
    "- 'https://a.b/search{&page}'",
    '"a": "say \\"b\\", &c"',
    'a: b & c',
  ])
    assert.notEqual(countAnchorPlaces(text), undefined, text);
  // Long runs of what begins like an anchor come to an end as fast as anything.
  for (const part of ['!', '-', '- ', ' ', '"', "a: '{&b", '&', '{&a'])
    for (const text of [part.repeat(200_000), `a: "${part.repeat(200_000)}`])
      assert.ok((countAnchorPlaces(text) ?? 0) >= 0);
});

test('[I10] what would take too much memory is refused unread, and says why', () => {
  const lines = (length: number): string => `x: "${'y'.repeat(length)}"\n`;
  for (const [text, format] of [
    [lines(49 * 1024 * 1024), 'yaml'],
    [`{"x": "${'y'.repeat(49 * 1024 * 1024)}"}`, 'json'],
    [`a: &a 1\n${lines(13 * 1024 * 1024)}`, 'yaml'],
  ] as const)
    assert.equal(checkDocument(text, format)[0]?.code, 'too-large');
});
