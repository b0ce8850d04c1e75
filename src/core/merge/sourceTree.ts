/**
 * The concrete text of a document as a tree of stretches, made for cutting and joining: every character between the
 * start and the end of a collection belongs to exactly one of its entries (its lead, its own text, what trails it) or
 * to the collection's opening and closing. No value is ever written anew from data.
 */
export interface SourceTree {
  readonly text: string;
  readonly root: SourceNode;
  /** Comment syntax and escape rules follow the format. */
  readonly isJson: boolean;
}

export type SourceNode = SourceCollection | SourceScalar;

interface SourceNodeBase {
  /** From the first character of anchor or tag, or else of the value itself. For a block collection: of its first entry. */
  readonly start: number;
  /** Behind the last character of the value; a block collection or block scalar ends behind a line end. */
  readonly end: number;
  /** Anchor and tag as written, '' where there is none. */
  readonly properties: string;
}

export interface SourceCollection extends SourceNodeBase {
  readonly kind: 'map' | 'sequence';
  readonly style: 'block' | 'flow';
  /** Block: the column of its entries, in spaces. Flow: unused, 0. */
  readonly column: number;
  readonly entries: readonly SourceEntry[];
  /** Block: where the trivia begin that trail the last entry but belong to the collection. Flow: where the closing part begins. */
  readonly tailStart: number;
}

export interface SourceScalar extends SourceNodeBase {
  readonly kind: 'scalar';
  /** `opaque` is what the reader does not take apart (complex keys and the like): equal or not equal, nothing else. */
  readonly style: 'plain' | 'single' | 'double' | 'literal' | 'folded' | 'alias' | 'empty' | 'opaque';
}

/** A key with its value, or an item of a sequence. */
export interface SourceEntry {
  /** The key as a string; undefined for an item. */
  readonly key: string | undefined;
  /** Where the comments and blank lines begin that belong to the entry; equal to `start` where its first line is shared with its parent. */
  readonly leadStart: number;
  /** Block: start of the line with the key or dash, or the key itself where the line is shared. Flow: first character of the key or value. */
  readonly start: number;
  /** Where the key or the dash stands. */
  readonly keyStart: number;
  /** Behind the key; `keyStart` for an item. */
  readonly keyEnd: number;
  /** Where the value's own text begins: for a block collection below its key, the line after the key's line. */
  readonly valueStart: number;
  /** Behind the value, before spaces and comments that trail it on its line. */
  readonly valueEnd: number;
  /** Block: behind everything, at the start of a line. Flow: behind the value and what trails it up to the comma. */
  readonly end: number;
  readonly value: SourceNode;
  /** Flow only: where what follows the comma on the same line (a comment) ends; `end` without a comma. */
  readonly afterComma: number;
}

/** Says that a text has something the reader does not take apart; the nearest value around it becomes opaque. */
export class UnsupportedSource extends Error {}

/** Nesting that the reader follows; deeper is refused by the document check anyway. */
export const MAX_SOURCE_DEPTH = 200;
