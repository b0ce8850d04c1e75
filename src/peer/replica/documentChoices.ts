import type { MergeConflict } from '../../core/merge/types.ts';
import type { StoredDocument } from '../../core/replication/replicaStore.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { toRawSplices, workingText } from '../../core/workingText.ts';
import type { Outcome, Resolutions } from '../folderSession.ts';
import { libraryBusy, notDone, nothingIsWritten } from './documentProblems.ts';
import type { DocumentProposals } from './documentProposals.ts';
import { hasError, type DocumentRecord } from './documentRecord.ts';
import type { DocumentWriter } from './documentWriter.ts';
import { planResolution, planUndo, type ResolutionUndo } from './resolution.ts';

type NotDone = Outcome & { readonly isDone: false };

/** What a person decides about one document. Each method runs in the document's turn; what follows is the document's to do. */
export class DocumentChoices {
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  /** A resolution that is being taken back: done when the library has its side again. */
  #undoing: { readonly undo: ResolutionUndo; readonly tell: (outcome: Outcome) => void } | undefined;

  constructor(record: DocumentRecord, writer: DocumentWriter, proposals: DocumentProposals) {
    this.#record = record;
    this.#writer = writer;
    this.#proposals = proposals;
  }

  /** Whether the library is still to be asked for its side again. */
  get isUndoing(): boolean {
    return this.#undoing !== undefined;
  }

  /** @param shown the conflicts as they were when the person chose. */
  async resolve(
    shown: readonly MergeConflict[],
    resolutions: Resolutions,
  ): Promise<Outcome & { readonly undo?: ResolutionUndo }> {
    // What the library takes back at this moment is part of what there is to choose from.
    if (this.#undoing !== undefined || this.#proposals.isTakingBack) return libraryBusy;
    const plan = await planResolution(this.#record, shown, resolutions);
    if (!plan.isDone) return plan;
    const problem = await this.write(plan.text, { ...this.#record.stored, heldBase: plan.heldBase });
    return problem ?? { isDone: true, undo: plan.undo };
  }

  /**
   * Takes a resolution back: the element is held again, with both sides as they were. The answer is undefined where the
   * library has to take its side back first; then `tell` hears of the end.
   */
  async takeBack(undo: ResolutionUndo, tell: (outcome: Outcome) => void): Promise<Outcome | undefined> {
    const { stored } = this.#record;
    if (this.#proposals.isInFlight || this.#undoing !== undefined || this.#proposals.readyLink() === undefined)
      return libraryBusy;
    const plan = await planUndo(this.#record, undo);
    if (!plan.isDone) return plan;
    const isSent = plan.library !== stored.shadow?.text;
    const problem = await this.write(plan.file, isSent ? stored : { ...stored, heldBase: plan.heldBase });
    if (problem !== undefined || !isSent) return problem ?? { isDone: true };
    this.#undoing = { undo, tell };
    return undefined;
  }

  /** The library takes its side back as a change of its own; when it is committed, the clash is there again. */
  async sendUndo(): Promise<'again' | 'proposed' | 'stopped' | { readonly problem: UserProblem }> {
    const record = this.#record;
    const { file, working } = record;
    if (this.#undoing === undefined || file === undefined) return 'again';
    // Once it is committed ours is in the file alone: one that was changed or deleted a moment ago may not have it any more.
    const problem = await this.#writer.readAgain(file);
    if (problem !== undefined) return { problem };
    if (record.working?.raw !== working?.raw) return 'again';
    const plan = await planUndo(record, this.#undoing.undo);
    if (!plan.isDone) {
      this.endUndo(plan);
      return 'again';
    }
    if (!(await record.ctx.mayWork())) return 'stopped';
    if (plan.library !== record.stored.shadow?.text) {
      await this.#proposals.propose(plan.library, plan.heldBase, 'resolve');
      return 'proposed';
    }
    record.stored = { ...record.stored, heldBase: plan.heldBase };
    await record.commitFact({ putDocuments: [record.stored] });
    this.endUndo({ isDone: true });
    return 'again';
  }

  endUndo(outcome: Outcome): void {
    this.#undoing?.tell(outcome);
    this.#undoing = undefined;
  }

  /** Puts what waits into the unsaved buffer, merged with what was typed there. */
  async mergeIntoBuffer(): Promise<Outcome> {
    const record = this.#record;
    const { file, newHead } = record;
    const { files, merger } = record.ctx;
    const buffer = file === undefined ? undefined : files.unsavedText(file);
    if (file === undefined || buffer === undefined || newHead === undefined) {
      return notDone('nothing-waits', 'Nothing waits for this file.');
    }
    const working = workingText(buffer);
    const merged = await record.mergeHead(working.text, newHead);
    if (hasError(merged)) {
      const message = 'The text in the editor cannot be read as YAML or JSON at the moment.';
      return notDone('buffer-invalid', message, 'Mend it, then merge.');
    }
    const splices = toRawSplices(working, await merger.diff(working.text, merged.text));
    // Until the buffer is saved this is all that is recorded: thrown away, it leaves the file without either side.
    record.stored = { ...record.stored, perhapsIn: newHead };
    await record.commitFact({ putDocuments: [record.stored] });
    // All this has taken its time, and what the merge found fits the text that it was made for only.
    const isSame = files.unsavedText(file) === buffer;
    if (!isSame || !(await files.editBuffer(file, splices))) {
      return notDone('buffer-changed', 'The text in the editor changed meanwhile.', 'Try again.');
    }
    return { isDone: true };
  }

  /** Writes what a person chose; answers what stood in the way. */
  async write(text: string, document: StoredDocument): Promise<NotDone | undefined> {
    const { file, working, ctx } = this.#record;
    if (!(await ctx.mayWork())) return nothingIsWritten;
    if (file === undefined || working === undefined) return notDone('file-missing', 'The file is not there any more.');
    if (ctx.files.hasUnsavedEdits(file) && text !== working.text) {
      return notDone('file-unsaved', 'The file has unsaved changes in the editor.', 'Save it, then choose again.');
    }
    const written = await this.#writer.write(file, working, text, document);
    if (written.kind === 'written') return undefined;
    if (written.kind === 'failed') return { isDone: false, problem: written.problem };
    if (written.kind === 'unsure') return nothingIsWritten;
    return notDone('file-changed', 'The file changed at the same moment.', 'Save the file, then choose again.');
  }
}
