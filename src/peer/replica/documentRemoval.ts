import type { RevisionHash } from '../../core/ids.ts';
import type { ConflictPiece, MergeConflict, Resolution } from '../../core/merge/types.ts';
import { elementLabel } from '../../core/openapi/elementLabel.ts';
import type { Disposable } from '../../core/ports.ts';
import type { StoredDeletion } from '../../core/replication/replicaStore.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { DocumentState, Outcome } from '../folderSession.ts';
import { fileMissing, libraryBusy, notDone, nothingIsWritten } from './documentProblems.ts';
import type { DocumentPath } from './documentPath.ts';
import type { DocumentProposals } from './documentProposals.ts';
import { withoutCopy, type DocumentRecord } from './documentRecord.ts';
import type { DocumentWriter, Written } from './documentWriter.ts';
import type { FileReading } from './replicaPorts.ts';

/** The id of the conflict in which one side has deleted the whole document. */
const WHOLE_FILE = 'whole-file';

/** So long after a search for new files that was under way it is looked again. */
const SEARCH_MS = 500;

/** What a look at a deleted document leads to. */
export type RemovalStep =
  | { readonly kind: 'again' | 'stopped' }
  | { readonly kind: 'show'; readonly state: DocumentState; readonly problem?: UserProblem }
  | { readonly kind: 'written'; readonly written: Written; readonly isRemoval: boolean }
  /** Whether the file is there cannot be told at the moment. */
  | { readonly kind: 'unreadable'; readonly problem: UserProblem }
  /** There is nothing here any more. */
  | { readonly kind: 'gone' };

/**
 * What becomes of a document that was deleted: here, where the file is gone and the library is to be told, or there,
 * where the file still has to go. Who has changed what the other deleted is asked ([DEL-01] … [DEL-06]).
 */
export class DocumentRemoval implements Disposable {
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  readonly #path: DocumentPath;
  readonly #lookAgain: () => void;
  #timer: Disposable | undefined;
  /** Git's stamp when the file was last found in its place; undefined: this process has not seen it there. */
  #seen: { readonly stamp: string | undefined } | undefined;
  #isFolderGone = false;
  /** The person wants this revision of the library gone. */
  #wantsGone: RevisionHash | undefined;
  /** The person wants this text of the file gone. */
  #wantsFileGone: RevisionHash | undefined;
  /** The person wants the document back, with the text of the file or, without one, as the library had it. */
  #wantsBack = false;

  constructor(
    record: DocumentRecord,
    writer: DocumentWriter,
    proposals: DocumentProposals,
    path: DocumentPath,
    lookAgain: () => void,
  ) {
    this.#path = path;
    this.#record = record;
    this.#writer = writer;
    this.#proposals = proposals;
    this.#lookAgain = lookAgain;
  }

  dispose(): void {
    this.#timer?.dispose();
    this.#record.ctx.removals.settled(this.#record.stored.docId);
  }

  /** Whether the file or the document is gone, so that there is nothing to merge. */
  get isAtIt(): boolean {
    const { stored, working } = this.#record;
    return stored.deleted !== undefined || (working === undefined && stored.shadow !== undefined);
  }

  /** The file was read. @param stamp git's stamp before that. */
  hasRead(reading: FileReading, stamp: string | undefined): void {
    const { ctx, stored } = this.#record;
    if (reading.kind === 'text') {
      this.#seen = { stamp };
      this.#wantsGone = undefined;
      ctx.removals.settled(stored.docId);
    } else if (reading.kind === 'missing') {
      this.#isFolderGone = reading.isFolderGone === true;
      if (stored.shadow !== undefined && stored.deleted === undefined) ctx.removals.missed(stored.docId);
    }
  }

