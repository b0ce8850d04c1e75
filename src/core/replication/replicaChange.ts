import type { DocId } from '../ids.ts';
import type { OutboxItem, ReplicaChange, StoredDocument, WriteIntent } from './replicaStore.ts';

/** Changes of a replica's state, one after the other, as one: what the last one says of a thing counts. */
export function inOrder(changes: readonly ReplicaChange[]): ReplicaChange {
  const [only] = changes;
  if (only !== undefined && changes.length === 1) return only;
  let whole: ReplicaChange = {};
  const documents = new Latest<StoredDocument>();
  const removedDocuments = new Set<DocId>();
  const outbox = new Latest<OutboxItem>();
  const removedOutbox = new Set<string>();
  const intents = new Latest<WriteIntent>();
  const removedIntents = new Set<DocId>();
  for (const change of changes) {
    whole = { ...whole, ...change };
    // What is removed goes last within a change: so what is put after it was removed is not removed any more.
    for (const document of change.putDocuments ?? []) {
      removedDocuments.delete(document.docId);
      // Each shadow that a document had counts: what the file once was is known by it (`formerShadows`).
      const { docId, shadow, heldBase } = document;
      documents.put(`${docId} ${shadow?.hash ?? ''} ${String(heldBase === undefined)}`, document);
    }
    for (const docId of change.removeDocuments ?? []) removedDocuments.add(docId);
    for (const item of change.putOutbox ?? []) {
      removedOutbox.delete(item.proposal.proposalId);
      outbox.put(item.proposal.proposalId, item);
    }
    for (const proposalId of change.removeOutbox ?? []) removedOutbox.add(proposalId);
    for (const intent of change.putIntents ?? []) {
      removedIntents.delete(intent.docId);
      intents.put(intent.docId, intent);
    }
    for (const docId of change.removeIntents ?? []) removedIntents.add(docId);
  }
  return {
    ...whole,
    putDocuments: documents.items,
    removeDocuments: [...removedDocuments],
    putOutbox: outbox.items,
    removeOutbox: [...removedOutbox],
    putIntents: intents.items,
    removeIntents: [...removedIntents],
  };
}

/** Of the items with one key the last one, in the order in which these came. */
class Latest<T> {
  readonly #byKey = new Map<string, T>();

  put(key: string, item: T): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, item);
  }

  get items(): readonly T[] {
    return [...this.#byKey.values()];
  }
}
