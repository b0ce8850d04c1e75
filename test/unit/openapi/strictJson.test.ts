import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDocument } from '../../../src/core/openapi/checkDocument.ts';
import type { PlainNode } from '../../../src/core/openapi/plainNodes.ts';
import { readStrictJson } from '../../../src/core/openapi/strictJson.ts';

const GOOD = [
  '{}',
  ' [ ] \r\n',
  '{"a": 1, "b" :[true,false , null], "c": {"d": {}}}',
  '[-0, 1.10, 2e5, 3E-2, -4.5e+6, 12345678901234567890]',
  '["", "\\u00e9\\"\\\\\\/\\b\\f\\n\\r\\t", "// no comment", "\u2028 \u{1F600}"]',
  '{"__proto__": {"x": 1}, "constructor": 2, "": 3}',
  '"only a text"',
  '7',
];
const BAD = [
  '',
  ' ',
  '{',
  '[1',
  '{"a"}',
  '{"a":}',
  '{"a" 1}',
  '{"a":1 "b":2}',
  '{"a":1,}',
  '{,}',
  '{a:1}',
  "{'a':1}",
  '[1,]',
  '[,1]',
  '[1 2]',
  '[01]',
  '[1.]',
  '[.5]',
  '[+1]',
  '[-]',
  '[1e]',
  '[NaN]',
  '[tru]',
  '[truefalse]',
  '["a]',
  '["\\x"]',
  '["\\u12"]',
  '["\u0001"]',
  '["a\nb"]',
  '{} {}',
  '{}]',
  '// x\n{}',
  '{} /* x */',
  '\uFEFF{}',
];

test('[JSON] what is plain JSON is read as the language itself reads it, with its numbers as they are written', () => {
  for (const text of GOOD) {
    const root = readStrictJson(text);
    assert.ok(root, text);
    assert.deepEqual(valueOf(root, text), JSON.parse(text), text);
    assert.deepEqual(checkDocument(text, 'json'), [], text);
  }
  const [version] = itemsOf(readStrictJson('[1.10]'));
  assert.equal(version?.kind === 'scalar' && version.text, '1.10');
});

test('[I10] what is not plain JSON, or has a key twice, is not read, and the library says what is wrong', () => {
  for (const text of BAD) {
    assert.throws(() => JSON.parse(text), text);
    assert.equal(readStrictJson(text), undefined, text);
    if (text.trim() !== '') assert.notDeepEqual(checkDocument(text, 'json'), [], text);
  }
  assert.equal(readStrictJson('{"a": {"b": 1, "b": 1}}'), undefined);
  assert.deepEqual(
    checkDocument('{"a": {"b": 1, "b": 1}}', 'json').map(({ code }) => code),
    ['doubled-key'],
  );
});

function itemsOf(node: PlainNode | undefined): readonly PlainNode[] {
  return node?.kind === 'sequence' ? node.items : [];
}

/** The data, by the places that the nodes say they have. */
function valueOf(node: PlainNode, text: string): unknown {
  if (node.kind === 'map') {
    assert.equal(text.charAt(node.start) + text.charAt(node.end - 1), '{}');
    // As `JSON.parse` does it: a key called `__proto__` is a key.
    return Object.fromEntries([...node.entries].map(([key, value]) => [key, valueOf(value, text)]));
  }
  if (node.kind === 'sequence') {
    assert.equal(text.charAt(node.start) + text.charAt(node.end - 1), '[]');
    return node.items.map((item) => valueOf(item, text));
  }
  const written = text.slice(node.start, node.end);
  const value: unknown = JSON.parse(written);
  assert.ok(node.kind === 'scalar');
  assert.equal(node.text, node.isString ? value : written);
  return value;
}
