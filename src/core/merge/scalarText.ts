import type { SourceScalar } from './sourceTree.ts';

/** The string that a scalar stands for, as far as it matters for comparing two of them. Block scalars: their dedented text. */
export function decodeScalar(text: string, scalar: SourceScalar): string {
  const source = text.slice(scalar.start + scalar.properties.length, scalar.end);
  switch (scalar.style) {
    case 'single':
      return foldLines(source.slice(1, -1)).replaceAll("''", "'");
    case 'double':
      return decodeDouble(source);
    case 'plain':
      return foldLines(source);
    case 'literal':
    case 'folded':
      return dedentBlockScalar(source).content;
    case 'alias':
    case 'empty':
    case 'opaque':
      return source;
  }
}

/** Line folding of flow scalars (YAML 1.2, 6.5): one line end is a space, n + 1 are n line ends. */
function foldLines(source: string): string {
  if (!source.includes('\n')) return source;
  return source.replace(/[ \t]*\n((?:[ \t]*\n)*)[ \t]*/g, (_match, blank: string) => {
    const count = blank.split('\n').length - 1;
    return count === 0 ? ' ' : '\n'.repeat(count);
  });
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\u0007',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\u001b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\u0085',
  _: '\u00a0',
  L: '\u2028',
  P: '\u2029',
  '\t': '\t',
};

function decodeDouble(source: string): string {
  const inner = source.slice(1, -1);
  if (!inner.includes('\\')) return foldLines(inner);
  // An escaped line end joins two lines without a space; it goes before the folding of the others.
  return foldLines(inner.replace(/((?:^|[^\\])(?:\\\\)*)\\\n[ \t]*/g, '$1')).replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (match, x: string | undefined, u: string | undefined, long: string | undefined, single: string | undefined) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) {
        const code = Number.parseInt(hex, 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : match;
      }
      return ESCAPES[single ?? ''] ?? match;
    },
  );
}

export interface BlockScalarParts {
  /** `|`, `>-`, `|2+` with what follows on its line, comment included, without the line end. */
  readonly header: string;
  /** The lines below, without their common indentation. */
  readonly content: string;
  /** The indentation that was taken away, in spaces. */
  readonly column: number;
}

/** Takes a block scalar apart; `source` begins at its indicator and ends behind its last line. */
export function dedentBlockScalar(source: string): BlockScalarParts {
  const lineEnd = source.indexOf('\n');
  if (lineEnd < 0) return { header: source, content: '', column: 0 };
  const header = source.slice(0, lineEnd);
  const body = source.slice(lineEnd + 1);
  const column = /^ *(?=[^ \n])/m.exec(body)?.[0].length ?? 0;
  if (column === 0) return { header, content: body, column };
  const indent = ' '.repeat(column);
  const content = body
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(column) : line.trimStart()))
    .join('\n');
  return { header, content, column };
}
