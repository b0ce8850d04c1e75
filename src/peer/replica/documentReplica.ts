import { applySplices } from '../../core/merge/splices.ts';
import type { DocumentFormat, MergeConflict, MergeOptions, MergeResult, Resolution } from '../../core/merge/types.ts';
import type { DocId, LogIndex, RevisionHash } from '../../core/ids.ts';
import type { Disposable } from '../../core/ports.ts';
import type { Problem } from '../../core/problem.ts';
import type { DocumentHead, LogEntry, Proposal, ProposeResult } from '../../core/replication/entry.ts';
import { LinkClosedError } from '../../core/replication/libraryLink.ts';
import type {
  OutboxItem,
  ReplicaChange,
  StoredAuthor,
  StoredDocument,
  StoredRevision,
  WriteIntent,
} from '../../core/replication/replicaStore.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { toRawSplices, workingText, type WorkingText } from '../../core/workingText.ts';
import type { DocumentState, DocumentStatus, HeldConflict, Outcome } from '../folderSession.ts';
import { RevisionHistory } from './revisionHistory.ts';
import type { DocumentContext } from './replicaPorts.ts';
import { SerialQueue } from './serialQueue.ts';

/** A file that could not be written is tried again this often. */
const WRITE_RETRY_MS = 5_000;
/** A file that changes under every write: rather wait for the next event than turn in circles. */
const MAX_ROUNDS = 50;

/** What stood before a resolution, so that it can be taken back. */
export interface ResolutionUndo {
  readonly docId: DocId;
  readonly before: { readonly file: string; readonly base: string; readonly shadow: string };
  readonly after: { readonly file: string; readonly base: string; readonly outgoing: string };
}

type Round = 'again' | 'rest';

/**
 * One document of a replica: brings the file, the shadow and the library together (DESIGN §5). With S the shadow, F the
 * file and B the base (S itself, except that held elements read as they did before the clash): what is held are the
 * conflicts of merge(B, F, S), what may be sent is the same merge with the library's side at those, and a new head H
 * makes the file merge(B, F, H). Everything happens one step after the other.
 */
export class DocumentReplica implements Disposable {
  readonly docId: DocId;
  readonly #ctx: DocumentContext;
  readonly #queue: SerialQueue;
  readonly #history: RevisionHistory;
  #stored: StoredDocument;
  #headAuthor: StoredAuthor | undefined;
  #headChanges: readonly string[] = [];
  #working: WorkingText | undefined;
  #workingHash: RevisionHash | undefined;
  #isFileFromSave = false;
  #inFlight: OutboxItem | undefined;
  #rejectedHash: RevisionHash | undefined;
  /** The newest text that was found readable. */
  #validHash: RevisionHash | undefined;
  /** The leader has an entry of this document that did not come in yet: proposing before it does would be refused again. */
  #awaitedIndex = 0;
  /** Grows with each write of ours, so that what was read before one is not taken for news after it. */
  #writeCount = 0;
  #conflicts: readonly MergeConflict[] = [];
  #state: DocumentState = 'syncing';
  #problem: UserProblem | undefined;
  /** The old revision that something outside set the file back to, until the person says what to do about it. */
  #behind: RevisionHash | undefined;
  /** A head that went into an unsaved buffer (Merge Now) and counts as merged when that buffer is saved. */
  #bufferMerge: { readonly head: StoredRevision; readonly heldBase: string | undefined } | undefined;
  #uncommitted: ReplicaChange | undefined;
  #retry: Disposable | undefined;
  #isDisposed = false;

  constructor(ctx: DocumentContext, stored: StoredDocument, inFlight: OutboxItem | undefined) {
    this.#ctx = ctx;
    this.docId = stored.docId;
    this.#stored = stored;
    this.#inFlight = inFlight;
    this.#history = new RevisionHistory(stored.docId, (proposalId) => ctx.isOwn(proposalId));
    this.#queue = new SerialQueue((error) => this.#fail(error));
  }

