import type { Event } from '../event.ts';
import type { DocId, LogIndex, PeerId, RevisionHash, Term } from '../ids.ts';
import type { Disposable } from '../ports.ts';
import type { BulkProposal, DocumentEntry, DocumentHead, LogEntry, Proposal, ProposeResult } from './entry.ts';
import type { EntrySource } from './entryPump.ts';

/** Another running process that serves a replica of the same library. */
export interface PeerInfo {
  readonly peerId: PeerId;
  readonly name: string;
  /** Name (not path) of the workspace folder it serves. */
  readonly folderName: string;
}

export type SyncRole = 'leader' | 'follower';

export interface LinkStatus {
  /** `connecting` before the first success and during re-election, `offline` when that takes longer than the heartbeat timeout. */
  readonly connection: 'connecting' | 'connected' | 'offline';
  readonly role: SyncRole | undefined;
  readonly term: Term | undefined;
  /** The other peers of the library that are connected now, this one not among them. */
  readonly peers: readonly PeerInfo[];
  /** Newest index that this peer knows to be in the log. */
  readonly lastIndex: LogIndex;
  /** Why there is no connection, where a person can do something about it (a newer release wrote the log, the disk is full). */
  readonly problem?: { readonly code: string; readonly message: string };
}

/**
 * Where a replica takes entries in. Calls come one at a time and in the order of the log; the next waits until the
 * promise of the one before is settled. An entry is acknowledged to the leader when it is durable, which it is when the
 * promise resolves, unless `lastDurableIndex` says less. A rejection is reported and the entry is offered again after a reconnect.
 */
export interface EntrySink {
  lastSyncedIndex(): LogIndex;
  /**
   * The running hash that was made durable together with `lastSyncedIndex`. With it the leader notices that its log is
   * another one than the log that this replica followed (a restored backup); without it only the index is compared.
   */
  lastSyncedHash?(): string | undefined;
  /**
   * The newest entry that is durable, where taking in does not wait for that: a sink may bring entries that others follow
   * (`isFollowed`) to disk together with those. Without it, `lastSyncedIndex` is durable.
   */
  lastDurableIndex?(): LogIndex;
  /**
   * `runningHash` is that of the log after this entry, where it is known; `isFollowed` says that the next entry is known
   * to be there. Reject with `BadEntryError` where the entry itself is at fault.
   */
  applySyncEntry(entry: LogEntry, runningHash?: string, isFollowed?: boolean): Promise<void>;
  /** The log cannot give what is missing: these are its heads, as of `index`, which may lie behind where the replica stood. */
  applyHeads(heads: readonly DocumentHead[], index: LogIndex, runningHash?: string, why?: HeadsReason): Promise<void>;
  /**
   * A copy of the log has this in place of `applyHeads`: it brings itself to where the leader's entries lead on. False
   * where the connection ended before that.
   */
  reconcile?(source: EntrySource, why: HeadsReason): Promise<boolean>;
}

/**
 * Why a replica is given heads in place of entries, and so what may serve as merge base.
 * - `compacted`: the log went through where the replica stands and has forgotten the way since. Every shadow is an
 *   ancestor of its document's head.
 * - `unknown`: the log never was where the replica stands (a restored backup, a deleted folder). A shadow is a base only
 *   while `fetchRevision` knows it, and a document that is not among the heads is the replica's alone.
 */
export type HeadsReason = 'compacted' | 'unknown';

/** What a link has done since it was opened: numbers only, for diagnostics. Sizes are in UTF-16 units of the messages. */
export interface LinkMetrics {
  /** How many entries of the log the replica has still to take in. */
  readonly lag: number;
  readonly entriesTaken: number;
  /** How often heads came in the place of entries. */
  readonly headsTaken: number;
  /** Entries that were put aside because they could not be applied. */
  readonly entriesPutAside: number;
  readonly sentUnits: number;
  readonly receivedUnits: number;
  /** How often a connection was lost and sought again. */
  readonly reconnects: number;
  /** How often this peer became the leader. */
  readonly elections: number;
  /** While this peer leads: what it knows of each follower, its own replica included. */
  readonly followers: readonly FollowerMetrics[];
}

export interface FollowerMetrics {
  /** How many entries the follower has still to make durable. */
  readonly lag: number;
  readonly sentUnits: number;
  readonly receivedUnits: number;
}

/**
 * `heads`: asked while heads are being taken in, of the leader that gave them, whose log is the one that counts for them.
 * Answered at once, because nothing comes in meanwhile; rejects where that leader is gone.
 */
export type Purpose = 'heads';

/** A replica's connection to its library, whoever leads at the moment and through all re-elections. */
export interface LibraryLink extends Disposable {
  readonly status: LinkStatus;
  readonly onDidChangeStatus: Event<LinkStatus>;
  /**
   * Sends a proposal, again after each reconnect until somebody answers: the same `proposalId` is committed once.
   * Where hosts are linked, the entry that the answer names has come in by then. Rejects with `LinkClosedError` only when
   * the link is disposed before an answer.
   * @param source where the change comes from, if not from a person: others see it as the author.
   */
  propose(proposal: Proposal, source?: string, purpose?: Purpose): Promise<ProposeResult>;
  /** The same for many edits, which become one entry where the leader knows such; one result for each document, in their order. */
  proposeBulk(bulk: BulkProposal, source?: string): Promise<readonly ProposeResult[]>;
  fetchHeads(): Promise<readonly DocumentHead[]>;
  /** The text of a revision as far as the log reaches; undefined where it does not know it. */
  fetchRevision(docId: DocId, hash: RevisionHash, purpose?: Purpose): Promise<string | undefined>;
  /** Entries of one document, newest first, at most `limit`; for History and for telling an older revision from a new text. */
  fetchHistory(docId: DocId, limit: number, purpose?: Purpose): Promise<readonly DocumentEntry[]>;
}

/**
 * An entry that can never be applied (its patch does not give its hash). It is put aside and said, and the replica gets
 * the heads instead, so that one bad entry does not keep the rest away.
 */
export class BadEntryError extends Error {
  override readonly name = 'BadEntryError';
}

/** The link was disposed while somebody waited for an answer. */
export class LinkClosedError extends Error {
  override readonly name = 'LinkClosedError';
}
