import type { DocId, RevisionHash } from '../ids.ts';
import type { HeadText } from './replicatedLog.ts';

interface CachedText extends HeadText {
  readonly hash: RevisionHash;
}

/** Head texts in memory, least recently used first out, bounded by their UTF-16 units altogether. */
export class TextCache {
  readonly #maxUnits: number;
  readonly #texts = new Map<DocId, CachedText>();
  #units = 0;

  constructor(maxUnits: number) {
    this.#maxUnits = maxUnits;
  }

  /** The text of that revision, if it is the one kept for the document. */
  get(docId: DocId, hash: RevisionHash): CachedText | undefined {
    const cached = this.#texts.get(docId);
    if (cached?.hash !== hash) return undefined;
    this.#texts.delete(docId);
    this.#texts.set(docId, cached);
    return cached;
  }

  set(docId: DocId, text: CachedText): void {
    this.delete(docId);
    this.#texts.set(docId, text);
    this.#units += text.text.length;
    for (const [oldest] of this.#texts) {
      if (this.#units <= this.#maxUnits) break;
      this.delete(oldest);
    }
  }

  delete(docId: DocId): void {
    const cached = this.#texts.get(docId);
    if (cached === undefined) return;
    this.#texts.delete(docId);
    this.#units -= cached.text.length;
  }

  clear(): void {
    this.#texts.clear();
    this.#units = 0;
  }
}