  async round(file: string): Promise<RemovalStep> {
    if (this.#proposals.isInFlight) return { kind: 'show', state: 'syncing' };
    const { deleted } = this.#record.stored;
    return deleted === undefined ? this.#tellDeletion(file) : this.#takeDeletion(file, deleted);
  }

  // ---- deleted here ----

  async #tellDeletion(file: string): Promise<RemovalStep> {
    const record = this.#record;
    const { head, heldBase, shadow, docId } = record.stored;
    if (head === undefined) return { kind: 'show', state: 'missing', problem: fileMissing(file) };
    if (this.#wantsGone === undefined) {
      if (record.ctx.isLookingForFiles()) {
        this.#lookLater(SEARCH_MS);
        return { kind: 'show', state: 'syncing' };
      }
      const verdict = record.ctx.removals.verdict(docId);
      if (verdict.kind === 'wait') {
        this.#lookLater(verdict.waitMs);
        return { kind: 'show', state: 'syncing' };
      }
      const isAsked = verdict.kind === 'ask' || heldBase !== undefined || !(await this.#isPersonsDoing());
      if (isAsked || this.#proposals.isRemovalRefused)
        return { kind: 'show', state: 'missing', problem: fileMissing(file) };
    }
    // The person has deleted what the shadow says, or what the panel has shown since.
    const isRenamedThere = this.#path.isRenamedThere && this.#wantsGone === undefined;
    if (isRenamedThere || head.hash !== (this.#wantsGone ?? shadow?.hash)) {
      record.conflicts = [wholeFile(shadow?.text, undefined, head.text)];
      return { kind: 'show', state: 'held' };
    }
    record.conflicts = [];
    if (this.#proposals.readyLink() === undefined) return { kind: 'show', state: 'syncing' };
    // A file that git has put back is not read yet: nothing is deleted for everybody by what was read before.
    const problem = await this.#writer.readAgain(file);
    if (problem !== undefined) return { kind: 'unreadable', problem };
    if (record.working !== undefined) return { kind: 'again' };
    if (!(await record.ctx.mayWork())) return { kind: 'stopped' };
    await this.#proposals.proposeRemoval(head.hash);
    record.ctx.removals.settled(docId);
    return { kind: 'show', state: 'syncing' };
  }

  /** Whether this process has seen the file in its place, and since then neither git nor a vanished folder explains that it is gone. */
  async #isPersonsDoing(): Promise<boolean> {
    if (this.#seen === undefined || this.#isFolderGone) return false;
    return (await this.#record.ctx.committed?.stamp()) === this.#seen.stamp;
  }

  #lookLater(waitMs: number): void {
    this.#timer?.dispose();
    this.#timer = this.#record.ctx.ambient.scheduler.after(waitMs, () => this.#lookAgain());
  }

  // ---- deleted there ----

  async #takeDeletion(file: string, deleted: StoredDeletion): Promise<RemovalStep> {
    const record = this.#record;
    const { shadow, head, heldBase } = record.stored;
    const { working, workingHash } = record;
    if (this.#wantsBack) return this.#sendRevival(working?.text ?? head?.text);
    if (working === undefined) {
      record.conflicts = [];
      const tombstone = withoutCopy(record.stored);
      await record.commit({ putDocuments: [tombstone] });
      record.stored = tombstone;
      return { kind: 'gone' };
    }
    const isUntouched =
      !deleted.isOwn && heldBase === undefined && workingHash === shadow?.hash && !this.#path.isRenamedHere;
    if (!isUntouched && workingHash !== this.#wantsFileGone) {
      record.noteHead(deleted.author, [], true);
      record.stored = { ...record.stored, attribution: { [WHOLE_FILE]: deleted.author } };
      record.conflicts = [wholeFile(shadow?.text ?? head?.text, working.text, undefined)];
      return { kind: 'show', state: 'held' };
    }
    if (record.ctx.files.hasUnsavedEdits(file)) return { kind: 'show', state: 'waiting' };
    if (!(await record.ctx.mayWork())) return { kind: 'stopped' };
    return { kind: 'written', written: await this.#writer.remove(file, working), isRemoval: true };
  }

  async #sendRevival(text: string | undefined): Promise<RemovalStep> {
    if (text === undefined || this.#proposals.readyLink() === undefined) return { kind: 'show', state: 'syncing' };
    if (!(await this.#record.ctx.mayWork())) return { kind: 'stopped' };
    await this.#proposals.proposeRevival(text);
    this.#wantsBack = false;
    return { kind: 'show', state: 'syncing' };
  }

  // ---- what a person decides ----

  /** The person chose a side of the conflict over the whole file. @param shown the conflict as it was then. */
  async choose(shown: MergeConflict, resolution: Resolution | undefined): Promise<Outcome> {
    const { working, workingHash, stored } = this.#record;
    const isOurs = resolution?.choice === 'ours';
    if (!isOurs && resolution?.choice !== 'theirs')
      return notDone('conflict-not-resolved', 'One of the two sides has to be taken as a whole here.');
    if (this.#proposals.isInFlight) return libraryBusy;
    const isSame = shown.ours?.text === working?.text;
    const isDeletedThere = stored.deleted !== undefined;
    if (
      !isSame ||
      (shown.theirs === undefined) !== isDeletedThere ||
      (!isDeletedThere && shown.theirs?.text !== stored.head?.text)
    )
      return notDone('conflict-changed', 'This conflict has changed meanwhile.', 'Look at it again, then choose.');
    if (isDeletedThere && isOurs) this.#wantsBack = true;
    else if (isDeletedThere) this.#wantsFileGone = workingHash;
    else if (isOurs) this.#wantsGone = stored.head?.hash;
    else return this.bringFileBack();
    return { isDone: true };
  }

  /** Makes the file again, as the library has it. */
  async bringFileBack(): Promise<Outcome> {
    const { file, working, stored, ctx } = this.#record;
    if (file === undefined || working !== undefined || stored.head === undefined) return { isDone: true };
    if (!(await ctx.mayWork())) return nothingIsWritten;
    const written = await this.#writer.create(file, stored.head);
    if (written.kind === 'failed') return { isDone: false, problem: written.problem };
    if (written.kind === 'written') this.#record.conflicts = [];
    return { isDone: true };
  }

  /** Whether the conflict is the one over the whole file. */
  static isAbout(conflict: MergeConflict | undefined): conflict is MergeConflict {
    return conflict?.id === WHOLE_FILE;
  }

  /** The person wants the deletion that was asked about. */
  confirm(): void {
    this.#wantsGone = this.#record.stored.shadow?.hash;
  }

  /** The document comes back for everybody, as the library had it. */
  revive(): void {
    this.#wantsBack = true;
  }

  /** The library has the document again. */
  revived(): void {
    this.#wantsBack = false;
    this.#wantsFileGone = undefined;
    this.#record.conflicts = [];
  }
}

function wholeFile(base: string | undefined, ours: string | undefined, theirs: string | undefined): MergeConflict {
  return {
    id: WHOLE_FILE,
    kind: 'edit-delete',
    pointer: '',
    label: elementLabel(''),
    canTakeBoth: false,
    ...(base === undefined ? {} : { base: piece(base) }),
    ...(ours === undefined ? {} : { ours: piece(ours) }),
    ...(theirs === undefined ? {} : { theirs: piece(theirs) }),
  };
}

function piece(text: string): ConflictPiece {
  return { text, start: 0, end: text.length };
}
