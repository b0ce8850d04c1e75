import type { DocId } from '../../core/ids.ts';
import type { DocumentReplica } from './documentReplica.ts';

/** The documents of a replica by id and, for those with a copy here, by local path: 3,000 of them are looked up often. */
export class DocumentTable {
  readonly #byId = new Map<DocId, DocumentReplica>();
  readonly #byPath = new Map<string, DocumentReplica>();

  get(docId: DocId): DocumentReplica | undefined {
    return this.#byId.get(docId);
  }

  /** The document whose copy lies at this local path. */
  at(localPath: string): DocumentReplica | undefined {
    return this.#byPath.get(localPath);
  }

  add(document: DocumentReplica): void {
    this.#byId.set(document.docId, document);
    if (document.localPath !== undefined) this.#byPath.set(document.localPath, document);
  }

  remove(document: DocumentReplica): void {
    this.#byId.delete(document.docId);
    if (document.localPath !== undefined && this.#byPath.get(document.localPath) === document) {
      this.#byPath.delete(document.localPath);
    }
  }

  /** All, also those of the library that have no copy here. */
  all(): IterableIterator<DocumentReplica> {
    return this.#byId.values();
  }

  /** Those with a copy here. */
  local(): readonly DocumentReplica[] {
    return [...this.#byPath.values()];
  }
}
