/** What `indentQuotedLines` did, to find one's way back. */
export interface IndentedText {
  readonly text: string;
  /** The offset in the original text of an offset in the new one. */
  readonly originalOffset: (offset: number) => number;
}

/**
 * Indents continuation lines of quoted scalars that stand no deeper than their key. YAML forbids them, and the `yaml`
 * library reports each; go-yaml, js-yaml and PyYAML read them, and published descriptions have them. Undefined where
 * there are none.
 */
export function indentQuotedLines(text: string): IndentedText | undefined {
  const pieces: string[] = [];
  const insertions: { readonly at: number; readonly length: number }[] = [];
  let copied = 0;
  let lineStart = 0;
  /** Lines deeper than this are the content of a block scalar; -1 outside of one. */
  let blockIndent = -1;
  while (lineStart < text.length) {
    let lineEnd = endOfLine(text, lineStart);
    const line = text.slice(lineStart, lineEnd);
    const indent = line.length - line.trimStart().length;
    if (line.trim() !== '' && indent <= blockIndent) blockIndent = -1;
    if (blockIndent < 0) {
      const head =
        /^[ \t]*(?:- +)*(?:[^\s#'"[{&*!|>][^#'"]*?:[ \t]+|(?:"[^"\n]*"|'[^'\n]*')[ \t]*:[ \t]+|- +)(?=["'|>])/.exec(
          line,
        );
      if (head !== null) {
        const at = lineStart + head[0].length;
        const mark = text.charAt(at);
        if (mark === '|' || mark === '>') blockIndent = keyColumn(head[0]);
        else {
          const close = endOfQuoted(text, at);
          // Where a quote is never closed nothing may be guessed.
          if (close < 0) return undefined;
          const column = keyColumn(head[0]);
          for (let next = lineEnd + 1; next <= close; next = endOfLine(text, next) + 1) {
            const nextEnd = endOfLine(text, next);
            const nextLine = text.slice(next, nextEnd);
            const nextIndent = nextLine.length - nextLine.trimStart().length;
            if (nextLine.trim() !== '' && nextIndent <= column) {
              pieces.push(text.slice(copied, next), ' '.repeat(column + 1));
              insertions.push({ at: next, length: column + 1 });
              copied = next;
            }
            lineEnd = nextEnd;
          }
        }
      }
    }
    lineStart = lineEnd + 1;
  }
  if (insertions.length === 0) return undefined;
  pieces.push(text.slice(copied));
  return { text: pieces.join(''), originalOffset: (offset) => originalOffset(insertions, offset) };
}

function originalOffset(
  insertions: readonly { readonly at: number; readonly length: number }[],
  offset: number,
): number {
  let inserted = 0;
  for (const { at, length } of insertions) {
    if (at + inserted + length > offset) return at + inserted > offset ? offset - inserted : at;
    inserted += length;
  }
  return offset - inserted;
}

/** The column of the last key or dash of a line's head. */
function keyColumn(head: string): number {
  const dashes = /^[ \t]*(?:- +)*/.exec(head)?.[0] ?? '';
  return dashes.length === head.length ? dashes.trimEnd().length - 1 : dashes.length;
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\' && quote === '"') i++;
    else if (char === quote) {
      if (quote === "'" && text.charAt(i + 1) === "'") i++;
      else return i;
    }
  }
  return -1;
}
