import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeLines, mergeTextByLines } from '../../../src/core/merge/lineMerge.ts';
import { LineTable, splitLines } from '../../../src/core/merge/lineDiff.ts';
import { LineNumbers } from '../../../src/core/merge/numberedLines.ts';

// Few different lines, of which some begin like others, stand at many places; the last one may lack its end.
const line = fc.constantFrom('a\n', 'ab\n', '\n', '}\n', '},\n', 'x: 1\n', 'x: 12\n', 'y\n');
const lines = fc.array(line, { maxLength: 60 });
const end = fc.constantFrom('', '', 'a', 'x: 1');
/** Some lines taken out, some put in. */
const edits = fc.array(fc.record({ at: fc.nat(60), count: fc.nat(4), insert: fc.array(line, { maxLength: 4 }) }), {
  maxLength: 4,
});
const revision = fc.tuple(lines, end, edits, edits, end, end).map(([base, last, ofOurs, ofTheirs, ...ends]) => {
  const apply = (changes: typeof ofOurs, itsEnd: string): string => {
    const changed = [...base];
    for (const { at, count, insert } of changes) changed.splice(at, count, ...insert);
    return changed.join('') + itsEnd;
  };
  return { base: base.join('') + last, ours: apply(ofOurs, ends[0]), theirs: apply(ofTheirs, ends[1]) };
});

test('[merge] lines that are found by comparing characters have the numbers that looking up each line gives', () => {
  fc.assert(
    fc.property(revision, ({ base, ours, theirs }) => {
      const numbers = new LineNumbers(base, 0, base.length);
      const table = new LineTable();
      const found = [numbers.base, numbers.of(ours, 0, ours.length), numbers.of(theirs, 0, theirs.length)];
      for (const { text, numbers: ofLines, starts } of found) {
        const cut = splitLines(text);
        assert.deepEqual([...ofLines], [...table.intern(cut)]);
        assert.deepEqual(
          [...ofLines].map((_, index) => text.slice(starts[index], starts[index + 1])),
          cut,
        );
      }
    }),
    { numRuns: 2_000, seed: 20_261_121 },
  );
});

test('[merge] a merge of texts by lines is the merge of their lines', () => {
  fc.assert(
    fc.property(revision, (input) => {
      const { clean, lines: merged } = mergeLines(
        splitLines(input.base),
        splitLines(input.ours),
        splitLines(input.theirs),
      );
      assert.equal(mergeTextByLines(input), clean ? merged.join('') : undefined);
    }),
    { numRuns: 2_000, seed: 20_261_121 },
  );
});
