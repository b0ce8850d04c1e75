import { type ParseError, printParseErrorCode, visit } from 'jsonc-parser';
import type { Problem } from '../problem.ts';
import { endOfShortObject, readKey, readValueEnd, skipSpace } from './jsonMembers.ts';
import { scanJson } from './jsonScan.ts';
import { MAX_DEPTH, MAX_PROBLEMS } from './limits.ts';
import {
  doubledKey,
  type PlainCache,
  type PlainDocument,
  type PlainMap,
  type PlainNode,
  type PlainPiece,
  unreadable,
} from './plainNodes.ts';

/** Reads a JSON document by the `jsonc-parser` library: plain JSON in pieces where it can be cut, else as a whole. */
export function readJsonDocument(text: string, format: 'json' | 'jsonc', cache: PlainCache): PlainDocument {
  return (format === 'json' ? readJsonInPieces(text, cache) : undefined) ?? readJson(text, format);
}

function readJson(text: string, format: 'json' | 'jsonc'): PlainDocument {
  // The library goes down by recursion.
  if (scanJson(text).depth > MAX_DEPTH)
    return unreadable('too-deep', `The file is nested deeper than ${MAX_DEPTH} levels.`);
  const { root, problems } = parseJson(text, format === 'jsonc');
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

/** Builds the data while the library reads, so that no second tree is made. */
function parseJson(text: string, isJsonc: boolean): ParsedJson {
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
function readJsonInPieces(text: string, cache: PlainCache): PlainDocument | undefined {
  if (text.length < MIN_CUT_OBJECT_LENGTH) return undefined;
  const pieces: PlainPiece[] = [];
  cache.startOver();
  const read = readObjectInPieces(text, skipSpace(text, 0), 1, cache, pieces);
  if (read === undefined || skipSpace(text, read.end) < text.length) return undefined;
  return { pieces, root: read.node, problems: [] };
}

/** Goes through the object that begins at `start` once; only short objects inside are gone through twice. */
function readObjectInPieces(
  text: string,
  start: number,
  depth: number,
  cache: PlainCache,
  pieces: PlainPiece[],
): { readonly node: PlainMap; readonly end: number } | undefined {
  if (text.charCodeAt(start) !== 0x7b) return undefined;
  const entries = new Map<string, PlainNode>();
  let at = skipSpace(text, start + 1);
  while (text.charCodeAt(at) !== 0x7d) {
    if (entries.size > 0) {
      if (text.charCodeAt(at) !== 0x2c) return undefined;
      at = skipSpace(text, at + 1);
    }
    const member = readKey(text, at);
    if (member === undefined || entries.has(member.key)) return undefined;
    const { key, valueStart } = member;
    let piece = cache.expected(text, valueStart);
    let end = valueStart + (piece?.text.length ?? 0);
    if (piece === undefined || !isEndOfValue(text, end)) {
      const mayBeLarge = depth < MAX_CUT_DEPTH && text.charCodeAt(valueStart) === 0x7b;
      const shortEnd = mayBeLarge
        ? endOfShortObject(text, valueStart, MIN_CUT_OBJECT_LENGTH, MAX_DEPTH - depth)
        : undefined;
      if (mayBeLarge && shortEnd === undefined) {
        const inner = readObjectInPieces(text, valueStart, depth + 1, cache, pieces);
        if (inner === undefined) return undefined;
        entries.set(key, inner.node);
        at = skipSpace(text, inner.end);
        continue;
      }
      end = shortEnd ?? readValueEnd(text, valueStart, MAX_DEPTH - depth);
      if (end <= valueStart) return undefined;
      piece = cache.piece(text.slice(valueStart, end), readJsonPiece);
    }
    if (piece.node === undefined) return undefined;
    cache.pass(piece);
    entries.set(key, piece.node);
    pieces.push(piece);
    at = skipSpace(text, end);
  }
  return { node: { kind: 'map', start: 0, end: 0, entries }, end: at + 1 };
}

/** A number or word goes on where another character follows. */
function isEndOfValue(text: string, end: number): boolean {
  return ',} \n\r\t'.includes(text.charAt(end));
}

function readJsonPiece(text: string): PlainPiece {
  const { root, problems } = parseJson(text, false);
  return { text, node: problems.length > 0 ? undefined : root };
}
