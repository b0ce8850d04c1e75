import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { DocumentFormat } from '../../../src/core/merge/types.ts';
import { checkDocument } from '../../../src/core/openapi/checkDocument.ts';
import { collectReferences } from '../../../src/core/openapi/collectReferences.ts';
import { describeApi } from '../../../src/core/openapi/describeApi.ts';
import { detectOpenApi } from '../../../src/core/openapi/detectOpenApi.ts';

const deep = (open: string, close: string, count: number): string => open.repeat(count) + close.repeat(count);
const deepBlock = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${' '.repeat(index)}a:\n`).join('');
const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...'bcdefghi'.split('').map(
    (name, index) =>
      `${name}: &${name} [${Array(9)
        .fill(`*${'abcdefgh'.charAt(index)}`)
        .join(',')}]`,
  ),
].join('\n');

/** Texts that must neither throw nor hang, whatever is made of them. */
const YAML: readonly string[] = [
  '',
  '\n',
  ' ',
  '\t',
  '#',
  '---',
  '---\n',
  '...',
  '---\n---\n',
  'a: 1\n---\nb: 2\n',
  '%YAML 1.2\n---\na: 1\n',
  '%',
  '?',
  '? a',
  '? a\n: b\n',
  '? [a, b]\n: c\n',
  ':',
  '- ',
  '-',
  '- - - -',
  'a',
  '"',
  "'",
  '"a',
  "'a",
  'a: "x',
  "a: 'x\nb: 1\n",
  'a: |',
  'a: |9\n x',
  'a: >-\n',
  'a: |\n\n\n',
  '{',
  '[',
  '}',
  ']',
  '{a',
  '{a: [}',
  '{a: 1, a: 2}',
  'a: 1\na: 2\n',
  'a: {b: 1}}\n',
  'a: *missing\n',
  '&a a: *a\n',
  'a: &a\n  b: *a\n',
  '<<: *x\n',
  'a: !!binary x\n',
  'a: !<tag:x> 1\n',
  '!a !b c\n',
  '\ttab: 1\n',
  'a:\n\tb: 1\n',
  'a: 1\n b: 2\n',
  'a:\n  b: 1\n c: 2\n',
  '__proto__: {a: 1}\nconstructor: {prototype: {}}\n',
  '1: a\n"1": b\n',
  'null: 1\n~: 2\n',
  '? \n',
  'a: 1e400\nb: 9007199254740993\n',
  'a: \u0000\n',
  'a: \ud800\n',
  '\uFEFFa: 1\n',
  'a: 1\r\nb: 2\r\n',
  'a: 1\rb: 2',
  '<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n',
  'a: |\n  x\n y\n',
  'a: - b\n',
  'a: b: c\n',
  '- a\nb: 1\n',
  'a:\n- b\n  c\n',
  '[a: 1, b: 2]\n',
  '{? a : b}\n',
  'a: @b\n',
  'a: `b\n',
  'a: %b\n',
  deep('[', ']', 5000),
  deep('{a: ', '}', 5000),
  deepBlock(1500),
  '- '.repeat(3000),
  bomb,
  `a: ${'x'.repeat(200_000)}\n`,
  'k: v\n'.repeat(20_000),
  Array.from({ length: 20_000 }, (_, i) => `k${i}: v\n`).join(''),
  '#\n'.repeat(20_000),
  '"'.repeat(10_000),
  `a: '${"''".repeat(20_000)}\n`,
];
const JSON_TEXTS: readonly string[] = [
  '',
  '{',
  '}',
  '[',
  '[]',
  '{}',
  'null',
  '1',
  '"',
  '"a',
  '{"a"',
  '{"a":',
  '{"a":1,}',
  '{"a":1 "b":2}',
  '{"a":1,"a":2}',
  '{"__proto__":{"a":1}}',
  '{a:1}',
  "{'a':1}",
  '// x',
  '/*',
  '{"a":/* x */1}',
  '{"a":1}//',
  '{"a":1}{"b":2}',
  '{"a":"\\u00"}',
  '{"a":"\\x"}',
  '{"a":"\n"}',
  '\uFEFF{}',
  '[1,2',
  '{"a":[}',
  deep('[', ']', 20_000),
  deep('{"a":', '}', 20_000),
  `{"a":"${'\\'.repeat(9999)}"}`,
  `{${'"k":1,'.repeat(20_000)}"z":1}`,
  `[${'1,'.repeat(50_000)}1]`,
];
const GOOD_YAML = 'openapi: 3.0.3\npaths:\n  /a:\n    get: {}\n';
/** What one call may cost, in processor time: below 1 s as measured, and other programs on the machine do not count. */
const MAX_CPU_MS = 3_000;

function survive(text: string, good: string, format: DocumentFormat): void {
  timed(() => checkDocument(text, format));
  timed(() => collectReferences(`${text}\n$ref: other.yaml`, format));
  timed(() => describeApi(text, format));
  timed(() => detectOpenApi(text));
  for (const input of [
    { base: good, ours: text, theirs: `${good}\n` },
    { base: text, ours: good, theirs: `${good} ` },
    { base: good, ours: `${good}\n`, theirs: text },
    { base: '', ours: text, theirs: good },
    { base: text, ours: `${text}\nz: 1\n`, theirs: `y: 1\n${text}` },
  ]) {
    const result = timed(() => threeWayMerge(input, format));
    if (result.takenBy === 'none') {
      assert.equal(result.text, input.ours);
      assert.ok(
        result.problems.length > 0 && result.problems.every(({ code, message }) => code !== '' && message !== ''),
      );
    }
  }
}

function timed<T>(run: () => T): T {
  const start = process.cpuUsage();
  const value = run();
  const { user, system } = process.cpuUsage(start);
  const spent = (user + system) / 1000;
  assert.ok(spent < MAX_CPU_MS, `${spent} ms`);
  return value;
}

for (const [format, good, texts] of [
  ['yaml', GOOD_YAML, YAML],
  ['json', '{"openapi":"3.0.3"}', JSON_TEXTS],
  ['jsonc', '{"openapi":"3.0.3"}', JSON_TEXTS],
] as const) {
  test(`[I10] ${texts.length} hostile ${format} texts: no throw, no hang, coded problems`, () => {
    for (const text of texts) {
      try {
        survive(text, good, format);
      } catch (error) {
        throw new Error(`with ${JSON.stringify(text.slice(0, 60))}`, { cause: error });
      }
    }
  });
}
