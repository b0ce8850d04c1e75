import type { DocId } from '../ids.ts';
import type { DocumentHead } from './entry.ts';
import { foldPath } from './libraryPath.ts';

/** What the documents of a library are at the moment: heads by document, and who owns which path. */
export interface Heads {
  head(docId: DocId): DocumentHead | undefined;
  /** The living document that owns the path, or one that differs from it by case only. */
  ownerOfPath(path: string): DocumentHead | undefined;
}

/** The heads after everything that is committed. */
export class HeadTable implements Heads {
  readonly #heads = new Map<DocId, DocumentHead>();
  readonly #owners = new Map<string, DocId>();

  head(docId: DocId): DocumentHead | undefined {
    return this.#heads.get(docId);
  }

  ownerOfPath(path: string): DocumentHead | undefined {
    const docId = this.#owners.get(foldPath(path));
    return docId === undefined ? undefined : this.#heads.get(docId);
  }

  all(): readonly DocumentHead[] {
    return [...this.#heads.values()];
  }

  set(head: DocumentHead): void {
    const before = this.#heads.get(head.docId);
    if (before?.hash !== undefined) this.#owners.delete(foldPath(before.path));
    if (head.hash !== undefined) this.#owners.set(foldPath(head.path), head.docId);
    this.#heads.set(head.docId, head);
  }

  replaceAll(heads: readonly DocumentHead[]): void {
    this.#heads.clear();
    this.#owners.clear();
    for (const head of heads) this.set(head);
  }
}

/** Heads as they will be once the entries of a transaction that is still being put together are committed. */
export class HeadDraft implements Heads {
  readonly #committed: Heads;
  readonly #changed = new Map<DocId, DocumentHead>();

  constructor(committed: Heads) {
    this.#committed = committed;
  }

  head(docId: DocId): DocumentHead | undefined {
    return this.#changed.get(docId) ?? this.#committed.head(docId);
  }

  ownerOfPath(path: string): DocumentHead | undefined {
    const folded = foldPath(path);
    // A transaction holds few documents, so looking through them is cheaper than a second index.
    for (const head of this.#changed.values()) {
      if (head.hash !== undefined && foldPath(head.path) === folded) return head;
    }
    const owner = this.#committed.ownerOfPath(path);
    return owner !== undefined && this.#changed.has(owner.docId) ? undefined : owner;
  }

  set(head: DocumentHead): void {
    this.#changed.set(head.docId, head);
  }

  changed(): readonly DocumentHead[] {
    return [...this.#changed.values()];
  }
}
