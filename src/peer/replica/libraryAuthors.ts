import type { RevisionHash } from '../../core/ids.ts';
import type { MergeConflict, Splice } from '../../core/merge/types.ts';
import type { DocumentEntry } from '../../core/replication/entry.ts';
import type { StoredAuthor, StoredRevision } from '../../core/replication/replicaStore.ts';

/** One entry's change of a document. */
interface Step {
  readonly baseHash: RevisionHash | undefined;
  readonly hash: RevisionHash;
  readonly patch: readonly Splice[];
  readonly author: StoredAuthor;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** While a file has unsaved edits, so many entries may come in before they are merged; of more, the newest count. */
const MAX_STEPS = 500;
/** The same for what they insert, in UTF-16 units. */
const MAX_INSERT_LENGTH = 1_000_000;

/**
 * Who made the library's side of each conflict, where entries of several people came in before one merge. From the entries' own
 * patches: no text is kept or compared.
 */
export class LibraryAuthors {
  readonly #steps: Step[] = [];
  #insertLength = 0;

  add({ baseHash, hash, patch, author, at }: DocumentEntry): void {
    if (hash === undefined) return;
    this.#steps.push({ baseHash, hash, patch, author: { name: author.name, at } });
    this.#insertLength += lengthOf(patch);
    while (this.#steps.length > MAX_STEPS || this.#insertLength > MAX_INSERT_LENGTH) {
      this.#insertLength -= lengthOf(this.#steps.shift()?.patch ?? []);
    }
  }

  /**
   * By conflict id, as far as it is known.
   * @param shadow the revision that was merged before
   * @param head the revision that made the conflicts
   * @param isBaseShadow whether the pieces of the base are those of the shadow
   */
  authorsOf(
    conflicts: readonly MergeConflict[],
    shadow: StoredRevision | undefined,
    head: StoredRevision,
    isBaseShadow: boolean,
  ): ReadonlyMap<string, StoredAuthor> {
    const steps = this.#between(shadow, head);
    const authors = new Map<string, StoredAuthor>();
    const byFault = new Map<string, StoredAuthor>();
    for (const { id, theirs, base, explanation } of conflicts) {
      const gone = theirs === undefined && isBaseShadow ? base : undefined;
      const author =
        theirs !== undefined ? lastToTouch(steps, theirs) : gone === undefined ? undefined : lastToRemove(steps, gone);
      if (author === undefined) continue;
      authors.set(id, author);
      if (explanation !== undefined) byFault.set(explanation, author);
    }
    // A fault has two causes: at the place that only we changed, theirs is who caused the other one.
    for (const { id, explanation } of conflicts) {
      const author = explanation === undefined ? undefined : byFault.get(explanation);
      if (author !== undefined && !authors.has(id)) authors.set(id, author);
    }
    return authors;
  }

  /** The steps from one revision to another, oldest first; none where they do not lead from one to the other. */
  #between(shadow: StoredRevision | undefined, head: StoredRevision): readonly Step[] {
    const steps: Step[] = [];
    let hash: RevisionHash | undefined = head.hash;
    for (const step of this.#steps.toReversed()) {
      if (hash === shadow?.hash) break;
      if (step.hash !== hash) return [];
      steps.unshift(step);
      hash = step.baseHash;
    }
    return hash === shadow?.hash ? steps : [];
  }
}

/** Follows a stretch of the newest text back to the step that changed something in it. */
function lastToTouch(steps: readonly Step[], piece: Range): StoredAuthor | undefined {
  let range: Range = piece;
  for (const { patch, author } of steps.toReversed()) {
    let shift = 0;
    let [startShift, endShift] = [0, 0];
    for (const { offset, deleteCount, insert } of patch) {
      const [start, end] = [offset + shift, offset + shift + insert.length];
      if (start < range.end && end > range.start) return author;
      if (insert === '' && start > range.start && start < range.end) return author;
      shift += insert.length - deleteCount;
      if (end <= range.start) startShift = shift;
      if (end < range.end) endShift = shift;
    }
    range = { start: range.start - startShift, end: range.end - endShift };
  }
  return undefined;
}

/** Follows a stretch of the oldest text to the last step that took something out of it. */
function lastToRemove(steps: readonly Step[], piece: Range): StoredAuthor | undefined {
  let range: Range = piece;
  let last: StoredAuthor | undefined;
  for (const { patch, author } of steps) {
    let [startShift, endShift] = [0, 0];
    for (const { offset, deleteCount, insert } of patch) {
      const change = insert.length - deleteCount;
      if (deleteCount > 0 && offset < range.end && offset + deleteCount > range.start) last = author;
      if (offset + deleteCount <= range.start) startShift += change;
      if (offset < range.end) endShift += change;
    }
    range = { start: range.start + startShift, end: Math.max(range.start + startShift, range.end + endShift) };
  }
  return last;
}

function lengthOf(patch: readonly Splice[]): number {
  return patch.reduce((length, { insert }) => length + insert.length, 0);
}
