import type { DocId } from '../../core/ids.ts';
import type { MergeConflict } from '../../core/merge/types.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { notDone } from './documentProblems.ts';
import { hasError, type DocumentRecord } from './documentRecord.ts';

/** What stood before a resolution and what stood after it, so that it can be taken back. */
export interface ResolutionUndo {
  readonly docId: DocId;
  readonly before: ResolutionTexts;
  readonly after: ResolutionTexts;
}

interface ResolutionTexts {
  readonly file: string;
  readonly base: string;
  /** What may be sent to the library: also what else had changed in the file by then, which the choice is not about. */
  readonly library: string;
}

interface NotDone {
  readonly isDone: false;
  readonly problem: UserProblem;
}

const conflictGone = notDone('conflict-gone', 'This conflict is no longer there.', 'Look at the list again.');

/** What choices make of the file and of the held base, all of them or none. @param shown the conflicts as they were when the person chose. */
export async function planResolution(
  record: DocumentRecord,
  shown: readonly MergeConflict[],
  resolutions: Resolutions,
): Promise<
  | NotDone
  | {
      readonly isDone: true;
      readonly text: string;
      readonly heldBase: string | undefined;
      readonly undo: ResolutionUndo;
    }
> {
  const { working, base } = record;
  const { shadow, docId } = record.stored;
  if (working === undefined || shadow === undefined || shown.length < resolutions.size) return conflictGone;
  const now = new Map(
    (await record.merge(base, working.text, shadow.text)).conflicts.map((conflict) => [conflict.id, conflict]),
  );
  if (shown.some(({ id }) => !now.has(id))) return conflictGone;
  // A choice counts for what was shown: a newer text of either side must not go with it.
  if (shown.some((conflict) => !isSameClash(conflict, now.get(conflict.id)))) {
    return notDone('conflict-changed', 'This conflict has changed meanwhile.', 'Look at it again, then choose.');
  }
  const merged = await record.merge(base, working.text, shadow.text, { resolutions });
  if (hasError(merged) || merged.conflicts.some(({ id }) => resolutions.has(id))) {
    return notDone(
      'conflict-not-resolved',
      'This choice cannot be put into the file as it is now.',
      'Edit the file by hand and save it.',
    );
  }
  const heldBase = merged.nextBase === shadow.text ? undefined : merged.nextBase;
  const sentBefore = await record.merge(base, working.text, shadow.text, { unresolved: 'theirs' });
  const sentAfter = await record.merge(merged.nextBase, merged.text, shadow.text, { unresolved: 'theirs' });
  const undo: ResolutionUndo = {
    docId,
    before: { file: working.text, base, library: sentBefore.text },
    after: { file: merged.text, base: merged.nextBase, library: sentAfter.text },
  };
  return { isDone: true, text: merged.text, heldBase, undo };
}

/** Whether a conflict has the same two texts as it had when somebody chose. */
export function isSameClash(shown: MergeConflict, now: MergeConflict | undefined): boolean {
  return now?.ours?.text === shown.ours?.text && now?.theirs?.text === shown.theirs?.text;
}

/** What is held in a document, as it is now; undefined where there is no file or nothing was agreed on. */
export function heldDocumentOf({ working, base, conflicts, format, stored }: DocumentRecord): HeldDocument | undefined {
  if (working === undefined || stored.shadow === undefined) return undefined;
  return { input: { base, ours: working.text, theirs: stored.shadow.text }, format, conflicts };
}

/** What taking a choice back makes of the file, the library and the held base; edits made since then stay. */
export async function planUndo(
  record: DocumentRecord,
  undo: ResolutionUndo,
): Promise<
  | NotDone
  | { readonly isDone: true; readonly file: string; readonly library: string; readonly heldBase: string | undefined }
> {
  const { working, base: baseNow } = record;
  const { shadow } = record.stored;
  const changedSince = notDone(
    'changed-since',
    'This element was changed again since; the choice cannot be taken back in one step.',
    'Edit the file by hand and save it.',
  );
  if (working === undefined || shadow === undefined) return changedSince;
  const file = await record.merge(undo.after.file, working.text, undo.before.file);
  const library = await record.merge(undo.after.library, shadow.text, undo.before.library);
  // What else is held stays held: only the element of this choice reads again as it did before the clash.
  const heldNow = await record.merge(shadow.text, baseNow, library.text);
  const base = await record.merge(undo.after.base, heldNow.text, undo.before.base);
  if ([file, library, heldNow, base].some((one) => one.conflicts.length > 0 || hasError(one))) return changedSince;
  return {
    isDone: true,
    file: file.text,
    library: library.text,
    heldBase: base.text === library.text ? undefined : base.text,
  };
}
