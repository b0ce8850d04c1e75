import type { Problem } from '../problem.ts';

/** A document as data, read by the `yaml` and `jsonc-parser` libraries. Aliases are never expanded. */
export type PlainNode = PlainMap | PlainSequence | PlainScalar | PlainAlias;

/** What every node has. */
export interface PlainBase {
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

/**
 * Whether two values are the same data: the order of keys does not count, anchors, tags and aliases do. Costs little
 * where the two share what was read: the same object needs no look inside.
 */
export function samePlain(a: PlainNode | undefined, b: PlainNode | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.anchor !== b.anchor || a.tag !== b.tag) return false;
  if (a.kind === 'map') {
    if (b.kind !== 'map' || a.entries.size !== b.entries.size) return false;
    for (const [key, value] of a.entries) {
      const other = b.entries.get(key);
      if (other === undefined || !samePlain(value, other)) return false;
    }
    return true;
  }
  if (a.kind === 'sequence')
    return (
      b.kind === 'sequence' &&
      a.items.length === b.items.length &&
      a.items.every((item, index) => samePlain(item, b.items[index]))
    );
  if (a.kind === 'scalar') return b.kind === 'scalar' && a.isString === b.isString && a.text === b.text;
  return b.kind === 'alias' && a.name === b.name && a.definition === b.definition;
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

/** A document that cannot be read, and why. */
export function unreadable(code: string, message: string): PlainDocument {
  return { pieces: [], root: undefined, problems: [{ code, message, severity: 'error' }] };
}

/** The problem of a key that an object has already; `range` is where it stands the second time. */
export function doubledKey(key: string, range: Problem['range']): Problem {
  const shown = key.length <= 80 ? key : `${key.slice(0, 79)}…`;
  return {
    code: 'doubled-key',
    message: `The key "${shown}" stands twice in the same object.`,
    severity: 'error',
    ...(range === undefined ? {} : { range }),
  };
}
