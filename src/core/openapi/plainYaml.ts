import { type Document, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, type Scalar } from 'yaml';
import type { Problem, TextRange } from '../problem.ts';
import { type CutMapping, type CutMember, type CutPlace, KnownMembers, piecesOf } from './cutDocument.ts';
import { MAX_ALIASES, MAX_DEPTH, MAX_PROBLEMS, MAX_WHOLE_YAML_LENGTH } from './limits.ts';
import { ownText } from './ownText.ts';
import type { EarlierDocument, PlainCache, ReadDocument } from './plainCache.ts';
import {
  doubledKey,
  type PlainBase,
  type PlainDocument,
  type PlainNode,
  type PlainPiece,
  type PlainScalar,
  unreadable,
} from './plainNodes.ts';
import { indentQuotedLines } from './quoteIndent.ts';
import type { UnchangedRuns } from './unchangedRuns.ts';
import {
  countAnchorPlaces,
  cutMapping,
  innerMapping,
  type KnownBlocks,
  MAX_ANCHOR_PLACES,
  type YamlBlock,
} from './yamlBlocks.ts';

/** Reads a YAML document by the `yaml` library: in pieces where it can be cut with certainty, else as a whole. */
export function readYamlDocument(text: string, cache: PlainCache): ReadDocument {
  return readYamlInPieces(text, cache) ?? { document: readYaml(text) };
}

/** Thousands of tiny pieces cost more than one large one. In UTF-16 units. */
const MIN_MEAN_BLOCK_LENGTH = 60;
/** How deep mappings are cut: `components`, `schemas`, one schema. */
const MAX_CUT_DEPTH = 3;

