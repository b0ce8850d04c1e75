import type { DocId } from '../../core/ids.ts';
import type { DocumentReplica } from './documentReplica.ts';

/** The documents of a replica by id and, for those with a copy here, by local path: 3,000 of them are looked up often. */
export class DocumentTable {
  readonly #byId = new Map<DocId, DocumentReplica>();
  readonly #byPath = new Map<string, DocumentReplica>();
  readonly #pathOf = new Map<DocId, string>();

  get(docId: DocId): DocumentReplica | undefined {
    return this.#byId.get(docId);
  }

  /** The document whose copy lies at this local path. */
  at(localPath: string): DocumentReplica | undefined {
    return this.#byPath.get(localPath);
  }

  /** Adds the document, or takes down where its copy lies now. */
  add(document: DocumentReplica): void {
    this.unplace(document.docId);
    this.#byId.set(document.docId, document);
    if (document.localPath === undefined) return;
    this.#byPath.set(document.localPath, document);
    this.#pathOf.set(document.docId, document.localPath);
  }

  remove(document: DocumentReplica): void {
    this.unplace(document.docId);
    this.#byId.delete(document.docId);
  }

  /** The document has no copy here any more. */
  unplace(docId: DocId): void {
    const path = this.#pathOf.get(docId);
    this.#pathOf.delete(docId);
    if (path !== undefined && this.#byPath.get(path)?.docId === docId) this.#byPath.delete(path);
  }

  /** All, also those of the library that have no copy here. */
  all(): IterableIterator<DocumentReplica> {
    return this.#byId.values();
  }

  /** Those with a copy here. */
  local(): readonly DocumentReplica[] {
    return [...this.#byPath.values()];
  }

  /** Those that the library has deleted and that have no copy here. */
  tombstones(): readonly DocumentReplica[] {
    return [...this.#byId.values()].filter(
      ({ stored }) => stored.deleted !== undefined && stored.localPath === undefined,
    );
  }
}
