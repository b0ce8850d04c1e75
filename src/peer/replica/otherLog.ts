import type { DocumentHead } from '../../core/replication/entry.ts';
import type { StoredRevision } from '../../core/replication/replicaStore.ts';
import type { DocumentRecord } from './documentRecord.ts';

/**
 * The log is not the one that the shadow comes from (a restored backup, a deleted one), and counts its entries otherwise.
 * The shadow becomes the newest revision that both went through, which is all that a merge may build on ([REC-04]);
 * undefined where there is none, and then only what reads differently on both sides is asked about.
 */
export async function meetOtherLog(record: DocumentRecord, head: DocumentHead): Promise<void> {
  const { shadow, head: oldHead } = record.stored;
  const base = shadow === undefined ? undefined : await commonAncestor(record, head);
  record.stored = {
    ...record.stored,
    shadow: base,
    // Both were worked out from the shadow as it was.
    ...(base?.hash === shadow?.hash ? {} : { heldBase: undefined, perhapsIn: undefined }),
    head: oldHead !== undefined && oldHead.hash === head.hash ? { ...oldHead, index: head.index } : undefined,
  };
  await record.commit({ putDocuments: [record.stored] });
}

async function commonAncestor(
  record: DocumentRecord,
  { docId, index }: DocumentHead,
): Promise<StoredRevision | undefined> {
  const link = record.ctx.link();
  const { shadow } = record.stored;
  if (link === undefined || shadow === undefined) throw new Error('A document can meet another log only over a link.');
  for (const hash of new Set([shadow.hash, ...(await record.ctx.store.formerShadows(docId))])) {
    const text = await link.fetchRevision(docId, hash);
    if (text !== undefined) return { text, hash, index };
  }
  return undefined;
}