/** Undefined where the text cannot be cut with certainty or a piece cannot be read: then the whole decides. */
function readYamlInPieces(text: string, cache: PlainCache): ReadDocument | undefined {
  const earlier = cache.closest(text, 'yaml');
  const anchorPlaces = anchorPlacesOf(text, earlier);
  if (anchorPlaces === undefined) return undefined;
  const head = /^(?:[ \t]*(?:#.*)?\n)*---[ \t]*\n/.exec(text)?.[0] ?? '';
  const mapping = new YamlCutter(text, cache, earlier?.runs).mapping(head.length, text.length, 1, earlier?.cut.root);
  if (mapping === undefined) return undefined;
  const headPieces: PlainPiece[] = head === '' ? [] : [{ text: ownText(head), node: undefined }];
  return {
    document: { pieces: piecesOf(mapping, headPieces), root: mapping.node, problems: [] },
    cut: { root: { mapping, start: head.length }, anchorPlaces },
  };
}

/** Where an anchor can stand is seen in its line alone: only the lines that are not in the earlier text are looked at. */
function anchorPlacesOf(text: string, earlier: EarlierDocument | undefined): number | undefined {
  if (earlier === undefined) return countAnchorPlaces(text);
  let count = earlier.cut.anchorPlaces;
  for (const { start, end, oldStart, oldEnd } of earlier.runs.changedLines(earlier.text, text)) {
    const before = countAnchorPlaces(earlier.text.slice(oldStart, oldEnd));
    const after = countAnchorPlaces(text.slice(start, end));
    if (before === undefined || after === undefined) return undefined;
    count += after - before;
  }
  return count > MAX_ANCHOR_PLACES ? undefined : count;
}

class YamlCutter {
  readonly #text: string;
  readonly #cache: PlainCache;
  readonly #runs: UnchangedRuns | undefined;

  constructor(text: string, cache: PlainCache, runs: UnchangedRuns | undefined) {
    this.#text = text;
    this.#cache = cache;
    this.#runs = runs;
  }

  /** @param earlier what the mapping was in an earlier text, if it is known. */
  mapping(start: number, end: number, depth: number, earlier: CutPlace | undefined): CutMapping | undefined {
    const [known, knownBlocks] = this.#known(earlier, end);
    const cut = cutMapping(this.#text, start, end, knownBlocks);
    if (cut === undefined || (end - start) / cut.blocks.length < MIN_MEAN_BLOCK_LENGTH) return undefined;
    const entries = new Map<string, PlainNode>();
    const members: CutMember[] = [];
    for (const block of cut.blocks) {
      const member = knownMember(block, start, known) ?? this.#member(block, start, depth, known);
      if (member === undefined || entries.has(member.key)) return undefined;
      entries.set(member.key, member.value);
      members.push(member);
    }
    return { node: { kind: 'map', start: 0, end: 0, entries }, members, column: cut.column };
  }

  /** The members for reading, and the same for cutting: both go down the text. */
  #known(earlier: CutPlace | undefined, end: number): readonly [KnownMembers | undefined, KnownBlocks | undefined] {
    if (earlier === undefined || this.#runs === undefined) return [undefined, undefined];
    const members = new KnownMembers(earlier, this.#runs);
    const endOf = (line: number): number | undefined => {
      const member = members.startingAt(line);
      if (member === undefined || !members.isUnchanged(member, line, 0)) return undefined;
      const blockEnd = line + member.end - member.start;
      // What ended with the text may go on in the same line now.
      const isWhole = blockEnd === end || (blockEnd < end && this.#text.charCodeAt(blockEnd - 1) === 0x0a);
      return isWhole ? blockEnd : undefined;
    };
    return [new KnownMembers(earlier, this.#runs), { column: members.column, endOf }];
  }

  #member(
    block: YamlBlock,
    mappingStart: number,
    depth: number,
    known: KnownMembers | undefined,
  ): CutMember | undefined {
    const place = { start: block.start - mappingStart, end: block.end - mappingStart };
    const inner = depth < MAX_CUT_DEPTH ? innerMapping(this.#text, block) : undefined;
    const mapping = inner && this.mapping(inner.start, block.end, depth + 1, known?.inside(inner.key));
    if (inner !== undefined && mapping !== undefined) {
      const head: PlainPiece = { text: ownText(this.#text.slice(block.start, inner.start)), node: undefined };
      const content = { mapping, start: inner.start - block.start, head };
      return { key: ownText(inner.key), value: mapping.node, content, ...place };
    }
    const piece = this.#cache.piece(this.#text.slice(block.start, block.end), readPiece);
    const [pair] = piece.node?.kind === 'map' && piece.node.entries.size === 1 ? piece.node.entries : [];
    return pair === undefined ? undefined : { key: pair[0], value: pair[1], content: piece, ...place };
  }
}

function knownMember(block: YamlBlock, mappingStart: number, known: KnownMembers | undefined): CutMember | undefined {
  const member = known?.startingAt(block.start);
  if (known === undefined || member === undefined || !known.isUnchanged(member, block.start, 0)) return undefined;
  if (member.end - member.start !== block.end - block.start) return undefined;
  const start = block.start - mappingStart;
  return member.start === start ? member : { ...member, start, end: block.end - mappingStart };
}

function readPiece(text: string): PlainPiece {
  return { text, node: readStrictYaml(text).root };
}

function readYaml(text: string): PlainDocument {
  if (text.length > MAX_WHOLE_YAML_LENGTH) {
    const reason = 'it cannot be read in pieces, because it has anchors or a mistake';
    return unreadable(
      'too-large',
      `The file has ${text.length} characters, and ${reason}; at most ${MAX_WHOLE_YAML_LENGTH} are read then.`,
    );
  }
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
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(doubledKey(key, rangeOfNode(node)));
    return undefined;
  }

  #problem(code: string, message: string, node: unknown): void {
    if (this.#problems.length < MAX_PROBLEMS)
      this.#problems.push({ code, message, severity: 'error', range: rangeOfNode(node) });
  }
}

const EMPTY_SCALAR: PlainScalar = { kind: 'scalar', start: 0, end: 0, isString: false, text: '' };

function rangeOf(range: readonly [number, number, number] | null | undefined): readonly [number, number] {
  return range === null || range === undefined ? [0, 0] : [range[0], range[1]];
}

function rangeOfNode(node: unknown): TextRange {
  const [start, end] = rangeOf((node as { range?: readonly [number, number, number] | null } | undefined)?.range);
  return { start, end };
}
