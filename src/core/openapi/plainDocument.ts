import { type ParseError, parseTree, printParseErrorCode, type Node as JsonNode } from 'jsonc-parser';
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, type Scalar } from 'yaml';
import type { DocumentFormat } from '../merge/types.ts';
import type { Problem } from '../problem.ts';
import { scanJson } from './jsonScan.ts';
import { cutMapping, innerMapping, mayHaveAnchors } from './yamlBlocks.ts';
import { indentQuotedLines } from './quoteIndent.ts';
import { cutObject, skipSpace } from './jsonMembers.ts';
import { MAX_ALIASES, MAX_DEPTH, MAX_PROBLEMS, MAX_TEXT_LENGTH } from './limits.ts';

/** A document as data, read by the `yaml` and `jsonc-parser` libraries. Aliases are never expanded. */
export type PlainNode = PlainMap | PlainSequence | PlainScalar | PlainAlias;

interface PlainBase {
  /** Where the value stands in the text of its piece; without its anchor and tag. 0 for what spans several pieces. */
  readonly start: number;
  readonly end: number;
  /** Name of the anchor on this node. */
  readonly anchor?: string;
  /** Explicit tag such as `!!str`. */
  readonly tag?: string;
}
export interface PlainMap extends PlainBase {
  readonly kind: 'map';
  /** By key as text; a repeated merge key `<<` is listed as `<<`, `<<#2` and so on. */
  readonly entries: ReadonlyMap<string, PlainNode>;
}
export interface PlainSequence extends PlainBase {
  readonly kind: 'sequence';
  readonly items: readonly PlainNode[];
}
export interface PlainScalar extends PlainBase {
  readonly kind: 'scalar';
  readonly isString: boolean;
  /** The string; or a number, boolean or null as it is written, because `1.10` is not `1.1` in a version. */
  readonly text: string;
}
export interface PlainAlias extends PlainBase {
  readonly kind: 'alias';
  /** Name of the anchor, and which definition of that name it is bound to where a name is defined again. */
  readonly name: string;
  readonly definition: number;
}

/** A stretch of a document that was read by itself. */
export interface PlainPiece {
  /** What the places of the nodes inside refer to. It differs from the document's text where under-indented quotes were mended for reading. */
  readonly text: string;
  /** Undefined where the stretch is only a key whose value was read in pieces of its own. */
  readonly node: PlainNode | undefined;
}

export interface PlainDocument {
  /** Together they are the whole text; one, where it was read as a whole. */
  readonly pieces: readonly PlainPiece[];
  /** Undefined where the text cannot be read, or is empty. */
  readonly root: PlainNode | undefined;
  /** Errors only: a text that gives none is valid. */
  readonly problems: readonly Problem[];
}

/**
 * Remembers pieces that were read, by their text. The revisions of a merge share nearly all of them, so that four texts
 * cost little more than one. Let it go when the merge is done.
 */
export class PlainCache {
  readonly #pieces = new Map<string, PlainPiece>();

  piece(text: string, read: (text: string) => PlainPiece): PlainPiece {
    let piece = this.#pieces.get(text);
    if (piece === undefined) {
      piece = read(text);
      this.#pieces.set(text, piece);
    }
    return piece;
  }
}

/** Reads a document as data; never throws. */
export function readPlainDocument(text: string, format: DocumentFormat, cache = new PlainCache()): PlainDocument {
  if (text.length > MAX_TEXT_LENGTH) {
    return failed('too-large', `The file has ${text.length} characters; at most ${MAX_TEXT_LENGTH} are read.`);
  }
  try {
    return format === 'yaml'
      ? (readYamlInPieces(text, cache) ?? readYaml(text))
      : ((format === 'json' ? readJsonInPieces(text, cache) : undefined) ?? readJson(text, format));
  } catch (error) {
    // The libraries report what they expect; what is left is exhausted stack or memory by a hostile nesting.
    const reason = error instanceof Error ? error.message : String(error);
    return failed('unreadable', `The file cannot be read: ${reason}`);
  }
}

function failed(code: string, message: string): PlainDocument {
  return { pieces: [], root: undefined, problems: [{ code, message, severity: 'error' }] };
}

