import type { DocId } from '../../core/ids.ts';
import { foldPath } from '../../core/replication/libraryPath.ts';
import type { DocumentLayout } from './documentLayout.ts';
import type { DocumentReplica } from './documentReplica.ts';

/** The documents of a replica by id and, for those with a copy here, by local path: 3,000 of them are looked up often. */
export class DocumentTable {
  readonly #layout: DocumentLayout;
  readonly #byId = new Map<DocId, DocumentReplica>();
  readonly #byPath = new Map<string, DocumentReplica>();
  /** Where each copy lies, and for one that is being moved also where it goes. */
  readonly #pathsOf = new Map<DocId, Set<string>>();
  /** Places that a document could not have, because another one has them or is being moved there. */
  readonly #refused = new Set<string>();

  constructor(layout: DocumentLayout) {
    this.#layout = layout;
  }

  get(docId: DocId): DocumentReplica | undefined {
    return this.#byId.get(docId);
  }

  /** The document whose copy lies at this local path, or is being moved there. */
  at(localPath: string): DocumentReplica | undefined {
    return this.#byPath.get(localPath);
  }

  /** The document whose copy is this file, by its absolute path. */
  ofFile(file: string): DocumentReplica | undefined {
    const localPath = this.#layout.localPathOf(file);
    return localPath === undefined ? undefined : this.at(localPath);
  }

  /** Adds the document, or takes down where its copy lies now. */
  add(document: DocumentReplica): void {
    this.unplace(document.docId);
    this.#byId.set(document.docId, document);
    if (document.localPath !== undefined) this.#place(document, document.localPath);
  }

  /** Keeps a place for a document that is in the table, until it is added again; `false` where another one has it. */
  reserve(document: DocumentReplica, localPath: string): boolean {
    const there = this.#byPath.get(localPath);
    if (there !== undefined && there !== document) {
      this.#refused.add(localPath);
      return false;
    }
    this.#place(document, localPath);
    return true;
  }

  /** Gives up the places that were kept for a document which stays where it is; whether another one was refused one of them. */
  release(document: DocumentReplica): boolean {
    const given = [...(this.#pathsOf.get(document.docId) ?? [])].filter((path) => path !== document.localPath);
    this.add(document);
    // Each of them: what one has been told of is no news for the next.
    return given.filter((path) => this.#refused.delete(path)).length > 0;
  }

  remove(document: DocumentReplica): void {
    this.unplace(document.docId);
    this.#byId.delete(document.docId);
  }

  /** The document has no copy here any more. */
  unplace(docId: DocId): void {
    for (const path of this.#pathsOf.get(docId) ?? [])
      // Another one may have got the place meanwhile.
      if (this.#byPath.get(path)?.docId === docId) this.#byPath.delete(path);
    this.#pathsOf.delete(docId);
  }

  /** All, also those of the library that have no copy here. */
  all(): IterableIterator<DocumentReplica> {
    return this.#byId.values();
  }

  /** Those with a copy here. */
  local(): readonly DocumentReplica[] {
    return [...new Set(this.#byPath.values())];
  }

  /** Those that the library has deleted and that have no copy here. */
  tombstones(): readonly DocumentReplica[] {
    return [...this.#byId.values()].filter(
      ({ stored }) => stored.deleted !== undefined && stored.localPath === undefined,
    );
  }

  /** Those that the library had at this path and that were deleted or renamed since. */
  formerlyAt(libraryPath: string): readonly DocId[] {
    const place = foldPath(libraryPath);
    return [...this.#byId.values()]
      .filter(({ stored: { formerPaths = [], deleted, libraryPath: path } }) =>
        (deleted === undefined ? formerPaths : [...formerPaths, path]).some((former) => foldPath(former) === place),
      )
      .map(({ docId }) => docId);
  }

  /** Those of the library that have no copy here although nobody has deleted them. */
  withoutCopy(): readonly DocumentReplica[] {
    return [...this.#byId.values()].filter(
      ({ stored }) => stored.deleted === undefined && stored.head !== undefined && stored.localPath === undefined,
    );
  }

  #place(document: DocumentReplica, localPath: string): void {
    this.#byPath.set(localPath, document);
    const paths = this.#pathsOf.get(document.docId) ?? new Set<string>();
    paths.add(localPath);
    this.#pathsOf.set(document.docId, paths);
  }
}
