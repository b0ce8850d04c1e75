import { type ParseError, printParseErrorCode, visit } from 'jsonc-parser';
import type { Problem } from '../problem.ts';
import { type CutMapping, type CutMember, type CutPlace, KnownMembers, lastPiece, piecesOf } from './cutDocument.ts';
import { endOfShortObject, readKey, readValueEnd, skipSpace } from './jsonMembers.ts';
import { scanJson } from './jsonScan.ts';
import { MAX_DEPTH, MAX_PROBLEMS } from './limits.ts';
import type { PlainCache, ReadDocument } from './plainCache.ts';
import { doubledKey, type PlainDocument, type PlainNode, type PlainPiece, unreadable } from './plainNodes.ts';
import { readStrictJson } from './strictJson.ts';
import type { UnchangedRuns } from './unchangedRuns.ts';

/** Reads a JSON document by the `jsonc-parser` library: plain JSON in pieces where it can be cut, else as a whole. */
export function readJsonDocument(text: string, format: 'json' | 'jsonc', cache: PlainCache): ReadDocument {
  return (format === 'json' ? readJsonInPieces(text, cache) : undefined) ?? { document: readJson(text, format) };
}

function readJson(text: string, format: 'json' | 'jsonc'): PlainDocument {
  // The library goes down by recursion.
  if (scanJson(text).depth > MAX_DEPTH)
    return unreadable('too-deep', `The file is nested deeper than ${MAX_DEPTH} levels.`);
  const { root, problems } = parseJson(text, format);
  if (root === undefined) return { pieces: [], root, problems };
  return { pieces: [{ text, node: root }], root: problems.length > 0 ? undefined : root, problems };
}

interface ParsedJson {
  /** Undefined where the text is no JSON, or is empty. */
  readonly root: PlainNode | undefined;
  readonly problems: readonly Problem[];
}

/** A collection whose end was not reached yet. */
type OpenCollection =
  | { readonly kind: 'map'; readonly start: number; end: number; readonly entries: Map<string, PlainNode> }
  | { readonly kind: 'sequence'; readonly start: number; end: number; readonly items: PlainNode[] };

/** What is not plain JSON without a fault is the library's parser's to judge. */
function parseJson(text: string, format: 'json' | 'jsonc'): ParsedJson {
  const root = format === 'json' ? readStrictJson(text) : undefined;
  return root === undefined ? parseByLibrary(text, format === 'jsonc') : { root, problems: [] };
}

/** Builds the data while the library reads, so that no second tree is made. */
function parseByLibrary(text: string, isJsonc: boolean): ParsedJson {
  const errors: ParseError[] = [];
  const problems: Problem[] = [];
  const open: OpenCollection[] = [];
  let key = '';
  let root: PlainNode | undefined;
  const put = (node: PlainNode): void => {
    const parent = open.at(-1);
    if (parent === undefined) root = node;
    else if (parent.kind === 'map') parent.entries.set(key, node);
    else parent.items.push(node);
  };
  const begin = (node: OpenCollection): void => {
    put(node);
    open.push(node);
  };
  const close = (offset: number, length: number): void => {
    const node = open.pop();
    if (node !== undefined) node.end = offset + length;
  };
  visit(
    text,
    {
      onObjectBegin: (start) => begin({ kind: 'map', start, end: start, entries: new Map() }),
      onObjectProperty: (name, start, length) => {
        key = name;
        const parent = open.at(-1);
        if (parent?.kind === 'map' && parent.entries.has(key) && problems.length < MAX_PROBLEMS)
          problems.push(doubledKey(key, { start, end: start + length }));
      },
      onObjectEnd: close,
      onArrayBegin: (start) => begin({ kind: 'sequence', start, end: start, items: [] }),
      onArrayEnd: close,
      onLiteralValue: (value: unknown, start, length) => {
        const end = start + length;
        const isString = typeof value === 'string';
        put({ kind: 'scalar', start, end, isString, text: isString ? value : text.slice(start, end) });
      },
      onError: (error, offset, length) => {
        if (errors.length < MAX_PROBLEMS) errors.push({ error, offset, length });
      },
    },
    { disallowComments: !isJsonc, allowTrailingComma: isJsonc, allowEmptyContent: true },
  );
  if (errors.length === 0) return { root, problems };
  const syntax = errors.map(({ error, offset, length }): Problem => {
    const range = { start: offset, end: Math.min(text.length, offset + length) };
    return { code: 'json-syntax', message: `${words(printParseErrorCode(error))}.`, severity: 'error', range };
  });
  return { root: undefined, problems: syntax };
}

