import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolutionsOf } from '../../../src/core/merge/resolutions.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeConflict, Resolution } from '../../../src/core/merge/types.ts';

type Texts = readonly [base: string, ours: string, theirs: string];

function onlyConflict([base, ours, theirs]: Texts, format: DocumentFormat): MergeConflict {
  const { conflicts, problems } = threeWayMerge({ base, ours, theirs }, format);
  const [conflict] = conflicts;
  assert.deepEqual(problems, []);
  assert.ok(conflict !== undefined && conflicts.length === 1, JSON.stringify(conflicts, undefined, 1));
  return conflict;
}

function resolved(texts: Texts, resolution: Resolution, format: DocumentFormat = 'yaml'): string {
  const [base, ours, theirs] = texts;
  const { id } = onlyConflict(texts, format);
  const result = threeWayMerge({ base, ours, theirs }, format, { resolutions: new Map([[id, resolution]]) });
  assert.deepEqual([result.conflicts, result.problems], [[], []]);
  assert.equal(result.nextBase, theirs);
  return result.text;
}

const both = (texts: Texts, format: DocumentFormat = 'yaml'): string => {
  assert.ok(resolutionsOf(onlyConflict(texts, format)).includes('both'));
  return resolved(texts, { choice: 'both' }, format);
};

test('[both] two descriptions on one line become two paragraphs; nothing else changes', () => {
  const base = '# pets\nget:\n  description: All pets. # shown\n  # below\n  tags: [a]\n';
  const texts: Texts = [base, base.replace('All pets', 'Every pet'), base.replace('All pets', 'No pets')];
  assert.equal(
    both(texts),
    '# pets\nget:\n  description: |- # shown\n    Every pet.\n\n    No pets.\n  # below\n  tags: [a]\n',
  );
});

test('[both] in JSON and in brackets a description stays between its quotes', () => {
  const json = '{\n  "description": "All \\"pets\\".",\n  "x": 1\n}\n';
  assert.equal(
    both([json, json.replace('All', 'Every'), json.replace('All', 'No')], 'json'),
    '{\n  "description": "Every \\"pets\\".\\n\\nNo \\"pets\\".",\n  "x": 1\n}\n',
  );
  const flow = "get: { description: 'All pets', x: 1 }\n";
  assert.equal(
    both([flow, flow.replace('All', 'Every'), flow.replace('All', 'No')]),
    'get: { description: "Every pets\\n\\nNo pets", x: 1 }\n',
  );
});

test('[both] a description that says all of the other stands alone', () => {
  const base = 'description: Pets\n';
  assert.equal(both([base, 'description: Dogs\n', 'description: Dogs and cats\n']), 'description: Dogs and cats\n');
});

test('[both] both add a description', () => {
  const base = 'get:\n  tags: [a]\n';
  assert.equal(
    both([base, `${base}  description: One\n`, `${base}  description: Two\n`]),
    `${base}  description: |-\n    One\n\n    Two\n`,
  );
});

test('[both] a sequence that both reordered has theirs’ order and the items of both, with their comments', () => {
  const item = (name: string, comment = ''): string => `  - step: ${name}${comment}\n    run: ${name}.sh\n`;
  const base = `x-steps:\n${item('a')}${item('b')}${item('c')}`;
  const ours = `x-steps:\n${item('b')}${item('a', ' # first')}${item('c')}${item('d')}`;
  const theirs = `x-steps:\n${item('c')}${item('b')}${item('a')}`;
  const texts: Texts = [base, ours, theirs];
  assert.equal(onlyConflict(texts, 'yaml').kind, 'move-move');
  assert.equal(both(texts), `x-steps:\n${item('c')}${item('d')}${item('b')}${item('a', ' # first')}`);
  assert.equal(resolved(texts, { choice: 'ours' }), ours);
  assert.equal(resolved(texts, { choice: 'theirs' }), theirs);
});

test('[both] two lists in the place of one value are united', () => {
  const texts: Texts = ['type: string\n', "type: [string, 'null']\n", 'type: [string, integer]\n'];
  assert.equal(both(texts), "type: [string, integer, 'null']\n");
});

test('[both] where both cannot stand it is not offered, and asking for it leaves the conflict open', () => {
  const texts: Texts = ['operationId: a\n', 'operationId: b\n', 'operationId: c\n'];
  const conflict = onlyConflict(texts, 'yaml');
  assert.deepEqual(resolutionsOf(conflict), ['ours', 'theirs', 'base', 'custom']);
  const [base, ours, theirs] = texts;
  const result = threeWayMerge({ base, ours, theirs }, 'yaml', {
    resolutions: new Map([[conflict.id, { choice: 'both' }]]),
  });
  assert.deepEqual(result.conflicts, [conflict]);
  assert.equal(result.text, ours);
});

test('[both] a text typed by hand replaces the element and nothing around it', () => {
  const base = 'get:\n    # above\n    summary: a # beside\n    tags: [x]\n';
  const texts: Texts = [base, base.replace(': a', ': b'), base.replace(': a', ': c')];
  assert.equal(
    resolved(texts, { choice: 'custom', text: 'summary: >-\n  b\n  c\n' }),
    'get:\n    # above\n    summary: >-\n      b\n      c\n    tags: [x]\n',
  );
});
