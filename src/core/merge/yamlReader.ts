import { FlowReader, isWhite, readProperties } from './flowReader.ts';
import { decodeScalar } from './scalarText.ts';
import {
  MAX_SOURCE_DEPTH,
  type SourceEntry,
  type SourceNode,
  type SourceScalar,
  type SourceTree,
  UnsupportedSource,
} from './sourceTree.ts';

/**
 * Reads the block structure of a YAML document by its indentation. It is no judge of validity (the check of the
 * result is); what it does not understand with certainty it leaves whole, as an opaque value. Undefined where not
 * even the root can be read: several documents, tabs as indentation, a root that is no collection.
 */
export function readYamlSource(text: string): SourceTree | undefined {
  try {
    return { text, root: new YamlReader(text).readRoot(), isJson: false };
  } catch (error) {
    if (error instanceof UnsupportedSource) return undefined;
    throw error;
  }
}

const BLANK = 0;
const COMMENT = 1;
const CONTENT = 2;

class YamlReader {
  readonly #text: string;
  readonly #flow: FlowReader;
  /** Where each line begins; one more for the end of the text. */
  readonly #starts: number[] = [];
  readonly #indents: number[] = [];
  readonly #kinds: number[] = [];
  /** The line that is read next. */
  #line = 0;

  constructor(text: string) {
    this.#text = text;
    this.#flow = new FlowReader(text, false);
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

  readRoot(): SourceNode {
    this.#skipDocumentHead();
    const first = this.#nextContent(this.#line);
    if (first >= this.#count()) throw new UnsupportedSource('empty');
    const code = this.#text.charCodeAt(this.#contentStart(first));
    if (code === 0x7b || code === 0x5b) {
      const node = this.#flow.readValue(this.#contentStart(first), 0);
      if (this.#flow.skipTrivia(node.end) < this.#text.length) throw new UnsupportedSource('text behind the root');
      return node;
    }
    const indent = this.#indent(first);
    const node = this.#readBlock(indent, -1, 0, this.#start(this.#line));
    if (this.#line < this.#count() && this.#nextContent(this.#line) < this.#count())
      throw new UnsupportedSource('text behind the root');
    if (node.kind === 'scalar') throw new UnsupportedSource('root is a scalar');
    return node;
  }

  #skipDocumentHead(): void {
    for (let line = 0; line < this.#count(); line++) {
      if (this.#kind(line) !== CONTENT) continue;
      const start = this.#start(line);
      const text = this.#text;
      if (text.startsWith('%', start)) continue;
      if (/^---[ \t]*(#.*)?$/.test(this.#lineText(line))) this.#line = line + 1;
      else if (text.startsWith('---', start) && isWhite(text.charCodeAt(start + 3)))
        throw new UnsupportedSource('content on the marker');
      return;
    }
  }

  /**
   * Reads the collection or scalar whose first content line has `indent`; `parentIndent` bounds its continuation
   * lines. The current line is the first after the parent's.
   */
  #readBlock(indent: number, parentIndent: number, depth: number, regionStart: number): SourceNode {
    if (depth > MAX_SOURCE_DEPTH) throw new UnsupportedSource('nested too deep');
    const first = this.#nextContent(this.#line);
    const at = this.#contentStart(first);
    if (this.#isDash(at)) return this.#readSequence(indent, depth, regionStart, undefined);
    if (this.#keyEnd(at) >= 0 || this.#isExplicitKey(at)) return this.#readMap(indent, depth, regionStart, undefined);
    this.#line = first;
    return this.#readScalar(at, at, '', parentIndent, depth);
  }

  /** `inlineAt`: where the first entry stands if it shares its line with its parent. */
  #readMap(column: number, depth: number, regionStart: number, inlineAt: number | undefined): SourceNode {
    const entries: SourceEntry[] = [];
    let leadStart = regionStart;
    let shared = inlineAt;
    for (;;) {
      let at = shared;
      if (at === undefined) {
        const line = this.#nextContent(this.#line);
        if (line >= this.#count() || this.#indent(line) < column) break;
        at = this.#contentStart(line);
        if (this.#indent(line) > column) throw new UnsupportedSource('unexpected indentation');
        if (this.#isDash(at)) break;
        if (this.#isDocumentMarker(line)) throw new UnsupportedSource('several documents');
        this.#line = line;
      }
      const start = shared ?? this.#start(this.#line);
      const explicit = this.#isExplicitKey(at);
      const keyStart = explicit ? skipBlanks(this.#text, at + 1) : at;
      const keyEnd = explicit ? this.#endOfPlainLine(keyStart) : this.#keyEnd(at);
      if (keyEnd <= keyStart) throw new UnsupportedSource('key expected');
      const key = this.#keyText(keyStart, keyEnd);
      const colon = explicit ? this.#explicitColon(keyEnd, column) : skipBlanks(this.#text, keyEnd);
      const value = explicit
        ? this.#readItem(colon, column, depth)
        : this.#readValueAfter(colon + 1, column, depth, true);
      const end = this.#closeEntry(column);
      entries.push({
        key,
        leadStart: shared ?? leadStart,
        start,
        keyStart,
        keyEnd,
        valueStart: valueStartOf(value, colon + 1),
        valueEnd: value.end,
        end,
        value,
        afterComma: end,
      });
      leadStart = end;
      shared = undefined;
    }
    const last = entries.at(-1);
    if (last === undefined) throw new UnsupportedSource('empty collection');
    return this.#collection('map', column, entries, inlineAt ?? regionStart, last);
  }

  #readSequence(column: number, depth: number, regionStart: number, inlineAt: number | undefined): SourceNode {
    const entries: SourceEntry[] = [];
    let leadStart = regionStart;
    let shared = inlineAt;
    for (;;) {
      let at = shared;
      if (at === undefined) {
        const line = this.#nextContent(this.#line);
        if (line >= this.#count() || this.#indent(line) < column) break;
        at = this.#contentStart(line);
        if (this.#indent(line) > column) throw new UnsupportedSource('unexpected indentation');
        if (!this.#isDash(at)) break;
        if (this.#isDocumentMarker(line)) throw new UnsupportedSource('several documents');
        this.#line = line;
      }
      const start = shared ?? this.#start(this.#line);
      const value = this.#readItem(at, column, depth);
      const end = this.#closeEntry(column);
      entries.push({
        key: undefined,
        leadStart: shared ?? leadStart,
        start,
        keyStart: at,
        keyEnd: at + 1,
        valueStart: valueStartOf(value, at + 1),
        valueEnd: value.end,
        end,
        value,
        afterComma: end,
      });
      leadStart = end;
      shared = undefined;
    }
    const last = entries.at(-1);
    if (last === undefined) throw new UnsupportedSource('empty collection');
    return this.#collection('sequence', column, entries, inlineAt ?? regionStart, last);
  }

  #collection(
    kind: 'map' | 'sequence',
    column: number,
    entries: readonly SourceEntry[],
    start: number,
    last: SourceEntry,
  ): SourceNode {
    return { kind, style: 'block', column, start, end: last.end, properties: '', entries, tailStart: last.end };
  }

  #readItem(dash: number, column: number, depth: number): SourceNode {
    const text = this.#text;
    const at = skipBlanks(text, dash + 1);
    const code = text.charCodeAt(at);
    if (Number.isNaN(code) || code === 0x0a || code === 0x23)
      return this.#readValueAfter(dash + 1, column, depth, false);
    const inner = at - this.#start(this.#line);
    if (text.slice(dash, at).includes('\t')) throw new UnsupportedSource('tab');
    if (this.#isDash(at)) return this.#readSequence(inner, depth + 1, at, at);
    if (this.#keyEnd(at) >= 0 || this.#isExplicitKey(at)) return this.#readMap(inner, depth + 1, at, at);
    return this.#readValueAfter(dash + 1, column, depth, false);
  }

  /** Reads the value behind a colon or dash; it may stand on the same line or on the lines below. */
  #readValueAfter(offset: number, column: number, depth: number, isMapValue: boolean): SourceNode {
    const ownLine = this.#line;
    try {
      return this.#readValueStrictly(offset, column, depth, isMapValue);
    } catch (error) {
      if (!(error instanceof UnsupportedSource)) throw error;
      return this.#readOpaque(offset, ownLine, column, isMapValue);
    }
  }

  #readValueStrictly(offset: number, column: number, depth: number, isMapValue: boolean): SourceNode {
    const text = this.#text;
    const start = skipBlanks(text, offset);
    const properties = readProperties(text, start);
    const at = start + properties.length;
    const code = text.charCodeAt(at);
    if (!Number.isNaN(code) && code !== 0x0a && code !== 0x23)
      return this.#readScalar(at, start, properties, column, depth);
    const next = this.#nextContent(this.#line + 1);
    const nextIndent = next < this.#count() ? this.#indent(next) : -1;
    const isCompactSequence = isMapValue && nextIndent === column && this.#isDash(this.#contentStart(next));
    if (nextIndent <= column && !isCompactSequence) {
      this.#line++;
      const end = start + properties.trimEnd().length;
      return {
        kind: 'scalar',
        style: 'empty',
        start: properties === '' ? offset : start,
        end: properties === '' ? offset : end,
        properties: properties.trimEnd(),
      };
    }
    this.#line++;
    const regionStart = this.#start(this.#line);
    const node = this.#readBlock(nextIndent, column, depth + 1, regionStart);
    return properties === '' ? node : { ...node, properties: properties.trimEnd() };
  }

  /** Reads what stands at `at` on the current line: quoted, block or plain scalar, alias, flow collection. Leaves the line behind it current. */
  #readScalar(at: number, start: number, properties: string, parentIndent: number, depth: number): SourceNode {
    const text = this.#text;
    const code = text.charCodeAt(at);
    if (code === 0x7c || code === 0x3e) return this.#readBlockScalar(at, start, properties, parentIndent);
    if (code === 0x22 || code === 0x27 || code === 0x7b || code === 0x5b) {
      const node =
        code === 0x7b || code === 0x5b ? this.#flow.readValue(at, depth) : this.#flow.readQuoted(at, start, properties);
      this.#advanceBehind(node.end);
      return node.start === start ? node : { ...node, start, properties };
    }
    if (code === 0x2a) {
      let end = at;
      while (end < text.length && !isWhite(text.charCodeAt(end))) end++;
      this.#advanceBehind(end);
      return { kind: 'scalar', style: 'alias', start, end, properties };
    }
    if ('%@`,]}?'.includes(text.charAt(at)) && (code !== 0x3f || isWhite(text.charCodeAt(at + 1))))
      throw new UnsupportedSource('indicator');
    return this.#readPlain(at, start, properties, parentIndent);
  }

  #readPlain(at: number, start: number, properties: string, parentIndent: number): SourceScalar {
    let end = this.#endOfPlainLine(at);
    let commented = this.#text.charCodeAt(skipBlanks(this.#text, end)) === 0x23;
    this.#line++;
    let line = this.#line;
    while (!commented && line < this.#count()) {
      if (this.#kind(line) === BLANK) {
        line++;
        continue;
      }
      if (this.#kind(line) === COMMENT || this.#indent(line) <= parentIndent || this.#isDocumentMarker(line)) break;
      const content = this.#contentStart(line);
      if (this.#keyEnd(content) >= 0) throw new UnsupportedSource('key inside a plain scalar');
      end = this.#endOfPlainLine(content);
      commented = this.#text.charCodeAt(skipBlanks(this.#text, end)) === 0x23;
      line++;
      this.#line = line;
    }
    return { kind: 'scalar', style: 'plain', start, end, properties };
  }

  #endOfPlainLine(at: number): number {
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
      this.#text.slice(at, this.#lineEnd(this.#line)),
    );
    if (header === null) throw new UnsupportedSource('block scalar header');
    const keepsBlankLines = header[1] === '+' || header[3] === '+';
    const explicit = header[2] === '' ? 0 : Number(header[2]);
    let contentIndent = explicit > 0 ? Math.max(parentIndent, 0) + explicit : -1;
    if (explicit > 0 && parentIndent < 0) contentIndent = explicit;
    let line = this.#line + 1;
    let end = line;
    for (; line < this.#count(); line++) {
      if (this.#kind(line) === BLANK) continue;
      const indent = this.#indent(line);
      if (contentIndent < 0) {
        if (indent <= parentIndent) break;
        contentIndent = indent;
      }
      if (indent < contentIndent) break;
      end = line + 1;
    }
    if (line < this.#count() && this.#indent(line) > parentIndent && this.#kind(line) !== COMMENT)
      throw new UnsupportedSource('indentation in a block scalar');
    this.#line = keepsBlankLines ? line : end;
    const style = this.#text.charCodeAt(at) === 0x7c ? 'literal' : 'folded';
    return { kind: 'scalar', style, start, end: this.#start(this.#line), properties };
  }

  /** What cannot be taken apart goes to the next line that is no deeper than its key. */
  #readOpaque(offset: number, ownLine: number, column: number, isMapValue: boolean): SourceScalar {
    let line = ownLine + 1;
    let end = line;
    for (; line < this.#count(); line++) {
      if (this.#kind(line) !== CONTENT) continue;
      const isOwn =
        this.#indent(line) > column ||
        (isMapValue && this.#indent(line) === column && this.#isDash(this.#contentStart(line)));
      if (!isOwn) break;
      end = line + 1;
    }
    this.#line = end;
    return {
      kind: 'scalar',
      style: 'opaque',
      start: skipBlanks(this.#text, offset),
      end: this.#start(end),
      properties: '',
    };
  }

  /** After a value that ends on some line: only blanks or a comment may follow there. */
  #advanceBehind(end: number): void {
    let line = this.#line;
    while (line + 1 < this.#count() && this.#start(line + 1) <= end) line++;
    const behind = skipBlanks(this.#text, end);
    const code = this.#text.charCodeAt(behind);
    if (!Number.isNaN(code) && code !== 0x0a && !(code === 0x23 && behind > end))
      throw new UnsupportedSource('text behind a value');
    this.#line = line + 1;
  }

  /** Gives comment lines below an entry that are indented deeper than its siblings to the entry, and says where it ends. */
  #closeEntry(column: number): number {
    let line = this.#line;
    let end = line;
    for (; line < this.#count() && this.#kind(line) !== CONTENT; line++) {
      if (this.#kind(line) === COMMENT && this.#indent(line) > column) end = line + 1;
    }
    // The last entry also keeps comments that stand at its own column, unless the next content is its sibling.
    const isLast = line >= this.#count() || this.#indent(line) < column;
    if (isLast && column > 0) {
      for (let i = this.#line; i < line; i++)
        if (this.#kind(i) === COMMENT && this.#indent(i) >= column) end = Math.max(end, i + 1);
    }
    this.#line = end;
    return this.#start(end);
  }

  #keyText(at: number, keyEnd: number): string {
    const code = this.#text.charCodeAt(at);
    const style = code === 0x22 ? 'double' : code === 0x27 ? 'single' : 'plain';
    return decodeScalar(this.#text, { kind: 'scalar', style, start: at, end: keyEnd, properties: '' });
  }

  /** Behind the implicit key that begins at `at`; -1 where there is none on this line. */
  #keyEnd(at: number): number {
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

  /** `? key`, which emitters write for keys of more than 128 characters. */
  #isExplicitKey(at: number): boolean {
    return this.#text.charCodeAt(at) === 0x3f && this.#text.charCodeAt(at + 1) === 0x20;
  }

  /** Where the colon of an explicit key stands, at the key's column on the next line, which becomes current. */
  #explicitColon(keyEnd: number, column: number): number {
    const text = this.#text;
    const behind = skipBlanks(text, keyEnd);
    const line = this.#line + 1;
    const colon = this.#contentStart(line);
    const isSimple = text.charCodeAt(behind) === 0x0a && line < this.#count() && this.#indent(line) === column;
    if (!isSimple || text.charCodeAt(colon) !== 0x3a || !endsKey(text, colon))
      throw new UnsupportedSource('complex key');
    if ('[]{}#&*!|>@`%,'.includes(text.charAt(skipBlanks(text, text.lastIndexOf('?', keyEnd) + 1))))
      throw new UnsupportedSource('complex key');
    this.#line = line;
    return colon;
  }

  #isDash(at: number): boolean {
    return (
      this.#text.charCodeAt(at) === 0x2d && (at + 1 >= this.#text.length || isWhite(this.#text.charCodeAt(at + 1)))
    );
  }

  #isDocumentMarker(line: number): boolean {
    if (this.#indent(line) !== 0) return false;
    const marker = this.#text.slice(this.#start(line), this.#start(line) + 3);
    return (
      (marker === '---' || marker === '...') &&
      (this.#start(line) + 3 >= this.#text.length || isWhite(this.#text.charCodeAt(this.#start(line) + 3)))
    );
  }

  #nextContent(from: number): number {
    let line = from;
    while (line < this.#count() && this.#kind(line) !== CONTENT) line++;
    if (line < this.#count() && this.#text.charCodeAt(this.#contentStart(line)) === 0x09)
      throw new UnsupportedSource('tab');
    return line;
  }

  #lineText(line: number): string {
    return this.#text.slice(this.#start(line), this.#lineEnd(line));
  }

  #lineEnd(line: number): number {
    const next = this.#start(line + 1);
    return this.#text.charCodeAt(next - 1) === 0x0a ? next - 1 : next;
  }

  #count(): number {
    return this.#kinds.length;
  }

  #start(line: number): number {
    return this.#starts[line] ?? this.#text.length;
  }

  #indent(line: number): number {
    return this.#indents[line] ?? 0;
  }

  #kind(line: number): number {
    return this.#kinds[line] ?? BLANK;
  }

  #contentStart(line: number): number {
    return this.#start(line) + this.#indent(line);
  }
}

function skipBlanks(text: string, offset: number): number {
  let i = offset;
  while (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09) i++;
  return i;
}

function endsKey(text: string, colon: number): boolean {
  return colon + 1 >= text.length || isWhite(text.charCodeAt(colon + 1));
}

function valueStartOf(value: SourceNode, afterIndicator: number): number {
  return value.start < afterIndicator ? afterIndicator : value.start;
}
