import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeOptions, MergeResult } from '../../../src/core/merge/types.ts';

function merge(
  base: string,
  ours: string,
  theirs: string,
  format: DocumentFormat = 'yaml',
  options: MergeOptions = {},
): MergeResult {
  return threeWayMerge({ base, ours, theirs }, format, options);
}

function mergeClean(base: string, ours: string, theirs: string, format: DocumentFormat = 'yaml'): string {
  const result = merge(base, ours, theirs, format);
  assert.deepEqual(
    result.conflicts.map(({ kind, pointer }) => `${kind} ${pointer}`),
    [],
  );
  assert.deepEqual(result.problems, []);
  return result.text;
}

function conflictsOf(result: MergeResult): string[] {
  return result.conflicts.map(({ kind, pointer }) => `${kind} ${pointer}`);
}

const PETS = `openapi: 3.0.3
info:
  title: Pets # the name
  version: 1.0.0
paths:
  /pets:
    get:
      summary: All pets
      parameters:
        - in: query
          name: limit
          schema: { type: integer }
        - name: offset
          in: query
          schema: { type: integer }
      responses:
        '200':
          description: Good
`;

test('[I3] edits of different operations keep every byte that nobody touched', () => {
  const text = mergeClean(
    PETS,
    PETS.replace('All pets', 'Every pet'),
    PETS.replace('description: Good', 'description: Fine'),
  );
  assert.equal(text, PETS.replace('All pets', 'Every pet').replace('description: Good', 'description: Fine'));
});

test('[identity] both add a response at the same place: both are there, the head’s first', () => {
  const with404 = `${PETS}        '404':\n          description: None\n`;
  const with500 = `${PETS}        '500':\n          # rare\n          description: Broken\n`;
  assert.equal(mergeClean(PETS, with404, with500), `${with500}        '404':\n          description: None\n`);
});

test('[identity] parameters are matched by place and name, whatever their order', () => {
  const ours = PETS.replace('name: limit\n', 'name: limit\n          description: How many\n');
  const theirs = PETS.replace(
    /( {8}- in: query\n {10}name: limit\n {10}schema: \{ type: integer \}\n)( {8}- name: offset\n {10}in: query\n {10}schema: \{ type: integer \}\n)/,
    '$2$1',
  ).replace('schema: { type: integer }', 'schema: { type: string }');
  const text = mergeClean(PETS, ours, theirs);
  assert.match(
    text,
    /- name: offset\n {10}in: query\n {10}schema: \{ type: string \}\n {8}- in: query\n {10}name: limit\n {10}description: How many/,
  );
});

test('[identity] required and enum are sets: what both add is united', () => {
  const base = 'a:\n  required: [id]\n  enum:\n    - x\n';
  assert.equal(
    mergeClean(
      base,
      'a:\n  required: [id, name]\n  enum:\n    - x\n    - y\n',
      'a:\n  required: [id, age]\n  enum:\n    - x\n    - z\n',
    ),
    'a:\n  required: [id, age, name]\n  enum:\n    - x\n    - z\n    - y\n',
  );
});

test('[rename] the edit of the other side follows a renamed path', () => {
  const ours = PETS.replace('/pets:', '/animals:');
  const theirs = PETS.replace('summary: All pets', 'summary: All pets of the shop').replace(
    'description: Good',
    'description: Fine',
  );
  assert.equal(mergeClean(PETS, ours, theirs), theirs.replace('/pets:', '/animals:'));
});

test('[rename] a name that another thing took over is not the same thing', () => {
  const schema = (name: string, words: string): string =>
    `  ${name}:\n    type: object\n    title: ${words}\n    properties:\n      ${words}A: { type: string }\n      ${words}B: { type: string }\n      ${words}C: { type: string }\n      ${words}D: { type: string }\n`;
  const base = `definitions:\n${schema('Machine', 'running')}${schema('OfflineMachine', 'stopped')}`;
  const ours = `definitions:\n${schema('MachineInstance', 'running')}${schema('Machine', 'stopped')}`;
  const theirs = base.replace('runningA: { type: string }', 'runningA: { type: string, format: uuid }');
  assert.equal(
    mergeClean(base, ours, theirs),
    ours.replace('runningA: { type: string }', 'runningA: { type: string, format: uuid }'),
  );
});

