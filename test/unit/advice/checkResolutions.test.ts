import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkResolutions } from '../../../src/core/advice/checkResolutions.ts';
import { isGood } from '../../../src/core/advice/resolutionCheck.ts';
import { keptChanges, type KeptChanges } from '../../../src/core/advice/keptChanges.ts';
import type { MergeConflict } from '../../../src/core/merge/types.ts';
import { checksOf, clash, failedIn, only, summaryClash, type Clash } from './documents.ts';

describe('[I11] a resolution is checked before it may be applied', () => {
  it('passes all checks where it brings both changes together', () => {
    const one = summaryClash();
    const conflict = only(one.conflicts);
    const result = checkResolutions(
      one.input,
      'yaml',
      [conflict],
      new Map([[conflict.id, { choice: 'custom', text: 'summary: All your pets\n' }]]),
    );
    assert.ok(isGood(result.checks));
    assert.equal(result.text, one.input.ours.replace('List your pets', 'All your pets'));
    assert.deepEqual(
      result.checks.map(({ name }) => name),
      ['parses', 'references', 'validity', 'outside', 'kept', 'addresses'],
    );
    for (const choice of ['ours', 'theirs'] as const)
      assert.deepEqual(failedIn(checksOf(one, conflict, { choice })), []);
  });

  it('fails where the text is no YAML, or does not stay where it is put', () => {
    const one = summaryClash();
    const conflict = only(one.conflicts);
    assert.deepEqual(failedIn(checksOf(one, conflict, 'summary: [a\n')), ['parses']);
    assert.ok(!isGood([]));
    // Less indented text would end the operation and begin something else.
    assert.notDeepEqual(failedIn(checksOf(one, conflict, 'summary: a\n  evil: b\n')), []);
  });

  it('fails where something beside the element changes', () => {
    const one = summaryClash();
    const conflict = only(one.conflicts);
    assert.deepEqual(failedIn(checksOf(one, conflict, 'summary: a\ndeprecated: true\n')).slice(0, 1), ['outside']);
    assert.deepEqual(failedIn(checksOf(one, conflict, 'deprecated: true\n')).slice(0, 1), ['outside']);
    assert.deepEqual(failedIn(checksOf(one, conflict, 'summary: a\n# a remark\nsecurity: []\n')).slice(0, 1), [
      'outside',
    ]);
  });

  it('fails where a $ref points to nothing, or to another place than the two versions do', () => {
    const one = clash(
      [["$ref: '#/components/schemas/Pet'", '{ type: array, maxItems: 10 }']],
      [["$ref: '#/components/schemas/Pet'", '{ type: array, maxItems: 20 }']],
    );
    const conflict = only(one.conflicts);
    const value = (target: string): string => replaceValue(conflict.ours?.text, `{ $ref: '${target}' }`);
    assert.deepEqual(failedIn(checksOf(one, conflict, value('#/components/schemas/Dog'))).includes('references'), true);
    const foreign = failedIn(checksOf(one, conflict, value('https://evil.example/a.yaml#/x')));
    assert.ok(foreign.includes('references') && foreign.includes('addresses'), foreign.join());
    assert.ok(failedIn(checksOf(one, conflict, value('./other.yaml'))).includes('references'));
  });

  it('fails where the document becomes less valid, and not for faults that were there before', () => {
    const twice = withSecondOperation();
    const conflict = only(twice.conflicts);
    assert.deepEqual(failedIn(checksOf(twice, conflict, 'operationId: other\n')), ['validity']);
    assert.deepEqual(failedIn(checksOf(twice, conflict, 'operationId: listOurPets\n')), []);
  });

  it('fails where a change is lost that only one side made', () => {
    const piece = (text: string): { text: string; start: number; end: number } => ({
      text,
      start: 0,
      end: text.length,
    });
    const conflict: MergeConflict = {
      id: 'schema',
      kind: 'edit-edit',
      pointer: '/paths/~1pets/get/parameters/0/schema',
      label: 'GET /pets · parameter 1 · schema',
      canTakeBoth: false,
      base: piece('schema: { type: integer, maximum: 10 }'),
      ours: piece('schema: { type: integer, maximum: 20 }'),
      theirs: piece('schema: { type: integer, maximum: 30, minimum: 1 }'),
    };
    const kept = (text: string): KeptChanges => keptChanges(conflict, { choice: 'custom', text }, 'yaml');
    assert.deepEqual(kept('schema: { type: integer, maximum: 25, minimum: 1 }\n'), { kind: 'kept' });
    assert.deepEqual(kept('schema: { type: integer, maximum: 20 }'), {
      kind: 'lost',
      sentence: 'It loses "minimum" as only the other side changed it.',
    });
    assert.equal(kept('schema: { type: integer, maximum: 20, minimum: 2 }').kind, 'lost');
    assert.match(JSON.stringify(kept('schema: { type: integer, maximum: 20, minimum: 1, format: int64 }')), /neither/);
    assert.match(JSON.stringify(kept('schema: { type: string, maximum: 20, minimum: 1 }')), /agree/);
    assert.equal(kept('schema: { type: integer }\nother: 1').kind, 'lost');
    assert.equal(keptChanges(conflict, { choice: 'ours' }, 'yaml').kind, 'lost');
    assert.equal(keptChanges(conflict, { choice: 'theirs' }, 'yaml').kind, 'kept');
  });

  it('asks no such thing where one side has deleted the element: then one of the two gives way', () => {
    const one = clash(
      [
        [
          'components:\n  schemas:\n    Pet:\n      type: object\n      properties:\n        name: { type: string }\n',
          '',
        ],
      ],
      [['name: { type: string }', 'name: { type: string, maxLength: 20 }']],
    );
    for (const conflict of one.conflicts) {
      const checks = checksOf(one, conflict, { choice: 'theirs' });
      assert.equal(checks.find(({ name }) => name === 'kept')?.outcome, 'skipped');
      assert.equal(checks.find(({ name }) => name === 'outside')?.outcome, 'passed');
    }
  });

  it('fails where a text names a web address that stands in no version of the element', () => {
    const one = summaryClash('See https://pets.example/docs, all of it');
    const conflict = only(one.conflicts);
    for (const address of [
      'https://evil.example/?q=1',
      'http://evil.example',
      '//evil.example/x',
      'www.evil.example',
      'javascript:alert(1)',
      'data:text/html;base64,AAAA',
      'mailto:a@evil.example',
      'command:workbench.action.quit',
      'https://api.pets.example/v1',
      'https://pets.example/docs/../leak',
    ])
      assert.deepEqual(failedIn(checksOf(one, conflict, `summary: 'See ${address}'\n`)), ['addresses'], address);
    assert.deepEqual(failedIn(checksOf(one, conflict, 'summary: See https://pets.example/docs.\n')), []);
    assert.deepEqual(failedIn(checksOf(one, conflict, 'summary: "Pets: all // most"\n')), []);
  });

  it('works in JSON, in sequences and in flow style', () => {
    const base = JSON.stringify(
      {
        openapi: '3.1.0',
        info: { title: 'A', version: '1' },
        tags: [{ name: 'a', description: 'x' }, { name: 'b' }],
        paths: {},
      },
      undefined,
      2,
    );
    const json = clash(
      [['"description": "x"', '"description": "mine"']],
      [['"description": "x"', '"description": "theirs"']],
      base,
      'json',
    );
    const conflict = only(json.conflicts);
    assert.deepEqual(failedIn(checksOf(json, conflict, '"description": "both"')), []);
    assert.deepEqual(failedIn(checksOf(json, conflict, '"description": "both", "evil": 1')).slice(0, 1), ['outside']);
    const items = clash(
      [['  - url: https://api.pets.example/v1', '  - url: !a https://api.pets.example/v1']],
      [['  - url: https://api.pets.example/v1', '  - url: !b https://api.pets.example/v1']],
    );
    for (const one of items.conflicts) assert.deepEqual(failedIn(checksOf(items, one, { choice: 'theirs' })), []);
  });
});

function replaceValue(text: string | undefined, value: string): string {
  const lines = (text ?? '').split('\n');
  const head = lines[0]?.split(':')[0] ?? '';
  return `${head}: ${value}\n`;
}

function withSecondOperation(): Clash {
  const base = `openapi: 3.1.0
info: { title: A, version: '1' }
paths:
  /a:
    get:
      operationId: listPets
      responses: {}
  /b:
    get:
      operationId: other
      responses: {}
`;
  return clash([['listPets', 'listMyPets']], [['listPets', 'listAllPets']], base);
}
