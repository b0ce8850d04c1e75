import type { ChangedPlaces } from '../core/history/changedPlaces.ts';
import type { ElementPath } from '../core/history/elementPath.ts';
import type { HistoryTexts } from '../core/history/historyTexts.ts';
import type { RestoredElement } from '../core/history/restoreElement.ts';
import type { DocId, RevisionHash } from '../core/ids.ts';
import type { Splice } from '../core/merge/types.ts';
import type { HashText } from '../core/ports.ts';
import { BulkHistory } from './bulkHistory.ts';
import type { HistoryEntry } from './folderSession.ts';
import type { FolderServing } from './folderServing.ts';

/** The versions of a folder's documents, as far as the library knows them. */
export interface DocumentHistory {
  /** The newest changes of a document, newest first; empty where this window does not serve it. */
  entries(docId: DocId, limit: number): Promise<readonly HistoryEntry[]>;
  /** The text of an earlier version; undefined where it is not known any more. */
  textOf(docId: DocId, hash: RevisionHash): Promise<string | undefined>;
  /** What differs between two versions, by element; undefined where one is not known any more. */
  changedPlaces(docId: DocId, before: RevisionHash, after: RevisionHash): Promise<ChangedPlaces | undefined>;
  /**
   * What a text is with one element as a version has it. Writes nothing; undefined where the version is not known any more.
   * @param current the working file, in revision form.
   */
  restoreElement(
    docId: DocId,
    current: string,
    hash: RevisionHash,
    path: ElementPath,
  ): Promise<RestoredElement | undefined>;
  /** The splices that make one text another. */
  splices(before: string, after: string): Promise<readonly Splice[]>;
  /** The person is about to bring a text back: that is a change, and no accident that has to be asked about. */
  expect(docId: DocId, text: string): void;
}

export interface ServedHistoryOptions {
  readonly serving: Pick<FolderServing, 'link' | 'replica'>;
  readonly texts: HistoryTexts;
  readonly hashText: HashText;
}

/** The history out of the library that a folder is served from. */
export class ServedHistory implements DocumentHistory {
  readonly #options: ServedHistoryOptions;
  readonly #bulks: BulkHistory;

  constructor(options: ServedHistoryOptions) {
    this.#options = options;
    this.#bulks = new BulkHistory({
      bulksOf: async (docId) => (await options.serving.replica?.bulksOf(docId)) ?? [],
      textOf: (docId, hash) => this.textOf(docId, hash),
      texts: options.texts,
    });
  }

  async entries(docId: DocId, limit: number): Promise<readonly HistoryEntry[]> {
    const fetched = (await this.#options.serving.link?.fetchHistory(docId, limit)) ?? [];
    const entries = fetched.map(({ index, kind, author, at, changes, hash, path }) => {
      return { index, kind, authorName: author.name, at, changes, hash, path };
    });
    return this.#bulks.complete(docId, entries);
  }

  async textOf(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    return this.#options.serving.link?.fetchRevision(docId, hash);
  }

  async changedPlaces(docId: DocId, before: RevisionHash, after: RevisionHash): Promise<ChangedPlaces | undefined> {
    const [old, now] = await Promise.all([this.textOf(docId, before), this.textOf(docId, after)]);
    const format = this.#options.serving.replica?.formatOf(docId);
    if (old === undefined || now === undefined || format === undefined) return undefined;
    return this.#options.texts.changedPlaces(old, now, format);
  }

  async restoreElement(
    docId: DocId,
    current: string,
    hash: RevisionHash,
    path: ElementPath,
  ): Promise<RestoredElement | undefined> {
    const version = await this.textOf(docId, hash);
    const format = this.#options.serving.replica?.formatOf(docId);
    if (version === undefined || format === undefined) return undefined;
    return this.#options.texts.restoreElement(current, version, path, format);
  }

  splices(before: string, after: string): Promise<readonly Splice[]> {
    return this.#options.texts.diff(before, after);
  }

  expect(docId: DocId, text: string): void {
    this.#options.serving.replica?.expectVersion(docId, this.#options.hashText(text));
  }
}
