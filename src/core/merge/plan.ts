import type { CollectionRevision, Triple } from './align.ts';
import type { Located, PlacedText } from './entryText.ts';
import type { ConflictKind, Side } from './types.ts';

/** Where an element stands: its path of ids, the same in every revision, and its JSON pointer in each. */
export interface ElementPath {
  readonly ids: readonly string[];
  readonly base: readonly (string | number)[];
  readonly ours: readonly (string | number)[];
  readonly theirs: readonly (string | number)[];
  /** The nearest key above: the rule for a sequence hangs on it. */
  readonly key: string | undefined;
}

/** What becomes of one element. */
export interface EntryPlan {
  readonly triple: Triple;
  readonly path: ElementPath;
  readonly lead: PlacedText;
  readonly core: CorePlan;
}

export type CorePlan =
  /** As it stands in one revision. */
  | { readonly kind: 'take'; readonly from: Located }
  /** Not in the result, but for comments above it that came in the meantime; theirs may still have it. */
  | { readonly kind: 'gone' }
  | PartsPlan
  | { readonly kind: 'conflict'; readonly conflict: ConflictPlan };

/** Put together. `frame` gives column, style and place of the value. */
export interface PartsPlan {
  readonly kind: 'parts';
  readonly frame: Located;
  readonly head: PlacedText;
  readonly value: ValuePlan;
  readonly tail: PlacedText;
}

export type ValuePlan =
  | { readonly kind: 'text'; readonly placed: PlacedText }
  | { readonly kind: 'collection'; readonly collection: CollectionPlan };

export interface ConflictPlan {
  readonly kind: ConflictKind;
  /** What `both` gives for the element, where it makes sense. */
  readonly both: PlacedText | PartsPlan | undefined;
  readonly explanation?: string;
}

export interface CollectionPlan {
  readonly base: CollectionRevision | undefined;
  readonly ours: CollectionRevision;
  readonly theirs: CollectionRevision;
  /** The side whose style, column and brackets the result has. */
  readonly frame: 'ours' | 'theirs';
  /** In the order of the result. */
  readonly entries: readonly EntryPlan[];
}

export function hasConflicts(plan: CollectionPlan): boolean {
  return plan.entries.some(
    ({ core }) =>
      core.kind === 'conflict' ||
      (core.kind === 'parts' && core.value.kind === 'collection' && hasConflicts(core.value.collection)),
  );
}

export function sideOf(triple: Triple, side: Side): Located | undefined {
  return triple[side];
}
