import { isStringScalar } from './canon.ts';
import { columnOf, coreText, headText, type Located, type PlacedText, tailText } from './entryText.ts';
import { uniteProse } from './proseMerge.ts';
import { uniteBlockScalars } from './scalarMerge.ts';
import { decodeScalar } from './scalarText.ts';

/** Texts for people, in CommonMark: two of them, one below the other, still say what both say. */
const PROSE_KEYS = new Set(['description']);

/**
 * What an element reads with the texts of both sides: of a block scalar, and of a description, the lines that neither
 * removed, and where they clash ours, then theirs. Undefined where both cannot stand.
 */
export function uniteTexts(base: Located | undefined, ours: Located, theirs: Located): PlacedText | undefined {
  const column = columnOf(ours);
  const block = uniteBlockScalars(base, ours, theirs);
  if (block !== undefined) return { text: headText(ours) + block, column };
  if (!PROSE_KEYS.has(ours.entry.key ?? '')) return undefined;
  const [o, t] = [proseOf(ours), proseOf(theirs)];
  if (o === undefined || t === undefined) return undefined;
  const all = o.includes(t) ? ours : t.includes(o) ? theirs : undefined;
  if (all !== undefined) return { text: coreText(all), column: columnOf(all) };
  const value = writeProse(ours, paragraphs((base && proseOf(base)) ?? '', o, t));
  const lines = /^([^\n]*\n?)([\s\S]*)$/.exec(tailText(ours));
  const [ownLine, below] = [lines?.[1] ?? '', lines?.[2] ?? ''];
  if (!value.includes('\n')) return { text: headText(ours) + value + ownLine + below, column };
  const [header = '', ...content] = value.split('\n');
  return { text: `${headText(ours)}${header}${ownLine.trimEnd()}\n${content.join('\n')}\n${below}`, column };
}

/** The text of a one-line or quoted string without anchor or tag. */
function proseOf({ tree, entry: { value } }: Located): string | undefined {
  if (value.kind !== 'scalar' || value.properties !== '' || !isStringScalar(tree, value)) return undefined;
  return value.style === 'literal' || value.style === 'folded' ? undefined : decodeScalar(tree.text, value);
}

function paragraphs(base: string, ours: string, theirs: string): string {
  if ([base, ours, theirs].some((text) => text.includes('\n'))) return uniteProse(base, ours, theirs).trimEnd();
  return `${ours.trim()}\n\n${theirs.trim()}`;
}

/** A string of several lines as ours would write it: in JSON and in brackets in quotes, else as a literal block. */
function writeProse(ours: Located, text: string): string {
  const isPlainBlock = /^[^\s#][^\t\r\u0085\u2028\u2029]*$/.test(text) && isPrintable(text);
  if (ours.container.style === 'flow' || !isPlainBlock || !text.includes('\n')) return JSON.stringify(text);
  const indent = ' '.repeat(columnOf(ours) + 2);
  return `|-\n${text.replace(/^(?=[^\n])/gm, indent)}`;
}

/** Whether a literal block can hold the text: YAML has no escapes there (YAML 1.2, 5.1). */
function isPrintable(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isAllowed = code === 0x0a || (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code !== 0xfeff);
    if (!isAllowed || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffe || code === 0xffff) return false;
  }
  return true;
}
