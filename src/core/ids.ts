/** A primitive that only the owner of its meaning may make: two ids of different kinds never mix. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** Names one library; minted when the library is created, means nothing else. */
export type LibraryId = Brand<string, 'LibraryId'>;
/** Names one document for ever, whatever its path becomes; minted by the peer that proposes its `create`. */
export type DocId = Brand<string, 'DocId'>;
/** Names one replica: one workspace folder on one git branch, joined to one library. */
export type ReplicaId = Brand<string, 'ReplicaId'>;
/** Names one running process that serves a replica. */
export type PeerId = Brand<string, 'PeerId'>;
/** `<replicaId>:<counter>`: the same proposal sent twice is committed once. */
export type ProposalId = Brand<string, 'ProposalId'>;
/** SHA-256 (hex, 64 characters) of a revision's text in UTF-8, with LF line ends and without BOM. */
export type RevisionHash = Brand<string, 'RevisionHash'>;
/** Position of an entry in a library's log; the first entry has 1, and 0 stands for "before the first". */
export type LogIndex = Brand<number, 'LogIndex'>;

/** Fencing number of a leadership, compared by `number`, then by `leaderId`; it grows with each new leader. */
export interface Term {
  readonly number: number;
  readonly leaderId: PeerId;
}

/** Orders two terms as `Array.prototype.sort` wants it: negative where `a` is the older one. */
export function compareTerms(a: Term, b: Term): number {
  if (a.number !== b.number) return a.number - b.number;
  if (a.leaderId === b.leaderId) return 0;
  return a.leaderId < b.leaderId ? -1 : 1;
}