  get stored(): StoredDocument {
    return this.#stored;
  }

  get localPath(): string | undefined {
    return this.#stored.localPath;
  }

  get file(): string | undefined {
    return this.#stored.localPath === undefined ? undefined : this.#ctx.fileOf(this.#stored.localPath);
  }

  get status(): DocumentStatus {
    const path = this.#stored.localPath ?? '';
    return {
      docId: this.docId,
      file: this.#ctx.fileOf(path),
      path,
      state: this.#state,
      conflictCount: this.#conflicts.length,
      waitingFor: this.#state === 'waiting' && this.#headAuthor !== undefined ? [this.#headAuthor.name] : [],
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  get heldConflicts(): readonly HeldConflict[] {
    const { file, path } = this.status;
    return this.#conflicts.map((conflict) => {
      const author = this.#stored.attribution[conflict.id];
      return {
        docId: this.docId,
        file,
        path,
        conflict,
        theirsName: author?.name ?? 'the library',
        theirsAt: author?.at,
      };
    });
  }

  /** Whether nothing is under way and nothing stands in the way. */
  get isAtRest(): boolean {
    return this.#queue.isIdle && this.#inFlight === undefined && this.#state !== 'syncing';
  }

  /** Resolves when what was asked for until now is done. */
  idle(): Promise<void> {
    return this.#queue.run(() => Promise.resolve());
  }

  /** The file may have changed. @param savedText what this window has just saved there. */
  async fileChanged(savedText?: string): Promise<void> {
    const file = this.file;
    if (file === undefined || this.#isDisposed) return;
    const writeCount = this.#writeCount;
    const early = await this.#ctx.reader.read(file, savedText, this.#stored.shadow?.text);
    await this.#queue.run(async () => {
      if (this.#isDisposed) return;
      const isOld = writeCount !== this.#writeCount;
      const reading = isOld ? await this.#ctx.reader.read(file, undefined, this.#stored.shadow?.text) : early;
      if (reading.kind === 'failed') {
        this.#show('unwritable', reading.problem);
        return;
      }
      const working = reading.kind === 'text' ? reading.working : undefined;
      const hash = working === undefined ? undefined : this.#ctx.ambient.hashText(working.text);
      // What the program wrote itself, or an event without news, ends here (I9).
      if (
        working?.raw === this.#working?.raw &&
        working !== undefined &&
        this.#state !== 'syncing' &&
        this.#state !== 'unwritable'
      )
        return;
      this.#working = working;
      this.#workingHash = hash;
      this.#isFileFromSave = savedText !== undefined;
      await this.#acceptBufferMerge(savedText);
      await this.#settle();
    });
  }

  /** Looks again at everything that may have stood in the way: the pause, git, an unsaved buffer, the connection. */
  wake(): void {
    this.#queue.post(() => this.#settle());
  }

