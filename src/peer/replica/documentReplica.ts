import type { DocId, RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat } from '../../core/merge/types.ts';
import type { Disposable } from '../../core/ports.ts';
import type { ProposeResult } from '../../core/replication/entry.ts';
import type { OutboxItem, StoredDocument, WriteIntent } from '../../core/replication/replicaStore.ts';
import { workingText } from '../../core/workingText.ts';
import type { DocumentStatus, HeldConflict } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { notDone, PATH_TAKEN } from './documentProblems.ts';
import { DocumentChoices } from './documentChoices.ts';
import { DocumentFormatting } from './documentFormatting.ts';
import { DocumentInGit } from './documentInGit.ts';
import { DocumentIntake } from './documentIntake.ts';
import { DocumentPath } from './documentPath.ts';
import { DocumentProposals } from './documentProposals.ts';
import { DocumentRequests } from './documentRequests.ts';
import { DocumentRecord, withoutCopy } from './documentRecord.ts';
import { DocumentRemoval } from './documentRemoval.ts';
import { DocumentSettling } from './documentSettling.ts';
import { DocumentWriter } from './documentWriter.ts';
import { LibraryAuthors } from './libraryAuthors.ts';
import type { DocumentContext } from './replicaPorts.ts';
import { heldDocumentOf } from './resolution.ts';
import { RevisionHistory } from './revisionHistory.ts';
import { SerialQueue } from './serialQueue.ts';
import { TakenBack } from './takenBack.ts';

/**
 * One document of a replica: everything that happens to it, one step after the other. What a step found is brought in
 * step by `DocumentSettling`.
 */
export class DocumentReplica implements Disposable {
  readonly docId: DocId;
  readonly intake: DocumentIntake;
  readonly requests: DocumentRequests;
  readonly inGit: DocumentInGit;
  readonly #ctx: DocumentContext;
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  readonly #queue: SerialQueue;
  readonly #takenBack: TakenBack;
  readonly #choices: DocumentChoices;
  readonly #path: DocumentPath;
  readonly #removal: DocumentRemoval;
  readonly #settling: DocumentSettling;
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
    this.#settling = new DocumentSettling(parts, again);
    this.#queue = new SerialQueue((error) => this.#settling.fail(error));
    this.intake = new DocumentIntake(parts, this.#settling, this.#queue);
    this.requests = new DocumentRequests(parts, this.#settling, this.#queue);
    this.inGit = new DocumentInGit(parts, this.#settling, this.#queue);
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
    await this.#queue.runIfServed(async () => {
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

  /** Looks again at everything that may have stood in the way: the pause, git, an unsaved buffer, the connection. */
  wake(): void {
    this.#queue.post(() => this.#settling.settleAndRecord());
  }

  /** Resolves when everything that was asked of the document until now was done, or dropped because it is disposed. */
  get untilIdle(): Promise<void> {
    return this.#queue.ended;
  }

  /** Whether the file, as it was last read, has something that the library is still to hear of. */
  get isChanged(): boolean {
    const { working, workingHash, stored } = this.#record;
    const isSettled = stored.heldBase === undefined && stored.setBackTo === undefined;
    return working !== undefined && isSettled && workingHash !== stored.shadow?.hash;
  }

  resendInFlight(): void {
    this.#proposals.resend();
  }

  /** A text of this name that is here already: in the file, sent, or taken in before. */
  textOf(hash: RevisionHash): string | undefined {
    const { working, workingHash, stored } = this.#record;
    if (working !== undefined && workingHash === hash) return working.text;
    return [this.#proposals.sent, stored.shadow, stored.head, stored.perhapsIn].find((one) => one?.hash === hash)?.text;
  }

  /** Finishes or forgets a write that a crash interrupted. */
  async recover(intent: WriteIntent): Promise<void> {
    const { file } = this.#record;
    if (file !== undefined) await this.#queue.run(() => this.#writer.recover(file, intent));
  }

  get format(): DocumentFormat {
    return this.#record.format;
  }

  /** What is held here, as it is now; undefined where there is no file or nothing was agreed on. */
  get heldDocument(): HeldDocument | undefined {
    return this.#removal.isAtIt ? undefined : heldDocumentOf(this.#record);
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
      await this.#record.takePlace({ ...stored, localPath });
      this.#ctx.removals.settled(this.docId);
      this.#ctx.places.moved(this.docId);
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
    return this.#queue.run(() => this.#record.takePlace({ ...this.stored, localPath, libraryPath }));
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
    await this.#queue.runIfServed(async () => {
      await this.#proposals.forget();
      this.dispose();
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#choices.endUndo(notDone('not-yet', 'This file is no longer kept in step.'));
    this.#removal.dispose();
    this.#settling.dispose();
    this.#queue.dispose();
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
    await this.#settling.settleAndRecord();
  }
}
