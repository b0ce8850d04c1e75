import type { DocId } from '../../core/ids.ts';
import type { MergeConflict } from '../../core/merge/types.ts';
import type { Disposable } from '../../core/ports.ts';
import type { StoredAuthor, StoredDocument, StoredRevision } from '../../core/replication/replicaStore.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { DocumentState } from '../folderSession.ts';
import { commonBase } from './commonBase.ts';
import { sharedBefore } from './otherLog.ts';
import {
  fileBehind,
  fileCarried,
  fileInvalid,
  libraryRevisionMissing,
  libraryRevisionUnreadable,
  stateNotWritten,
} from './documentProblems.ts';
import type { DocumentParts } from './documentParts.ts';
import type { DocumentChoices } from './documentChoices.ts';
import type { DocumentFormatting } from './documentFormatting.ts';
import type { DocumentPath } from './documentPath.ts';
import type { DocumentProposals } from './documentProposals.ts';
import { type DocumentRecord, hasError } from './documentRecord.ts';
import type { DocumentRemoval, RemovalStep } from './documentRemoval.ts';
import type { DocumentWriter, Written } from './documentWriter.ts';
import type { LibraryAuthors } from './libraryAuthors.ts';
import type { AppliedStep, DocumentContext } from './replicaPorts.ts';
import type { RevisionHistory } from './revisionHistory.ts';
import type { TakenBack } from './takenBack.ts';

/** A file that could not be read or written is tried again this often. */
const DISK_RETRY_MS = 5_000;
/** A file that changes under every write: rather wait for the next event than turn in circles. */
const MAX_ROUNDS = 50;

const allOf = new Intl.ListFormat('en', { type: 'conjunction' });

/** `stopped`: nothing may be sent or written at the moment, so something is left to be done. */
export type Round = 'again' | 'rest' | 'stopped';

/** Steps of the document's own, one after the other with all others; none of them ever fails. */
interface Again {
  /** Settles anew. */
  wake(): void;
  /** Reads the file, and settles. */
  readAgain(): void;
}

/**
 * Brings the file, the shadow and the library of one document together, round by round, until nothing is left to be
 * done or something stands in the way (DESIGN §5). With S the shadow, F the file and B the base (S itself, except that
 * held elements read as they did before the clash): what is held are the conflicts of merge(B, F, S), what may be sent
 * is the same merge with the library's side at those, and a new head H makes the file merge(B, F, H).
 */
export class DocumentSettling implements Disposable {
  readonly #docId: DocId;
  readonly #ctx: DocumentContext;
  readonly #again: Again;
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  readonly #history: RevisionHistory;
  readonly #libraryAuthors: LibraryAuthors;
  readonly #takenBack: TakenBack;
  readonly #formatting: DocumentFormatting;
  readonly #choices: DocumentChoices;
  readonly #path: DocumentPath;
  readonly #removal: DocumentRemoval;
  #state: DocumentState = 'syncing';
  #problem: UserProblem | undefined;
  #retry: Disposable | undefined;
  /** Whether something came that was not brought to an end yet: the person has paused, or git is at work. */
  #isOpen = false;
  /** Whether more entries are known to follow those that came in. */
  #isPutOff = false;
  #isDisposed = false;

  constructor(parts: DocumentParts, again: Again) {
    this.#again = again;
    this.#docId = parts.record.stored.docId;
    this.#ctx = parts.record.ctx;
    this.#record = parts.record;
    this.#writer = parts.writer;
    this.#proposals = parts.proposals;
    this.#history = parts.history;
    this.#libraryAuthors = parts.libraryAuthors;
    this.#takenBack = parts.takenBack;
    this.#formatting = parts.formatting;
    this.#choices = parts.choices;
    this.#path = parts.path;
    this.#removal = parts.removal;
  }

  get state(): DocumentState {
    return this.#state;
  }

  get problem(): UserProblem | undefined {
    return this.#problem;
  }

  /** Whether something is left to be done, whatever stands in its way. */
  get isOpen(): boolean {
    return this.#isOpen || this.#state === 'syncing';
  }

  /** Something came in that is brought into the file later, together with what follows, after `endPutOff`. */
  putOff(): void {
    this.#isOpen = true;
    this.#isPutOff = true;
    this.show('syncing');
  }

