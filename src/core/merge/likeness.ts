import type { Located } from './entryText.ts';
import { LineTable } from './lineDiff.ts';

/** How alike two items without a name must be to count as one that was edited: the share of their lines that both have. */
export const ALIKE = 0.5;
/** Beyond this product of lengths only equal items are matched; the comparison of all with all would take too long. */
export const MAX_COMPARISONS = 2_500;

const HAS_CONTENT = /[^\s[\]{}]/;

/** The value of an entry with what trails it: what stays the same under another name. */
export function bodyText({ tree, entry }: Located): string {
  return tree.text.slice(entry.valueStart, entry.end);
}

/**
 * The share of lines, without their indentation, that two texts have in common: 1 is all. Lines of brackets alone do not
 * count: in JSON every two objects have them in common.
 */
export function likeness(a: string, b: string): number {
  const table = new LineTable();
  const clean = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.trim().replace(/,$/, ''))
      .filter((line) => HAS_CONTENT.test(line));
  const linesA = table.intern(clean(a));
  const linesB = table.intern(clean(b));
  if (linesA.length === 0 && linesB.length === 0) return 1;
  const counts = new Map<number, number>();
  for (const line of linesA) counts.set(line, (counts.get(line) ?? 0) + 1);
  let common = 0;
  for (const line of linesB) {
    const count = counts.get(line) ?? 0;
    if (count > 0) {
      common++;
      counts.set(line, count - 1);
    }
  }
  return (2 * common) / (linesA.length + linesB.length);
}
