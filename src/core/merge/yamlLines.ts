import { isWhite } from './flowReader.ts';
import { UnsupportedSource } from './sourceTree.ts';

export const BLANK = 0;
export const COMMENT = 1;
export const CONTENT = 2;

/** The lines of a YAML text, what is on each, and which one is read next. Throws `UnsupportedSource`. */
export class YamlLines {
  readonly text: string;
  /** The line that is read next. */
  line = 0;
  /** Where each line begins; one more for the end of the text. */
  readonly #starts: number[] = [];
  readonly #indents: number[] = [];
  readonly #kinds: number[] = [];

  constructor(text: string) {
    this.text = text;
    let start = 0;
    while (start < text.length) {
      let i = start;
      while (text.charCodeAt(i) === 0x20) i++;
      const code = text.charCodeAt(i);
      this.#starts.push(start);
      this.#indents.push(i - start);
      this.#kinds.push(Number.isNaN(code) || code === 0x0a ? BLANK : code === 0x23 ? COMMENT : CONTENT);
      const end = text.indexOf('\n', i);
      start = end < 0 ? text.length : end + 1;
    }
    this.#starts.push(text.length);
  }

  /** The first line from here on with content; `count()` where there is none. */
  nextContent(from: number): number {
    let line = from;
    while (line < this.count() && this.kind(line) !== CONTENT) line++;
    if (line < this.count() && this.text.charCodeAt(this.contentStart(line)) === 0x09)
      throw new UnsupportedSource('tab');
    return line;
  }

  lineText(line: number): string {
    return this.text.slice(this.start(line), this.lineEnd(line));
  }

  lineEnd(line: number): number {
    const next = this.start(line + 1);
    return this.text.charCodeAt(next - 1) === 0x0a ? next - 1 : next;
  }

  /** How many lines there are. */
  count(): number {
    return this.#kinds.length;
  }

  start(line: number): number {
    return this.#starts[line] ?? this.text.length;
  }

  indent(line: number): number {
    return this.#indents[line] ?? 0;
  }

  /** `BLANK`, `COMMENT` or `CONTENT`. */
  kind(line: number): number {
    return this.#kinds[line] ?? BLANK;
  }

  /** Where the text of a line begins, behind its indentation. */
  contentStart(line: number): number {
    return this.start(line) + this.indent(line);
  }

  /** Whether an item of a sequence begins here. */
  isDash(at: number): boolean {
    return this.text.charCodeAt(at) === 0x2d && (at + 1 >= this.text.length || isWhite(this.text.charCodeAt(at + 1)));
  }

  /** Whether a document begins or ends on this line. */
  isDocumentMarker(line: number): boolean {
    if (this.indent(line) !== 0) return false;
    const marker = this.text.slice(this.start(line), this.start(line) + 3);
    return (
      (marker === '---' || marker === '...') &&
      (this.start(line) + 3 >= this.text.length || isWhite(this.text.charCodeAt(this.start(line) + 3)))
    );
  }

  /** After a value that ends on some line: only blanks or a comment may follow there. */
  advanceBehind(end: number): void {
    let line = this.line;
    while (line + 1 < this.count() && this.start(line + 1) <= end) line++;
    const behind = skipBlanks(this.text, end);
    const code = this.text.charCodeAt(behind);
    if (!Number.isNaN(code) && code !== 0x0a && !(code === 0x23 && behind > end))
      throw new UnsupportedSource('text behind a value');
    this.line = line + 1;
  }

  /** Gives comment lines below an entry that are indented deeper than its siblings to the entry, and says where it ends. */
  closeEntry(column: number): number {
    let line = this.line;
    let end = line;
    for (; line < this.count() && this.kind(line) !== CONTENT; line++) {
      if (this.kind(line) === COMMENT && this.indent(line) > column) end = line + 1;
    }
    // The last entry also keeps comments that stand at its own column, unless the next content is its sibling.
    const isLast = line >= this.count() || this.indent(line) < column;
    if (isLast && column > 0) {
      for (let i = this.line; i < line; i++)
        if (this.kind(i) === COMMENT && this.indent(i) >= column) end = Math.max(end, i + 1);
    }
    this.line = end;
    return this.start(end);
  }
}

/** Behind spaces and tabs. */
export function skipBlanks(text: string, offset: number): number {
  let i = offset;
  while (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09) i++;
  return i;
}

/** Whether the colon at this offset ends a key. */
export function endsKey(text: string, colon: number): boolean {
  return colon + 1 >= text.length || isWhite(text.charCodeAt(colon + 1));
}
