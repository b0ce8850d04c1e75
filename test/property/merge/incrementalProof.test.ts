import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOneSided } from '../../../src/core/merge/checkOneSided.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import {
  PlainCache,
  type PlainDocument,
  readPlainDocument,
  samePlain,
} from '../../../src/core/openapi/plainDocument.ts';
import { findLooseTags, findViolations } from '../../../src/core/openapi/semanticRules.ts';
import { UnchangedRuns } from '../../../src/core/openapi/unchangedRuns.ts';
import { Choices, createDocument, createStyle, type Model, print, type PrintStyle } from './generatedDocuments.ts';
import { edit, withReferences } from './randomEdits.ts';

// The same cases at each `npm test`; `npm run fuzz` sets a random seed and many more runs.
const runs = Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 250) / 5);
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const seeds = fc.integer({ min: 0, max: 0xffffffff });

function check(property: (choices: Choices) => void): void {
  fc.assert(
    fc.property(seeds, (drawn) => property(new Choices(drawn))),
    { numRuns: runs, seed },
  );
}

type Maps = Record<string, Model>;

/** Long enough to be cut in pieces, and its parts in turn. */
function largeDocument(choices: Choices): Maps {
  const parts = Array.from({ length: 3 }, () => withReferences(createDocument(choices)));
  const named = (of: (part: Maps) => Model | undefined): Maps =>
    Object.fromEntries(
      parts.flatMap((part, index) => Object.entries(of(part) ?? {}).map(([key, value]) => [`${key}${index}`, value])),
    );
  const components = { schemas: named(({ components }) => (components as Maps)['schemas']) };
  return { ...parts[0], paths: named(({ paths }) => paths), components };
}

function largeStyle(choices: Choices): PrintStyle {
  return { ...createStyle(choices), format: choices.below(2) === 0 ? 'json' : 'yaml' };
}

const SNIPPETS = [
  '&a ',
  '*a',
  '---\n',
  '}',
  '{',
  ',',
  '"',
  "'",
  '\n',
  '  ',
  '\t',
  '#',
  '- ',
  ': ',
  '/*',
  '\\',
  '1',
  '👍',
];

/** The text with a change that no editor of OpenAPI would make: mostly it is broken by it, sometimes only different. */
function mutated(text: string, choices: Choices): string {
  const at = choices.below(text.length);
  const other = choices.below(text.length);
  const length = choices.below(choices.pick([2, 40, 2_000]));
  switch (choices.below(5)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at) + text.slice(other, other + length) + text.slice(at);
    case 2:
      return text.slice(0, at) + choices.pick(SNIPPETS) + text.slice(at);
    case 3: {
      const lines = text.split('\n');
      lines.splice(choices.below(lines.length), choices.below(3), ...lines.slice(0, choices.below(2)));
      return lines.join('\n');
    }
    default:
      return text.slice(0, at) + choices.pick(['x', '2', ' ']) + text.slice(at + 1);
  }
}

/** What was read, with the order of keys and every place in it. */
function everything({ root, problems, pieces }: PlainDocument): string {
  return JSON.stringify([root, problems, pieces], (_, value: unknown) =>
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  );
}

test('[I4] a text that is read after others like it reads as it would by itself, whatever became of it', () => {
  let isCut = 0;
  check((choices) => {
    const style = largeStyle(choices);
    const cache = new PlainCache();
    let document = largeDocument(choices);
    let text = print(document, style);
    const found: (readonly [ReturnType<typeof findViolations>, string])[] = [];
    for (let revision = 0; revision < 4; revision++) {
      const [here, alone] = [readPlainDocument(text, style.format, cache), readPlainDocument(text, style.format)];
      assert.deepEqual(here.problems, alone.problems);
      assert.equal(everything({ ...here, pieces: [] }), everything({ ...alone, pieces: [] }));
      assert.equal(here.pieces.map((piece) => piece.text).join('|').length > 0, alone.pieces.length > 0);
      found.push([findViolations(here.root), text]);
      assert.deepEqual(findLooseTags(here.root), findLooseTags(alone.root));
      if (alone.pieces.length > 1) isCut++;
      document = edit(document, choices, 1 + choices.below(3));
      text = choices.below(2) === 0 ? print(document, style) : mutated(text, choices);
    }
    // Nodes that were just read are known to no rule; judged in between, they would have the rules forget the others.
    for (const [violations, itsText] of found)
      assert.deepEqual(violations, findViolations(readPlainDocument(itsText, style.format).root));
  });
  assert.ok(isCut > runs);
});