test('[rename] a new path with other operations is not taken for the one that was edited, however alike they read', () => {
  const path = (name: string, id: string): string =>
    `  ${name}:\n    get:\n      operationId: ${id}\n      tags: [pets]\n      deprecated: false\n      responses:\n        '200':\n          description: A list\n`;
  const base = `paths:\n${path('/a', 'getA')}${path('/b', 'getB')}`;
  const ours = `paths:\n${path('/a-ours', 'getA')}${path('/b', 'getB').replace('A list', 'All of b')}`;
  const theirs = `paths:\n${path('/a-theirs', 'getA')}`;
  const result = merge(base, ours, theirs);
  assert.deepEqual(result.renames, []);
  assert.ok(conflictsOf(result).includes('edit-delete /paths/~1b'));
});

test('[text] a description merges by lines, and by words where the changes are apart', () => {
  const base = 'info:\n  description: |\n    First line of text.\n    Second line of text.\n    Third line.\n';
  const ours = base.replace('First line', 'Opening line');
  const theirs = base.replace('Second line of text', 'Second line of prose');
  assert.equal(
    mergeClean(base, ours, theirs),
    'info:\n  description: |\n    Opening line of text.\n    Second line of prose.\n    Third line.\n',
  );
  const plain = 'a:\n  summary: Get one pet of the shop by its number\n';
  assert.equal(
    mergeClean(plain, plain.replace('Get one', 'Fetch one'), plain.replace('its number', 'its id')),
    'a:\n  summary: Fetch one pet of the shop by its id\n',
  );
});

test('[I4] both change the same word: a conflict, never a guess', () => {
  const result = merge(PETS, PETS.replace('All pets', 'Every pet'), PETS.replace('All pets', 'No pets'));
  assert.deepEqual(conflictsOf(result), ['edit-edit /paths/~1pets/get/summary']);
  assert.equal(result.text, PETS.replace('All pets', 'Every pet'));
  assert.equal(result.nextBase, PETS);
  const [conflict] = result.conflicts;
  assert.equal(conflict?.label, 'GET /pets · summary');
  assert.deepEqual(
    [conflict.base?.text, conflict.ours?.text, conflict.theirs?.text],
    ['summary: All pets\n', 'summary: Every pet\n', 'summary: No pets\n'],
  );
});

test('[I4] edited by one, deleted by the other: a conflict that covers the element only', () => {
  const ours = PETS.replace(/ {8}- name: offset\n {10}in: query\n {10}schema: \{ type: integer \}\n/, '');
  const theirs = PETS.replace(
    'in: query\n          schema: { type: integer }\n      resp',
    'in: query\n          schema: { type: string }\n      resp',
  ).replace('Good', 'Fine');
  const result = merge(PETS, ours, theirs);
  assert.deepEqual(conflictsOf(result), ['edit-delete /paths/~1pets/get/parameters/1']);
  assert.match(result.text, /description: Fine/);
  assert.equal(merge(PETS, ours, theirs, 'yaml', { unresolved: 'theirs' }).text, theirs);
});

test('[version] both raise info.version: asked, or settled by the setting', () => {
  const ours = PETS.replace('1.0.0', '1.2.0');
  const theirs = PETS.replace('1.0.0', '1.10.0');
  assert.deepEqual(conflictsOf(merge(PETS, ours, theirs)), ['edit-edit /info/version']);
  assert.equal(merge(PETS, ours, theirs, 'yaml', { infoVersion: 'higher' }).text, theirs);
  assert.equal(merge(PETS, ours, theirs, 'yaml', { infoVersion: 'ours' }).text, ours);
});

