/** Begins what a test runner says of failures once more at its end: Node's own, and mocha in the extension host. */
const SECTION = /^✖ failing tests:|^\s*\d+ failing\b/;
const STACK_LINE = /^\s+at \S/;
const CAUSE = /^\s+\[cause\]: /;
const MAX_LINES = 60;

/**
 * What failed and why, out of the lines that a test runner printed: the titles and messages, without the stacks. Of a long
 * report often only the end is shown, so this is said last.
 */
export function failuresIn(lines: readonly string[]): readonly string[] {
  const start = lines.findLastIndex((line) => SECTION.test(line));
  if (start < 0) return [];
  const kept: string[] = [];
  let isInStack = false;
  for (const line of lines.slice(start + 1)) {
    isInStack = line.trim() !== '' && (isInStack || STACK_LINE.test(line));
    if (line.trim() !== '' && (!isInStack || CAUSE.test(line))) kept.push(line);
  }
  return kept.slice(0, MAX_LINES);
}
