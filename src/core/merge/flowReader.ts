import {
  MAX_SOURCE_DEPTH,
  type SourceCollection,
  type SourceEntry,
  type SourceNode,
  type SourceScalar,
  UnsupportedSource,
} from './sourceTree.ts';
import { decodeScalar } from './scalarText.ts';

const TAB = 0x09;
const LF = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const APOSTROPHE = 0x27;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Reads flow collections and quoted scalars: JSON, JSONC and the flow style of YAML. Throws `UnsupportedSource`. */
export class FlowReader {
  readonly #text: string;
  readonly #isJson: boolean;

  constructor(text: string, isJson: boolean) {
    this.#text = text;
    this.#isJson = isJson;
  }

  /** Reads the value at `offset`, which is no white space. */
  readValue(offset: number, depth: number): SourceNode {
    const properties = this.#isJson ? '' : readProperties(this.#text, offset);
    const at = this.skipTrivia(offset + properties.length);
    const code = this.#text.charCodeAt(at);
    if (code === OPEN_BRACE || code === OPEN_BRACKET) return this.#readCollection(at, offset, properties, depth);
    if (code === QUOTE || code === APOSTROPHE) return this.readQuoted(at, offset, properties);
    if (code === 0x2a && !this.#isJson) {
      const end = this.#endOfPlain(at);
      return { kind: 'scalar', style: 'alias', start: offset, end, properties };
    }
    const end = this.#endOfPlain(at);
    return {
      kind: 'scalar',
      style: end === at ? 'empty' : 'plain',
      start: offset,
      end: end === at ? offset + properties.length : end,
      properties,
    };
  }

  readQuoted(at: number, start: number, properties: string): SourceScalar {
    const text = this.#text;
    if (text.charCodeAt(at) === QUOTE) {
      let end = at + 1;
      for (;;) {
        const code = text.charCodeAt(end);
        if (Number.isNaN(code)) throw new UnsupportedSource('string is not closed');
        if (code === 0x5c) end += 2;
        else if (code === QUOTE) break;
        else end++;
      }
      return { kind: 'scalar', style: 'double', start, end: end + 1, properties };
    }
    let end = at + 1;
    for (;;) {
      const quote = text.indexOf("'", end);
      if (quote < 0) throw new UnsupportedSource('string is not closed');
      if (text.charCodeAt(quote + 1) !== APOSTROPHE)
        return { kind: 'scalar', style: 'single', start, end: quote + 1, properties };
      end = quote + 2;
    }
  }

