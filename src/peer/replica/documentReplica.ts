import type { DocId, LogIndex, RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat } from '../../core/merge/types.ts';
import type { Disposable } from '../../core/ports.ts';
import type { DocumentHead, DocumentEntry, ProposeResult } from '../../core/replication/entry.ts';
import type { HeadsReason } from '../../core/replication/libraryLink.ts';
import type { OutboxItem, StoredDocument, SyncedPosition, WriteIntent } from '../../core/replication/replicaStore.ts';
import { workingText } from '../../core/workingText.ts';
import type { DocumentStatus, HeldConflict, Outcome, Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { notDone, PATH_TAKEN, stateNotWritten } from './documentProblems.ts';
import { DocumentChoices } from './documentChoices.ts';
import { DocumentFormatting } from './documentFormatting.ts';
import { DocumentInGit } from './documentInGit.ts';
import { DocumentIntake } from './documentIntake.ts';
import { DocumentPath } from './documentPath.ts';
import { DocumentProposals } from './documentProposals.ts';
import { DocumentRecord, unknownToLibrary, withoutCopy } from './documentRecord.ts';
import { DocumentRemoval } from './documentRemoval.ts';
import { type ReversedTexts, reverseStep, type TakingBack } from './documentReversal.ts';
import { DocumentSettling } from './documentSettling.ts';
import { DocumentWriter } from './documentWriter.ts';
import { LibraryAuthors } from './libraryAuthors.ts';
import type { DocumentContext } from './replicaPorts.ts';
import { heldDocumentOf, type ResolutionUndo } from './resolution.ts';
import { RevisionHistory } from './revisionHistory.ts';
import { QueueClosedError, SerialQueue } from './serialQueue.ts';
import type { SharedCommit } from './sharedCommit.ts';
import { TakenBack } from './takenBack.ts';

/**
 * One document of a replica: everything that happens to it, one step after the other. What a step found is brought in
 * step by `DocumentSettling`.
 */
export class DocumentReplica implements Disposable {
  readonly docId: DocId;
  readonly #ctx: DocumentContext;
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  readonly #queue: SerialQueue;
  readonly #takenBack: TakenBack;
  readonly #choices: DocumentChoices;
  readonly #path: DocumentPath;
  readonly #removal: DocumentRemoval;
  readonly #intake: DocumentIntake;
  readonly #settling: DocumentSettling;
  readonly #inGit: DocumentInGit;
  #isDisposed = false;

  constructor(ctx: DocumentContext, stored: StoredDocument, inFlight: OutboxItem | undefined) {
    this.#ctx = ctx;
    this.docId = stored.docId;
    const record = new DocumentRecord(ctx, stored);
    const writer = new DocumentWriter(record);
    const history = new RevisionHistory(stored.docId, (proposalId) => ctx.isOwn(proposalId));
    const takenBack = new TakenBack(record, history);
    const formatting = new DocumentFormatting(record, history);
    const proposals = new DocumentProposals(record, inFlight, {
      onAnswer: (item, answer) => this.#queue.post(() => this.#answered(item, answer)),
      onError: (error) => this.#settling.fail(error),
    });
    const choices = new DocumentChoices(record, writer, proposals);
    const path = new DocumentPath(record, writer, proposals);
    const again = {
      wake: () => this.wake(),
      // Fails never: see there.
      readAgain: () => void this.fileChanged(),
    };
    const removal = new DocumentRemoval(record, writer, proposals, path, again.readAgain);
    const libraryAuthors = new LibraryAuthors();
    const parts = { record, writer, history, takenBack, formatting, proposals, choices, path, removal, libraryAuthors };
    this.#record = record;
    this.#writer = writer;
    this.#takenBack = takenBack;
    this.#proposals = proposals;
    this.#choices = choices;
    this.#path = path;
    this.#removal = removal;
    this.#intake = new DocumentIntake(parts);
    this.#settling = new DocumentSettling(parts, again);
    this.#inGit = new DocumentInGit(parts, this.#settling);
    this.#queue = new SerialQueue((error) => this.#settling.fail(error));
  }

  get stored(): StoredDocument {
    return this.#record.stored;
  }

  get localPath(): string | undefined {
    return this.#record.stored.localPath;
  }

  get status(): DocumentStatus {
    const path = this.localPath ?? '';
    const { conflicts, headAuthorNames } = this.#record;
    return {
      docId: this.docId,
      file: this.#record.file ?? this.#ctx.fileOf(path),
      path,
      state: this.#settling.state,
      conflictCount: conflicts.length,
      waitingFor: this.#settling.state === 'waiting' ? headAuthorNames : [],
      ...(this.#settling.problem === undefined ? {} : { problem: this.#settling.problem }),
    };
  }

  get agreedHash(): RevisionHash | undefined {
    return this.stored.shadow?.hash;
  }

  get heldConflicts(): readonly HeldConflict[] {
    const { conflicts } = this.#record;
    if (conflicts.length === 0) return [];
    const { file, path } = this.status;
    return conflicts.map((conflict) => {
      const author = this.stored.attribution[conflict.id];
      const theirsName = author?.name ?? 'the library';
      return { docId: this.docId, file, path, conflict, theirsName, theirsAt: author?.at };
    });
  }

  /** Whether a file's name stands in the document's text, as it does where it refers to that file. */
  names(fileName: string): boolean {
    const text = this.#record.working?.text ?? this.stored.shadow?.text ?? '';
    return text.includes(fileName) || text.includes(encodeURI(fileName));
  }

  /** Whether nothing is under way and nothing stands in the way. */
  get isAtRest(): boolean {
    return this.#queue.isIdle && !this.#proposals.isInFlight && !this.#settling.isOpen;
  }

  /** The file may have changed; what fails is tried again. @param savedText what this window has just saved there. */
  async fileChanged(savedText?: string): Promise<void> {
    try {
      await this.#lookAtFile(savedText);
    } catch (error) {
      this.#settling.fail(error);
    }
  }

  async #lookAtFile(savedText: string | undefined): Promise<void> {
    const record = this.#record;
    const { file } = record;
    if (file === undefined || this.#isDisposed) return;
    const { fileVersion } = this.#writer;
    let hindrances = this.#ctx.hindranceCount();
    const stamp = await this.#takenBack.stampNow();
    const early = await this.#ctx.reader.read(file, savedText, record.stored.shadow?.text);
    await this.#runIfServed(async () => {
      // What was read is of the place that the file had before.
      if (file !== record.file) return;
      const isOld = fileVersion !== this.#writer.fileVersion;
      if (isOld) hindrances = this.#ctx.hindranceCount();
      const reading = isOld ? await this.#writer.readNow(file) : early;
      if (reading.kind === 'failed') {
        this.#settling.waitForDisk(reading.problem);
        return;
      }
      record.noteReading(hindrances, reading);
      const working = reading.kind === 'text' ? reading.working : undefined;
      const isNews = working === undefined || working.raw !== record.working?.raw;
      // What the program wrote itself, or an event without news, ends here (I9), unless something is still to be done.
      this.#removal.hasRead(reading, stamp);
      const isOpen = this.#settling.isOpen || this.#settling.state === 'unwritable';
      this.#takenBack.hasRead(stamp, isNews);
      if (!isNews && !isOpen) return;
      // Only what the person saved is the person's: another program may have been faster.
      record.setWorking(working, savedText !== undefined && working?.text === workingText(savedText).text);
      await this.#settling.settle();
    });
  }

  /** Like `run`, for what has no meaning any more once the document was let go. */
  async #runIfServed(step: () => Promise<void>): Promise<void> {
    try {
      await this.#queue.run(step);
    } catch (error) {
      if (!(error instanceof QueueClosedError)) throw error;
    }
  }

  /** Looks again at everything that may have stood in the way: the pause, git, an unsaved buffer, the connection. */
  wake(): void {
    this.#queue.post(() => this.#settleAndRecord());
  }

  /** Resolves when everything that was asked of the document until now was done. */
  get untilIdle(): Promise<void> {
    return this.#queue.ended;
  }

  /** The document is the library's, whose head comes next: what the file reads like is no new document. */
  awaitHead(index: LogIndex): void {
    this.#proposals.awaitHead(index);
  }

  resendInFlight(): void {
    this.#proposals.resend();
  }

  /** Takes an entry of the log in; resolves when that is durable, which is before the file is written. */
  applyEntry(entry: DocumentEntry, newText: string | undefined, synced: SyncedPosition): Promise<void> {
    return new Promise((resolve, reject) => {
      const taken = this.#queue.run(async () => {
        try {
          await this.#intake.takeEntry(entry, newText, synced);
          this.#settling.endPutOff();
          // A head that can be merged at once is recorded together with the write that it causes.
          await this.#settleAndRecord(resolve);
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#settling.fail(error);
        }
      });
      // The step itself never rejects; a queue that was closed before its turn does, and the caller has to hear of it.
      taken.catch(reject);
    });
  }

  /** Takes its part of a bulk in, together with the other documents', and goes on from there ([BLK-04]). */
  applyPart(entry: DocumentEntry, text: string | undefined, together: SharedCommit): void {
    const taken = this.#queue.run(async () => {
      try {
        await this.#intake.takePart(entry, text, together);
      } catch (error) {
        // Nothing has changed here; whoever takes the bulk in hears of it, and is offered it again.
        together.fail(error);
        return;
      }
      await this.#settleAndRecord();
    });
    taken.catch((error: unknown) => {
      if (error instanceof QueueClosedError) together.withdraw();
      else this.#settling.fail(error);
    });
  }

  /** The text of the revision that is wanted has been found. */
  takeWanted(text: string): Promise<void> {
    return this.#runIfServed(async () => {
      await this.#intake.takeWanted(text);
      await this.#settleAndRecord();
    });
  }

  /** A text of this name that is here already: in the file, sent, or taken in before. */
  textOf(hash: RevisionHash): string | undefined {
    const { working, workingHash, stored } = this.#record;
    if (working !== undefined && workingHash === hash) return working.text;
    return [this.#proposals.sent, stored.shadow, stored.head, stored.perhapsIn].find((one) => one?.hash === hash)?.text;
  }

  /** See `reverseStep`. */
  reverseStep(texts: ReversedTexts): Promise<TakingBack> {
    const parts = { record: this.#record, choices: this.#choices, takenBack: this.#takenBack };
    return this.#decide(() => reverseStep(parts, texts));
  }

  /**
   * The same for an entry that others follow at once: the file is written when `settlePutOff` is called. Resolves when the
   * entry was taken in; it is durable before anything that comes after it is.
   */
  applyEntryFollowed(entry: DocumentEntry, newText: string | undefined, synced: SyncedPosition): Promise<void> {
    return this.#queue.run(async () => {
      await this.#intake.takeEntry(entry, newText, synced);
      this.#record.commitPostponedLater();
      this.#settling.putOff();
    });
  }

  /** Brings what was put off into the file. */
  settlePutOff(): void {
    this.#queue.post(() => {
      this.#settling.endPutOff();
      return this.#settleAndRecord();
    });
  }

  /** Takes the library's head in where the entries that led to it are not to be had; `why` decides what is a merge base ([REC-04]). */
  applyHead(head: DocumentHead, hash: RevisionHash, why: HeadsReason): Promise<void> {
    return this.#queue.run(async () => {
      await this.#intake.takeLooseHead(head, hash, why);
      await this.#settleAndRecord();
    });
  }

  /** The library's tombstone, where the entry that deleted the document is not to be had. */
  applyTombstone(head: DocumentHead): Promise<void> {
    return this.#queue.run(async () => {
      await this.#intake.takeTombstone(head);
      await this.#settleAndRecord();
    });
  }

  /** The log that is there now never had this document: what is here is created in it anew ([REC-04]). */
  becomeNew(): Promise<void> {
    return this.#queue.run(() => this.#intake.becomeNew());
  }

  /** Finishes or forgets a write that a crash interrupted. */
  async recover(intent: WriteIntent): Promise<void> {
    const { file } = this.#record;
    if (file !== undefined) await this.#queue.run(() => this.#writer.recover(file, intent));
  }

  async resolve(resolutions: Resolutions): Promise<Outcome & { readonly undo?: ResolutionUndo }> {
    const shown = this.#record.conflicts.filter(({ id }) => resolutions.has(id));
    return this.#decide<Outcome & { readonly undo?: ResolutionUndo }>(() => {
      const [first] = shown;
      if (DocumentRemoval.isAbout(first)) return this.#removal.choose(first, resolutions.get(first.id));
      return this.#choices.resolve(shown, resolutions);
    });
  }

  /** The person is about to bring an earlier version back. */
  expectVersion(hash: RevisionHash): void {
    this.#takenBack.expect(hash);
  }

  get format(): DocumentFormat {
    return this.#record.format;
  }

  /** See `DocumentInGit`. */
  holdsRevision(hash: RevisionHash): Promise<boolean> {
    return this.#queue.run(() => this.#inGit.holdsRevision(hash));
  }

  /** See `DocumentInGit`. */
  foreignAuthors(text: string, before: AsyncIterable<string>): Promise<readonly string[]> {
    return this.#queue.run(() => this.#inGit.foreignAuthors(text, before));
  }

  /** What is held here, as it is now; undefined where there is no file or nothing was agreed on. */
  get heldDocument(): HeldDocument | undefined {
    return this.#removal.isAtIt ? undefined : heldDocumentOf(this.#record);
  }

  /** Takes a resolution back: the element is held again, with both sides as they were. */
  async undoResolution(undo: ResolutionUndo): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const outcome = await this.#decide<Outcome | undefined>(() => this.#choices.takeBack(undo, resolve));
    return outcome ?? promise;
  }

  /** Puts what waits into the unsaved buffer, merged with what was typed there. */
  mergeIntoBuffer(): Promise<Outcome> {
    return this.#decide(() => this.#choices.mergeIntoBuffer());
  }

  /**
   * The person decided about a file that something outside set back, or that is gone: the library's text again, or what
   * became of the file as a change.
   */
  leaveBehind(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#decide(() => {
      if (this.#settling.state === 'missing' && this.#record.working === undefined) return this.#answerMissing(choice);
      if (!this.#takenBack.isBehind && this.#path.question !== undefined)
        return Promise.resolve(this.#path.decide(choice));
      return this.#answerBehind(choice);
    });
  }

  async #answerBehind(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    const { shadow } = this.stored;
    if (!this.#takenBack.isBehind || shadow === undefined) return notDone('not-behind', 'This file is not behind.');
    const problem = choice === 'bringBack' ? await this.#choices.write(shadow.text, this.stored) : undefined;
    if (problem !== undefined) return problem;
    this.#takenBack.decide(choice);
    return { isDone: true };
  }

  async #answerMissing(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    if (choice === 'bringBack') return this.#removal.bringFileBack();
    this.#removal.confirm();
    return { isDone: true };
  }

  /** The document was deleted and is wanted again, by everybody. @param localPath where its copy belongs here. */
  revive(localPath: string): Promise<Outcome> {
    return this.#decide(async () => {
      if (this.stored.deleted === undefined) return { isDone: true };
      await this.#place({ ...this.stored, localPath });
      this.#removal.revive();
      return { isDone: true };
    });
  }

  /** The library has the document again, as an entry says that comes next; it has a copy here. */
  comeBackTo(localPath: string, libraryPath: string): Promise<void> {
    return this.#queue.run(() => {
      this.#removal.revived();
      return this.#place({ ...unknownToLibrary(this.stored), localPath, libraryPath });
    });
  }

  /**
   * The file was found at another place: a person has renamed it.
   * @param isTold whether the editor has said so. Else it is looked for at its old place once more, in its turn: in the
   * middle of a move of ours it is at neither place, and what was found is somebody else's.
   */
  moveHere(localPath: string, isTold: boolean): Promise<void> {
    return this.#queue.run(async () => {
      const { stored, file } = this.#record;
      if (file === undefined || stored.localPath === localPath || stored.deleted !== undefined) return;
      if (!isTold && (await this.#writer.readNow(file)).kind !== 'missing') return;
      await this.#place({ ...stored, localPath });
      this.#ctx.removals.settled(this.docId);
      this.#ctx.places.moved(this.docId);
    });
  }

  /** The library's path, where this release has not taken it in by itself. */
  learnPath(libraryPath: string): Promise<void> {
    return this.#queue.run(async () => {
      this.#path.take(libraryPath, false);
      await this.#record.commit({ putDocuments: [this.stored] });
      await this.#settling.settle();
    });
  }

  /** Whether the library has said something of it that came in, be it in the file yet or not. */
  get isOfLibrary(): boolean {
    const { shadow, head, wanted } = this.stored;
    return (shadow ?? head ?? wanted) !== undefined;
  }

  /** Whether it cannot get its name: perhaps only as long as another document has the place. */
  get waitsForName(): boolean {
    return this.#path.hindrance !== undefined;
  }

  /** Whether a file that turns up elsewhere may be it, should its own be missing. */
  get mayHaveMoved(): boolean {
    const { shadow, deleted, localPath } = this.stored;
    return shadow !== undefined && deleted === undefined && localPath !== undefined;
  }

  /** Whether its file was looked for and is not there. */
  get isMissing(): boolean {
    return this.mayHaveMoved && this.#record.isRead && this.#record.working === undefined;
  }

  /** The texts that this copy may have under another name, the likeliest first. */
  get knownTexts(): readonly string[] {
    const { working } = this.#record;
    const { shadow, head } = this.stored;
    return [working?.text, shadow?.text, head?.text].filter((text) => text !== undefined);
  }

  /** An old copy of the deleted document has turned up. */
  placeAt(localPath: string, libraryPath: string): Promise<void> {
    return this.#queue.run(() => this.#place({ ...this.stored, localPath, libraryPath }));
  }

  async #place(document: StoredDocument): Promise<void> {
    await this.#record.commit({ putDocuments: [document] });
    this.#record.stored = document;
    this.#record.forgetWorking();
  }

  /**
   * Runs what a person decided, and goes on from there; where the state cannot be written, that is said, and what has
   * happened is recorded later.
   */
  async #decide<T extends Outcome | undefined>(
    step: () => Promise<T>,
  ): Promise<T | (Outcome & { readonly isDone: false })> {
    try {
      return await this.#queue.run(async () => {
        const { working } = this.#record;
        const outcome = await step();
        // A file that had changed has been read on the way, and nobody else will find that to be news.
        if (outcome?.isDone !== false || this.#record.working !== working) await this.#settling.settle();
        return outcome;
      });
    } catch (error) {
      if (error instanceof QueueClosedError)
        return notDone('document-gone', 'This document is no longer kept in step.');
      this.#settling.fail(error);
      return { isDone: false, problem: stateNotWritten };
    }
  }

  /** Another document has come to the place of this deleted one; its file is that one's now. */
  giveUpPlace(): Promise<void> {
    return this.#queue.run(async () => {
      const tombstone = withoutCopy(this.stored);
      await this.#record.commit({ putDocuments: [tombstone] });
      this.#record.stored = tombstone;
      this.#record.conflicts = [];
    });
  }

  /** Ends a document of ours that never came into the library, because its file belongs to one that did. */
  async letGo(): Promise<void> {
    await this.#runIfServed(async () => {
      await this.#proposals.forget();
      this.dispose();
    });
  }

  /** Resolves when the step that is running has ended. */
  get ended(): Promise<void> {
    return this.#queue.ended;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#choices.endUndo(notDone('not-yet', 'This file is no longer kept in step.'));
    this.#removal.dispose();
    this.#settling.dispose();
    this.#queue.dispose();
  }

  /** Settles, and writes down what was taken in even where nothing could be done with it yet. */
  async #settleAndRecord(onDurable?: () => void): Promise<void> {
    await this.#settling.settle(onDurable);
    await this.#record.commitPostponed();
  }

  async #answered(item: OutboxItem, result: ProposeResult): Promise<void> {
    const answer = await this.#proposals.answered(item, result);
    if (answer.kind === 'wait') return;
    const head = result.kind === 'stale' ? result.head : undefined;
    // The very head that we have, and another name: an older release took its entry in and left the name out.
    if (head?.docId === this.docId && head.index === this.stored.head?.index) this.#path.take(head.path, false);
    if (answer.kind === 'refused') {
      this.#ctx.ambient.logger.warn('The leader refused a change.', {
        code: answer.code,
        path: this.stored.libraryPath,
      });
      const toDo = answer.code === PATH_TAKEN ? 'rename it to have it sent' : 'change it and save again';
      const remedy = `Your file stays as it is; ${toDo}.`;
      this.#settling.show('invalid', { code: answer.code, message: answer.message, remedy });
      return;
    }
    await this.#settleAndRecord();
  }
}
