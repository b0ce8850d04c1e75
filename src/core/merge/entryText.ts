import type { SourceCollection, SourceEntry, SourceTree } from './sourceTree.ts';

/** An entry with what it takes to cut it out of its text. */
export interface Located {
  readonly tree: SourceTree;
  readonly container: SourceCollection;
  readonly entry: SourceEntry;
  /** Position among its siblings. */
  readonly index: number;
}

export function locate(tree: SourceTree, container: SourceCollection, index: number): Located | undefined {
  const entry = container.entries[index];
  return entry === undefined ? undefined : { tree, container, entry, index };
}

/** Text that stands at a column: block entries begin at their line's start, flow entries at their first character. */
export interface PlacedText {
  readonly text: string;
  /** Column of the entry in its source; what comes to stand at another column is shifted by the difference. */
  readonly column: number;
}

/** Comments and blank lines above the entry (block), or white space and comments before it (flow). */
export function leadText({ tree, entry }: Located): string {
  return tree.text.slice(entry.leadStart, entry.start);
}

/** The entry without its lead, whole lines for a block entry. */
export function coreText(located: Located): string {
  const { tree, container, entry } = located;
  if (container.style === 'flow') return tree.text.slice(entry.start, entry.valueEnd) + flowTrail(located);
  return withLineEnd(firstLineIndent(located) + tree.text.slice(entry.start, entry.end));
}

/** Everything up to the value: indentation, key, colon or dash, and the line end where the value is a block below. */
export function headText(located: Located): string {
  const { tree, container, entry } = located;
  if (container.style === 'flow') return tree.text.slice(entry.start, entry.valueStart);
  return firstLineIndent(located) + tree.text.slice(entry.start, entry.valueStart);
}

/** The value's own text; a block collection is cut by its entries instead. */
export function valueText({ tree, entry }: Located): string {
  return tree.text.slice(entry.valueStart, entry.valueEnd);
}

/** What trails the value: the rest of its line, and comments below that are indented deeper than its siblings. */
export function tailText(located: Located): string {
  const { tree, container, entry } = located;
  if (container.style === 'flow') return flowTrail(located);
  const tail = tree.text.slice(entry.valueEnd, entry.end);
  const endsLine = entry.valueEnd > 0 && tree.text.charCodeAt(entry.valueEnd - 1) === 0x0a;
  return endsLine ? tail : withLineEnd(tail);
}

/** Whether a block entry's first line is shared with its parent, as behind a dash. */
export function sharesLine({ tree, container, entry }: Located): boolean {
  return container.style === 'block' && entry.start > 0 && tree.text.charCodeAt(entry.start - 1) !== 0x0a;
}

/** Indented with tabs: such lines are never shifted, because a tab has no width that could be told. */
export const NO_COLUMN = -1;

/** The column by which an entry's lines are shifted when it moves. */
export function columnOf({ tree, container, entry }: Located): number {
  if (container.style === 'block') return container.column;
  const lineStart = tree.text.lastIndexOf('\n', entry.start - 1) + 1;
  let column = lineStart;
  while (tree.text.charCodeAt(column) === 0x20) column++;
  return tree.text.charCodeAt(column) === 0x09 ? NO_COLUMN : column - lineStart;
}

function firstLineIndent(located: Located): string {
  return sharesLine(located) ? ' '.repeat(located.container.column) : '';
}

function flowTrail({ tree, entry }: Located): string {
  const beforeComma = tree.text.slice(entry.valueEnd, entry.end);
  return entry.afterComma > entry.end ? beforeComma + tree.text.slice(entry.end + 1, entry.afterComma) : beforeComma;
}

export function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/**
 * Shifts lines from one column to another. `firstLine` says whether the first line is shifted too. Lines with less
 * indentation than they would lose go to the margin.
 */
export function shiftLines(text: string, from: number, to: number, firstLine: boolean): string {
  if (from === to || from === NO_COLUMN || to === NO_COLUMN) return text;
  const delta = to - from;
  const indent = ' '.repeat(Math.max(delta, 0));
  return text
    .split('\n')
    .map((line, index) => {
      if ((index === 0 && !firstLine) || line === '') return line;
      if (delta > 0) return indent + line;
      let spaces = 0;
      while (spaces < -delta && line.charCodeAt(spaces) === 0x20) spaces++;
      return line.slice(spaces);
    })
    .join('\n');
}

/** Core texts of two entries are the same but for their place. */
export function sameCore(a: Located, b: Located): boolean {
  return samePlaced(
    coreText(a),
    columnOf(a),
    coreText(b),
    columnOf(b),
    a.container.style === 'block' && b.container.style === 'block',
  );
}

export function samePlaced(a: string, columnA: number, b: string, columnB: number, firstLine: boolean): boolean {
  if (a === b && columnA === columnB) return true;
  if (columnA === columnB) return false;
  return a === shiftLines(b, columnB, columnA, firstLine);
}
