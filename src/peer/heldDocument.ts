import type { AdviceContext } from '../core/advice/adviceContext.ts';
import type { DocumentFormat, MergeConflict, MergeInput, MergeOptions } from '../core/merge/types.ts';
import type { Merger } from '../core/ports.ts';
import type { ResolutionPreview, Resolutions } from './folderSession.ts';

/** A document with what is held in it, as it is now. */
export interface HeldDocument {
  /** `ours` is the working file. */
  readonly input: MergeInput;
  readonly format: DocumentFormat;
  readonly conflicts: readonly MergeConflict[];
}

/** What choices would make of the working file, and what speaks against them. Undefined where one of the conflicts is not there. */
export async function previewResolutions(
  merger: Merger,
  { input, format, conflicts }: HeldDocument,
  resolutions: Resolutions,
  options: Pick<MergeOptions, 'infoVersion'>,
): Promise<ResolutionPreview | undefined> {
  const chosen = conflicts.filter(({ id }) => resolutions.has(id));
  if (chosen.length < resolutions.size) return undefined;
  const checked = await merger.checkResolutions(input, format, chosen, resolutions, options);
  return { before: input.ours, ...checked };
}

/** What stands around conflicts, for somebody who is asked about them. */
export async function contextOfConflicts(
  merger: Merger,
  { input, format, conflicts }: HeldDocument,
  conflictIds: readonly string[],
): Promise<AdviceContext> {
  const asked = conflicts.filter(({ id }) => conflictIds.includes(id));
  return merger.adviceContext(input, format, asked);
}
