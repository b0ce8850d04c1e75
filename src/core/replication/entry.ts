import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { Splice } from '../merge/types.ts';

/** What an entry does. `leader` marks the start of a term and touches no document. */
export type EntryKind = 'create' | 'edit' | 'delete' | 'rename' | 'bulk' | 'resolve' | 'leader';

/** Who made a change; stamped by the leader from the authenticated connection. */
export interface Author {
  readonly peerId: PeerId;
  /** As people know the peer: git's user.name or the login name, and the folder. */
  readonly name: string;
}

/** What a peer asks the leader to append. */
export interface Proposal {
  readonly proposalId: ProposalId;
  readonly docId: DocId;
  readonly kind: 'create' | 'edit' | 'delete' | 'rename' | 'resolve';
  /** The head that the proposer saw; undefined for `create`. */
  readonly baseHash: RevisionHash | undefined;
  /** The revision after the patch; undefined for `delete`, equal to `baseHash` for `rename`. */
  readonly hash: RevisionHash | undefined;
  /** From the base revision's text ('' for `create`) to the new one. */
  readonly patch: readonly Splice[];
  /** The path after this entry (`create`, `rename`); always with `/`, relative to the library's root. */
  readonly path?: string;
  /** The path that the proposer saw (`rename`, `delete`), compared like content. */
  readonly basePath?: string;
  /** Readable one-liners: what changed, by operation and component. */
  readonly changes: readonly string[];
}

/** What the leader adds to a proposal. */
interface Stamped {
  readonly index: LogIndex;
  readonly term: Term;
  readonly author: Author;
  /** Wall clock of the leader when it appended, in milliseconds; shown, never decided upon. */
  readonly at: number;
}

/** A change of one document. */
export interface DocumentEntry extends Omit<Proposal, 'kind'>, Stamped {
  readonly kind: Exclude<EntryKind, 'bulk'>;
}

/** What has rewritten many documents in one go. */
export const BULK_REASONS = ['checkout', 'pull', 'rebase', 'merge', 'stash', 'reset', 'generator'] as const;
export type BulkReason = (typeof BULK_REASONS)[number];

/** What is said of many changes at once. */
export interface BulkOrigin {
  readonly reason: BulkReason;
  /** The commit that the proposer's folder was at, where it was git: its objects may have the texts. */
  readonly headCommit?: string | undefined;
}

/** One document's part of a bulk: an edit of its own, with its own `proposalId` ([BLK-02]). */
export interface BulkDocument {
  readonly proposalId: ProposalId;
  readonly docId: DocId;
  readonly baseHash: RevisionHash;
  readonly hash: RevisionHash;
  /** Only in a log and between hosts; whoever is told of the entry finds the text by its hash ([BLK-05]). */
  readonly patch?: readonly Splice[] | undefined;
}

/** Edits of many documents, to be appended as one entry. */
export interface BulkProposal extends BulkOrigin {
  readonly documents: readonly (BulkDocument & { readonly patch: readonly Splice[] })[];
}

/** Edits of many documents that were made in one go. Its `proposalId` is that of its first document. */
export interface BulkEntry extends BulkOrigin, Stamped {
  readonly kind: 'bulk';
  readonly proposalId: ProposalId;
  readonly documents: readonly BulkDocument[];
}

/** One record of a library's log. */
export type LogEntry = DocumentEntry | BulkEntry;

/** Where a document stands after the newest entry that touched it. */
export interface DocumentHead {
  readonly docId: DocId;
  readonly path: string;
  /** Undefined where the document is deleted (a tombstone). */
  readonly hash: RevisionHash | undefined;
  /** The entry that made this head. */
  readonly index: LogIndex;
  readonly author: Author;
  readonly at: number;
}

export type ProposeResult =
  | { readonly kind: 'committed'; readonly index: LogIndex }
  /** Somebody else came first: catch up, merge, propose again. `head` is undefined where the document is unknown. */
  | { readonly kind: 'stale'; readonly head: DocumentHead | undefined }
  /** Never to be sent again as it is: too large, not matching its hash, or a path outside the library. */
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string };

/** The entry that an answer speaks of; 0 where it speaks of none. */
export function namedIndex(result: ProposeResult): LogIndex {
  const index = result.kind === 'committed' ? result.index : result.kind === 'stale' ? result.head?.index : undefined;
  return index ?? (0 as LogIndex);
}