  endPutOff(): void {
    this.#isPutOff = false;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#retry?.dispose();
  }

  /** @param onDurable called when a head that was taken in is on disk, which is before the file is written. */
  async settle(onDurable?: () => void): Promise<void> {
    if (this.#record.stored.localPath === undefined) return;
    this.#isOpen = true;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (this.#isDisposed || !(await this.#ctx.mayWork())) return;
      const { file } = this.#record;
      if (file === undefined) return;
      if (this.#record.isReadingOutdated) {
        this.#again.readAgain();
        return;
      }
      const outcome = await this.#round(file, onDurable);
      if (outcome === 'stopped') return;
      if (outcome === 'rest') {
        this.#isOpen = false;
        return;
      }
    }
    this.#ctx.ambient.logger.warn('A document does not come to rest; it waits for the next change.', {
      path: this.#record.stored.libraryPath,
    });
  }

  /** The same, and writes down what was taken in even where nothing could be done with it yet. */
  async settleAndRecord(onDurable?: () => void): Promise<void> {
    await this.settle(onDurable);
    await this.#record.commitPostponed();
  }

  async #round(file: string, onDurable: (() => void) | undefined): Promise<Round> {
    const { working, workingHash } = this.#record;
    const { shadow, head } = this.#record.stored;
    // A file that was not looked at yet is not a file that is gone.
    if (!this.#record.isRead) return this.show('syncing');
    const step = await this.#path.round(file);
    if (step.kind === 'written') return this.#afterMoving(step.written, step.from);
    if (step.kind === 'waiting') return this.show('waiting');
    if (step.kind === 'proposed') return this.show('syncing');
    if (step.kind !== 'rest') return step.kind;
    if (this.#removal.isAtIt) return this.#afterRemoval(await this.#removal.round(file));
    // However often the file is looked at meanwhile: only what a person has changed in it does not wait for what follows.
    if (this.#isPutOff && workingHash === shadow?.hash) return this.show('syncing');
    if (working === undefined) {
      // It came and went before the library had heard of it.
      const isKnown = head !== undefined || this.#proposals.isInFlight || this.#proposals.isAwaitingHead;
      if (!isKnown) this.#ctx.places.forget(this.#docId);
      if (head === undefined) return this.show('syncing');
      return this.#afterWriting(await this.#writer.create(file, head, onDurable), true);
    }
    if (head !== undefined && workingHash === head.hash && shadow?.hash !== head.hash) {
      // The file reads as the library does already: first contact of equal copies, or the same edit made twice.
      this.#record.stored = { ...this.#record.stored, shadow: head, heldBase: undefined };
      await this.#record.commit({ putDocuments: [this.#record.stored] });
      onDurable?.();
      return 'again';
    }
    if (shadow !== undefined && workingHash === shadow.hash && this.#record.stored.heldBase !== undefined) {
      // The file has the library's side everywhere: nothing is held, and no old base may make that a change of ours.
      this.#record.stored = { ...this.#record.stored, heldBase: undefined };
      await this.#record.commit({ putDocuments: [this.#record.stored] });
    }
    // What was agreed on was read by somebody before.
    const error = workingHash === shadow?.hash ? undefined : await this.#record.errorIn(working.text, workingHash);
    if (error !== undefined) return this.show('invalid', fileInvalid(working.text, error));
    // What becomes of our own change decides what the edit of a file that was set back is merged with.
    if (this.#record.stored.setBackTo !== undefined && !this.#takenBack.isBehind && this.#proposals.isInFlight)
      return this.show('syncing');
    const link = this.#proposals.connectedLink();
    // What only lays the same out as before is nobody's work that was taken back, whoever wrote it.
    const isOwnForm = !this.#takenBack.isChosen && (await this.#formatting.isOwnForm(link));
    const isTakenBack = !isOwnForm && (await this.#takenBack.check(file, link, this.#proposals.isInFlight));
    if (isTakenBack === undefined) return this.show('syncing');
    if (isTakenBack) return this.show('behind', this.#takenBack.isCarried ? fileCarried(file) : fileBehind(file));
    const { newHead } = this.#record;
    if (newHead !== undefined && !(await this.#hasMet(file, working.text, newHead))) return this.show('syncing');
    if (newHead !== undefined) return this.#mergeHead(file, newHead, onDurable);
    return this.#sendLocalChange(file, working.text);
  }

  /** Finds what a file and a head that never were in step have in common; `false` where that cannot be told yet. */
  async #hasMet(file: string, text: string, head: StoredRevision): Promise<boolean> {
    const { stored } = this.#record;
    if (stored.shadow !== undefined || stored.heldBase !== undefined) return true;
    const link = this.#proposals.connectedLink();
    // Not with what the document was once, one revision after the other.
    if (link === undefined || (await this.#history.newestIndex(link)) > head.index) return false;
    const base =
      (await sharedBefore(this.#record, link, head)) ??
      (await commonBase(this.#record, file, text, this.#history, link, head.index));
    // It is recorded with what comes of it; until then it is found again.
    this.#record.stored = { ...stored, heldBase: base?.text };
    return true;
  }

  async #mergeHead(file: string, head: StoredRevision, onDurable: (() => void) | undefined): Promise<Round> {
    const { working } = this.#record;
    const { shadow } = this.#record.stored;
    if (working === undefined || this.#ctx.files.hasUnsavedEdits(file)) return this.show('waiting');
    this.show('syncing');
    if (this.#record.stepTo(head) !== undefined) {
      // The buffer that held it was saved or thrown away, and the file as it was last read does not tell which.
      const problem = await this.#writer.readAgain(file);
      if (problem !== undefined) return this.waitForDisk(problem);
      if (this.#record.working?.raw !== working.raw) return 'again';
    }
    const merged = await this.#record.mergeHead(working.text, head);
    const isForeignText = merged.text === head.text;
    if (hasError(merged) || (isForeignText && (await this.#record.errorIn(head.text, head.hash)) !== undefined)) {
      return this.show('invalid', libraryRevisionUnreadable);
    }
    // The merge may have taken its time.
    if (!(await this.#ctx.mayWork())) return 'stopped';
    const heldBase = merged.nextBase === head.text ? undefined : merged.nextBase;
    const attribution = this.#attribute(merged.conflicts, head);
    const document: StoredDocument = {
      ...this.#record.stored,
      shadow: head,
      heldBase,
      attribution,
      perhapsIn: undefined,
    };
    let written: Written;
    try {
      written = await this.#writer.write(file, working, merged.text, document, onDurable);
    } finally {
      // What we make of it is never an old text that came back; also where it could not be recorded that it was written.
      if (this.#record.working?.text === merged.text) this.#takenBack.accept(this.#record.workingHash);
    }
    if (written.kind === 'written') this.#record.conflicts = merged.conflicts;
    return this.#afterWriting(written, merged.text !== working.text, { from: shadow?.index, to: head.index });
  }

  async #sendLocalChange(file: string, workingTextNow: string): Promise<Round> {
    const record = this.#record;
    const { shadow } = this.#record.stored;
    if (this.#choices.isUndoing && !this.#proposals.isInFlight && this.#proposals.readyLink() !== undefined) {
      const sent = await this.#choices.sendUndo();
      if (typeof sent === 'object') return this.waitForDisk(sent.problem);
      return sent === 'proposed' ? this.show('syncing') : sent;
    }
    let outgoing = this.#takenBack.isChosen ? workingTextNow : await this.#formatting.outgoing(workingTextNow);
    let heldBase: string | undefined;
    let conflicts: readonly MergeConflict[] = [];
    if (this.#record.stored.heldBase !== undefined && shadow !== undefined) {
      const { base } = record;
      const merged = await record.merge(base, workingTextNow, shadow.text);
      // An element that was held is as it was before the clash: the library's side goes into the file.
      if (merged.text !== workingTextNow) return this.#mergeHead(file, shadow, undefined);
      conflicts = merged.conflicts;
      if (conflicts.length > 0) {
        outgoing = (await record.merge(base, workingTextNow, shadow.text, { unresolved: 'theirs' })).text;
        heldBase = (await record.merge(base, workingTextNow, shadow.text, { unresolved: 'base' })).text;
      }
    }
    // In one go: who looks on in between must not see the conflicts go and come back.
    record.conflicts = conflicts;
    if (this.#proposals.isInFlight) return this.show('syncing');
    if (outgoing === shadow?.text) {
      if (record.conflicts.length === 0 && this.#record.stored.heldBase !== undefined) {
        // Nothing is held any more: the next merge starts from the shadow again.
        record.stored = { ...this.#record.stored, heldBase: undefined };
        await record.commit({ putDocuments: [this.#record.stored] });
      }
      return record.conflicts.length > 0 ? this.show('held') : this.show('inStep', this.#formatting.problem);
    }
    if (this.#proposals.isRefused(this.#ctx.ambient.hashText(outgoing))) return this.show(this.#state, this.#problem);
    if (this.#proposals.readyLink() === undefined) return this.show('syncing');
    if (!(await this.#ctx.mayWork())) return 'stopped';
    await this.#proposals.propose(outgoing, heldBase, 'edit');
    return this.show('syncing');
  }

  #afterMoving(written: Written, from: string): Round {
    if (written.kind === 'written') this.#tellApplied(from);
    return this.#afterWriting(written, false);
  }

  #afterRemoval(step: RemovalStep): Round {
    switch (step.kind) {
      case 'again':
      case 'stopped':
        return step.kind;
      case 'show':
        return this.show(step.state, step.problem);
      case 'written':
        return this.#afterWriting(step.written, true);
      case 'unreadable':
        return this.waitForDisk(step.problem);
      case 'gone':
        this.#ctx.places.gone(this.#docId);
        return this.show('inStep');
    }
  }

  #afterWriting(written: Written, isChange: boolean, step?: AppliedStep): Round {
    switch (written.kind) {
      case 'written':
        if (isChange) this.#tellApplied(undefined, step);
        return 'again';
      case 'changed':
      case 'unsure':
        return 'again';
      case 'unsaved':
        return this.show('waiting');
      case 'failed':
        return this.waitForDisk(written.problem);
    }
  }

  /** The file cannot be read or written at the moment: it is tried again. */
  waitForDisk(problem: UserProblem): Round {
    this.#retry?.dispose();
    this.#retry = this.#ctx.ambient.scheduler.after(DISK_RETRY_MS, () => {
      this.#again.wake();
      this.#again.readAgain();
    });
    return this.show('unwritable', problem);
  }

  // ---- telling ----

  #attribute(conflicts: readonly MergeConflict[], head: StoredRevision): Readonly<Record<string, StoredAuthor>> {
    const { shadow, heldBase, attribution } = this.#record.stored;
    const authors = this.#libraryAuthors.authorsOf(conflicts, shadow, head, heldBase === undefined);
    const author = this.#record.headAuthor ?? { name: 'the library', at: this.#ctx.ambient.clock.wallNow() };
    return Object.fromEntries(conflicts.map(({ id }) => [id, authors.get(id) ?? attribution[id] ?? author]));
  }

  #tellApplied(renamedFrom?: string, step?: AppliedStep): void {
    const path = this.#record.stored.localPath ?? '';
    const file = this.#ctx.fileOf(path);
    const { headAuthorNames, headChanges } = this.#record;
    const change = {
      docId: this.#docId,
      file,
      path,
      authorName: headAuthorNames.length === 0 ? 'the library' : allOf.format(headAuthorNames),
      changes: headChanges,
      isDeletion: this.#record.stored.deleted !== undefined,
      ...(renamedFrom === undefined ? {} : { renamedFrom, changes: [] }),
    };
    this.#ctx.applied(change, step);
  }

  /** Says how it stands with the document, unless its name is not in step where everything else is. */
  show(state: DocumentState, problem?: UserProblem): Round {
    const { wanted } = this.#record.stored;
    if (wanted !== undefined && (state === 'inStep' || state === 'syncing'))
      return this.show('invalid', libraryRevisionMissing);
    const isNameInStep = state !== 'inStep' || this.#record.stored.localPath === undefined;
    const { question, hindrance } = this.#path;
    const name = isNameInStep ? undefined : (question ?? hindrance);
    this.#state = name === undefined ? state : name === question ? 'misnamed' : 'unwritable';
    this.#problem = name ?? problem;
    if (!isNameInStep && this.#path.isUnderWay) this.#state = 'syncing';
    this.#ctx.changed();
    return 'rest';
  }

  /** What failed is said, logged and tried again. */
  fail(error: unknown): void {
    this.#ctx.ambient.logger.error('A document could not be brought in step.', {
      path: this.#record.stored.libraryPath,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (!this.#isDisposed) this.waitForDisk(stateNotWritten);
  }
}
