import type { DocId, RevisionHash } from '../../core/ids.ts';
import type { DocumentFormat, MergeConflict, MergeOptions, MergeResult } from '../../core/merge/types.ts';
import { formatOfPath } from '../../core/openapi/documentFormat.ts';
import type { Problem } from '../../core/problem.ts';
import { inOrder } from '../../core/replication/replicaChange.ts';
import type {
  ReplicaChange,
  StoredAuthor,
  StoredDocument,
  StoredRevision,
} from '../../core/replication/replicaStore.ts';
import { isInFile } from '../../core/replication/replicaStore.ts';
import type { WorkingText } from '../../core/workingText.ts';
import type { DocumentContext, FileReading, GitText } from './replicaPorts.ts';
import type { SharedCommit } from './sharedCommit.ts';

interface Reading {
  /** Undefined: the file was not there. */
  readonly text: string | undefined;
  /** The file's own time. */
  readonly time: number;
}

/** Files are set back to what they were lately; a document that moves about all the time must not grow. */
const MAX_FORMER_PATHS = 20;

/** More than these in one go nobody reads. */
const MAX_HEAD_CHANGES = 100;

/** What is known of one document: the durable part, the file as it was last read, and the texts that follow from both. */
export class DocumentRecord {
  readonly ctx: DocumentContext;
  #stored: StoredDocument;
  conflicts: readonly MergeConflict[] = [];
  #place: { readonly localPath: string; readonly file: string } | undefined;
  #headAuthor: StoredAuthor | undefined;
  #headAuthorNames: readonly string[] = [];
  #headChanges: readonly string[] = [];
  /** Whether the working text came from a save in this window, by a person's hand. */
  isFileFromSave = false;
  #isRead = false;
  #hindrancesAtReading = 0;
  /** The file as it was last read; undefined: not yet by this process. */
  #lastReading: Reading | undefined;
  #readingBefore: Reading | undefined;
  #working: WorkingText | undefined;
  #workingHash: RevisionHash | undefined;
  /** The newest text that was found readable. */
  #validHash: RevisionHash | undefined;
  #uncommitted: ReplicaChange | undefined;
  #agreedBefore: StoredRevision | undefined;

  constructor(ctx: DocumentContext, stored: StoredDocument) {
    this.ctx = ctx;
    this.#stored = stored;
  }

  get stored(): StoredDocument {
    return this.#stored;
  }

  set stored(document: StoredDocument) {
    this.#stored = withFormerPaths(this.#stored, document);
  }

