import type { RevisionHash } from '../../core/ids.ts';
import type { DocumentHead } from '../../core/replication/entry.ts';
import type { LibraryLink, Purpose } from '../../core/replication/libraryLink.ts';
import type { StoredRevision } from '../../core/replication/replicaStore.ts';
import type { DocumentRecord } from './documentRecord.ts';

/** So many entries of one document the log may get while its heads are taken in. */
const MAX_ENTRIES_LOOKED_AT = 200;

/**
 * The log is not the one that the shadow comes from (a restored backup, a deleted one), and counts its entries otherwise.
 * The shadow becomes the newest revision that both went through, which is all that a merge may build on ([REC-04]);
 * undefined where there is none, and then only what reads differently on both sides is asked about.
 */
export async function meetOtherLog(record: DocumentRecord, head: DocumentHead): Promise<void> {
  const { shadow, head: oldHead } = record.stored;
  const link = record.ctx.link();
  if (link === undefined) throw new Error('A document can meet another log only over a link.');
  const base = shadow === undefined ? undefined : await newestShared(record, shadow, link, head, 'heads');
  const changed = base?.hash === shadow?.hash ? {} : { heldBase: await heldBaseOn(record, base), perhapsIn: undefined };
  record.stored = {
    ...record.stored,
    ...changed,
    // Whether it is older than what this log has, is found out anew.
    setBackTo: undefined,
    shadow: base,
    head: oldHead !== undefined && oldHead.hash === head.hash ? { ...oldHead, index: head.index } : undefined,
  };
  await record.commit({ putDocuments: [record.stored] });
}

/**
 * What is held reads in the base as it did before the clash; else ours would be taken for a change of theirs, made on
 * purpose. Where the base never had the clash it stays as it is: what else was agreed on in such an element is not known
 * on this log, and as a base it would make ours look unchanged.
 */
async function heldBaseOn(record: DocumentRecord, base: StoredRevision | undefined): Promise<string | undefined> {
  const { heldBase, shadow } = record.stored;
  if (heldBase === undefined || shadow === undefined || base === undefined) return undefined;
  const { text } = await record.merge(shadow.text, heldBase, base.text, { unresolved: 'theirs' });
  return text === base.text ? undefined : text;
}

/**
 * The same of a document that somebody else has created first in a log that began anew ([REC-04]): the newest revision up
 * to the head that the file has gone through; undefined where there is none.
 */
export async function sharedBefore(
  record: DocumentRecord,
  link: LibraryLink,
  { hash, index }: StoredRevision,
): Promise<StoredRevision | undefined> {
  const { agreedBefore, stored } = record;
  if (agreedBefore === undefined) return undefined;
  return await newestShared(record, agreedBefore, link, { docId: stored.docId, hash, index }, undefined);
}

type Head = Pick<DocumentHead, 'docId' | 'hash' | 'index'>;

async function newestShared(
  record: DocumentRecord,
  shadow: StoredRevision,
  link: LibraryLink,
  head: Head,
  purpose: Purpose | undefined,
): Promise<StoredRevision | undefined> {
  const { docId, index } = head;
  for (const hash of new Set([shadow.hash, ...(await record.ctx.store.formerShadows(docId))])) {
    const text = await link.fetchRevision(docId, hash, purpose);
    // Asked in this order: what the log gets between the two questions is among its entries then.
    if (text !== undefined && (await isAncestor(link, hash, head, purpose))) return { text, hash, index };
  }
  return undefined;
}

/**
 * Whether a revision that the log knows is an ancestor of the head that is being taken in. The log goes on meanwhile, and
 * is compacted: a revision from after the head is none, and as base it would have the head read as if somebody had taken
 * out what came in between.
 */
async function isAncestor(
  link: LibraryLink,
  hash: RevisionHash,
  { docId, hash: headHash, index }: Head,
  purpose: Purpose | undefined,
): Promise<boolean> {
  if (hash === headHash) return true;
  const entries = await link.fetchHistory(docId, MAX_ENTRIES_LOOKED_AT, purpose);
  const made = entries.filter((entry) => entry.hash === hash);
  // What no entry made is from before the oldest one, and that tells something only where the log still has the way to the head.
  return (made.length === 0 ? entries : made).some((entry) => entry.index <= index);
}