/** `CloseBraceExpected` as words. */
function words(code: string): string {
  const spaced = code.replace(/(?!^)([A-Z])/g, ' $1').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** An object shorter than this is not worth cutting. In UTF-16 units. */
const MIN_CUT_OBJECT_LENGTH = 4_000;
/** How deep objects are cut: `components`, `schemas`, one schema. */
const MAX_CUT_DEPTH = 3;

/** Undefined where the text cannot be cut or a piece cannot be read: then the whole decides. */
function readJsonInPieces(text: string, cache: PlainCache): ReadDocument | undefined {
  if (text.length < MIN_CUT_OBJECT_LENGTH) return undefined;
  const earlier = cache.closest(text, 'json');
  cache.continueBehind(undefined);
  const start = skipSpace(text, 0);
  const read = new JsonCutter(text, cache, earlier?.runs).object(start, 1, earlier?.cut.root);
  if (read === undefined || skipSpace(text, read.end) < text.length) return undefined;
  const { mapping } = read;
  return {
    document: { pieces: piecesOf(mapping), root: mapping.node, problems: [] },
    cut: { root: { mapping, start }, anchorPlaces: 0 },
  };
}

/** A member, or the part of one that was found out so far. */
type ReadValue = Pick<CutMember, 'value' | 'content'> & { readonly end: number };

class JsonCutter {
  readonly #text: string;
  readonly #cache: PlainCache;
  readonly #runs: UnchangedRuns | undefined;

  constructor(text: string, cache: PlainCache, runs: UnchangedRuns | undefined) {
    this.#text = text;
    this.#cache = cache;
    this.#runs = runs;
  }

  /**
   * Goes through the object that begins at `start` once; only short objects inside are gone through twice.
   * @param earlier what it was in an earlier text, if it is known.
   */
  object(
    start: number,
    depth: number,
    earlier: CutPlace | undefined,
  ): { readonly mapping: CutMapping; readonly end: number } | undefined {
    const text = this.#text;
    if (text.charCodeAt(start) !== 0x7b) return undefined;
    const known = earlier === undefined || this.#runs === undefined ? undefined : new KnownMembers(earlier, this.#runs);
    const entries = new Map<string, PlainNode>();
    const members: CutMember[] = [];
    let at = skipSpace(text, start + 1);
    while (text.charCodeAt(at) !== 0x7d) {
      if (entries.size > 0) {
        if (text.charCodeAt(at) !== 0x2c) return undefined;
        at = skipSpace(text, at + 1);
      }
      const member = this.#knownMember(at, start, known) ?? this.#member(at, start, depth, known);
      if (member === undefined || entries.has(member.key)) return undefined;
      entries.set(member.key, member.value);
      members.push(member);
      at = skipSpace(text, start + member.end);
    }
    return { mapping: { node: { kind: 'map', start: 0, end: 0, entries }, members, column: 0 }, end: at + 1 };
  }

  #knownMember(at: number, objectStart: number, known: KnownMembers | undefined): CutMember | undefined {
    const member = known?.startingAt(at);
    // What ends a number or a word is the character behind it.
    if (known === undefined || member === undefined || !known.isUnchanged(member, at, 1)) return undefined;
    this.#cache.continueBehind(lastPiece(member));
    const start = at - objectStart;
    return member.start === start ? member : { ...member, start, end: start + member.end - member.start };
  }

  #member(at: number, objectStart: number, depth: number, known: KnownMembers | undefined): CutMember | undefined {
    const read = readKey(this.#text, at);
    if (read === undefined) return undefined;
    const value = this.#value(read.valueStart, at, depth, () => known?.inside(read.key));
    if (value === undefined) return undefined;
    const { content } = value;
    return { key: read.key, value: value.value, content, start: at - objectStart, end: value.end - objectStart };
  }

  #value(
    start: number,
    memberStart: number,
    depth: number,
    earlier: () => CutPlace | undefined,
  ): ReadValue | undefined {
    const text = this.#text;
    let piece = this.#cache.expected(text, start);
    let end = start + (piece?.text.length ?? 0);
    if (piece === undefined || !isEndOfValue(text, end)) {
      const mayBeLarge = depth < MAX_CUT_DEPTH && text.charCodeAt(start) === 0x7b;
      const shortEnd = mayBeLarge ? endOfShortObject(text, start, MIN_CUT_OBJECT_LENGTH, MAX_DEPTH - depth) : undefined;
      if (mayBeLarge && shortEnd === undefined) {
        const inner = this.object(start, depth + 1, earlier());
        if (inner === undefined) return undefined;
        const content = { mapping: inner.mapping, start: start - memberStart, head: undefined };
        return { value: inner.mapping.node, content, end: inner.end };
      }
      end = shortEnd ?? readValueEnd(text, start, MAX_DEPTH - depth);
      if (end <= start) return undefined;
      piece = this.#cache.piece(text.slice(start, end), readJsonPiece);
    }
    if (piece.node === undefined) return undefined;
    this.#cache.pass(piece);
    return { value: piece.node, content: piece, end };
  }
}

/** A number or word goes on where another character follows. */
function isEndOfValue(text: string, end: number): boolean {
  return ',} \n\r\t'.includes(text.charAt(end));
}

function readJsonPiece(text: string): PlainPiece {
  const { root, problems } = parseJson(text, 'json');
  return { text, node: problems.length > 0 ? undefined : root };
}
