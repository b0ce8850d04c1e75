import type { DocId } from '../../core/ids.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import type { DocumentReplica } from './documentReplica.ts';
import type { DocumentTable } from './documentTable.ts';
import type { FolderWatcher } from './replicaOptions.ts';
import type { Places } from './replicaPorts.ts';

/**
 * Where the copies of the documents lie, while that changes: folders that have one are watched, and who waited for a place
 * that becomes free is told. Which place is whose, the table knows.
 */
export class DocumentPlaces implements Places, Disposable {
  readonly #documents: DocumentTable;
  readonly #watcher: FolderWatcher;
  readonly #logger: Logger;
  readonly #onFree: () => void;
  #isDisposed = false;

  /** @param onFree a place has become free, or a file may have been overlooked: a search gives it to who may have it. */
  constructor(documents: DocumentTable, watcher: FolderWatcher, logger: Logger, onFree: () => void) {
    this.#documents = documents;
    this.#watcher = watcher;
    this.#logger = logger;
    this.#onFree = onFree;
  }

  reserve(localPath: string, docId: DocId): boolean {
    const document = this.#documents.get(docId);
    return document !== undefined && this.#documents.reserve(document, localPath);
  }

  moved(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined) return;
    this.#documents.add(document);
    if (document.localPath !== undefined) this.#inBackground(this.#watcher.watchFoldersOf([document.status.file]));
    this.#left(docId);
  }

  stayed(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined || !this.#documents.release(document)) return;
    this.#wakeWaiting(docId);
    this.#onFree();
  }

  gone(docId: DocId): void {
    this.#documents.unplace(docId);
    this.#wakeWaiting(docId);
    // Somebody may have put a file there in the same moment, and told nobody but the document that is gone.
    this.#onFree();
  }

  forget(docId: DocId): void {
    const document = this.#documents.get(docId);
    if (document === undefined) return;
    this.#documents.remove(document);
    this.#inBackground(document.letGo());
    this.#left(docId);
  }

  /** Copies that are in the table have come to their places: their folders are watched from now on, and their files read. */
  async arrived(documents: readonly DocumentReplica[]): Promise<void> {
    await this.#watchFolders(documents);
    await Promise.all(documents.map((document) => document.fileChanged()));
  }

  /**
   * The same for a document that the library has told of. Nobody waits for its file: a file counts as whole only when it
   * has stayed the same for a moment, and a library has many documents, one after the other.
   */
  async adopted(document: DocumentReplica): Promise<void> {
    await this.#watchFolders([document]);
    // Fails never: see there.
    void document.fileChanged();
  }

  dispose(): void {
    this.#isDisposed = true;
  }

  #watchFolders(documents: readonly DocumentReplica[]): Promise<void> {
    return this.#watcher.watchFoldersOf(documents.map((document) => document.status.file));
  }

  /** Documents of the library that another one kept from having a copy here may get it now. */
  #left(docId: DocId): void {
    this.#wakeWaiting(docId);
    if (this.#documents.withoutCopy().length > 0) this.#onFree();
  }

  /** Somebody may have waited for the place that a document has left. */
  #wakeWaiting(left: DocId): void {
    for (const other of this.#documents.local()) if (other.docId !== left && other.waitsForName) other.wake();
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#isDisposed) this.#logger.error('What follows a renamed file failed.', { error: String(error) });
    });
  }
}
