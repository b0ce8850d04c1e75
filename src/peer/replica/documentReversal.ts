import type { Outcome } from '../folderSession.ts';
import { fileMissing, notDone, revisionForgotten } from './documentProblems.ts';
import type { DocumentParts } from './documentParts.ts';
import { hasError } from './documentRecord.ts';

/** What became of one document. */
export type TakingBack = Outcome & { /** Nothing of the change was there any more. */ readonly isNothing?: boolean };

/** A text of the library, and the text that was made of it. */
export interface ReversedTexts {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * Takes the step between two revisions out of a file, as a change of one's own. What was done to the file since is merged
 * with that; where both are about the same, the file stays as it is. Runs in the document's turn; settling is the caller's.
 */
export async function reverseStep(
  { record, choices, takenBack }: Pick<DocumentParts, 'record' | 'choices' | 'takenBack'>,
  { before, after }: ReversedTexts,
): Promise<TakingBack> {
  const { file, working, stored } = record;
  if (file === undefined || working === undefined) return notDone('file-missing', fileMissing(file ?? '').message);
  // The step may be in what is still to come, and would come in after it was taken out.
  if (record.newHead !== undefined || stored.wanted !== undefined)
    return notDone('not-merged', 'The file does not have everything yet that the library has.');
  if (before === undefined || after === undefined) return revisionForgotten;
  const merged = working.text === after ? undefined : await record.merge(after, working.text, before);
  if (merged !== undefined && (hasError(merged) || merged.conflicts.length > 0))
    return notDone('changed-since', 'The file was changed since in the same places, so it stays as it is.');
  const text = merged?.text ?? before;
  if (text === working.text) return { isDone: true, isNothing: true };
  takenBack.expect(record.ctx.ambient.hashText(text));
  return (await choices.write(text, stored)) ?? { isDone: true };
}
