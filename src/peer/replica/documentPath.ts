import type { UserProblem } from '../../core/workingFiles.ts';
import type { Outcome } from '../folderSession.ts';
import { nameImpossible, nameQuestion, nameTaken, notDone, placeTaken } from './documentProblems.ts';
import type { DocumentProposals } from './documentProposals.ts';
import type { DocumentRecord } from './documentRecord.ts';
import type { DocumentWriter, Written } from './documentWriter.ts';

/** What a look at the document's name leads to; `rest`: nothing that could be done now. */
export type PathStep =
  | { readonly kind: 'rest' | 'again' | 'stopped' | 'waiting' | 'proposed' }
  | { readonly kind: 'written'; readonly written: Written; readonly from: string };

/**
 * The name of one document, merged like its text: with `agreedPath` the base, the file's place is ours and the library's
 * path is theirs ([REN-01] … [REN-07]). In a folder whose files are paired by hand the names are its own.
 */
export class DocumentPath {
  readonly #record: DocumentRecord;
  readonly #writer: DocumentWriter;
  readonly #proposals: DocumentProposals;
  /** Of two new names, the one that the person has chosen. */
  #chosen: { readonly ours: string | undefined; readonly choice: 'ours' | 'theirs' } | undefined;
  /** The file cannot get the library's name here, and why. */
  #hindrance: UserProblem | undefined;

  constructor(record: DocumentRecord, writer: DocumentWriter, proposals: DocumentProposals) {
    this.#record = record;
    this.#writer = writer;
    this.#proposals = proposals;
  }

  /** The file has a name that the library was not told of, or has not agreed to. */
  get isRenamedHere(): boolean {
    const { ctx, stored } = this.#record;
    const { localPath, shadow, agreedPath, libraryPath } = stored;
    return (
      ctx.sharesPaths && shadow !== undefined && localPath !== undefined && localPath !== (agreedPath ?? libraryPath)
    );
  }

  /** The library has given the document a name that its file here does not have yet. */
  get isRenamedThere(): boolean {
    return this.#record.stored.agreedPath !== undefined;
  }

