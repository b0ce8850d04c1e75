import type { BulkMemory, RememberedBulk, RememberedPart } from '../../../src/core/history/bulkMemory.ts';
import type { DocId, ProposalId } from '../../../src/core/ids.ts';

/** What a replica remembers of bulks; it survives every process, as `StoreDisk` does. */
export class KeptBulks implements BulkMemory {
  /** Oldest first. */
  readonly #bulks = new Map<ProposalId, { readonly bulk: RememberedBulk; readonly parts: readonly RememberedPart[] }>();

  remember(bulk: RememberedBulk, parts: readonly RememberedPart[]): Promise<void> {
    this.#bulks.delete(bulk.id);
    this.#bulks.set(bulk.id, { bulk, parts });
    return Promise.resolve();
  }

  partsOf(id: ProposalId): Promise<readonly RememberedPart[]> {
    return Promise.resolve(this.#bulks.get(id)?.parts ?? []);
  }

  bulksOf(docId: DocId): ReturnType<BulkMemory['bulksOf']> {
    const found = [...this.#bulks.values()].flatMap(({ bulk, parts }) =>
      parts.flatMap((part) => (part.docId === docId ? [{ ...bulk, baseHash: part.baseHash, hash: part.hash }] : [])),
    );
    return Promise.resolve(found.reverse());
  }
}
