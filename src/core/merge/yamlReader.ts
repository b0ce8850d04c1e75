import { FlowReader, isWhite, readProperties } from './flowReader.ts';
import {
  MAX_SOURCE_DEPTH,
  type SourceEntry,
  type SourceNode,
  type SourceTree,
  UnsupportedSource,
} from './sourceTree.ts';
import { CONTENT, endsKey, skipBlanks, YamlLines } from './yamlLines.ts';
import { YamlScalarReader } from './yamlScalarReader.ts';

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

/** What an entry is apart from its place among others. */
interface OwnEntry extends Pick<SourceEntry, 'key' | 'keyStart' | 'keyEnd' | 'value'> {
  /** Behind the colon or dash. */
  readonly indicatorEnd: number;
}

class YamlReader {
  readonly #text: string;
  readonly #lines: YamlLines;
  readonly #flow: FlowReader;
  readonly #scalars: YamlScalarReader;

  constructor(text: string) {
    this.#text = text;
    this.#lines = new YamlLines(text);
    this.#flow = new FlowReader(text, false);
    this.#scalars = new YamlScalarReader(this.#lines, this.#flow);
  }

  readRoot(): SourceNode {
    this.#skipDocumentHead();
    const first = this.#lines.nextContent(this.#lines.line);
    if (first >= this.#lines.count()) throw new UnsupportedSource('empty');
    const code = this.#text.charCodeAt(this.#lines.contentStart(first));
    if (code === 0x7b || code === 0x5b) {
      const node = this.#flow.readValue(this.#lines.contentStart(first), 0);
      if (this.#flow.skipTrivia(node.end) < this.#text.length) throw new UnsupportedSource('text behind the root');
      return node;
    }
    const indent = this.#lines.indent(first);
    const node = this.#readBlock(indent, -1, 0, this.#lines.start(this.#lines.line));
    if (this.#lines.line < this.#lines.count() && this.#lines.nextContent(this.#lines.line) < this.#lines.count())
      throw new UnsupportedSource('text behind the root');
    if (node.kind === 'scalar') throw new UnsupportedSource('root is a scalar');
    return node;
  }

  #skipDocumentHead(): void {
    for (let line = 0; line < this.#lines.count(); line++) {
      if (this.#lines.kind(line) !== CONTENT) continue;
      const start = this.#lines.start(line);
      const text = this.#text;
      if (text.startsWith('%', start)) continue;
      if (/^---[ \t]*(#.*)?$/.test(this.#lines.lineText(line))) this.#lines.line = line + 1;
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
    const first = this.#lines.nextContent(this.#lines.line);
    const at = this.#lines.contentStart(first);
    if (this.#lines.isDash(at)) return this.#readCollection('sequence', indent, depth, regionStart, undefined);
    if (this.#scalars.keyEnd(at) >= 0 || this.#isExplicitKey(at))
      return this.#readCollection('map', indent, depth, regionStart, undefined);
    this.#lines.line = first;
    return this.#scalars.readScalar(at, at, '', parentIndent, depth);
  }

  /** `inlineAt`: where the first entry stands if it shares its line with its parent. */
  #readCollection(
    kind: 'map' | 'sequence',
    column: number,
    depth: number,
    regionStart: number,
    inlineAt: number | undefined,
  ): SourceNode {
    const lines = this.#lines;
    const entries: SourceEntry[] = [];
    let leadStart = inlineAt ?? regionStart;
    let shared = inlineAt;
    for (;;) {
      const at = shared ?? this.#nextEntry(kind, column);
      if (at === undefined) break;
      const start = shared ?? lines.start(lines.line);
      const { indicatorEnd, ...own } =
        kind === 'map' ? this.#readPair(at, column, depth) : this.#readDashed(at, column, depth);
      const end = lines.closeEntry(column);
      const { value } = own;
      const valueStart = value.start < indicatorEnd ? indicatorEnd : value.start;
      entries.push({ ...own, leadStart, start, valueStart, valueEnd: value.end, end, afterComma: end });
      leadStart = end;
      shared = undefined;
    }
    const end = entries.at(-1)?.end;
    if (end === undefined) throw new UnsupportedSource('empty collection');
    const start = inlineAt ?? regionStart;
    return { kind, style: 'block', column, start, end, properties: '', entries, tailStart: end };
  }

  /** Where the next entry of a block collection stands, whose line becomes current; undefined behind the last one. */
  #nextEntry(kind: 'map' | 'sequence', column: number): number | undefined {
    const lines = this.#lines;
    const line = lines.nextContent(lines.line);
    if (line >= lines.count() || lines.indent(line) < column) return undefined;
    const at = lines.contentStart(line);
    if (lines.indent(line) > column) throw new UnsupportedSource('unexpected indentation');
    if (lines.isDash(at) !== (kind === 'sequence')) return undefined;
    if (lines.isDocumentMarker(line)) throw new UnsupportedSource('several documents');
    lines.line = line;
    return at;
  }

  #readPair(at: number, column: number, depth: number): OwnEntry {
    const isExplicit = this.#isExplicitKey(at);
    const keyStart = isExplicit ? skipBlanks(this.#text, at + 1) : at;
    const keyEnd = isExplicit ? this.#scalars.endOfPlainLine(keyStart) : this.#scalars.keyEnd(at);
    if (keyEnd <= keyStart) throw new UnsupportedSource('key expected');
    const key = this.#scalars.keyText(keyStart, keyEnd);
    const colon = isExplicit ? this.#explicitColon(keyEnd, column) : skipBlanks(this.#text, keyEnd);
    const value = isExplicit
      ? this.#readItem(colon, column, depth)
      : this.#readValueAfter(colon + 1, column, depth, true);
    return { key, keyStart, keyEnd, indicatorEnd: colon + 1, value };
  }

  #readDashed(at: number, column: number, depth: number): OwnEntry {
    const value = this.#readItem(at, column, depth);
    return { key: undefined, keyStart: at, keyEnd: at + 1, indicatorEnd: at + 1, value };
  }

  #readItem(dash: number, column: number, depth: number): SourceNode {
    const text = this.#text;
    const at = skipBlanks(text, dash + 1);
    const code = text.charCodeAt(at);
    if (Number.isNaN(code) || code === 0x0a || code === 0x23)
      return this.#readValueAfter(dash + 1, column, depth, false);
    const inner = at - this.#lines.start(this.#lines.line);
    if (text.slice(dash, at).includes('\t')) throw new UnsupportedSource('tab');
    if (this.#lines.isDash(at)) return this.#readCollection('sequence', inner, depth + 1, at, at);
    if (this.#scalars.keyEnd(at) >= 0 || this.#isExplicitKey(at))
      return this.#readCollection('map', inner, depth + 1, at, at);
    return this.#readValueAfter(dash + 1, column, depth, false);
  }

  /** Reads the value behind a colon or dash; it may stand on the same line or on the lines below. */
  #readValueAfter(offset: number, column: number, depth: number, isMapValue: boolean): SourceNode {
    const ownLine = this.#lines.line;
    try {
      return this.#readValueStrictly(offset, column, depth, isMapValue);
    } catch (error) {
      if (!(error instanceof UnsupportedSource)) throw error;
      return this.#scalars.readOpaque(offset, ownLine, column, isMapValue);
    }
  }

  #readValueStrictly(offset: number, column: number, depth: number, isMapValue: boolean): SourceNode {
    const text = this.#text;
    const start = skipBlanks(text, offset);
    const properties = readProperties(text, start);
    const at = start + properties.length;
    const code = text.charCodeAt(at);
    if (!Number.isNaN(code) && code !== 0x0a && code !== 0x23)
      return this.#scalars.readScalar(at, start, properties, column, depth);
    const next = this.#lines.nextContent(this.#lines.line + 1);
    const nextIndent = next < this.#lines.count() ? this.#lines.indent(next) : -1;
    const isCompactSequence = isMapValue && nextIndent === column && this.#lines.isDash(this.#lines.contentStart(next));
    if (nextIndent <= column && !isCompactSequence) {
      this.#lines.line++;
      const end = start + properties.trimEnd().length;
      return {
        kind: 'scalar',
        style: 'empty',
        start: properties === '' ? offset : start,
        end: properties === '' ? offset : end,
        properties: properties.trimEnd(),
      };
    }
    this.#lines.line++;
    const regionStart = this.#lines.start(this.#lines.line);
    const node = this.#readBlock(nextIndent, column, depth + 1, regionStart);
    return properties === '' ? node : { ...node, properties: properties.trimEnd() };
  }

  /** `? key`, which emitters write for keys of more than 128 characters. */
  #isExplicitKey(at: number): boolean {
    return this.#text.charCodeAt(at) === 0x3f && this.#text.charCodeAt(at + 1) === 0x20;
  }

  /** Where the colon of an explicit key stands, at the key's column on the next line, which becomes current. */
  #explicitColon(keyEnd: number, column: number): number {
    const text = this.#text;
    const behind = skipBlanks(text, keyEnd);
    const line = this.#lines.line + 1;
    const colon = this.#lines.contentStart(line);
    const isSimple =
      text.charCodeAt(behind) === 0x0a && line < this.#lines.count() && this.#lines.indent(line) === column;
    if (!isSimple || text.charCodeAt(colon) !== 0x3a || !endsKey(text, colon))
      throw new UnsupportedSource('complex key');
    if ('[]{}#&*!|>@`%,'.includes(text.charAt(skipBlanks(text, text.lastIndexOf('?', keyEnd) + 1))))
      throw new UnsupportedSource('complex key');
    this.#lines.line = line;
    return colon;
  }
}
