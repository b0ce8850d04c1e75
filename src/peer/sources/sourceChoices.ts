import type { MergeConflict } from '../../core/merge/types.ts';
import type { HashText } from '../../core/ports.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { hasError } from '../replica/documentRecord.ts';
import { isSameClash } from '../replica/resolution.ts';
import type { BranchMemory } from './branchMemory.ts';
import { heldBaseOf, type SourceDrafts } from './sourceDrafts.ts';
import { changedSince, choiceNotWritten, conflictChanged, conflictGone, notResolved } from './sourceProblems.ts';
import type { SourceTarget } from './sourceTarget.ts';

export interface SourceChoicesOptions {
  /** The source's name, as it stands with what is written. */
  readonly name: string;
  readonly target: SourceTarget;
  readonly memory: BranchMemory;
  readonly drafts: SourceDrafts;
  readonly hashText: HashText;
}

/** What is held between a source and its target, and what people choose about it. */
export class SourceChoices {
  readonly #options: SourceChoicesOptions;
  #conflicts: readonly MergeConflict[] = [];
  #undo: { readonly before: string; readonly after: string; readonly heldBase: string | undefined } | undefined;

  constructor(options: SourceChoicesOptions) {
    this.#options = options;
  }

  /** Elements that the source and people changed in ways that cannot both stand; the file has what people made. */
  get conflicts(): readonly MergeConflict[] {
    return this.#conflicts;
  }

  get canUndo(): boolean {
    return this.#undo !== undefined;
  }

  /** What a merge has left held. */
  found(conflicts: readonly MergeConflict[]): void {
    this.#conflicts = conflicts;
  }

  /** Another branch is checked out: the last choice was made for a file that is not there now. */
  forgetUndo(): void {
    this.#undo = undefined;
  }

  /** What is held, as it is now; undefined where nothing is. */
  async heldDocument(): Promise<HeldDocument | undefined> {
    const { memory: memories, target, drafts } = this.#options;
    const memory = await memories.load();
    const base = memory?.heldBase;
    const reading = await target.text();
    if (memory === undefined || base === undefined || reading === undefined) return undefined;
    const input = { base, ours: reading.text, theirs: memory.revision };
    return { input, format: drafts.format, conflicts: this.#conflicts };
  }

  /** @param resolutions for conflicts as the person saw them. Answers what stood in the way. */
  async resolve(resolutions: Resolutions): Promise<UserProblem | undefined> {
    const { memory: memories, target, drafts, hashText, name } = this.#options;
    const shown = this.#conflicts.filter(({ id }) => resolutions.has(id));
    const memory = await memories.load();
    const base = memory?.heldBase;
    if (shown.length < resolutions.size || memory === undefined || base === undefined) return conflictGone;
    const reading = await target.text();
    if (reading === undefined) return conflictGone;
    const { conflicts } = await drafts.merge(base, reading.text, memory.revision);
    const now = new Map(conflicts.map((conflict) => [conflict.id, conflict]));
    if (shown.some(({ id }) => !now.has(id))) return conflictGone;
    // A choice counts for what was shown: a newer text of either side must not go with it.
    if (shown.some((conflict) => !isSameClash(conflict, now.get(conflict.id)))) return conflictChanged;
    const merged = await drafts.merge(base, reading.text, memory.revision, { resolutions });
    if (hasError(merged) || merged.conflicts.some(({ id }) => resolutions.has(id))) return notResolved;
    const written = await target.write(reading, merged.text, name);
    if (written.kind !== 'written') return choiceNotWritten(written);
    await memories.save({
      ...memory,
      heldBase: heldBaseOf(merged, memory.revision),
      resultHash: hashText(merged.text),
    });
    this.#conflicts = merged.conflicts;
    this.#undo = { before: reading.text, after: merged.text, heldBase: base };
    return undefined;
  }

  /** Takes the last choice back, if nothing has changed since. Answers what stood in the way. */
  async undo(): Promise<UserProblem | undefined> {
    const { memory: memories, target, drafts, hashText, name } = this.#options;
    const undo = this.#undo;
    const memory = await memories.load();
    const reading = await target.text();
    if (undo === undefined || memory === undefined || reading?.text !== undo.after) return changedSince;
    const held = await drafts.merge(undo.heldBase ?? memory.revision, undo.before, memory.revision);
    const written = await target.write(reading, undo.before, name);
    if (written.kind !== 'written') return choiceNotWritten(written);
    await memories.save({ ...memory, heldBase: undo.heldBase, resultHash: hashText(undo.before) });
    this.#conflicts = held.conflicts;
    this.#undo = undefined;
    return undefined;
  }
}
