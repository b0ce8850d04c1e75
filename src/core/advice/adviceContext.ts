import { diffSplices } from '../merge/splices.ts';
import { readSource } from '../merge/readSource.ts';
import type { SourceNode, SourceTree } from '../merge/sourceTree.ts';
import type { DocumentFormat, MergeConflict, MergeInput } from '../merge/types.ts';
import { changedElements } from '../openapi/changedElements.ts';
import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer, parsePointer } from '../openapi/jsonPointer.ts';

/** An element that stands beside the one in conflict, or that it refers to. */
export interface Neighbour {
  /** For a person and for the model: `GET /pets`, `schema Pet`. */
  readonly label: string;
  /** As it stands in the working file, cut where it is long. */
  readonly text: string;
}

/** What one needs to know of a document to judge its conflicts, and no more of it. */
export interface AdviceContext {
  /** By conflict id. */
  readonly neighbours: Readonly<Record<string, readonly Neighbour[]>>;
  /** What each side changed since the common base, by element. */
  readonly ourChanges: readonly string[];
  readonly theirChanges: readonly string[];
}

/** A neighbour is there to be understood, not to be worked on. In characters. */
const MAX_NEIGHBOUR_LENGTH = 1500;
/** So many referred elements say what a conflict is about. */
const MAX_REFERRED = 4;
const LOCAL_REFERENCE = /\$ref["']?\s*:\s*["']?#(\/[^"'\s,}\]]+)/g;

/** Collects what stands around conflicts. Empty where a text cannot be taken apart; never throws. */
export function adviceContext(
  input: MergeInput,
  format: DocumentFormat,
  conflicts: readonly MergeConflict[],
): AdviceContext {
  const trees = [readSource(input.ours, format), readSource(input.theirs, format)];
  const textAt = (path: readonly string[]): string | undefined => {
    for (const tree of trees) {
      const text = tree === undefined ? undefined : elementText(tree, path);
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const neighbours = conflicts.map((conflict): [string, readonly Neighbour[]] => {
    const path = parsePointer(conflict.pointer);
    const places = [path.slice(0, -1), ...referredBy(conflict)].filter(({ length }) => length > 1);
    const found = new Map<string, string>();
    for (const place of places) {
      const text = textAt(place);
      if (text !== undefined) found.set(elementLabel(formatPointer(place)), shorten(text));
    }
    return [conflict.id, [...found].map(([label, text]) => ({ label, text }))];
  });
  const changes = (after: string): readonly string[] =>
    input.base === '' ? [] : changedElements(input.base, after, diffSplices(input.base, after));
  return {
    neighbours: Object.fromEntries(neighbours),
    ourChanges: changes(input.ours),
    theirChanges: changes(input.theirs),
  };
}

/** The places in the document that a conflict's texts refer to. */
function referredBy(conflict: MergeConflict): readonly string[][] {
  const texts = [conflict.ours, conflict.theirs, conflict.base].map((piece) => piece?.text ?? '').join('\n');
  const targets = new Set([...texts.matchAll(LOCAL_REFERENCE)].map(([, target]) => target ?? ''));
  return [...targets].slice(0, MAX_REFERRED).map(parsePointer);
}

function elementText({ text, root }: SourceTree, path: readonly string[]): string | undefined {
  let node: SourceNode = root;
  let range: readonly [number, number] | undefined;
  for (const segment of path) {
    if (node.kind === 'scalar') return undefined;
    const entry = node.kind === 'map' ? node.entries.find(({ key }) => key === segment) : node.entries[Number(segment)];
    if (entry === undefined) return undefined;
    range = [entry.start, node.style === 'flow' ? entry.valueEnd : entry.end];
    node = entry.value;
  }
  return range === undefined ? undefined : dedent(text.slice(...range));
}

function dedent(text: string): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  return text
    .split('\n')
    .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    .join('\n')
    .trimEnd();
}

function shorten(text: string): string {
  if (text.length <= MAX_NEIGHBOUR_LENGTH) return text;
  const end = text.lastIndexOf('\n', MAX_NEIGHBOUR_LENGTH);
  return `${text.slice(0, end > 0 ? end : MAX_NEIGHBOUR_LENGTH)}\n…`;
}
