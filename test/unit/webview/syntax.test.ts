import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tokenize } from '../../../src/webview/conflictPanel/syntax.ts';

describe('light syntax colours', () => {
  it('tells keys, strings, numbers, keywords, marks and comments apart in YAML', () => {
    assert.deepEqual(
      show('- name: maxDuration # minutes\n  schema: { type: integer, minimum: 15, nullable: true }\n'),
      [
        'key name',
        'string maxDuration',
        'comment # minutes',
        'key schema',
        'key type',
        'string integer',
        'key minimum',
        'number 15',
        'key nullable',
        'keyword true',
      ],
    );
    assert.deepEqual(show("'201': &here |\n  12 guests\nsame: *here"), [
      "key '201'",
      'mark &here',
      'mark |',
      'string   12 guests\n',
      'key same',
      'mark *here',
    ]);
  });

  it('and in JSON, also in a piece that stands in no brackets', () => {
    assert.deepEqual(show('"limit": { "maximum": -1.5e3, "of": ["a", null] }'), [
      'key "limit"',
      'key "maximum"',
      'number -1.5e3',
      'key "of"',
      'string "a"',
      'keyword null',
    ]);
    assert.deepEqual(show('"required": true,'), ['key "required"', 'keyword true,']);
  });

  it('[I10] takes any text, in order and without overlap, and leaves a huge one alone', () => {
    for (const text of [
      '',
      '"open',
      '{ [',
      '%YAML 9',
      '---\n...\n---',
      '\u0002\u001f',
      '\ttab: x',
      'a: [\n"b',
      '\uFEFFx: 1',
    ]) {
      let end = 0;
      for (const token of tokenize(text)) {
        assert.ok(token.start >= end && token.end > token.start && token.end <= text.length, JSON.stringify(text));
        end = token.end;
      }
    }
    assert.deepEqual(tokenize('a: 1\n'.repeat(20_000)), []);
  });
});

function show(text: string): string[] {
  return tokenize(text).map(({ start, end, kind }) => `${kind} ${text.slice(start, end)}`);
}
