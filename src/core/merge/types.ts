import type { Problem } from '../problem.ts';

/** How a document is written; `jsonc` is JSON with comments and trailing commas. */
export type DocumentFormat = 'yaml' | 'json' | 'jsonc';

/**
 * The three revisions of one document, as text with LF line ends and without BOM.
 * `base` = '' stands for "never agreed on anything" (two-way join): what only one side has is kept, what both have
 * equally is agreed, and only real differences conflict.
 */
export interface MergeInput {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

export type Side = 'base' | 'ours' | 'theirs';

export type ConflictKind = 'edit-edit' | 'edit-delete' | 'add-add' | 'move-move' | 'semantic';

/** One side's version of a conflicting element; undefined in its place means that this side does not have the element. */
export interface ConflictPiece {
  /** The element as it stands in that side's text, dedented, with its key where it has one. */
  readonly text: string;
  /** Where it stands in that side's text, in UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** One element that both sides changed in ways that cannot both stand. */
export interface MergeConflict {
  /** The same for the same element clashing in the same way, across runs and machines; distinct within one result. */
  readonly id: string;
  readonly kind: ConflictKind;
  /** JSON pointer of the element, in the side's text that has it (ours, else theirs, else base). */
  readonly pointer: string;
  /** For a person: `PUT /users/{id} · response 200`. */
  readonly label: string;
  /** For a `semantic` conflict, the sentence that explains it. */
  readonly explanation?: string;
  readonly base?: ConflictPiece;
  readonly ours?: ConflictPiece;
  readonly theirs?: ConflictPiece;
  /** Whether `both` is a possible resolution: of a sequence that both reordered, of a block of text, of a description. */
  readonly canTakeBoth: boolean;
}

/**
 * An element that goes by different names and was taken for one, so that the one side's edits are where the other renamed
 * it to. JSON pointers in each text that has it.
 */
export interface FollowedRename {
  readonly base?: string;
  readonly ours?: string;
  readonly theirs?: string;
  readonly merged?: string;
}

/** What somebody decided for one conflict. `custom` is the element's text as it would stand in `ConflictPiece.text`; '' deletes the element. */
export type Resolution =
  { readonly choice: 'base' | 'ours' | 'theirs' | 'both' } | { readonly choice: 'custom'; readonly text: string };

export interface MergeOptions {
  /** What stands in the result where a conflict is not resolved. Default `ours`: the working file keeps ours. */
  readonly unresolved?: Side;
  /** Decisions by `MergeConflict.id`. A resolved conflict is no longer among `conflicts`, and `nextBase` counts it as agreed. */
  readonly resolutions?: ReadonlyMap<string, Resolution>;
  /** What to do where both sides raised `info.version`. Default `ask`: a conflict. */
  readonly infoVersion?: 'ask' | 'higher' | 'ours' | 'theirs';
}

/**
 * A merge never throws on input. If one of the texts cannot be read, `problems` says which and why, `text` is `ours`
 * unchanged, and `conflicts` is empty: check `problems` for an error first.
 */
export interface MergeResult {
  /** The merged text: every change of either side, and at unresolved conflicts the side `MergeOptions.unresolved` names. */
  readonly text: string;
  readonly conflicts: readonly MergeConflict[];
  readonly problems: readonly Problem[];
  /**
   * The base for the next merge while conflicts are held: `theirs`, except that each unresolved conflict's element reads
   * as it does in `base`. Equal to `theirs` byte for byte where nothing is held. Merging `(nextBase, text, theirs)` gives
   * `text` again with the same conflicts; with `unresolved: 'theirs'` it gives what may be sent to the library.
   */
  readonly nextBase: string;
  /** The renames that the result rests on. */
  readonly renames: readonly FollowedRename[];
  /** Which way gave the result; for logs and benchmarks. */
  readonly takenBy: 'equal' | 'lines' | 'structure' | 'none';
}

/** `threeWayMerge(input, format, options?)`; pure and deterministic. */
export type ThreeWayMerge = (input: MergeInput, format: DocumentFormat, options?: MergeOptions) => MergeResult;

/** Replaces `deleteCount` UTF-16 units at `offset` of the *old* text by `insert`. A list is sorted by offset and does not overlap. */
export interface Splice {
  readonly offset: number;
  readonly deleteCount: number;
  readonly insert: string;
}