test('[I4] what is proven from what was read before is what the whole proves, and of a wrong result nothing is', () => {
  const counts = { proven: 0, refused: 0 };
  check((choices) => {
    const style = largeStyle(choices);
    const document = largeDocument(choices);
    const base = print(document, style);
    const [ours, theirs] = [1, 2].map(() => print(edit(document, choices, 1 + choices.below(2)), style));
    if (ours === undefined || theirs === undefined) return;
    const { text, conflicts } = threeWayMerge({ base, ours, theirs }, style.format);
    const cache = new PlainCache();
    const here = (one: string): PlainDocument => readPlainDocument(one, style.format, cache);
    const alone = (one: string): PlainDocument => readPlainDocument(one, style.format);
    const proves = (read: (text: string) => PlainDocument, result: string): boolean =>
      isOneSided({
        base: read(base),
        ours: read(ours),
        theirs: read(theirs),
        merged: read(result),
        isPlainJson: style.format === 'json',
      });
    const isRightProven = conflicts.length === 0 && proves(alone, text);
    assert.equal(conflicts.length === 0 && proves(here, text), isRightProven);
    for (const wrong of [mutated(text, choices), mutated(text, choices), ours, theirs, base]) {
      const isProven = proves(here, wrong);
      assert.equal(isProven, proves(alone, wrong));
      counts[isProven ? 'proven' : 'refused']++;
      // What each side alone changed leaves one result only.
      if (isProven && isRightProven) assert.ok(samePlain(alone(wrong).root, alone(text).root));
    }
  });
  assert.ok(counts.refused > runs);
});

test('[I4] a merge is the same whatever was read before it', () => {
  check((choices) => {
    const style = largeStyle(choices);
    const cache = new PlainCache();
    let base = largeDocument(choices);
    for (let step = 0; step < 2; step++) {
      const [ours, theirs] = [edit(base, choices, 1), edit(base, choices, 1 + choices.below(2))];
      const input = { base: print(base, style), ours: print(ours, style), theirs: print(theirs, style) };
      assert.deepEqual(
        threeWayMerge(input, style.format, {}, cache),
        threeWayMerge(input, style.format, {}, new PlainCache()),
      );
      base = theirs;
    }
  });
});

test('[I4] what two texts are said to have in common stands in both', () => {
  check((choices) => {
    const before = print(largeDocument(choices), largeStyle(choices));
    let after = before;
    for (let change = choices.below(4); change >= 0; change--) after = mutated(after, choices);
    const common = new UnchangedRuns(before, after);
    let changed = 0;
    for (let at = 0; at < after.length; at++) {
      const old = common.oldOffset(at);
      if (old === undefined) changed++;
      else assert.equal(before.charAt(old), after.charAt(at));
      assert.equal(common.isUnchanged(at, at + 1), old !== undefined);
    }
    assert.equal(common.changedLength, changed);
    const kept: string[] = [];
    let [end, oldEnd] = [0, 0];
    for (const lines of common.changedLines(before, after)) {
      assert.equal(before.slice(oldEnd, lines.oldStart), after.slice(end, lines.start));
      kept.push(after.slice(end, lines.start));
      [end, oldEnd] = [lines.end, lines.oldEnd];
    }
    assert.equal(before.slice(oldEnd), after.slice(end));
    for (const part of kept) assert.ok(part === '' || part.endsWith('\n') || part === after);
  });
});
