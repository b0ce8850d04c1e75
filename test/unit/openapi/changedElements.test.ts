import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffSplices } from '../../../src/core/merge/splices.ts';
import { changedElements } from '../../../src/core/openapi/changedElements.ts';

const SPEC = `openapi: 3.1.0
info:
  title: Shop
paths:
  /items:
    get:
      summary: List items
      parameters:
      - name: limit
        in: query
        description: How many
      responses:
        '200':
          description: OK
components:
  schemas:
    Item:
      type: object
      description: |
        A thing that is sold.
        It has a price.
`;

function changes(edit: (text: string) => string): readonly string[] {
  const after = edit(SPEC);
  return changedElements(SPEC, after, diffSplices(SPEC, after));
}

test('a changed value is named by its operation and field', () => {
  assert.deepEqual(
    changes((text) => text.replace('List items', 'List all items')),
    ['GET /items · summary'],
  );
  assert.deepEqual(
    changes((text) => text.replace('title: Shop', 'title: Web shop')),
    ['info · title'],
  );
});

test('a parameter is named by its operation, though its sequence stands at the column of its key', () => {
  assert.match(changes((text) => text.replace('How many', 'At most'))[0] ?? '', /^GET \/items · /);
});

test('a line of a long text is named by the field that it belongs to', () => {
  assert.match(
    changes((text) => text.replace('It has a price.', 'It has no price.'))[0] ?? '',
    /schema Item · description/,
  );
});

test('what was added and what was removed is named', () => {
  const added = changes((text) => text.replace('components:', '  /orders:\n    get: {}\ncomponents:'));
  assert.match(added[0] ?? '', /\/orders/);
  const removed = changes((text) => text.replace("        '200':\n          description: OK\n", ''));
  assert.match(removed[0] ?? '', /GET \/items · response 200/);
});

test('[I10] nothing is too strange to be looked at, and never more than five are named', () => {
  for (const text of ['', '\n\n', '- - - x', ': :', '{"a": 1}', '\u0000', 'a'.repeat(10_000)]) {
    assert.ok(changedElements(text, `${text}b: 1\n`, diffSplices(text, `${text}b: 1\n`)).length <= 5);
  }
  assert.ok(changes((text) => text.replaceAll('e', 'E')).length <= 5);
});