  /** What a person has to decide or to mend; undefined where the name is in step or on the way to it. */
  get question(): UserProblem | undefined {
    const { localPath, libraryPath } = this.#record.stored;
    if (localPath === undefined || !this.isRenamedHere || this.#choice === 'theirs') return undefined;
    // Also where ours was chosen: another document may have got the name since, and telling again changes nothing.
    if (this.#isRefused) return nameTaken(localPath, libraryPath);
    if (this.#choice === 'ours') return undefined;
    return this.isRenamedThere ? nameQuestion(localPath, libraryPath) : undefined;
  }

  get hindrance(): UserProblem | undefined {
    return this.isRenamedHere || this.isRenamedThere ? this.#hindrance : undefined;
  }

  /** Whether the library is still to be told of the name, or the file to get it. */
  get isUnderWay(): boolean {
    return (this.isRenamedHere || this.isRenamedThere) && this.question === undefined && this.hindrance === undefined;
  }

  get #choice(): 'ours' | 'theirs' | undefined {
    return this.#chosen?.ours === this.#record.stored.localPath ? this.#chosen?.choice : undefined;
  }

  get #isRefused(): boolean {
    const { localPath } = this.#record.stored;
    return localPath !== undefined && this.#proposals.isPathRefused(localPath);
  }

  /**
   * The library says where the document belongs now. Made durable with what comes next.
   * @param isAgreed our own wish, or said by a log whose names are no news: then what differs here is ours.
   */
  take(path: string, isAgreed: boolean): void {
    const record = this.#record;
    const { libraryPath, localPath, agreedPath } = record.stored;
    if (path === libraryPath && !isAgreed) return;
    const base = agreedPath ?? libraryPath;
    const isInStep =
      isAgreed || !record.ctx.sharesPaths || localPath === undefined || localPath === path || base === path;
    record.stored = { ...record.stored, libraryPath: path, agreedPath: isInStep ? undefined : base };
    this.#hindrance = undefined;
    record.postpone({ putDocuments: [record.stored] });
  }

  /** Brings the name one step further. @param file where the document is now. */
  async round(file: string): Promise<PathStep> {
    const { stored } = this.#record;
    if (stored.deleted !== undefined) return { kind: 'rest' };
    if (stored.agreedPath !== undefined && stored.localPath === stored.libraryPath) {
      await this.#settle({ agreedPath: undefined });
      return { kind: 'again' };
    }
    if (!this.isRenamedHere && !this.isRenamedThere) return { kind: 'rest' };
    const wantsTheirs = !this.isRenamedHere || this.#choice === 'theirs';
    if (wantsTheirs) return this.#follow(file);
    if (this.question !== undefined) return { kind: 'rest' };
    return this.#tell();
  }

  /** The person decided between two names. */
  decide(choice: 'bringBack' | 'keepMine'): Outcome {
    const { localPath } = this.#record.stored;
    if (this.question === undefined) return notDone('name-not-asked', 'This file has its name.');
    if (choice === 'keepMine' && this.#isRefused) return placeTaken;
    this.#chosen = { ours: localPath, choice: choice === 'keepMine' ? 'ours' : 'theirs' };
    return { isDone: true };
  }

  /** The file gets the name that the library has for it. */
  async #follow(file: string): Promise<PathStep> {
    const record = this.#record;
    const { ctx } = record;
    const { libraryPath, localPath, docId } = record.stored;
    const place = await ctx.placeFor(libraryPath);
    if (place === undefined || localPath === undefined) {
      this.#hindrance = nameImpossible(localPath ?? libraryPath, libraryPath);
      return { kind: 'rest' };
    }
    if (!ctx.places.reserve(place, docId)) {
      this.#hindrance = nameTaken(localPath, libraryPath);
      return { kind: 'rest' };
    }
    this.#hindrance = undefined;
    try {
      return await this.#moveTo(place, file, localPath);
    } finally {
      if (record.stored.localPath === localPath) ctx.places.stayed(docId);
      else ctx.places.moved(docId);
    }
  }

  async #moveTo(place: string, file: string, from: string): Promise<PathStep> {
    const { ctx, working } = this.#record;
    const target = ctx.fileOf(place);
    if (working === undefined) {
      const reading = await ctx.reader.read(target, undefined, undefined);
      // Neither here nor there: it was deleted. There already: it was moved before this could be recorded.
      if (reading.kind !== 'text') return { kind: 'rest' };
      await this.#settle({ localPath: place, agreedPath: undefined });
      await this.#writer.readAgain(target);
      return { kind: 'again' };
    }
    if (ctx.files.hasUnsavedEdits(file)) return { kind: 'waiting' };
    if (!(await ctx.mayWork())) return { kind: 'stopped' };
    const written = await this.#writer.move(file, target, working);
    if (written.kind === 'written') await this.#settle({ localPath: place, agreedPath: undefined });
    return { kind: 'written', written, from };
  }

  /** The library hears of the name that the file has here. */
  async #tell(): Promise<PathStep> {
    const { ctx, stored } = this.#record;
    if (this.#proposals.isInFlight || stored.localPath === undefined || this.#proposals.readyLink() === undefined)
      return { kind: 'rest' };
    if (!(await ctx.mayWork())) return { kind: 'stopped' };
    await this.#proposals.proposeRename(stored.localPath);
    return { kind: 'proposed' };
  }

  async #settle(change: { readonly localPath?: string; readonly agreedPath: undefined }): Promise<void> {
    this.#chosen = undefined;
    this.#record.stored = { ...this.#record.stored, ...change };
    await this.#record.commitFact({ putDocuments: [this.#record.stored] });
  }
}