test('[git] a doubled key that a merge by lines would write does not come out', () => {
  const base = 'a:\n  x: 1\nb:\n  y: 1\nc:\n  z: 1\n';
  const ours = 'a:\n  x: 1\nnew:\n  n: 1\nb:\n  y: 1\nc:\n  z: 1\n';
  const theirs = 'a:\n  x: 1\nb:\n  y: 1\nc:\n  z: 1\nnew:\n  n: 1\n';
  assert.equal(mergeClean(base, ours, theirs).match(/^new:/gm)?.length, 1);
});

test('[I5] one deletes a schema, the other begins to use it: a semantic conflict', () => {
  const base =
    'openapi: 3.0.3\npaths:\n  /a:\n    get:\n      operationId: a\ncomponents:\n  schemas:\n    Pet:\n      type: object\n    Owner:\n      type: object\n';
  const ours = base.replace('    Pet:\n      type: object\n', '');
  const theirs = base.replace(
    'operationId: a\n',
    "operationId: a\n      responses:\n        '200':\n          $ref: '#/components/schemas/Pet'\n",
  );
  const result = merge(base, ours, theirs);
  assert.ok(result.conflicts.length > 0 && result.conflicts.every(({ kind }) => kind === 'semantic'));
  assert.match(result.conflicts[0]?.explanation ?? '', /points to nothing/);
  assert.equal(result.text, ours);
  assert.equal(merge(base, ours, theirs, 'yaml', { unresolved: 'theirs' }).text, theirs);
});

test('[I5] both give a new operation the same operationId: a semantic conflict', () => {
  const base = 'openapi: 3.0.3\npaths:\n  /a:\n    get:\n      operationId: a\n  /z:\n    get:\n      operationId: z\n';
  const ours = base.replace('  /z:', '  /b:\n    get:\n      operationId: same\n  /z:');
  const theirs = `${base}  /c:\n    get:\n      operationId: same\n`;
  const result = merge(base, ours, theirs);
  assert.ok(result.conflicts.length > 0);
  assert.ok(result.conflicts.every(({ kind }) => kind === 'semantic'));
});

test('[I3] comments above and beside an element come along with it', () => {
  const ours = PETS.replace("        '200':", "        # the usual\n        '200':").replace(
    'All pets',
    'Every pet # really',
  );
  const theirs = `${PETS}        '404': # gone\n          description: None\n`.replace(
    '  version: 1.0.0',
    '  version: 1.1.0 # bumped',
  );
  const text = mergeClean(PETS, ours, theirs);
  for (const comment of ['# the usual', '# really', '# gone', '# bumped', '# the name'])
    assert.ok(text.includes(comment), comment);
});

test('[anchors] anchors and aliases are never expanded', () => {
  const base = 'x-common: &common\n  type: string\na:\n  <<: *common\n  title: a\nb:\n  <<: *common\n';
  const ours = base.replace('title: a', 'title: A');
  const theirs = base.replace('type: string', 'type: string\n  format: uuid');
  assert.equal(
    mergeClean(base, ours, theirs),
    'x-common: &common\n  type: string\n  format: uuid\na:\n  <<: *common\n  title: A\nb:\n  <<: *common\n',
  );
});

test('[I4] both put another tag or anchor on a mapping: a conflict, never one of the two', () => {
  const base = 'openapi: 3.0.3\nx-sample: {a: 1}\n';
  for (const [one, other] of [
    ['!num', '!int'],
    ['&one', '&other'],
  ] as const) {
    const result = merge(base, base.replace('{', `${one} {`), base.replace('{', `${other} {`));
    assert.deepEqual(
      result.conflicts.map(({ kind, pointer }) => [kind, pointer]),
      [['edit-edit', '/x-sample']],
    );
  }
});

test('[format] JSON: both add a property behind the last one; commas are right', () => {
  const base = '{\n  "a": {\n    "x": 1\n  }\n}\n';
  assert.equal(
    mergeClean(
      base,
      '{\n  "a": {\n    "x": 1,\n    "y": 2\n  }\n}\n',
      '{\n  "a": {\n    "x": 1,\n    "z": 3\n  }\n}\n',
      'json',
    ),
    '{\n  "a": {\n    "x": 1,\n    "z": 3,\n    "y": 2\n  }\n}\n',
  );
});

