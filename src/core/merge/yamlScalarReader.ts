import { type FlowReader, isWhite } from './flowReader.ts';
import { decodeScalar } from './scalarText.ts';
import { type SourceNode, type SourceScalar, UnsupportedSource } from './sourceTree.ts';
import { BLANK, COMMENT, CONTENT, endsKey, skipBlanks, type YamlLines } from './yamlLines.ts';

/** Reads the keys and the values without block structure of a YAML document. Throws `UnsupportedSource`. */
export class YamlScalarReader {
  readonly #text: string;
  readonly #lines: YamlLines;
  readonly #flow: FlowReader;

  constructor(lines: YamlLines, flow: FlowReader) {
    this.#text = lines.text;
    this.#lines = lines;
    this.#flow = flow;
  }

  /** Reads what stands at `at` on the current line: quoted, block or plain scalar, alias, flow collection. Leaves the line behind it current. */
  readScalar(at: number, start: number, properties: string, parentIndent: number, depth: number): SourceNode {
    const text = this.#text;
    const code = text.charCodeAt(at);
    if (code === 0x7c || code === 0x3e) return this.#readBlockScalar(at, start, properties, parentIndent);
    if (code === 0x22 || code === 0x27 || code === 0x7b || code === 0x5b) {
      const node =
        code === 0x7b || code === 0x5b ? this.#flow.readValue(at, depth) : this.#flow.readQuoted(at, start, properties);
      this.#lines.advanceBehind(node.end);
      return node.start === start ? node : { ...node, start, properties };
    }
    if (code === 0x2a) {
      let end = at;
      while (end < text.length && !isWhite(text.charCodeAt(end))) end++;
      this.#lines.advanceBehind(end);
      return { kind: 'scalar', style: 'alias', start, end, properties };
    }
    if ('%@`,]}?'.includes(text.charAt(at)) && (code !== 0x3f || isWhite(text.charCodeAt(at + 1))))
      throw new UnsupportedSource('indicator');
    return this.#readPlain(at, start, properties, parentIndent);
  }

  #readPlain(at: number, start: number, properties: string, parentIndent: number): SourceScalar {
    let end = this.endOfPlainLine(at);
    let commented = this.#text.charCodeAt(skipBlanks(this.#text, end)) === 0x23;
    this.#lines.line++;
    let line = this.#lines.line;
    while (!commented && line < this.#lines.count()) {
      if (this.#lines.kind(line) === BLANK) {
        line++;
        continue;
      }
      if (
        this.#lines.kind(line) === COMMENT ||
        this.#lines.indent(line) <= parentIndent ||
        this.#lines.isDocumentMarker(line)
      )
        break;
      const content = this.#lines.contentStart(line);
      if (this.keyEnd(content) >= 0) throw new UnsupportedSource('key inside a plain scalar');
      end = this.endOfPlainLine(content);
      commented = this.#text.charCodeAt(skipBlanks(this.#text, end)) === 0x23;
      line++;
      this.#lines.line = line;
    }
    return { kind: 'scalar', style: 'plain', start, end, properties };
  }

  /** Behind a plain scalar on its line, without what trails it. */
  endOfPlainLine(at: number): number {
    const text = this.#text;
    let i = at;
    let end = at;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x0a) break;
      if (code === 0x23 && i > at && isWhite(text.charCodeAt(i - 1))) break;
      if (code === 0x3a && (i + 1 >= text.length || isWhite(text.charCodeAt(i + 1))))
        throw new UnsupportedSource('colon in a plain scalar');
      if (!isWhite(code)) end = i + 1;
    }
    return end;
  }

  #readBlockScalar(at: number, start: number, properties: string, parentIndent: number): SourceScalar {
    const header = /^[|>]([+-]?)([1-9]?)([+-]?)[ \t]*(?:[ \t]#.*)?$/.exec(
      this.#text.slice(at, this.#lines.lineEnd(this.#lines.line)),
    );
    if (header === null) throw new UnsupportedSource('block scalar header');
    const keepsBlankLines = header[1] === '+' || header[3] === '+';
    const explicit = header[2] === '' ? 0 : Number(header[2]);
    let contentIndent = explicit > 0 ? Math.max(parentIndent, 0) + explicit : -1;
    if (explicit > 0 && parentIndent < 0) contentIndent = explicit;
    let line = this.#lines.line + 1;
    let end = line;
    for (; line < this.#lines.count(); line++) {
      if (this.#lines.kind(line) === BLANK) continue;
      const indent = this.#lines.indent(line);
      if (contentIndent < 0) {
        if (indent <= parentIndent) break;
        contentIndent = indent;
      }
      if (indent < contentIndent) break;
      end = line + 1;
    }
    if (line < this.#lines.count() && this.#lines.indent(line) > parentIndent && this.#lines.kind(line) !== COMMENT)
      throw new UnsupportedSource('indentation in a block scalar');
    this.#lines.line = keepsBlankLines ? line : end;
    const style = this.#text.charCodeAt(at) === 0x7c ? 'literal' : 'folded';
    return { kind: 'scalar', style, start, end: this.#lines.start(this.#lines.line), properties };
  }

  /** What cannot be taken apart goes to the next line that is no deeper than its key. */
  readOpaque(offset: number, ownLine: number, column: number, isMapValue: boolean): SourceScalar {
    let line = ownLine + 1;
    let end = line;
    for (; line < this.#lines.count(); line++) {
      if (this.#lines.kind(line) !== CONTENT) continue;
      const isOwn =
        this.#lines.indent(line) > column ||
        (isMapValue && this.#lines.indent(line) === column && this.#lines.isDash(this.#lines.contentStart(line)));
      if (!isOwn) break;
      end = line + 1;
    }
    this.#lines.line = end;
    return {
      kind: 'scalar',
      style: 'opaque',
      start: skipBlanks(this.#text, offset),
      end: this.#lines.start(end),
      properties: '',
    };
  }

  /** A key as a string. */
  keyText(at: number, keyEnd: number): string {
    const code = this.#text.charCodeAt(at);
    const style = code === 0x22 ? 'double' : code === 0x27 ? 'single' : 'plain';
    return decodeScalar(this.#text, { kind: 'scalar', style, start: at, end: keyEnd, properties: '' });
  }

  /** Behind the implicit key that begins at `at`; -1 where there is none on this line. */
  keyEnd(at: number): number {
    const text = this.#text;
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x27) {
      const lineEnd = text.indexOf('\n', at);
      let end: number;
      try {
        end = this.#flow.readQuoted(at, at, '').end;
      } catch (error) {
        if (error instanceof UnsupportedSource) return -1;
        throw error;
      }
      if (lineEnd >= 0 && end > lineEnd) return -1;
      const colon = skipBlanks(text, end);
      return text.charCodeAt(colon) === 0x3a && endsKey(text, colon) ? end : -1;
    }
    if ('[]{}#&*!|>@`%,'.includes(text.charAt(at))) return -1;
    if ('-?:'.includes(text.charAt(at)) && (at + 1 >= text.length || isWhite(text.charCodeAt(at + 1)))) return -1;
    for (let i = at; i < text.length; i++) {
      const next = text.charCodeAt(i);
      if (next === 0x0a) return -1;
      if (next === 0x23 && isWhite(text.charCodeAt(i - 1))) return -1;
      if (next === 0x3a && endsKey(text, i)) {
        let end = i;
        while (end > at && isWhite(text.charCodeAt(end - 1))) end--;
        return end;
      }
    }
    return -1;
  }
}