  /** Absolute path of this copy; undefined where the document has none here. */
  get file(): string | undefined {
    const { localPath } = this.stored;
    if (localPath === undefined) return undefined;
    // Joining paths is most of what the statuses of 3,000 documents cost, and they are read whenever one of them changes.
    if (this.#place?.localPath !== localPath) this.#place = { localPath, file: this.ctx.fileOf(localPath) };
    return this.#place.file;
  }

  /** The file as it was last read or written; undefined where it is not there. */
  get working(): WorkingText | undefined {
    return this.#working;
  }

  get workingHash(): RevisionHash | undefined {
    return this.#workingHash;
  }

  /** The base of the next merge. */
  get base(): string {
    return this.stored.heldBase ?? this.stored.shadow?.text ?? '';
  }

  /** Where the library is to have the document, as far as this copy is concerned. */
  get ownPath(): string {
    const { localPath, libraryPath } = this.stored;
    return this.ctx.sharesPaths && localPath !== undefined ? localPath : libraryPath;
  }

  get format(): DocumentFormat {
    return formatOfPath(this.stored.libraryPath);
  }

  /** Whether it is known what the file reads like, or that it is not there. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /**
   * What the file has all of, and the library has nothing of ([REC-04]): its shadow before the document became new. Not
   * durable: after a crash only what reads differently is asked about.
   */
  get agreedBefore(): StoredRevision | undefined {
    return this.#stored.shadow === undefined ? this.#agreedBefore : undefined;
  }

  /** The library does not take it. Whether there was anything to forget. */
  forgetAgreedBefore(): boolean {
    const wasThere = this.agreedBefore !== undefined;
    this.#agreedBefore = undefined;
    return wasThere;
  }

  /** The library does not know the document: it is created there again. */
  async becomeNew(): Promise<void> {
    // What is held is in the file and not in the shadow: as what others begin with, that would have us take theirs out.
    if (isInFile(this.#stored)) this.#agreedBefore = this.#stored.shadow;
    this.stored = unknownToLibrary(this.#stored);
    await this.commit({ putDocuments: [this.#stored] });
  }

  /** The document's copy gets this place: what was known of the file is of another one. */
  async takePlace(document: StoredDocument): Promise<void> {
    await this.commit({ putDocuments: [document] });
    this.stored = document;
    this.#agreedBefore = undefined;
    this.setWorking(undefined, false);
    this.#isRead = false;
  }

  /**
   * To be told before the working text is set.
   * @param hindranceCount from before the reading that the working text is of.
   */
  noteReading(hindranceCount: number, reading: Exclude<FileReading, { readonly kind: 'failed' }>): void {
    this.#hindrancesAtReading = hindranceCount;
    const working = reading.kind === 'text' ? reading.working : undefined;
    if (!this.#isRead || working?.raw !== this.#working?.raw) this.#readingBefore = this.#lastReading;
    this.#lastReading = { text: working?.text, time: reading.kind === 'text' ? reading.modifiedAt : 0 };
  }

  /**
   * Whether the file had this text after what was read of it before the working text: so it was there in between, and
   * nobody told us.
   */
  wasSeenBetween({ text, modifiedAt }: GitText): boolean {
    const { text: textBefore, time } = this.#readingBefore ?? {
      time: this.stored.fileTime,
      text: this.stored.shadow?.text,
    };
    // Not known: an earlier release has written the state.
    if (time === undefined) return true;
    return modifiedAt > time || (modifiedAt === time && text !== textBefore);
  }

  /** Whether git has been at work since the file was read, so that the text may be another branch's. */
  get isReadingOutdated(): boolean {
    return this.#isRead && this.#hindrancesAtReading !== this.ctx.hindranceCount();
  }

  setWorking(working: WorkingText | undefined, isFromSave: boolean): void {
    this.#isRead = true;
    this.#working = working;
    this.#workingHash = working === undefined ? undefined : this.ctx.ambient.hashText(working.text);
    this.isFileFromSave = isFromSave;
  }

  /** The working text is the result of a merge, which checks itself. */
  trustWorking(): void {
    this.#validHash = this.#workingHash;
  }

  merge(base: string, ours: string, theirs: string, options: MergeOptions = {}): Promise<MergeResult> {
    return this.ctx.merger.merge({ base, ours, theirs }, this.format, {
      infoVersion: this.ctx.infoVersion,
      ...options,
    });
  }

  /** Who made the newest head that was taken in. */
  get headAuthor(): StoredAuthor | undefined {
    return this.#headAuthor;
  }

  /** Who made what is to be merged into the file, or was merged last. */
  get headAuthorNames(): readonly string[] {
    return this.#headAuthorNames;
  }

  /** What changes with that, as people say it. */
  get headChanges(): readonly string[] {
    return this.#headChanges;
  }

  /**
   * A head was taken in: what it brings comes into the file together with what was not merged yet.
   * @param isMerged whether everything before it was.
   */
  noteHead(author: StoredAuthor, changes: readonly string[], isMerged: boolean): void {
    const before = isMerged ? { names: [], changes: [] } : { names: this.#headAuthorNames, changes: this.#headChanges };
    this.#headAuthor = author;
    this.#headAuthorNames = [...new Set([...before.names, author.name])];
    this.#headChanges = [...new Set([...before.changes, ...changes])].slice(-MAX_HEAD_CHANGES);
  }

  /** The library's revision where it was not merged into the file yet. */
  get newHead(): StoredRevision | undefined {
    const { head, shadow } = this.stored;
    if (head === undefined) return undefined;
    // A head that reads as the shadow is none, unless the file may hold what came in between.
    return head.hash !== shadow?.hash || this.stepTo(head) !== undefined ? head : undefined;
  }

  /**
   * Merges a new head with the file's text (or an unsaved buffer's). A head that may be in the text already is merged
   * first: what it brought is no change of ours where a later head takes it out again.
   */
  async mergeHead(ours: string, head: StoredRevision): Promise<MergeResult> {
    const step = this.stepTo(head);
    if (step === undefined) return this.merge(this.base, ours, head.text);
    const first = await this.merge(this.base, ours, step.text);
    return hasError(first) ? first : this.merge(first.nextBase, first.text, head.text);
  }

  /** A revision between shadow and head that may be in the file, or in its unsaved buffer. */
  stepTo(head: StoredRevision): StoredRevision | undefined {
    const { perhapsIn, shadow } = this.stored;
    const isBetween = perhapsIn !== undefined && perhapsIn.index > (shadow?.index ?? 0) && perhapsIn.index < head.index;
    return isBetween ? perhapsIn : undefined;
  }

  /** The first thing that keeps the text from being read as a document; asked once for each text. */
  async errorIn(text: string, hash: RevisionHash | undefined): Promise<Problem | undefined> {
    if (hash !== undefined && hash === this.#validHash) return undefined;
    const problems = await this.ctx.merger.check(text, this.format);
    const error = problems.find((one) => one.severity === 'error');
    if (error === undefined) this.#validHash = hash;
    return error;
  }

  /** Keeps a change for the next transaction, so that what belongs together is written together. */
  postpone(change: ReplicaChange): void {
    this.#uncommitted = inOrder(this.#uncommitted === undefined ? [change] : [this.#uncommitted, change]);
  }

  /** One transaction, together with what was postponed. Rejects where none of it is on disk; then only this change is forgotten. */
  async commit(change: ReplicaChange): Promise<void> {
    const rest = this.#uncommitted;
    this.#uncommitted = undefined;
    try {
      await this.ctx.store.commit(this.#durableForm(inOrder(rest === undefined ? [change] : [rest, change])));
    } catch (error) {
      this.#uncommitted = rest;
      throw error;
    }
  }

  /** The same for what has happened already and cannot be taken back: if it fails, the next transaction brings it. */
  async commitFact(change: ReplicaChange): Promise<void> {
    this.postpone(change);
    await this.commitPostponed();
  }

  /** The same as part of a transaction of several documents. */
  async commitWith(together: SharedCommit, change: ReplicaChange): Promise<void> {
    const rest = this.#uncommitted;
    this.#uncommitted = undefined;
    try {
      await together.join(this.#durableForm(inOrder(rest === undefined ? [change] : [rest, change])));
    } catch (error) {
      this.#uncommitted = rest;
      throw error;
    }
  }

  async commitPostponed(): Promise<void> {
    if (this.#uncommitted !== undefined) await this.commit({});
  }

  /** The same without waiting for it: a crash may take it, with all that comes after it. */
  commitPostponedLater(): void {
    const change = this.#uncommitted;
    this.#uncommitted = undefined;
    if (change !== undefined) this.ctx.store.commitLater(this.#durableForm(change));
  }

  #durableForm({ putDocuments, ...others }: ReplicaChange): ReplicaChange {
    if (putDocuments === undefined) return others;
    const fileTime = this.#lastReading?.time ?? this.stored.fileTime;
    const put = putDocuments.map((one) => ({ ...withPathKnown(withFormerPaths(this.#stored, one)), fileTime }));
    return { ...others, putDocuments: put };
  }
}

/** A document of which nothing is agreed yet. @param localPath where its copy lies here, if it has one. */
export function newDocument(docId: DocId, libraryPath: string, localPath: string | undefined): StoredDocument {
  return {
    docId,
    libraryPath,
    localPath,
    shadow: undefined,
    heldBase: undefined,
    head: undefined,
    attribution: {},
  };
}

/** A place that a document leaves is remembered with it. */
function withFormerPaths(known: StoredDocument, next: StoredDocument): StoredDocument {
  const { libraryPath, formerPaths = [] } = known;
  if (next.libraryPath === libraryPath) return next;
  const paths = formerPaths.filter((path) => path !== libraryPath && path !== next.libraryPath);
  return { ...next, formerPaths: [...paths, libraryPath].slice(-MAX_FORMER_PATHS) };
}

/** Whoever takes heads in takes their paths in, too. */
function withPathKnown(document: StoredDocument): StoredDocument {
  return document.head === undefined ? document : { ...document, pathAt: document.head.index };
}

/** Whether a document's path may be another one in the library: an older release has taken entries in without their paths. */
export function isPathUnsure({ head, pathAt }: StoredDocument): boolean {
  return head !== undefined && (pathAt ?? 0) < head.index;
}

/** What stays of a document that the library does not know: its file. */
export function unknownToLibrary(stored: StoredDocument): StoredDocument {
  return {
    ...stored,
    shadow: undefined,
    head: undefined,
    heldBase: undefined,
    perhapsIn: undefined,
    setBackTo: undefined,
    wanted: undefined,
    deleted: undefined,
  };
}

/** What stays of a document whose file is not here any more. */
export function withoutCopy(stored: StoredDocument): StoredDocument {
  return {
    ...stored,
    localPath: undefined,
    shadow: undefined,
    heldBase: undefined,
    perhapsIn: undefined,
    setBackTo: undefined,
    wanted: undefined,
  };
}

/** Whether one of the three texts could not be read, so that nothing was merged. */
export function hasError(result: MergeResult): boolean {
  return result.problems.some((one) => one.severity === 'error');
}