test('[format] JSONC: comments stay', () => {
  const base = '{\n  // first\n  "a": 1, // one\n  "b": 2\n}\n';
  const text = mergeClean(
    base,
    base.replace('"a": 1', '"a": 10'),
    base.replace('"b": 2', '"b": 2, /* c */ "c": 3'),
    'jsonc',
  );
  assert.equal(text, '{\n  // first\n  "a": 10, // one\n  "b": 2, /* c */\n  "c": 3\n}\n');
});

test('[format] one side indents anew, the other edits: the edit is in the new layout', () => {
  const base = 'a:\n    b:\n        c: 1\n        d: 2\n';
  assert.equal(
    mergeClean(base, 'a:\n  b:\n    c: 1\n    d: 2\n', base.replace('d: 2', 'd: 3')),
    'a:\n  b:\n    c: 1\n    d: 3\n',
  );
});

test('[order] moved by one side, edited by the other: that order, with the edit', () => {
  const base = 'one:\n  a: 1\ntwo:\n  b: 1\nthree:\n  c: 1\n';
  assert.equal(
    mergeClean(base, 'three:\n  c: 1\none:\n  a: 1\ntwo:\n  b: 1\n', base.replace('b: 1', 'b: 2')),
    'three:\n  c: 1\none:\n  a: 1\ntwo:\n  b: 2\n',
  );
});

test('[join] without a base: one-sided things are kept, equal ones agree, different ones clash', () => {
  const result = merge('', 'a: 1\nb: 1\nd: 5\n', 'a: 1\nc: 1\nd: 6\n');
  assert.deepEqual(conflictsOf(result), ['add-add /d']);
  for (const line of ['a: 1', 'b: 1', 'c: 1', 'd: 5']) assert.ok(result.text.split('\n').includes(line), line);
});

test('[held] a resolution by hand is placed like what it replaces; a bad one is refused', () => {
  const [ours, theirs] = [PETS.replace('All pets', 'Every pet'), PETS.replace('All pets', 'No pets')];
  const id = merge(PETS, ours, theirs).conflicts[0]?.id ?? '';
  const custom = (text: string): MergeResult =>
    merge(PETS, ours, theirs, 'yaml', { resolutions: new Map([[id, { choice: 'custom', text }]]) });
  assert.equal(custom('summary: Some pets\n').text, PETS.replace('All pets', 'Some pets'));
  assert.equal(custom('').text, PETS.replace('      summary: All pets\n', ''));
  assert.equal(custom('summary: "open').problems[0]?.code, 'resolution-invalid');
});

test('[held] both: the lines of a text from both sides', () => {
  const base = 'info:\n  description: |\n    Same.\n    Old end.\n';
  const ours = base.replace('Old end', 'Our end');
  const theirs = base.replace('Old end', 'Their finish');
  const result = merge(base, ours, theirs);
  assert.equal(result.conflicts[0]?.canTakeBoth, true);
  const id = result.conflicts[0].id;
  assert.equal(
    merge(base, ours, theirs, 'yaml', { resolutions: new Map([[id, { choice: 'both' }]]) }).text,
    'info:\n  description: |\n    Same.\n    Our end.\n    Their finish.\n',
  );
});

test('[I4] what both sides wrote alike is no conflict, although something that both took out is like it', () => {
  const path = (name: string, words: string): string =>
    `  /${name}:\n    get:\n      operationId: ${words}\n      parameters:\n        - name: ${words}\n          in: query\n          schema:\n            type: string\n      summary: Read ${words}\n      description: ${words}\n`;
  const paths = (kept: string, other: string): string =>
    `openapi: 3.1.0\npaths:\n${path('kept', 'x').replace('Read x', kept)}${other}`;
  const base = paths('Read x', path('lost', 'y'));
  const ours = paths('Ours', path('new', 'z'));
  const result = merge(base, ours, paths('Theirs', path('new', 'z')));
  assert.deepEqual(conflictsOf(result), ['edit-edit /paths/~1kept/get/summary']);
  assert.equal(result.text, ours);
});