/** Thousands of tiny pieces cost more than one large one. In UTF-16 units. */
const MIN_MEAN_BLOCK_LENGTH = 60;
/** How deep mappings are cut: `components`, `schemas`, one schema. */
const MAX_CUT_DEPTH = 3;

/** Undefined where the text cannot be cut with certainty or a piece cannot be read: then the whole decides. */
function readYamlInPieces(text: string, cache: PlainCache): PlainDocument | undefined {
  if (mayHaveAnchors(text)) return undefined;
  const pieces: PlainPiece[] = [];
  const head = /^(?:[ \t]*(?:#.*)?\n)*---[ \t]*\n/.exec(text)?.[0] ?? '';
  if (head !== '') pieces.push({ text: head, node: undefined });
  const root = readMappingInPieces(text, head.length, text.length, 1, cache, pieces);
  return root === undefined ? undefined : { pieces, root, problems: [] };
}

function readMappingInPieces(
  text: string,
  start: number,
  end: number,
  depth: number,
  cache: PlainCache,
  pieces: PlainPiece[],
): PlainMap | undefined {
  const cut = cutMapping(text, start, end);
  if (cut === undefined || (end - start) / cut.blocks.length < MIN_MEAN_BLOCK_LENGTH) return undefined;
  const entries = new Map<string, PlainNode>();
  for (const block of cut.blocks) {
    const inner = depth < MAX_CUT_DEPTH ? innerMapping(text, block) : undefined;
    if (inner !== undefined) {
      const own: PlainPiece[] = [{ text: text.slice(block.start, inner.start), node: undefined }];
      const node = readMappingInPieces(text, inner.start, block.end, depth + 1, cache, own);
      if (node !== undefined) {
        if (entries.has(inner.key)) return undefined;
        entries.set(inner.key, node);
        for (const piece of own) pieces.push(piece);
        continue;
      }
    }
    const piece = cache.piece(text.slice(block.start, block.end), readPiece);
    const [pair] = piece.node?.kind === 'map' && piece.node.entries.size === 1 ? piece.node.entries : [];
    if (pair === undefined || entries.has(pair[0])) return undefined;
    entries.set(...pair);
    pieces.push(piece);
  }
  return { kind: 'map', start: 0, end: 0, entries };
}

function readPiece(text: string): PlainPiece {
  return { text, node: readStrictYaml(text).root };
}

function readYaml(text: string): PlainDocument {
  const read = readStrictYaml(text);
  if (read.root !== undefined || !read.problems.some(({ message }) => message.startsWith('Missing closing')))
    return read;
  const indented = indentQuotedLines(text);
  if (indented === undefined) return read;
  const again = readStrictYaml(indented.text);
  const problems = again.problems.map((problem) =>
    problem.range === undefined
      ? problem
      : {
          ...problem,
          range: {
            start: indented.originalOffset(problem.range.start),
            end: indented.originalOffset(problem.range.end),
          },
        },
  );
  return { ...again, problems };
}

function readStrictYaml(text: string): PlainDocument {
  const document = parseDocument(text, {
    uniqueKeys: false,
    prettyErrors: false,
    // At 'silent' the library keeps quiet about a second document.
    logLevel: 'error',
    stringKeys: false,
  });
  const problems: Problem[] = document.errors.slice(0, MAX_PROBLEMS).map((error) => ({
    code: error.code === 'MULTIPLE_DOCS' ? 'several-documents' : 'yaml-syntax',
    message: error.message,
    severity: 'error',
    range: { start: error.pos[0], end: Math.min(text.length, Math.max(error.pos[1], error.pos[0])) },
  }));
  if (problems.length > 0) return { pieces: [], root: undefined, problems };
  return new YamlReader(text, document).read();
}

class YamlReader {
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #problems: Problem[] = [];
  readonly #definitions = new Map<string, number>();
  #aliases = 0;

  constructor(text: string, document: Document.Parsed) {
    this.#text = text;
    this.#document = document;
  }

  read(): PlainDocument {
    const root = this.#document.contents === null ? undefined : this.#node(this.#document.contents, 0);
    const isGood = this.#problems.length === 0;
    return { pieces: [{ text: this.#text, node: root }], root: isGood ? root : undefined, problems: this.#problems };
  }

  #node(node: unknown, depth: number): PlainNode {
    if (depth > MAX_DEPTH) {
      this.#problem('too-deep', `The file is nested deeper than ${MAX_DEPTH} levels.`, node);
      return EMPTY_SCALAR;
    }
    if (isAlias(node)) {
      const [start, end] = rangeOf(node.range);
      if (++this.#aliases === MAX_ALIASES)
        this.#problem('too-many-aliases', `The file has more than ${MAX_ALIASES} aliases.`, node);
      return { kind: 'alias', start, end, name: node.source, definition: this.#definitions.get(node.source) ?? 0 };
    }
    if (isMap(node)) {
      const common = this.#common(node);
      const entries = new Map<string, PlainNode>();
      for (const pair of node.items) {
        const key = this.#freeKey(entries, this.#keyText(pair.key), pair.key ?? node);
        if (key !== undefined) entries.set(key, this.#node(pair.value, depth + 1));
      }
      return { kind: 'map', ...common, entries };
    }
    if (isSeq(node)) {
      const common = this.#common(node);
      return { kind: 'sequence', ...common, items: node.items.map((item) => this.#item(item, depth + 1)) };
    }
    if (isScalar(node)) return this.#scalar(node);
    return EMPTY_SCALAR;
  }

  /** An item of a flow sequence may be a single pair, `[a: 1]`. */
  #item(item: unknown, depth: number): PlainNode {
    if (!isPair(item)) return this.#node(item, depth);
    const entries = new Map([[this.#keyText(item.key), this.#node(item.value, depth + 1)]]);
    return { kind: 'map', start: 0, end: 0, entries };
  }

  #scalar(node: Scalar): PlainScalar {
    const common = this.#common(node);
    const isString = typeof node.value === 'string';
    const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
    return { kind: 'scalar', ...common, isString, text };
  }

  #common(node: {
    range?: readonly [number, number, number] | null | undefined;
    anchor?: string | undefined;
    tag?: string | undefined;
    type?: unknown;
  }): PlainBase {
    const [start, end] = rangeOf(node.range);
    if (node.anchor === undefined && node.tag === undefined) return { start, end };
    if (node.anchor !== undefined) this.#definitions.set(node.anchor, (this.#definitions.get(node.anchor) ?? 0) + 1);
    return {
      start,
      end,
      ...(node.anchor === undefined ? {} : { anchor: node.anchor }),
      ...(node.tag === undefined ? {} : { tag: node.tag }),
    };
  }

  #keyText(key: unknown): string {
    if (isScalar(key)) {
      this.#common(key);
      return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    }
    if (isAlias(key)) return `*${key.source}`;
    if (key === null || key === undefined) return '';
    const [start, end] = rangeOf((key as { range?: readonly [number, number, number] }).range);
    return this.#text.slice(start, end);
  }

  /** The key to list an entry under; undefined, with a problem, where the map has it already. */
  #freeKey(entries: ReadonlyMap<string, PlainNode>, key: string, node: unknown): string | undefined {
    if (!entries.has(key)) return key;
    if (key === '<<') {
      // Not allowed by the letter, but real files list several anchors to merge this way and readers take it.
      let count = 2;
      while (entries.has(`<<#${count}`)) count++;
      return `<<#${count}`;
    }
    this.#problem('doubled-key', `The key "${shorten(key)}" stands twice in the same object.`, node);
    return undefined;
  }

  #problem(code: string, message: string, node: unknown): void {
    if (this.#problems.length >= MAX_PROBLEMS) return;
    const [start, end] = rangeOf((node as { range?: readonly [number, number, number] | null } | undefined)?.range);
    this.#problems.push({ code, message, severity: 'error', range: { start, end } });
  }
}

const EMPTY_SCALAR: PlainScalar = { kind: 'scalar', start: 0, end: 0, isString: false, text: '' };

function rangeOf(range: readonly [number, number, number] | null | undefined): readonly [number, number] {
  return range === null || range === undefined ? [0, 0] : [range[0], range[1]];
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function readJson(text: string, format: 'json' | 'jsonc'): PlainDocument {
  const scan = scanJson(text);
  if (scan.depth > MAX_DEPTH) return failed('too-deep', `The file is nested deeper than ${MAX_DEPTH} levels.`);
  const errors: ParseError[] = [];
  const isJsonc = format === 'jsonc';
  const root = parseTree(text, errors, {
    disallowComments: !isJsonc,
    allowTrailingComma: isJsonc,
    allowEmptyContent: true,
  });
  const problems: Problem[] = errors.slice(0, MAX_PROBLEMS).map((error) => ({
    code: 'json-syntax',
    message: `${words(printParseErrorCode(error.error))}.`,
    severity: 'error',
    range: { start: error.offset, end: Math.min(text.length, error.offset + error.length) },
  }));
  if (problems.length > 0 || root === undefined) return { pieces: [], root: undefined, problems };
  const value = plainJson(root, text, problems);
  return { pieces: [{ text, node: value }], root: problems.length > 0 ? undefined : value, problems };
}

/** An object shorter than this is not worth cutting. In UTF-16 units. */
const MIN_CUT_OBJECT_LENGTH = 4_000;

/** Undefined where the text cannot be cut or a piece cannot be read: then the whole decides. */
function readJsonInPieces(text: string, cache: PlainCache): PlainDocument | undefined {
  if (text.length < MIN_CUT_OBJECT_LENGTH) return undefined;
  const start = skipSpace(text, 0);
  const pieces: PlainPiece[] = [];
  const read = readObjectInPieces(text, start, 1, cache, pieces);
  if (read === undefined || skipSpace(text, read.end) < text.length) return undefined;
  return { pieces, root: read.node, problems: [] };
}

function readObjectInPieces(
  text: string,
  start: number,
  depth: number,
  cache: PlainCache,
  pieces: PlainPiece[],
): { readonly node: PlainMap; readonly end: number } | undefined {
  const cut = cutObject(text, start);
  if (cut === undefined) return undefined;
  const entries = new Map<string, PlainNode>();
  for (const member of cut.members) {
    if (entries.has(member.key)) return undefined;
    const isLarge =
      member.end - member.valueStart > MIN_CUT_OBJECT_LENGTH && text.charCodeAt(member.valueStart) === 0x7b;
    if (isLarge && depth < MAX_CUT_DEPTH) {
      const inner = readObjectInPieces(text, member.valueStart, depth + 1, cache, pieces);
      if (inner === undefined) return undefined;
      entries.set(member.key, inner.node);
      continue;
    }
    const piece = cache.piece(text.slice(member.start, member.end), readJsonPiece);
    const [pair] = piece.node?.kind === 'map' && piece.node.entries.size === 1 ? piece.node.entries : [];
    if (pair === undefined) return undefined;
    entries.set(member.key, pair[1]);
    pieces.push(piece);
  }
  return { node: { kind: 'map', start: 0, end: 0, entries }, end: cut.end };
}

function readJsonPiece(member: string): PlainPiece {
  const text = `{${member}}`;
  return { text, node: readJson(text, 'json').root };
}

/** `CloseBraceExpected` as words. */
function words(code: string): string {
  const spaced = code.replace(/(?!^)([A-Z])/g, ' $1').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function plainJson(node: JsonNode, text: string, problems: Problem[]): PlainNode {
  const start = node.offset;
  const end = node.offset + node.length;
  if (node.type === 'object') {
    const entries = new Map<string, PlainNode>();
    for (const property of node.children ?? []) {
      const [keyNode, valueNode] = property.children ?? [];
      const key = String(keyNode?.value);
      if (entries.has(key) && problems.length < MAX_PROBLEMS) {
        problems.push({
          code: 'doubled-key',
          message: `The key "${shorten(key)}" stands twice in the same object.`,
          severity: 'error',
          range: { start: property.offset, end: property.offset + (keyNode?.length ?? 0) },
        });
      }
      if (valueNode !== undefined) entries.set(key, plainJson(valueNode, text, problems));
    }
    return { kind: 'map', start, end, entries };
  }
  if (node.type === 'array') {
    return {
      kind: 'sequence',
      start,
      end,
      items: (node.children ?? []).map((child) => plainJson(child, text, problems)),
    };
  }
  if (node.type === 'string') return { kind: 'scalar', start, end, isString: true, text: String(node.value) };
  return { kind: 'scalar', start, end, isString: false, text: text.slice(start, end) };
}
