import type { AdviceContext } from '../core/advice/adviceContext.ts';
import type { DocId } from '../core/ids.ts';
import type { Merger } from '../core/ports.ts';
import type { FolderServing } from './folderServing.ts';
import type { HeldConflict, Outcome, PeerSettings, ResolutionPreview, Resolutions } from './folderSession.ts';
import { contextOfConflicts, type HeldDocument, previewResolutions } from './heldDocument.ts';
import type { FolderSources } from './sources/folderSources.ts';

export interface FolderConflictsOptions {
  readonly serving: FolderServing;
  readonly sources: FolderSources;
  readonly merger: Merger;
  readonly infoVersion: PeerSettings['infoVersion'];
}

/** What is held in a folder, with the library and with its sources alike, and what a person chooses about it. See `FolderSession`. */
export class FolderConflicts {
  readonly #options: FolderConflictsOptions;
  #wasLastChoiceOfSource = false;

  constructor(options: FolderConflictsOptions) {
    this.#options = options;
  }

  get all(): readonly HeldConflict[] {
    const { serving, sources } = this.#options;
    return [...(serving.replica?.conflicts ?? []), ...sources.conflicts];
  }

  async resolve(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    const { serving, sources } = this.#options;
    const isOfSource = sources.hasConflictsOf(docId);
    const outcome = isOfSource
      ? await sources.resolveConflicts(docId, resolutions)
      : ((await serving.replica?.choices.resolveConflicts(docId, resolutions)) ?? serving.notServing);
    if (outcome.isDone) this.#wasLastChoiceOfSource = isOfSource;
    return outcome;
  }

  async check(docId: DocId, resolutions: Resolutions): Promise<ResolutionPreview | undefined> {
    const { merger, infoVersion } = this.#options;
    const held = await this.#heldDocument(docId);
    return held && previewResolutions(merger, held, resolutions, { infoVersion });
  }

  async adviceContext(docId: DocId, conflictIds: readonly string[]): Promise<AdviceContext | undefined> {
    const held = await this.#heldDocument(docId);
    return held && contextOfConflicts(this.#options.merger, held, conflictIds);
  }

  get canUndo(): boolean {
    return this.#isSourceUndoNext || (this.#options.serving.replica?.choices.canUndoResolution ?? false);
  }

  async undo(): Promise<Outcome> {
    const { serving, sources } = this.#options;
    if (this.#isSourceUndoNext) return await sources.undoResolution();
    return (await serving.replica?.choices.undoResolution()) ?? serving.notServing;
  }

  /** What was chosen last is taken back first. */
  get #isSourceUndoNext(): boolean {
    const { serving, sources } = this.#options;
    const hasOther = serving.replica?.choices.canUndoResolution ?? false;
    return sources.canUndoResolution && (this.#wasLastChoiceOfSource || !hasOther);
  }

  async #heldDocument(docId: DocId): Promise<HeldDocument | undefined> {
    const { serving, sources } = this.#options;
    return sources.hasConflictsOf(docId) ? sources.heldDocument(docId) : serving.replica?.heldDocument(docId);
  }
}
