import { createScanner, type JSONScanner } from 'jsonc-parser';
import { skipSpace } from './jsonMembers.ts';
import type { PlainNode } from './plainNodes.ts';

/**
 * Reads one value of plain JSON (RFC 8259), alone in its text but for spaces. Undefined where anything is not just that,
 * or an object has a key twice: what is wrong, and where, is for the library's parser to say. Every string, number and
 * word is read by the library's scanner; its own parser takes twice the time, most of it to gather the spaces between
 * them.
 * @param text not nested so deep that going down by recursion fails (`MAX_DEPTH`).
 */
export function readStrictJson(text: string): PlainNode | undefined {
  return new StrictJsonReader(text).read();
}

/** `ScanError` and `SyntaxKind` of the library, which offers them to its own compiler only. */
const NO_ERROR = 0;
const UNKNOWN = 16;
const STRING = 10;
const NUMBER = 11;
const FIRST_WORD = 7;

class StrictJsonReader {
  readonly #text: string;
  readonly #scanner: JSONScanner;
  /** Behind what was read last. */
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#scanner = createScanner(text);
  }

  read(): PlainNode | undefined {
    const root = this.#value();
    return skipSpace(this.#text, this.#at) === this.#text.length ? root : undefined;
  }

  #value(): PlainNode | undefined {
    const start = skipSpace(this.#text, this.#at);
    const code = this.#text.charCodeAt(start);
    if (code === 0x7b) return this.#object(start);
    if (code === 0x5b) return this.#array(start);
    const token = this.#scan(start);
    if (token < FIRST_WORD || token > NUMBER) return undefined;
    const end = this.#at;
    const isString = token === STRING;
    return {
      kind: 'scalar',
      start,
      end,
      isString,
      text: isString ? this.#scanner.getTokenValue() : this.#text.slice(start, end),
    };
  }

  #object(start: number): PlainNode | undefined {
    const entries = new Map<string, PlainNode>();
    let next = skipSpace(this.#text, start + 1);
    while (this.#text.charCodeAt(next) !== 0x7d || entries.size > 0) {
      if (this.#scan(next) !== STRING) return undefined;
      const key = this.#scanner.getTokenValue();
      next = skipSpace(this.#text, this.#at);
      if (this.#text.charCodeAt(next) !== 0x3a) return undefined;
      this.#at = next + 1;
      const value = this.#value();
      if (value === undefined || entries.has(key)) return undefined;
      entries.set(key, value);
      const code = this.#text.charCodeAt((next = skipSpace(this.#text, this.#at)));
      if (code === 0x7d) break;
      if (code !== 0x2c) return undefined;
      next = skipSpace(this.#text, next + 1);
    }
    this.#at = next + 1;
    return { kind: 'map', start, end: this.#at, entries };
  }

  #array(start: number): PlainNode | undefined {
    const items: PlainNode[] = [];
    let next = skipSpace(this.#text, start + 1);
    while (this.#text.charCodeAt(next) !== 0x5d || items.length > 0) {
      this.#at = next;
      const item = this.#value();
      if (item === undefined) return undefined;
      items.push(item);
      const code = this.#text.charCodeAt((next = skipSpace(this.#text, this.#at)));
      if (code === 0x5d) break;
      if (code !== 0x2c) return undefined;
      next++;
    }
    this.#at = next + 1;
    return { kind: 'sequence', start, end: this.#at, items };
  }

  /** The token that begins at this place. */
  #scan(start: number): number {
    this.#scanner.setPosition(start);
    const token: number = this.#scanner.scan();
    const error: number = this.#scanner.getTokenError();
    this.#at = this.#scanner.getPosition();
    return error === NO_ERROR ? token : UNKNOWN;
  }
}
