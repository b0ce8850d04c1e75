import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat, MergeConflict } from '../../core/merge/types.ts';
import type { Disposable } from '../../core/ports.ts';
import type { DocumentHead, LogEntry, ProposeResult } from '../../core/replication/entry.ts';
import type { HeadsReason } from '../../core/replication/libraryLink.ts';
import type {
  OutboxItem,
  ReplicaChange,
  StoredAuthor,
  StoredDeletion,
  StoredDocument,
  StoredRevision,
  SyncedPosition,
  WriteIntent,
} from '../../core/replication/replicaStore.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { workingText } from '../../core/workingText.ts';
import type { DocumentState, DocumentStatus, HeldConflict, Outcome, Resolutions } from '../folderSession.ts';
import type { HeldDocument } from '../heldDocument.ts';
import { fileBehind, libraryRevisionUnreadable, notDone, stateNotWritten } from './documentProblems.ts';
import { DocumentChoices } from './documentChoices.ts';
import { DocumentPath } from './documentPath.ts';
import { DocumentProposals } from './documentProposals.ts';
import { DocumentRecord, hasError, unknownToLibrary, withoutCopy } from './documentRecord.ts';
import { DocumentRemoval, type RemovalStep } from './documentRemoval.ts';
import { DocumentWriter, type Written } from './documentWriter.ts';
import { LibraryAuthors } from './libraryAuthors.ts';
import { meetOtherLog } from './otherLog.ts';
import type { DocumentContext } from './replicaPorts.ts';
import { heldDocumentOf, type ResolutionUndo } from './resolution.ts';
import { RevisionHistory } from './revisionHistory.ts';
import { QueueClosedError, SerialQueue } from './serialQueue.ts';
import { TakenBack } from './takenBack.ts';

/** A file that could not be read or written is tried again this often. */
const DISK_RETRY_MS = 5_000;
/** A file that changes under every write: rather wait for the next event than turn in circles. */
const MAX_ROUNDS = 50;
const NEVER = 0 as LogIndex;

/** `stopped`: nothing may be sent or written at the moment, so something is left to be done. */
type Round = 'again' | 'rest' | 'stopped';

/**
 * One document of a replica: brings the file, the shadow and the library together (DESIGN §5). With S the shadow, F the
 * file and B the base (S itself, except that held elements read as they did before the clash): what is held are the
 * conflicts of merge(B, F, S), what may be sent is the same merge with the library's side at those, and a new head H
 * makes the file merge(B, F, H). Everything happens one step after the other.
 */
export class DocumentReplica implements Disposable {
  readonly docId: DocId;
  readonly #ctx: DocumentContext;
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  readonly #queue: SerialQueue;
  readonly #history: RevisionHistory;
  readonly #libraryAuthors = new LibraryAuthors();
  readonly #takenBack: TakenBack;
  readonly #choices: DocumentChoices;
  readonly #path: DocumentPath;
  readonly #removal: DocumentRemoval;
  #state: DocumentState = 'syncing';
  #problem: UserProblem | undefined;
  #retry: Disposable | undefined;
  /** Whether something came that was not brought to an end yet: the person has paused, or git is at work. */
  #isOpen = false;
  #isDisposed = false;

