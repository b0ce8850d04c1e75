/**
 * What the merge claims about how the elements of the three revisions and of the result belong together. The check
 * proves a result from this and the four texts, without any other word of the merge.
 */
export interface ClaimedElement {
  /** Key, or position in its sequence, in each text that has the element. */
  readonly base: string | number | undefined;
  readonly ours: string | number | undefined;
  readonly theirs: string | number | undefined;
  readonly merged: string | number | undefined;
  /** In conflict: the result has one side's, and says so. */
  readonly isHeld: boolean;
  /** The path of ids that names the element; for holding it if the check finds it wrong. */
  readonly ids: readonly string[];
  /** The elements inside, where the merge went into them; undefined where it took the element as a whole. */
  readonly children: readonly ClaimedElement[] | undefined;
}
