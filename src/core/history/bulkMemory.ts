import type { DocId, LogIndex, ProposalId } from '../ids.ts';
import type { BulkDocument, BulkReason } from '../replication/entry.ts';

/** What is said of a bulk beside what became of each document. */
export interface RememberedBulk {
  /** The proposal that its entry is named by: what a bulk is called for ever, in whichever log. */
  readonly id: ProposalId;
  readonly index: LogIndex;
  readonly authorName: string;
  readonly reason: BulkReason;
  /** In the library, not only in this folder. */
  readonly documentCount: number;
}

/** One document's part, by the names of its revisions; the log has the texts. */
export type RememberedPart = Pick<BulkDocument, 'docId' | 'baseHash' | 'hash'>;

/**
 * The bulks that a replica has taken in, over restarts: a document's own history, as the library tells it, shows its part
 * as an edit like any other ([BLK-02]). What is old enough is forgotten.
 */
export interface BulkMemory {
  /** Durable when it resolves. The same bulk once more takes the place of what was known of it. */
  remember(bulk: RememberedBulk, parts: readonly RememberedPart[]): Promise<void>;
  /** Empty where it is not known, or not any more. */
  partsOf(id: ProposalId): Promise<readonly RememberedPart[]>;
  /** Those that a document had a part in, newest first, with the revision that each made of it. */
  bulksOf(docId: DocId): Promise<readonly (RememberedBulk & Pick<RememberedPart, 'baseHash' | 'hash'>)[]>;
}