  /** Behind white space, line ends and comments. */
  skipTrivia(offset: number): number {
    const text = this.#text;
    let i = offset;
    for (;;) {
      const code = text.charCodeAt(i);
      if (code === SPACE || code === LF || code === TAB || code === 0x0d) i++;
      else if (!this.#isJson && code === HASH && (i === 0 || isWhite(text.charCodeAt(i - 1)))) i = lineEnd(text, i);
      else if (this.#isJson && code === SLASH && text.charCodeAt(i + 1) === SLASH) i = lineEnd(text, i);
      else if (this.#isJson && code === SLASH && text.charCodeAt(i + 1) === 0x2a) {
        const end = text.indexOf('*/', i + 2);
        if (end < 0) throw new UnsupportedSource('comment is not closed');
        i = end + 2;
      } else return i;
    }
  }

  #readCollection(at: number, start: number, properties: string, depth: number): SourceCollection {
    if (depth > MAX_SOURCE_DEPTH) throw new UnsupportedSource('nested too deep');
    const text = this.#text;
    const isMap = text.charCodeAt(at) === OPEN_BRACE;
    const close = isMap ? CLOSE_BRACE : CLOSE_BRACKET;
    const entries: SourceEntry[] = [];
    let leadStart = at + 1;
    for (;;) {
      const entryStart = this.skipTrivia(leadStart);
      const code = text.charCodeAt(entryStart);
      if (code === close) {
        return {
          kind: isMap ? 'map' : 'sequence',
          style: 'flow',
          column: 0,
          start,
          end: entryStart + 1,
          properties,
          entries,
          tailStart: leadStart,
        };
      }
      if (code === COMMA || Number.isNaN(code)) throw new UnsupportedSource('entry expected');
      const entry = isMap ? this.#readPair(leadStart, entryStart, depth) : this.#readItem(leadStart, entryStart, depth);
      entries.push(entry);
      leadStart = entry.afterComma;
      if (entry.afterComma === entry.end && text.charCodeAt(this.skipTrivia(entry.end)) !== close) {
        throw new UnsupportedSource('comma expected');
      }
    }
  }

  #readPair(leadStart: number, start: number, depth: number): SourceEntry {
    const text = this.#text;
    const code = text.charCodeAt(start);
    if (code === OPEN_BRACE || code === OPEN_BRACKET || code === 0x2a || code === 0x26 || code === 0x21)
      throw new UnsupportedSource('complex key');
    if (code === 0x3f && isWhite(text.charCodeAt(start + 1))) throw new UnsupportedSource('explicit key');
    const key = this.readValue(start, depth);
    if (key.kind !== 'scalar') throw new UnsupportedSource('complex key');
    const colon = this.skipTrivia(key.end);
    const keyText = decodeScalar(text, key);
    if (text.charCodeAt(colon) !== COLON) {
      const value: SourceScalar = { kind: 'scalar', style: 'empty', start: key.end, end: key.end, properties: '' };
      return this.#finish({
        key: keyText,
        leadStart,
        start,
        keyStart: start,
        keyEnd: key.end,
        valueStart: key.end,
        value,
      });
    }
    const valueStart = this.skipTrivia(colon + 1);
    const next = text.charCodeAt(valueStart);
    const value: SourceNode =
      next === COMMA || next === CLOSE_BRACE
        ? { kind: 'scalar', style: 'empty', start: colon + 1, end: colon + 1, properties: '' }
        : this.readValue(valueStart, depth + 1);
    return this.#finish({
      key: keyText,
      leadStart,
      start,
      keyStart: start,
      keyEnd: key.end,
      valueStart: value.start,
      value,
    });
  }

  #readItem(leadStart: number, start: number, depth: number): SourceEntry {
    const value = this.readValue(start, depth + 1);
    const behind = this.skipTrivia(value.end);
    if (this.#text.charCodeAt(behind) === COLON) throw new UnsupportedSource('single pair in a flow sequence');
    return this.#finish({ key: undefined, leadStart, start, keyStart: start, keyEnd: start, valueStart: start, value });
  }

  #finish(head: Omit<SourceEntry, 'valueEnd' | 'end' | 'afterComma'>): SourceEntry {
    const text = this.#text;
    const valueEnd = head.value.end;
    const behind = this.skipTrivia(valueEnd);
    if (text.charCodeAt(behind) !== COMMA) {
      // What stands on the value's own line belongs to it; the rest to the closing of the collection.
      const end = this.#endOfLineTrivia(valueEnd, behind);
      return { ...head, valueEnd, end, afterComma: end };
    }
    return {
      ...head,
      valueEnd,
      end: behind,
      afterComma: this.#endOfLineTrivia(behind + 1, this.skipTrivia(behind + 1)),
    };
  }

  /** Behind a comment that begins on the line of `from`; `from` itself where none does. */
  #endOfLineTrivia(from: number, limit: number): number {
    const text = this.#text;
    let i = from;
    while (i < limit && (text.charCodeAt(i) === SPACE || text.charCodeAt(i) === TAB)) i++;
    if (i >= limit || text.charCodeAt(i) === LF) return from;
    if (text.charCodeAt(i) === SLASH && text.charCodeAt(i + 1) === 0x2a) return text.indexOf('*/', i) + 2;
    return lineEnd(text, i);
  }

  /** Behind a plain scalar inside a flow collection, without the spaces that trail it. */
  #endOfPlain(start: number): number {
    const text = this.#text;
    let i = start;
    let end = start;
    for (;;) {
      const code = text.charCodeAt(i);
      if (
        Number.isNaN(code) ||
        code === COMMA ||
        code === OPEN_BRACE ||
        code === CLOSE_BRACE ||
        code === OPEN_BRACKET ||
        code === CLOSE_BRACKET
      )
        break;
      if (code === COLON) {
        const next = text.charCodeAt(i + 1);
        if (Number.isNaN(next) || isWhite(next) || next === COMMA || next === CLOSE_BRACE || next === CLOSE_BRACKET)
          break;
      }
      if (this.#isJson && (isWhite(code) || code === SLASH || code === COLON)) break;
      if (code === HASH && i > start && isWhite(text.charCodeAt(i - 1))) break;
      i++;
      if (!isWhite(code)) end = i;
    }
    return end;
  }
}

/** Anchor and tag at `offset`, with the spaces between and behind them; '' where there is none. */
export function readProperties(text: string, offset: number): string {
  let i = offset;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code !== 0x26 && code !== 0x21) break;
    while (i < text.length && !isWhite(text.charCodeAt(i)) && !',[]{}'.includes(text.charAt(i))) i++;
    while (text.charCodeAt(i) === SPACE || text.charCodeAt(i) === TAB) i++;
  }
  return text.slice(offset, i);
}

export function isWhite(code: number): boolean {
  return code === SPACE || code === LF || code === TAB || code === 0x0d;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
}