  /** Brings a proposal of a former run to its end: the same one is sent again and committed once. */
  resendInFlight(): void {
    if (this.#inFlight !== undefined) this.#send(this.#inFlight);
  }

  /** Takes an entry of the log in; resolves when that is durable, which is before the file is written. */
  applyEntry(entry: LogEntry, newText: string | undefined, lastSyncedIndex: LogIndex): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.post(async () => {
        try {
          this.#history.add(entry);
          if (newText === undefined || entry.hash === undefined) {
            await this.#commit({ lastSyncedIndex });
          } else {
            const head: StoredRevision = { text: newText, hash: entry.hash, index: entry.index };
            await this.#takeHead(
              head,
              { name: entry.author.name, at: entry.at },
              entry.changes,
              entry.proposalId,
              lastSyncedIndex,
            );
          }
          // A head that can be merged at once is recorded together with the write that it causes.
          await this.#settle(resolve);
          await this.#commitRest();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#fail(error);
        }
      });
    });
  }

  /** Takes the library's head in where the entries that led to it are not to be had. */
  applyHead(head: DocumentHead, text: string): Promise<void> {
    return this.#queue.run(async () => {
      if (head.hash === undefined || head.hash === this.#stored.head?.hash) return;
      await this.#takeHead(
        { text, hash: head.hash, index: head.index },
        { name: head.author.name, at: head.at },
        [],
        undefined,
        undefined,
      );
      await this.#settle();
      await this.#commitRest();
    });
  }

  /** Finishes or forgets writes that a crash interrupted. */
  async recover(intent: WriteIntent): Promise<void> {
    const file = this.file;
    if (file === undefined) return;
    const reading = await this.#ctx.reader.read(file, undefined, undefined);
    const hash = reading.kind === 'text' ? this.#ctx.ambient.hashText(reading.working.text) : undefined;
    await this.#queue.run(async () => {
      // Written: what was meant to be true then is true. Not written: shadow and head are as before, and it is merged anew.
      if (hash === intent.afterHash) this.#stored = intent.document;
      await this.#commit({ putDocuments: [this.#stored], removeIntents: [this.docId] });
    });
  }

  async resolve(conflictId: string, resolution: Resolution): Promise<Outcome & { readonly undo?: ResolutionUndo }> {
    return this.#queue.run(async () => {
      const [working, shadow] = [this.#working, this.#stored.shadow];
      if (working === undefined || shadow === undefined || !this.#conflicts.some((one) => one.id === conflictId)) {
        return notDone('conflict-gone', 'This conflict is no longer there.', 'Look at the list again.');
      }
      const merged = await this.#merge(this.#base(), working.text, shadow.text, {
        resolutions: new Map([[conflictId, resolution]]),
      });
      if (merged.conflicts.some((one) => one.id === conflictId)) {
        return notDone(
          'conflict-not-resolved',
          'This choice cannot be put into the file as it is now.',
          'Edit the file by hand and save it.',
        );
      }
      const before = { file: working.text, base: this.#base(), shadow: shadow.text };
      const heldBase = merged.nextBase === shadow.text ? undefined : merged.nextBase;
      const written = await this.#write(working, merged.text, { ...this.#stored, heldBase });
      if (written !== 'written')
        return notDone(
          'file-changed',
          'The file changed while the choice was applied.',
          'Save the file, then choose again.',
        );
      const outgoing = (await this.#merge(this.#base(), merged.text, shadow.text, { unresolved: 'theirs' })).text;
      await this.#settle();
      return {
        isDone: true,
        undo: { docId: this.docId, before, after: { file: merged.text, base: heldBase ?? shadow.text, outgoing } },
      };
    });
  }

  /** Takes a resolution back: the element is held again, with both sides as they were. */
  async undoResolution(undo: ResolutionUndo): Promise<Outcome> {
    return this.#queue.run(async () => {
      const changedSince = notDone(
        'changed-since',
        'This element was changed again since; the choice cannot be taken back in one step.',
        'Edit the file by hand and save it.',
      );
      const [working, shadow] = [this.#working, this.#stored.shadow];
      if (working === undefined || shadow === undefined || this.#inFlight !== undefined) return changedSince;
      const file = await this.#merge(undo.after.file, working.text, undo.before.file);
      const library = await this.#merge(undo.after.outgoing, shadow.text, undo.before.shadow);
      const base = await this.#merge(undo.before.shadow, library.text, undo.before.base);
      if ([file, base, library].some((one) => one.conflicts.length > 0 || hasError(one))) return changedSince;
      const heldBase = base.text === library.text ? undefined : base.text;
      if (library.text === shadow.text) {
        if ((await this.#write(working, file.text, { ...this.#stored, heldBase })) !== 'written') return changedSince;
      } else {
        // The library takes its side back as a change of its own; when it is committed, the clash is there again.
        if (file.text !== working.text && (await this.#write(working, file.text, this.#stored)) !== 'written')
          return changedSince;
        await this.#propose(library.text, heldBase, 'resolve');
      }
      await this.#settle();
      return { isDone: true };
    });
  }

  /** Puts what waits into the unsaved buffer, merged with what was typed there. */
  async mergeIntoBuffer(): Promise<Outcome> {
    return this.#queue.run(async () => {
      const [file, head, shadow] = [this.file, this.#stored.head, this.#stored.shadow];
      const buffer = file === undefined ? undefined : this.#ctx.files.unsavedText(file);
      if (file === undefined || buffer === undefined || head === undefined || head.hash === shadow?.hash) {
        return notDone('nothing-waits', 'Nothing waits for this file.', undefined);
      }
      const working = workingText(buffer);
      const merged = await this.#merge(this.#base(), working.text, head.text);
      if (hasError(merged))
        return notDone(
          'buffer-invalid',
          'The text in the editor cannot be read as YAML or JSON at the moment.',
          'Mend it, then merge.',
        );
      const splices = toRawSplices(working, await this.#ctx.merger.diff(working.text, merged.text));
      if (!(await this.#ctx.files.editBuffer(file, splices)))
        return notDone('buffer-changed', 'The text in the editor changed meanwhile.', 'Try again.');
      this.#bufferMerge = { head, heldBase: merged.nextBase === head.text ? undefined : merged.nextBase };
      return { isDone: true };
    });
  }

  /** The person decided about a file that something outside set back: the library's text again, or this one as a change. */
  async leaveBehind(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#queue.run(async () => {
      const [working, shadow] = [this.#working, this.#stored.shadow];
      if (this.#behind === undefined || working === undefined || shadow === undefined)
        return notDone('not-behind', 'This file is not behind.', undefined);
      if (choice === 'bringBack') {
        const merged = await this.#merge(working.text, working.text, shadow.text);
        if ((await this.#write(working, merged.text, this.#stored)) !== 'written')
          return notDone('file-changed', 'The file changed meanwhile.', 'Try again.');
      } else {
        this.#history.forget(this.#behind);
      }
      this.#behind = undefined;
      await this.#settle();
      return { isDone: true };
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#retry?.dispose();
    this.#queue.dispose();
  }

  // ---- taking in ----

  async #takeHead(
    head: StoredRevision,
    author: StoredAuthor,
    changes: readonly string[],
    proposalId: Proposal['proposalId'] | undefined,
    lastSyncedIndex: LogIndex | undefined,
  ): Promise<void> {
    // A head without a proposal's id came instead of the entries; what reads as our proposal is our proposal.
    const own =
      proposalId === undefined || this.#inFlight?.proposal.proposalId === proposalId ? this.#inFlight : undefined;
    const syncedIndex = lastSyncedIndex === undefined ? {} : { lastSyncedIndex };
    if (own !== undefined && own.text === head.text) {
      // Our own proposal: the file was already merged with it when it was made.
      this.#inFlight = undefined;
      this.#stored = { ...this.#stored, shadow: head, head, heldBase: own.heldBase };
      await this.#commit({ ...syncedIndex, putDocuments: [this.#stored], removeOutbox: [own.proposal.proposalId] });
      return;
    }
    this.#stored = { ...this.#stored, head };
    this.#headAuthor = author;
    this.#headChanges = changes;
    this.#uncommitted = { ...syncedIndex, putDocuments: [this.#stored] };
  }

  async #acceptBufferMerge(savedText: string | undefined): Promise<void> {
    const merge = this.#bufferMerge;
    this.#bufferMerge = undefined;
    if (merge === undefined || savedText === undefined) return;
    this.#stored = { ...this.#stored, shadow: merge.head, heldBase: merge.heldBase };
    await this.#commit({ putDocuments: [this.#stored] });
  }

  // ---- settling ----

  async #settle(onDurable?: () => void): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      if (this.#isDisposed || this.file === undefined || !(await this.#ctx.mayWork())) return;
      if ((await this.#round(onDurable)) === 'rest') return;
    }
    this.#ctx.ambient.logger.warn('A document does not come to rest; it waits for the next change.', {
      path: this.#stored.libraryPath,
    });
  }

  async #round(onDurable: (() => void) | undefined): Promise<Round> {
    const { shadow, head } = this.#stored;
    const file = this.file;
    if (file === undefined) return 'rest';
    if (this.#working === undefined) {
      if (shadow !== undefined) return this.#show('missing', fileMissing(file));
      return head === undefined ? this.#show('syncing') : this.#createFile(file, head, onDurable);
    }
    if (this.#workingHash === head?.hash && head !== undefined && shadow?.hash !== head.hash) {
      // The file reads as the library does already: first contact of equal copies, or the same edit made twice.
      this.#stored = { ...this.#stored, shadow: head, heldBase: undefined };
      await this.#commit({ putDocuments: [this.#stored] });
      onDurable?.();
      return 'again';
    }
    const error = await this.#errorIn(this.#working.text, this.#workingHash);
    if (error !== undefined)
      return this.#show('invalid', {
        code: error.code,
        message: error.message,
        remedy: 'Nothing is sent until it is mended.',
      });
    if (this.#isTakenBack()) return this.#show('behind', fileBehind(file));
    if (head !== undefined && head.hash !== shadow?.hash) return this.#mergeHead(file, head, onDurable);
    return this.#sendLocalChange();
  }

  async #createFile(file: string, head: StoredRevision, onDurable: (() => void) | undefined): Promise<Round> {
    const document: StoredDocument = { ...this.#stored, shadow: head, heldBase: undefined };
    await this.#commit({ putIntents: [{ docId: this.docId, beforeHash: undefined, afterHash: head.hash, document }] });
    onDurable?.();
    this.#writeCount += 1;
    const outcome = await this.#ctx.files.write({
      file,
      before: undefined,
      after: head.text,
      splices: [{ offset: 0, deleteCount: 0, insert: head.text }],
    });
    if (outcome.kind === 'written') {
      this.#working = workingText(head.text);
      this.#workingHash = head.hash;
      this.#stored = document;
    } else if (outcome.kind === 'changed') {
      await this.#readAgain(file);
    }
    await this.#commit({ putDocuments: [this.#stored], removeIntents: [this.docId] });
    if (outcome.kind === 'failed') return this.#waitForDisk(outcome.problem);
    if (outcome.kind === 'unsaved') return this.#show('waiting');
    this.#tellApplied();
    return 'again';
  }

  async #mergeHead(file: string, head: StoredRevision, onDurable: (() => void) | undefined): Promise<Round> {
    const working = this.#working;
    if (working === undefined || this.#ctx.files.hasUnsavedEdits(file)) return this.#show('waiting');
    this.#show('syncing');
    const merged = await this.#merge(this.#base(), working.text, head.text);
    if (hasError(merged) || (merged.text === head.text && (await this.#errorIn(head.text, head.hash)) !== undefined)) {
      return this.#show('invalid', {
        code: 'library-revision-unreadable',
        message: 'The library has a revision of this document that cannot be read.',
        remedy: 'Ask its author to mend it; your file stays as it is.',
      });
    }
    const heldBase = merged.nextBase === head.text ? undefined : merged.nextBase;
    const document: StoredDocument = {
      ...this.#stored,
      shadow: head,
      heldBase,
      attribution: this.#attribute(merged.conflicts),
    };
    const written = await this.#write(working, merged.text, document, onDurable);
    if (written === 'changed') {
      await this.#readAgain(file);
      return 'again';
    }
    if (written === 'written') {
      this.#setConflicts(merged.conflicts);
      if (merged.text !== working.text) this.#tellApplied();
      return 'again';
    }
    return 'rest';
  }

  async #sendLocalChange(): Promise<Round> {
    const working = this.#working;
    if (working === undefined) return 'rest';
    const shadow = this.#stored.shadow;
    let outgoing = working.text;
    let heldBase: string | undefined;
    if (this.#stored.heldBase !== undefined && shadow !== undefined) {
      const held = await this.#merge(this.#base(), working.text, shadow.text);
      this.#setConflicts(held.conflicts);
      if (held.conflicts.length > 0) {
        outgoing = (await this.#merge(this.#base(), working.text, shadow.text, { unresolved: 'theirs' })).text;
        heldBase = (await this.#merge(this.#base(), working.text, shadow.text, { unresolved: 'base' })).text;
      }
    } else {
      this.#setConflicts([]);
    }
    const rest: DocumentState = this.#conflicts.length > 0 ? 'held' : 'inStep';
    if (this.#inFlight !== undefined) return this.#show('syncing');
    if (outgoing === shadow?.text) {
      if (heldBase === undefined && this.#stored.heldBase !== undefined) {
        // Nothing is held any more: the next merge starts from the shadow again.
        this.#stored = { ...this.#stored, heldBase: undefined };
        await this.#commit({ putDocuments: [this.#stored] });
      }
      return this.#show(rest);
    }
    const hash = this.#ctx.ambient.hashText(outgoing);
    if (hash === this.#rejectedHash) return this.#show(this.#state, this.#problem);
    const link = this.#ctx.link();
    if (link?.status.connection !== 'connected' || (this.#stored.head?.index ?? 0) < this.#awaitedIndex)
      return this.#show('syncing');
    if (!this.#isFileFromSave && shadow !== undefined && (await this.#history.isTakingBack(hash, link))) {
      this.#behind = this.#workingHash;
      return 'again';
    }
    await this.#propose(outgoing, heldBase, shadow === undefined ? 'create' : 'edit');
    return this.#show('syncing');
  }

  /** Whether the file still is the old revision that something outside set it back to. */
  #isTakenBack(): boolean {
    if (this.#behind === undefined) return false;
    if (this.#behind === this.#workingHash) return true;
    this.#behind = undefined;
    return false;
  }

  // ---- sending ----

  async #propose(text: string, heldBase: string | undefined, kind: 'create' | 'edit' | 'resolve'): Promise<void> {
    const { shadow, libraryPath } = this.#stored;
    const { hashText } = this.#ctx.ambient;
    const before = shadow?.text ?? '';
    const patch = await this.#ctx.merger.diff(before, text);
    const { proposalId, nextProposalNumber } = this.#ctx.takeProposalNumber();
    const proposal: Proposal = {
      proposalId,
      docId: this.docId,
      kind: shadow === undefined ? 'create' : kind,
      baseHash: shadow?.hash,
      hash: hashText(text),
      patch,
      ...(shadow === undefined ? { path: libraryPath } : {}),
      changes: [],
    };
    const item: OutboxItem = { proposal, text, heldBase };
    await this.#commit({ putOutbox: [item], nextProposalNumber });
    this.#inFlight = item;
    this.#send(item);
  }

  #send(item: OutboxItem): void {
    const link = this.#ctx.link();
    if (link === undefined) return;
    link.propose(item.proposal).then(
      (answer) => this.#queue.post(() => this.#answered(item, answer)),
      (error: unknown) => {
        // The link was let go: the proposal is in the outbox and is sent again by whoever serves this replica next.
        if (!(error instanceof LinkClosedError)) this.#fail(error);
      },
    );
  }

  async #answered(item: OutboxItem, answer: ProposeResult): Promise<void> {
    if (this.#inFlight !== item) return;
    // Its entry comes next, unless the log's heads came instead of it.
    if (answer.kind === 'committed' && answer.index > (this.#stored.head?.index ?? 0)) return;
    this.#inFlight = undefined;
    await this.#commit({ removeOutbox: [item.proposal.proposalId] });
    if (answer.kind === 'committed') return this.#settle();
    if (answer.kind === 'rejected') {
      this.#rejectedHash = item.proposal.hash;
      this.#ctx.ambient.logger.warn('The leader refused a change.', {
        code: answer.code,
        path: this.#stored.libraryPath,
      });
      this.#show('invalid', {
        code: answer.code,
        message: answer.message,
        remedy: 'Your file stays as it is; change it and save again.',
      });
      return;
    }
    if (answer.head === undefined) {
      // The library does not know this document (any more): it is created there again.
      this.#stored = { ...this.#stored, shadow: undefined, head: undefined, heldBase: undefined };
      await this.#commit({ putDocuments: [this.#stored] });
    } else if (answer.head.docId !== this.docId) {
      this.#ctx.pathTaken(this.docId, answer.head);
      return;
    } else {
      await this.#meetHead(answer.head);
    }
    await this.#settle();
    await this.#commitRest();
  }

  /** The leader's head is not ours: it is on its way, or the log is not the one that we followed and has to be asked. */
  async #meetHead(head: DocumentHead): Promise<void> {
    const known = this.#stored.head;
    if (known === undefined || head.index > known.index) {
      this.#awaitedIndex = head.index;
      return;
    }
    if (head.hash === undefined || head.hash === known.hash) return;
    const text = await this.#ctx.link()?.fetchRevision(this.docId, head.hash);
    if (text === undefined) return;
    await this.#takeHead(
      { text, hash: head.hash, index: head.index },
      { name: head.author.name, at: head.at },
      [],
      undefined,
      undefined,
    );
  }

  // ---- writing ----

  /** Makes the intent durable, writes, and makes durable what is true then. */
  async #write(
    working: WorkingText,
    text: string,
    document: StoredDocument,
    onDurable?: () => void,
  ): Promise<'written' | 'changed' | 'rest'> {
    const file = this.file;
    if (file === undefined) return 'rest';
    if (text !== working.text) {
      const { hashText } = this.#ctx.ambient;
      const splices = toRawSplices(working, await this.#ctx.merger.diff(working.text, text));
      const after = applySplices(working.raw, splices);
      await this.#commit({
        putIntents: [{ docId: this.docId, beforeHash: hashText(working.text), afterHash: hashText(text), document }],
      });
      onDurable?.();
      this.#writeCount += 1;
      const outcome = await this.#ctx.files.write({ file, before: working.raw, after, splices });
      if (outcome.kind !== 'written') {
        await this.#commit({ removeIntents: [this.docId] });
        if (outcome.kind === 'changed') return 'changed';
        if (outcome.kind === 'unsaved') this.#show('waiting');
        else this.#waitForDisk(outcome.problem);
        return 'rest';
      }
      this.#working = workingText(after);
      this.#workingHash = hashText(text);
      // A merge checks its own result.
      this.#validHash = this.#workingHash;
      this.#isFileFromSave = false;
    }
    this.#stored = { ...document, head: newer(document.head, this.#stored.head) };
    await this.#commit({ putDocuments: [this.#stored], removeIntents: [this.docId] });
    onDurable?.();
    return 'written';
  }

  async #readAgain(file: string): Promise<void> {
    const reading = await this.#ctx.reader.read(file, undefined, this.#stored.shadow?.text);
    if (reading.kind === 'failed') return;
    this.#working = reading.kind === 'text' ? reading.working : undefined;
    this.#workingHash = this.#working === undefined ? undefined : this.#ctx.ambient.hashText(this.#working.text);
    this.#isFileFromSave = false;
  }

  #waitForDisk(problem: UserProblem): Round {
    this.#retry?.dispose();
    this.#retry = this.#ctx.ambient.scheduler.after(WRITE_RETRY_MS, () => this.wake());
    return this.#show('unwritable', problem);
  }

  /** One transaction, together with what an entry left to be written. */
  async #commit(change: ReplicaChange): Promise<void> {
    const rest = this.#uncommitted;
    this.#uncommitted = undefined;
    const documents = new Map(
      [...(rest?.putDocuments ?? []), ...(change.putDocuments ?? [])].map((one) => [one.docId, one]),
    );
    try {
      await this.#ctx.store.commit({
        ...rest,
        ...change,
        ...(documents.size === 0 ? {} : { putDocuments: [...documents.values()] }),
      });
    } catch (error) {
      this.#uncommitted = rest;
      throw error;
    }
  }

  async #commitRest(): Promise<void> {
    if (this.#uncommitted !== undefined) await this.#commit({});
  }

  // ---- small things ----

  /** The first thing that keeps the text from being read as a document; asked once for each text. */
  async #errorIn(text: string, hash: RevisionHash | undefined): Promise<Problem | undefined> {
    if (hash !== undefined && hash === this.#validHash) return undefined;
    const problems = await this.#ctx.merger.check(text, this.#format());
    const error = problems.find((one) => one.severity === 'error');
    if (error === undefined) this.#validHash = hash;
    return error;
  }

  #merge(base: string, ours: string, theirs: string, options: MergeOptions = {}): Promise<MergeResult> {
    return this.#ctx.merger.merge({ base, ours, theirs }, this.#format(), {
      infoVersion: this.#ctx.infoVersion,
      ...options,
    });
  }

  #base(): string {
    return this.#stored.heldBase ?? this.#stored.shadow?.text ?? '';
  }

  #format(): DocumentFormat {
    return /\.json$/i.test(this.#stored.libraryPath) ? 'json' : 'yaml';
  }

  #attribute(conflicts: readonly MergeConflict[]): Readonly<Record<string, StoredAuthor>> {
    const author = this.#headAuthor ?? { name: 'the library', at: this.#ctx.ambient.clock.wallNow() };
    return Object.fromEntries(conflicts.map(({ id }) => [id, this.#stored.attribution[id] ?? author]));
  }

  #tellApplied(): void {
    this.#ctx.applied({
      file: this.status.file,
      path: this.status.path,
      authorName: this.#headAuthor?.name ?? 'the library',
      changes: this.#headChanges,
    });
  }

  #setConflicts(conflicts: readonly MergeConflict[]): void {
    this.#conflicts = conflicts;
  }

  #show(state: DocumentState, problem?: UserProblem): Round {
    this.#state = state;
    this.#problem = problem;
    this.#ctx.changed();
    return 'rest';
  }

  #fail(error: unknown): void {
    this.#ctx.ambient.logger.error('A document could not be brought in step.', {
      path: this.#stored.libraryPath,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    if (this.#isDisposed) return;
    this.#waitForDisk({
      code: 'state-not-written',
      message: 'What happened to this file could not be recorded.',
      remedy: 'It is tried again; see the log.',
    });
  }
}

function newer(a: StoredRevision | undefined, b: StoredRevision | undefined): StoredRevision | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.index >= b.index ? a : b;
}

function hasError(result: MergeResult): boolean {
  return result.problems.some((one) => one.severity === 'error');
}

function notDone(
  code: string,
  message: string,
  remedy: string | undefined,
): { readonly isDone: false; readonly problem: UserProblem } {
  return { isDone: false, problem: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
}

function fileName(file: string): string {
  return file.split(/[\\/]/).pop() ?? file;
}

function fileMissing(file: string): UserProblem {
  return {
    code: 'file-missing',
    message: `${fileName(file)} is not there any more.`,
    remedy: 'It goes on when the file is back; nobody else loses it.',
  };
}

function fileBehind(file: string): UserProblem {
  return {
    code: 'file-behind',
    message: `${fileName(file)} was set back to an older version, not by typing.`,
    remedy: 'Bring the newer version back, or keep yours and send it.',
  };
}
