import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Segment } from '../../../src/webview/conflictPanel/wordDiff.ts';
import { diffWords, uniteSegments } from '../../../src/webview/conflictPanel/wordDiff.ts';

describe('word difference', () => {
  it('marks the words that differ, not the line', () => {
    const { before, after } = diffWords('summary: List all pets', 'summary: List every pet');
    assert.equal(show(before), 'summary: List [all pets]');
    assert.equal(show(after), 'summary: List [every pet]');
  });

  it('marks changed words beside each other in one stretch, but not over the end of a line', () => {
    const { before } = diffWords('one two three\nfour', 'x y three\nz');
    assert.equal(show(before), '[one two] three\n[four]');
    assert.equal(show(diffWords('a\nb', 'c\nd').before), '[a]\n[b]');
  });

  it('loses no character, whatever the texts are', () => {
    const texts = ['', '\n', 'a', 'é 👍 "x": [1, 2]\n\ttab', 'summary: x\n\n', 'a b c d'];
    for (const one of texts) {
      for (const other of texts) {
        const { before, after } = diffWords(one, other);
        assert.equal(plain(before), one);
        assert.equal(plain(after), other);
        assert.equal(
          before.some((segment) => segment.isChanged) || after.some((segment) => segment.isChanged),
          one !== other,
        );
      }
    }
  });

  it('compares a long text by lines, and gives up on a huge one', () => {
    const long = Array.from({ length: 1500 }, (_, at) => `line ${at}`).join('\n');
    const { after } = diffWords(long, long.replace('line 700\n', 'line X\n'));
    assert.equal(after.find((segment) => segment.isChanged)?.text, 'line X\n');
    const huge = 'x\n'.repeat(10_000);
    assert.deepEqual(diffWords(huge, 'y').before, [{ text: huge, isChanged: false }]);
  });

  it('unites the marks of two comparisons', () => {
    const toOurs = diffWords('a b c', 'x b c').before;
    const toTheirs = diffWords('a b c', 'a b y').before;
    assert.equal(show(uniteSegments(toOurs, toTheirs)), '[a] b [c]');
  });
});

function show(segments: readonly Segment[]): string {
  return segments.map((segment) => (segment.isChanged ? `[${segment.text}]` : segment.text)).join('');
}

function plain(segments: readonly Segment[]): string {
  return segments.map((segment) => segment.text).join('');
}