  constructor(ctx: DocumentContext, stored: StoredDocument, inFlight: OutboxItem | undefined) {
    this.#ctx = ctx;
    this.docId = stored.docId;
    this.#record = new DocumentRecord(ctx, stored);
    this.#writer = new DocumentWriter(this.#record);
    this.#queue = new SerialQueue((error) => this.#fail(error));
    this.#history = new RevisionHistory(stored.docId, (proposalId) => ctx.isOwn(proposalId));
    this.#takenBack = new TakenBack(this.#record, this.#history);
    this.#proposals = new DocumentProposals(this.#record, inFlight, {
      onAnswer: (item, answer) => this.#queue.post(() => this.#answered(item, answer)),
      onError: (error) => this.#fail(error),
    });
    this.#choices = new DocumentChoices(this.#record, this.#writer, this.#proposals);
    this.#path = new DocumentPath(this.#record, this.#writer, this.#proposals);
    this.#removal = new DocumentRemoval(this.#record, this.#writer, this.#proposals, this.#path, () =>
      this.#readAgain(),
    );
  }

  get stored(): StoredDocument {
    return this.#record.stored;
  }

  get localPath(): string | undefined {
    return this.#record.stored.localPath;
  }

  get status(): DocumentStatus {
    const path = this.localPath ?? '';
    const { conflicts, headAuthor } = this.#record;
    return {
      docId: this.docId,
      file: this.#ctx.fileOf(path),
      path,
      state: this.#state,
      conflictCount: conflicts.length,
      waitingFor: this.#state === 'waiting' && headAuthor !== undefined ? [headAuthor.name] : [],
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  get agreedHash(): RevisionHash | undefined {
    return this.stored.shadow?.hash;
  }

  get heldConflicts(): readonly HeldConflict[] {
    const { file, path } = this.status;
    return this.#record.conflicts.map((conflict) => {
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
    return this.#queue.isIdle && !this.#proposals.isInFlight && !this.#isOpen && this.#state !== 'syncing';
  }

  /** The file may have changed; what fails is tried again. @param savedText what this window has just saved there. */
  async fileChanged(savedText?: string): Promise<void> {
    try {
      await this.#lookAtFile(savedText);
    } catch (error) {
      this.#fail(error);
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
        this.#waitForDisk(reading.problem);
        return;
      }
      record.noteReading(hindrances);
      const working = reading.kind === 'text' ? reading.working : undefined;
      const isNews = working === undefined || working.raw !== record.working?.raw;
      // What the program wrote itself, or an event without news, ends here (I9), unless something is still to be done.
      this.#removal.hasRead(reading, stamp);
      const isOpen = this.#isOpen || this.#state === 'syncing' || this.#state === 'unwritable';
      this.#takenBack.hasRead(stamp, isNews);
      if (!isNews && !isOpen) return;
      // Only what the person saved is the person's: another program may have been faster.
      record.setWorking(working, savedText !== undefined && working?.text === workingText(savedText).text);
      await this.#settle();
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
    this.#queue.post(async () => {
      await this.#settle();
      await this.#record.commitPostponed();
    });
  }

  /** The document is the library's, whose head comes next: what the file reads like is no new document. */
  awaitHead(index: LogIndex): void {
    this.#proposals.awaitHead(index);
  }

  resendInFlight(): void {
    this.#proposals.resend();
  }

  /** Takes an entry of the log in; resolves when that is durable, which is before the file is written. */
  applyEntry(entry: LogEntry, newText: string | undefined, synced: SyncedPosition): Promise<void> {
    return new Promise((resolve, reject) => {
      const taken = this.#queue.run(async () => {
        try {
          this.#history.add(entry);
          this.#libraryAuthors.add(entry);
          const author = { name: entry.author.name, at: entry.at };
          if (entry.kind === 'delete') {
            this.#takeDeletion({ index: entry.index, author }, entry.proposalId, { synced });
          } else if (newText === undefined || entry.hash === undefined) {
            await this.#record.commit({ synced });
          } else {
            this.#proposals.takeRename(entry.proposalId);
            if (entry.path !== undefined) this.#path.take(entry.path, this.#ctx.isOwn(entry.proposalId));
            const head = { text: newText, hash: entry.hash, index: entry.index };
            await this.#takeHead(head, author, entry.changes, entry.proposalId, { synced });
          }
          // A head that can be merged at once is recorded together with the write that it causes.
          await this.#settle(resolve);
          await this.#record.commitPostponed();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#fail(error);
        }
      });
      // The step itself never rejects; a queue that was closed before its turn does, and the caller has to hear of it.
      taken.catch(reject);
    });
  }

  /** Takes the library's head in where the entries that led to it are not to be had; `why` decides what is a merge base ([REC-04]). */
  applyHead(head: DocumentHead, hash: RevisionHash, why: HeadsReason): Promise<void> {
    return this.#queue.run(async () => {
      await this.#askInFlight(head);
      if (why === 'unknown') {
        this.#history.forget();
        this.#proposals.awaitHead(NEVER);
        await meetOtherLog(this.#record, head);
      }
      // A log that was put back knows no newer name than we do.
      this.#path.take(head.path, why === 'unknown');
      if (hash !== this.stored.head?.hash) {
        const text = await this.#ctx.link()?.fetchRevision(head.docId, hash, 'heads');
        // Nothing is ever skipped: without this revision the replica is not as far as its heads say, and asks again.
        if (text === undefined)
          throw new Error(`The library does not give the revision that it named for ${head.path}.`);
        await this.#takeLooseHead(head, hash, text);
      }
      await this.#settle();
      await this.#record.commitPostponed();
    });
  }

  /** The library's tombstone, where the entry that deleted the document is not to be had. */
  applyTombstone(head: DocumentHead): Promise<void> {
    return this.#queue.run(async () => {
      await this.#askInFlight(head);
      const author = { name: head.author.name, at: head.at };
      if (this.stored.deleted?.index !== head.index) this.#takeDeletion({ index: head.index, author }, undefined, {});
      await this.#settle();
      await this.#record.commitPostponed();
    });
  }

  /** The log that is there now never had this document: what is here is created in it anew ([REC-04]). */
  becomeNew(): Promise<void> {
    return this.#queue.run(async () => {
      await this.#askInFlight(undefined);
      this.#history.forget();
      this.#proposals.awaitHead(NEVER);
      this.#record.stored = unknownToLibrary(this.stored);
      await this.#record.commit({ putDocuments: [this.stored] });
    });
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
      if (this.#state === 'missing' && this.#record.working === undefined) return this.#answerMissing(choice);
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

  /** The file was found at another place: a person has renamed it. */
  moveHere(localPath: string): Promise<void> {
    return this.#queue.run(async () => {
      const { stored } = this.#record;
      if (stored.localPath === undefined || stored.localPath === localPath || stored.deleted !== undefined) return;
      await this.#place({ ...stored, localPath });
      this.#ctx.removals.settled(this.docId);
      this.#ctx.moved(this.docId);
    });
  }

  /** The library's path, where this release has not taken it in by itself. */
  learnPath(libraryPath: string): Promise<void> {
    return this.#queue.run(async () => {
      this.#path.take(libraryPath, false);
      await this.#record.commit({ putDocuments: [this.stored] });
      await this.#settle();
    });
  }

  /** Whether its name is not in step yet: it may wait for a place that another document has. */
  get isNameOpen(): boolean {
    return this.#path.isRenamedHere || this.#path.isRenamedThere;
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
        if (outcome?.isDone !== false || this.#record.working !== working) await this.#settle();
        return outcome;
      });
    } catch (error) {
      if (error instanceof QueueClosedError)
        return notDone('document-gone', 'This document is no longer kept in step.');
      this.#fail(error);
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
    this.#retry?.dispose();
    this.#queue.dispose();
  }

  // ---- taking in ----

  async #takeHead(
    head: StoredRevision,
    author: StoredAuthor,
    changes: readonly string[],
    proposalId: ProposalId | undefined,
    change: Pick<ReplicaChange, 'synced'>,
  ): Promise<void> {
    const isUndo = this.#proposals.isTakingBack;
    if (this.stored.deleted !== undefined) this.#removal.revived();
    if (await this.#proposals.takeOwn(head, proposalId, change)) {
      if (isUndo) this.#choices.endUndo({ isDone: true });
      return;
    }
    this.#record.stored = { ...this.stored, head, deleted: undefined };
    this.#record.headAuthor = author;
    this.#record.headChanges = changes;
    this.#record.postpone({ ...change, putDocuments: [this.stored] });
  }

  /** The library has deleted the document: what becomes of the file is decided when work may be done. */
  #takeDeletion(
    deletion: Omit<StoredDeletion, 'isOwn'>,
    proposalId: ProposalId | undefined,
    change: Pick<ReplicaChange, 'synced'>,
  ): void {
    const isOwn = this.#proposals.takeRemoval(proposalId);
    this.#record.stored = { ...this.stored, deleted: { ...deletion, isOwn } };
    this.#record.headAuthor = deletion.author;
    this.#record.headChanges = [];
    this.#record.postpone({ ...change, putDocuments: [this.stored] });
  }

  /**
   * The entries that would have told what became of the proposal in flight do not come: the leader is asked. Without
   * that, what others took out of it since would come back as ours.
   */
  async #askInFlight(head: DocumentHead | undefined): Promise<void> {
    const isUndo = this.#proposals.isTakingBack;
    if ((await this.#proposals.ask(head?.index ?? NEVER)) && isUndo) this.#choices.endUndo({ isDone: true });
  }

  /** A head that came without the entries that led to it. */
  #takeLooseHead(head: DocumentHead, hash: RevisionHash, text: string): Promise<void> {
    return this.#takeHead(
      { text, hash, index: head.index },
      { name: head.author.name, at: head.at },
      [],
      undefined,
      {},
    );
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
      const remedy = 'Your file stays as it is; change it and save again.';
      this.#show('invalid', { code: answer.code, message: answer.message, remedy });
      return;
    }
    await this.#settle();
    await this.#record.commitPostponed();
  }

  // ---- settling ----

  async #settle(onDurable?: () => void): Promise<void> {
    if (this.localPath === undefined) return;
    this.#isOpen = true;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (this.#isDisposed || !(await this.#ctx.mayWork())) return;
      const { file } = this.#record;
      if (file === undefined) return;
      if (this.#record.isReadingOutdated) {
        this.#readAgain();
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
      path: this.stored.libraryPath,
    });
  }

  async #round(file: string, onDurable: (() => void) | undefined): Promise<Round> {
    const { working, workingHash } = this.#record;
    const { shadow, head } = this.stored;
    // A file that was not looked at yet is not a file that is gone.
    if (!this.#record.isRead) return this.#show('syncing');
    const step = await this.#path.round(file);
    if (step.kind === 'written') return this.#afterMoving(step.written, step.from);
    if (step.kind === 'waiting') return this.#show('waiting');
    if (step.kind === 'proposed') return this.#show('syncing');
    if (step.kind !== 'rest') return step.kind;
    if (this.#removal.isAtIt) return this.#afterRemoval(await this.#removal.round(file));
    if (working === undefined) {
      // It came and went before the library had heard of it.
      const isKnown = head !== undefined || this.#proposals.isInFlight || this.#proposals.isAwaitingHead;
      if (!isKnown) this.#ctx.forget(this.docId);
      if (head === undefined) return this.#show('syncing');
      return this.#afterWriting(await this.#writer.create(file, head, onDurable), true);
    }
    if (head !== undefined && workingHash === head.hash && shadow?.hash !== head.hash) {
      // The file reads as the library does already: first contact of equal copies, or the same edit made twice.
      this.#record.stored = { ...this.stored, shadow: head, heldBase: undefined };
      await this.#record.commit({ putDocuments: [this.stored] });
      onDurable?.();
      return 'again';
    }
    if (shadow !== undefined && workingHash === shadow.hash && this.stored.heldBase !== undefined) {
      // The file has the library's side everywhere: nothing is held, and no old base may make that a change of ours.
      this.#record.stored = { ...this.stored, heldBase: undefined };
      await this.#record.commit({ putDocuments: [this.stored] });
    }
    // What was agreed on was read by somebody before.
    const error = workingHash === shadow?.hash ? undefined : await this.#record.errorIn(working.text, workingHash);
    if (error !== undefined) {
      const remedy = 'Nothing is sent until it is mended.';
      return this.#show('invalid', { code: error.code, message: error.message, remedy });
    }
    // What becomes of our own change decides what the edit of a file that was set back is merged with.
    if (this.stored.setBackTo !== undefined && !this.#takenBack.isBehind && this.#proposals.isInFlight)
      return this.#show('syncing');
    const isTakenBack = await this.#takenBack.check(file, this.#proposals.connectedLink());
    if (isTakenBack === undefined) return this.#show('syncing');
    if (isTakenBack) return this.#show('behind', fileBehind(file));
    const { newHead } = this.#record;
    if (newHead !== undefined) return this.#mergeHead(file, newHead, onDurable);
    return this.#sendLocalChange(file, working.text);
  }

  async #mergeHead(file: string, head: StoredRevision, onDurable: (() => void) | undefined): Promise<Round> {
    const { working } = this.#record;
    if (working === undefined || this.#ctx.files.hasUnsavedEdits(file)) return this.#show('waiting');
    this.#show('syncing');
    if (this.#record.stepTo(head) !== undefined) {
      // The buffer that held it was saved or thrown away, and the file as it was last read does not tell which.
      await this.#writer.readAgain(file);
      if (this.#record.working?.raw !== working.raw) return 'again';
    }
    const merged = await this.#record.mergeHead(working.text, head);
    const isForeignText = merged.text === head.text;
    if (hasError(merged) || (isForeignText && (await this.#record.errorIn(head.text, head.hash)) !== undefined)) {
      return this.#show('invalid', libraryRevisionUnreadable);
    }
    // The merge may have taken its time.
    if (!(await this.#ctx.mayWork())) return 'stopped';
    const heldBase = merged.nextBase === head.text ? undefined : merged.nextBase;
    const attribution = this.#attribute(merged.conflicts, head);
    const document: StoredDocument = { ...this.stored, shadow: head, heldBase, attribution, perhapsIn: undefined };
    const written = await this.#writer.write(file, working, merged.text, document, onDurable);
    if (written.kind === 'written') this.#record.conflicts = merged.conflicts;
    return this.#afterWriting(written, merged.text !== working.text);
  }

  async #sendLocalChange(file: string, workingTextNow: string): Promise<Round> {
    const record = this.#record;
    const { shadow } = this.stored;
    if (this.#choices.isUndoing && !this.#proposals.isInFlight && this.#proposals.readyLink() !== undefined) {
      const sent = await this.#choices.sendUndo();
      return sent === 'proposed' ? this.#show('syncing') : sent;
    }
    let outgoing = workingTextNow;
    let heldBase: string | undefined;
    let conflicts: readonly MergeConflict[] = [];
    if (this.stored.heldBase !== undefined && shadow !== undefined) {
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
    if (this.#proposals.isInFlight) return this.#show('syncing');
    if (outgoing === shadow?.text) {
      if (record.conflicts.length === 0 && this.stored.heldBase !== undefined) {
        // Nothing is held any more: the next merge starts from the shadow again.
        record.stored = { ...this.stored, heldBase: undefined };
        await record.commit({ putDocuments: [this.stored] });
      }
      return this.#show(record.conflicts.length > 0 ? 'held' : 'inStep');
    }
    if (this.#proposals.isRefused(this.#ctx.ambient.hashText(outgoing))) return this.#show(this.#state, this.#problem);
    if (this.#proposals.readyLink() === undefined) return this.#show('syncing');
    if (!(await this.#ctx.mayWork())) return 'stopped';
    await this.#proposals.propose(outgoing, heldBase, 'edit');
    return this.#show('syncing');
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
        return this.#show(step.state, step.problem);
      case 'written':
        return this.#afterWriting(step.written, true);
      case 'gone':
        this.#ctx.gone(this.docId);
        return this.#show('inStep');
    }
  }

  #afterWriting(written: Written, isChange: boolean): Round {
    switch (written.kind) {
      case 'written':
        if (isChange) this.#tellApplied();
        return 'again';
      case 'changed':
      case 'unsure':
        return 'again';
      case 'unsaved':
        return this.#show('waiting');
      case 'failed':
        return this.#waitForDisk(written.problem);
    }
  }

  #waitForDisk(problem: UserProblem): Round {
    this.#retry?.dispose();
    this.#retry = this.#ctx.ambient.scheduler.after(DISK_RETRY_MS, () => {
      this.wake();
      this.#readAgain();
    });
    return this.#show('unwritable', problem);
  }

  #readAgain(): void {
    // Fails never: see there.
    void this.fileChanged();
  }

  // ---- telling ----

  #attribute(conflicts: readonly MergeConflict[], head: StoredRevision): Readonly<Record<string, StoredAuthor>> {
    const { shadow, heldBase, attribution } = this.stored;
    const authors = this.#libraryAuthors.authorsOf(conflicts, shadow, head, heldBase === undefined);
    const author = this.#record.headAuthor ?? { name: 'the library', at: this.#ctx.ambient.clock.wallNow() };
    return Object.fromEntries(conflicts.map(({ id }) => [id, authors.get(id) ?? attribution[id] ?? author]));
  }

  #tellApplied(renamedFrom?: string): void {
    const { file, path } = this.status;
    const { headAuthor, headChanges } = this.#record;
    this.#ctx.applied({
      docId: this.docId,
      file,
      path,
      authorName: headAuthor?.name ?? 'the library',
      changes: headChanges,
      isDeletion: this.stored.deleted !== undefined,
      ...(renamedFrom === undefined ? {} : { renamedFrom, changes: [] }),
    });
  }

  #show(state: DocumentState, problem?: UserProblem): Round {
    const isNameInStep = state !== 'inStep' || this.localPath === undefined;
    const { question, hindrance } = this.#path;
    const name = isNameInStep ? undefined : (question ?? hindrance);
    this.#state = name === undefined ? state : name === question ? 'misnamed' : 'unwritable';
    this.#problem = name ?? problem;
    if (!isNameInStep && this.#path.isUnderWay) this.#state = 'syncing';
    this.#ctx.changed();
    return 'rest';
  }

  #fail(error: unknown): void {
    this.#ctx.ambient.logger.error('A document could not be brought in step.', {
      path: this.stored.libraryPath,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (!this.#isDisposed) this.#waitForDisk(stateNotWritten);
  }
}
