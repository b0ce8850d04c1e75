import { isStringScalar } from './canon.ts';
import { columnOf, type Located, type PlacedText, shiftLines, valueText } from './entryText.ts';
import type { ElementPath } from './plan.ts';
import { mergeProse, mergeWords, uniteProse } from './proseMerge.ts';
import { decodeScalar, dedentBlockScalar } from './scalarText.ts';
import type { SourceScalar } from './sourceTree.ts';
import type { MergeOptions } from './types.ts';

/** Keys below which a text is data, not prose: half of one example and half of another is no example. */
const DATA_KEYS = new Set([
  'example',
  'examples',
  'default',
  'const',
  'enum',
  'pattern',
  'value',
  '$ref',
  'url',
  'operationId',
  'format',
  'version',
]);

/** The value of a scalar that both sides changed in different ways; undefined where that cannot be told. */
export function mergeScalars(
  base: Located | undefined,
  ours: Located,
  theirs: Located,
  path: ElementPath,
  options: MergeOptions,
): PlacedText | undefined {
  if (path.ids.length === 2 && path.ids[0] === 'info' && path.ids[1] === 'version')
    return chooseVersion(ours, theirs, options);
  if (base === undefined) return undefined;
  const nodes = [base, ours, theirs].map((located) => located.entry.value);
  const [b, o, t] = nodes;
  if (b?.kind !== 'scalar' || o?.kind !== 'scalar' || t?.kind !== 'scalar') return undefined;
  if (!isStringScalar(base.tree, b) || !isStringScalar(ours.tree, o) || !isStringScalar(theirs.tree, t))
    return undefined;
  if (b.properties !== o.properties || b.properties !== t.properties) return undefined;
  const isData = path.ids.some((id) => DATA_KEYS.has(id));
  if (o.style !== t.style || b.style !== o.style) return undefined;
  if (o.style === 'literal' || o.style === 'folded') return mergeBlockScalars(base, ours, theirs, !isData);
  if (isData) return undefined;
  return mergeInline(base, ours, theirs, b, o, t);
}

function mergeBlockScalars(base: Located, ours: Located, theirs: Located, byWords: boolean): PlacedText | undefined {
  const b = dedentBlockScalar(valueText(base));
  const o = dedentBlockScalar(valueText(ours));
  const t = dedentBlockScalar(valueText(theirs));
  const header =
    o.header === t.header || t.header === b.header ? o.header : o.header === b.header ? t.header : undefined;
  if (header === undefined || /\d/.test(header)) return undefined;
  const content = mergeProse(b.content, o.content, t.content, byWords);
  if (content === undefined || content.trim() === '') return undefined;
  const indent = ' '.repeat(o.column);
  const body = content
    .split('\n')
    .map((line) => (line === '' ? '' : indent + line))
    .join('\n');
  // The first line of the content decides what its indentation is; a merge must not change that.
  if (content.startsWith(' ')) return undefined;
  return { text: `${header}\n${body}`, column: columnOf(ours) };
}

/** Both sides' lines of a block scalar, ours first where they clash; undefined for other values. */
export function uniteBlockScalars(base: Located | undefined, ours: Located, theirs: Located): string | undefined {
  const isBlock = (located: Located): boolean => {
    const { value } = located.entry;
    return value.kind === 'scalar' && (value.style === 'literal' || value.style === 'folded');
  };
  if (!isBlock(ours) || !isBlock(theirs) || ours.entry.value.properties !== '' || theirs.entry.value.properties !== '')
    return undefined;
  const o = dedentBlockScalar(valueText(ours));
  const t = dedentBlockScalar(valueText(theirs));
  const b = base !== undefined && isBlock(base) ? dedentBlockScalar(valueText(base)).content : '';
  const content = uniteProse(b, o.content, t.content);
  if (/\d/.test(o.header) || content.startsWith(' ') || content.trim() === '') return undefined;
  const indent = ' '.repeat(o.column);
  return `${o.header}\n${content.replace(/^(?=[^\n])/gm, indent)}`;
}

function mergeInline(
  base: Located,
  ours: Located,
  theirs: Located,
  b: SourceScalar,
  o: SourceScalar,
  t: SourceScalar,
): PlacedText | undefined {
  const column = columnOf(ours);
  const placed = (located: Located): string => shiftLines(valueText(located), columnOf(located), column, false);
  const isQuoted = o.style !== 'plain';
  const inner = (text: string): string => (isQuoted ? text.slice(o.properties.length + 1, -1) : text);
  const texts = [inner(placed(base)), inner(placed(ours)), inner(placed(theirs))] as const;
  let merged = texts.some((text) => text.includes('\n')) ? mergeProse(...texts, true) : mergeWords(...texts);
  // In JSON a long text has its line ends as escapes; they are as good as real ones.
  if (merged === undefined && o.style === 'double' && texts.every((text) => text.includes('\\n')))
    merged = mergeEscapedLines(texts);
  if (merged === undefined) return undefined;
  if (!isQuoted && (/: |:$| #/m.test(merged) || merged.trim() !== merged || decodeScalar(base.tree.text, b) === ''))
    return undefined;
  if (t.style !== o.style) return undefined;
  const quote = o.style === 'double' ? '"' : o.style === 'single' ? "'" : '';
  return { text: `${isQuoted ? o.properties : ''}${quote}${merged}${quote}`, column };
}

function mergeEscapedLines(texts: readonly [string, string, string]): string | undefined {
  const [b, o, t] = texts;
  if (texts.some((text) => text.includes('\n') || text.includes('\\\\n'))) return undefined;
  const lines = (text: string): string => text.replaceAll('\\n', '\\n\n');
  return mergeProse(lines(b), lines(o), lines(t), true)?.replaceAll('\n', '');
}

function chooseVersion(ours: Located, theirs: Located, { infoVersion = 'ask' }: MergeOptions): PlacedText | undefined {
  if (infoVersion === 'ask') return undefined;
  const chosen = infoVersion === 'ours' ? ours : infoVersion === 'theirs' ? theirs : higherVersion(ours, theirs);
  return chosen === undefined ? undefined : { text: valueText(chosen), column: columnOf(chosen) };
}

function higherVersion(ours: Located, theirs: Located): Located | undefined {
  const parts = (located: Located): number[] | undefined => {
    const { value } = located.entry;
    const text = value.kind === 'scalar' ? decodeScalar(located.tree.text, value) : '';
    const match = /^v?(\d+(?:\.\d+)*)$/.exec(text.trim());
    return match?.[1]?.split('.').map(Number);
  };
  const a = parts(ours);
  const b = parts(theirs);
  if (a === undefined || b === undefined) return undefined;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0 ? ours : theirs;
  }
  return undefined;
}
