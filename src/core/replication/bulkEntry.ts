import type { ProposalId } from '../ids.ts';
import type { BulkEntry, BulkProposal, DocumentEntry, LogEntry, Proposal } from './entry.ts';

/** An entry as the changes of single documents that it is: a bulk is as many edits, any other entry is itself. */
export function documentEntries(entry: LogEntry): readonly DocumentEntry[] {
  if (entry.kind !== 'bulk') return [entry];
  const { index, term, author, at } = entry;
  return entry.documents.map(({ proposalId, docId, baseHash, hash, patch }) => ({
    index,
    term,
    proposalId,
    docId,
    kind: 'edit',
    baseHash,
    hash,
    patch: patch ?? [],
    changes: [],
    author,
    at,
  }));
}

/** The edits that a bulk proposes, for whoever takes them one by one. */
export function bulkEdits(bulk: BulkProposal): readonly Proposal[] {
  return bulk.documents.map(({ proposalId, docId, baseHash, hash, patch }) => ({
    proposalId,
    docId,
    kind: 'edit',
    baseHash,
    hash,
    patch,
    changes: [],
  }));
}

/** The entry as its followers are told of it: a bulk by its hashes alone. */
export function withoutBulkPatches(entry: LogEntry): LogEntry {
  if (entry.kind !== 'bulk') return entry;
  const documents = entry.documents.map(({ proposalId, docId, baseHash, hash }) => ({
    proposalId,
    docId,
    baseHash,
    hash,
  }));
  return { ...entry, documents };
}

/** The proposals that a bulk decides besides the one that it is named by. */
export function furtherProposals(entry: LogEntry): readonly ProposalId[] {
  return entry.kind === 'bulk' ? entry.documents.slice(1).map(({ proposalId }) => proposalId) : [];
}

/** UTF-16 units of what a bulk's patches insert. */
export function insertedUnits(documents: BulkEntry['documents']): number {
  let units = 0;
  for (const { patch } of documents) for (const { insert } of patch ?? []) units += insert.length;
  return units;
}
