import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applySplices, diffSplices } from '../../../src/core/merge/splices.ts';
import { toRawSplices, workingText } from '../../../src/core/workingText.ts';

function write(raw: string, text: string): string {
  const working = workingText(raw);
  return applySplices(raw, toRawSplices(working, diffSplices(working.text, text)));
}

test('[I3] a CRLF file stays a CRLF file, and inserted lines end as the others do', () => {
  assert.equal(write('a: 1\r\nb: 2\r\n', 'a: 1\nnew: x\nb: 2\n'), 'a: 1\r\nnew: x\r\nb: 2\r\n');
});

test('[I3] a BOM stays, and offsets behind it are right', () => {
  assert.equal(write('\uFEFFa: 1\nb: 2\n', 'a: 1\nb: 3\n'), '\uFEFFa: 1\nb: 3\n');
});

test('[I3] a file that mixes line ends keeps each one that nobody touched', () => {
  assert.equal(write('a: 1\r\nb: 2\nc: 3\r\n', 'a: 1\nb: 5\nc: 3\n'), 'a: 1\r\nb: 5\nc: 3\r\n');
});

test('[I3] whatever the line ends were, the written file reads as the wanted revision', () => {
  const line = fc.constantFrom('a', 'bb', '', 'ccc: 1');
  const end = fc.constantFrom('\n', '\r\n');
  const raw = fc
    .tuple(fc.boolean(), fc.array(fc.tuple(line, end)))
    .map(([hasBom, lines]) => (hasBom ? '\uFEFF' : '') + lines.flat().join(''));
  const text = fc.array(line).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(raw, text, (before, after) => {
      assert.equal(workingText(write(before, after)).text, after);
    }),
    { numRuns: 500 },
  );
});
