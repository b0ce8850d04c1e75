import type { Event } from '../core/event.ts';
import type { DocId, LibraryId, LogIndex, PeerId, ProposalId, RevisionHash } from '../core/ids.ts';
import type { AdviceContext } from '../core/advice/adviceContext.ts';
import type { CheckedResolutions } from '../core/advice/checkResolutions.ts';
import type { MergeConflict, Resolution } from '../core/merge/types.ts';
import type { Disposable } from '../core/ports.ts';
import type { LinkMetrics, PeerInfo, SyncRole } from '../core/replication/libraryLink.ts';
import type { BulkReason, EntryKind } from '../core/replication/entry.ts';
import type { UserProblem } from '../core/workingFiles.ts';
import type { DocumentHistory } from './documentHistory.ts';
import type { Retention } from './logCompaction.ts';
import type { LiveSyncService } from './sources/liveSyncService.ts';
import type { HostLinkSettings } from './syncHost.ts';

export type { SavedText, UserProblem, WorkingFiles, WriteOutcome, WriteRequest } from '../core/workingFiles.ts';

/**
 * What one document is doing:
 * - `inStep`: file, shadow and library agree, with the problem `formatters-disagree` but for the file's formatting; `syncing`: on the way to that;
 * - `waiting`: a peer's change waits until the person saves an unsaved buffer;
 * - `held`: at least one element is in conflict; `invalid`: the file cannot be read as YAML/JSON, nothing is sent;
 * - `behind`: something outside set the file back; `missing`: the file is gone; `unwritable`: the file cannot be written;
 * - `misnamed`: renamed here, while the library has another name for it or another document of that name.
 */
export type DocumentState =
  'inStep' | 'syncing' | 'waiting' | 'held' | 'invalid' | 'behind' | 'missing' | 'misnamed' | 'unwritable';

export interface DocumentStatus {
  readonly docId: DocId;
  /** Absolute path of this copy. */
  readonly file: string;
  /** The same relative to the workspace folder, with `/`. */
  readonly path: string;
  readonly state: DocumentState;
  readonly conflictCount: number;
  /** For `waiting`: whose changes wait ("alice · backend"); for `invalid` and `unwritable`: see `problem`. */
  readonly waitingFor: readonly string[];
  readonly problem?: UserProblem;
}

/**
 * - `asleep`: nobody said yes for this folder (or said Stop for this window): no socket, no log, no watcher;
 * - `observing`: joined, but the folder is on another git branch or git is in the middle of something: nothing is sent or written;
 * - `attached`: another window serves this folder; this one shows that;
 * - `failed`: see `problem`.
 */
export type FolderPhase = 'asleep' | 'starting' | 'running' | 'paused' | 'observing' | 'attached' | 'failed';

/** The problem of a document that is `behind` because git has left another branch's uncommitted text in its file. */
export const FILE_CARRIED = 'file-carried';

/** An immutable snapshot of what a folder is doing. */
export interface FolderStatus {
  readonly phase: FolderPhase;
  readonly hasConsent: boolean;
  readonly library?: { readonly libraryId: LibraryId; readonly name: string };
  readonly role?: SyncRole;
  /** `offline`: no leader could be reached for longer than the heartbeat timeout. */
  readonly connection: 'connecting' | 'connected' | 'offline';
  /** Everything that the library has when it was last heard of has come in, and this folder's documents were looked for. */
  readonly isCaughtUp: boolean;
  /** This folder's own peer, as it stands among the peers of others: of the same window, too. */
  readonly peerId: PeerId;
  readonly peers: readonly PeerInfo[];
  readonly documents: readonly DocumentStatus[];
  readonly conflictCount: number;
  /** Newest entry of the library that this window knows of. */
  readonly lastIndex?: LogIndex;
  /** For `observing`: why, as a person would say it ("branch feature/x has not joined"). */
  readonly observing?: string;
  /** For `observing`: the branch that is checked out, as a person would say it, where the folder has joined on others only. */
  readonly unjoinedBranch?: string;
  readonly problem?: UserProblem;
}

/**
 * What may leave the machine when somebody asks for help: numbers, states and codes. No name, path, id or text, whoever
 * they belong to.
 */
export interface FolderDiagnostics {
  readonly phase: FolderPhase;
  readonly connection: FolderStatus['connection'];
  readonly role?: SyncRole;
  /** Number of the leadership. */
  readonly term?: number;
  readonly lastIndex?: number;
  readonly problemCode?: string;
  /** Something (git, a pause) keeps files from being sent and written. */
  readonly isHindered: boolean;
  readonly peerCount: number;
  readonly conflictCount: number;
  readonly documents: readonly {
    readonly format: 'json' | 'yaml';
    readonly state: DocumentState;
    readonly conflictCount: number;
    readonly problemCode?: string;
  }[];
  /** While the folder is served here. */
  readonly metrics?: LinkMetrics;
}

/** A conflict that is held: the working file keeps ours, the library keeps theirs. */
export interface HeldConflict {
  readonly docId: DocId;
  readonly file: string;
  readonly path: string;
  readonly conflict: MergeConflict;
  /** Who made the library's side, and when (wall clock, milliseconds). */
  readonly theirsName: string;
  readonly theirsAt: number | undefined;
}

/**
 * A reference to another document that leads nowhere since two changes came together: one brought it, the other took out
 * what it means (I5). Both texts are agreed on, so nothing is held; it is gone when the reference leads somewhere again.
 */
export interface BrokenReference {
  /** Of the document in which it stands. */
  readonly docId: DocId;
  readonly file: string;
  readonly path: string;
  /** As it is written: `common.yaml#/components/schemas/Pet`. */
  readonly reference: string;
  readonly problem: UserProblem;
}

/** One change in the history of a document. */
export interface HistoryEntry {
  readonly index: LogIndex;
  readonly kind: EntryKind;
  readonly authorName: string;
  /** Wall clock of the leader, in milliseconds. */
  readonly at: number;
  /** What changed, by element. */
  readonly changes: readonly string[];
  /** The version that it was made to; undefined where the document was deleted. */
  readonly hash: RevisionHash | undefined;
  /** The new path, where it was renamed. */
  readonly path: string | undefined;
  /** Where it is part of a change of many documents: that one. */
  readonly bulk?: HistoryBulk | undefined;
}

/** A change of many documents, as the history of each of them shows it. */
export interface HistoryBulk {
  /** For `takeBackBulk`. */
  readonly id: ProposalId;
  readonly reason: BulkReason;
  /** In the library, not only in this folder. */
  readonly documentCount: number;
}

/** What somebody decided, by conflict id. */
export type Resolutions = ReadonlyMap<string, Resolution>;

export interface ResolutionPreview extends CheckedResolutions {
  /** The working file as it is now. */
  readonly before: string;
}

/** Another window, or an existing library of this machine, with the same git remote and branch. */
export interface JoinOffer {
  /** Undefined where the neighbour has not said yes either: then a library is created for both. */
  readonly libraryId: LibraryId | undefined;
  /** As people know it: the API's title or the library's name. */
  readonly name: string;
  /** Folder name of the neighbour. */
  readonly neighbour: string;
  readonly documentCount: number;
}

/** One row of Join…: a library of this machine and how its documents would pair with the ones of this folder. */
export interface LibraryChoice {
  readonly libraryId: LibraryId;
  readonly name: string;
  /** Folder names of the replicas that are known to have joined. */
  readonly folderNames: readonly string[];
  readonly pairs: readonly DocumentPair[];
}

export interface DocumentPair {
  /** The document's path and title in the library. */
  readonly libraryPath: string;
  readonly title: string | undefined;
  /** The suggested (or chosen) file of this folder, relative with `/`; undefined = leave this one out. */
  readonly localPath: string | undefined;
  /** Why it is suggested. */
  readonly matchedBy: 'path' | 'title' | 'operations' | undefined;
}

/** Outcome of something a person asked for. */
export type Outcome = { readonly isDone: true } | { readonly isDone: false; readonly problem: UserProblem };

/** A peer's change that was written into a file; for one quiet notice and for tests. */
export interface AppliedChange {
  readonly docId: DocId;
  readonly file: string;
  readonly path: string;
  readonly authorName: string;
  readonly changes: readonly string[];
  /** The document was deleted, and its file was removed. */
  readonly isDeletion: boolean;
  /** The document was renamed, and this was its file's path before. */
  readonly renamedFrom?: string;
}

/** What goes into a commit beside the person's own work. */
export interface CommitNotice {
  /** Relative to the workspace folder, with `/`. */
  readonly paths: readonly string[];
  /** Who made changes in them that no commit had. */
  readonly authorNames: readonly string[];
  /** The commit is made already. */
  readonly isMade: boolean;
}

export interface PullRequest {
  /** The commit to come to; absent: the newest of the upstream branch. Only while the branch is checked out that is kept in step. */
  readonly commit?: string | undefined;
  /** Brings the remote's commits, and answers whether it could; without it git does. */
  readonly fetch?: (() => Promise<boolean>) | undefined;
  /** Aborted: nothing is done any more, unless git writes already. */
  readonly signal?: AbortSignal;
}

export type PullResult =
  | {
      readonly isDone: true;
      /** 0: there was nothing to pull. */
      readonly commitCount: number;
      /** Files, relative to the checkout, that held what came in already. */
      readonly held: readonly string[];
      /** Those of them that hold more, which is left uncommitted. */
      readonly changedSince: readonly string[];
    }
  | (Outcome & { readonly isDone: false });

/** What somebody did to many documents in one go, as far as files here were changed by it. */
export interface AppliedBulk {
  /** For `takeBackBulk`. */
  readonly id: ProposalId;
  readonly authorName: string;
  readonly reason: BulkReason;
  /** The commit that git brought them to there. */
  readonly commit?: string | undefined;
  readonly documents: readonly Pick<AppliedChange, 'file' | 'path'>[];
}

/** One workspace folder, from before consent to serving its replica. It never asks; who shows things asks. */
export interface FolderSession extends Disposable {
  readonly folder: string;
  readonly status: FolderStatus;
  readonly onDidChangeStatus: Event<FolderStatus>;
  readonly conflicts: readonly HeldConflict[];
  readonly onDidChangeConflicts: Event<readonly HeldConflict[]>;
  /** Changes are told by `onDidChangeStatus`. */
  readonly brokenReferences: readonly BrokenReference[];
  readonly onDidApplyChange: Event<AppliedChange>;
  /** In place of `onDidApplyChange` for each document. */
  readonly onDidApplyBulk: Event<AppliedBulk>;
  /** Something of the program's own was damaged and put aside, and everything goes on without it: to be said once. */
  readonly onDidPutAside: Event<UserProblem>;
  readonly diagnostics: FolderDiagnostics;
  /** Where documents of the folder come from besides people; needs no library. */
  readonly sources: LiveSyncService;

  /** OpenAPI documents of the folder, relative with `/`. */
  findDocuments(): Promise<readonly string[]>;
  findOffer(): Promise<JoinOffer | undefined>;
  /** Says yes: joins the offered neighbour's library, or creates one of this folder's own documents where there is none. */
  keepInStep(): Promise<Outcome>;
  /** Never offer for this folder again. */
  neverHere(): Promise<void>;
  listLibraries(): Promise<readonly LibraryChoice[]>;
  join(libraryId: LibraryId, pairs: readonly DocumentPair[]): Promise<Outcome>;
  /** This folder goes its own way; its files and the library stay as they are. */
  leave(): Promise<Outcome>;
  /** Deletes the library's log from this machine (logs hold specs); the files stay. */
  forgetLibrary(): Promise<Outcome>;

  /** Serves the replica if consent was given before; `stop` ends that for this window only. */
  start(): Promise<Outcome>;
  stop(): Promise<void>;
  /** Nothing is sent or written until `resume`; entries and edits wait, nothing is lost. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Reads all files again and catches up with the log; resolves when in step or when something stands in the way. */
  syncNow(): Promise<Outcome>;

  /** Decides conflicts of one document, by their ids, in one step: all of them or none, and one Undo takes them back. */
  resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome>;
  /** What that would make of the working file, with what was checked about it. Writes nothing; undefined where a conflict is not there any more. */
  checkResolutions(docId: DocId, resolutions: Resolutions): Promise<ResolutionPreview | undefined>;
  /** What stands around conflicts, for somebody who is asked about them. */
  adviceContext(docId: DocId, conflictIds: readonly string[]): Promise<AdviceContext | undefined>;
  /** Takes back the newest resolution that was not taken back yet. */
  undoResolution(): Promise<Outcome>;
  /**
   * Takes back what a bulk has changed, in all files of it that are here and for everybody, as one change. What was changed
   * since in other places stays; a file that was changed since in the same places stays as it is, and that is said.
   * @param signal stops it before the next file: those that were done stay done, as one change, and that is said.
   */
  takeBackBulk(id: ProposalId, signal: AbortSignal): Promise<Outcome>;
  readonly canUndoResolution: boolean;
  /** Writes what waits for a save into the unsaved buffer's file now, merging with the buffer's text. */
  mergeNow(file: string): Promise<Outcome>;

  readonly history: DocumentHistory;

  /**
   * A file that something outside set back (`behind`), that is gone (`missing`) or that has two names (`misnamed`): the
   * library's version or name again, or what became of it as a change of one's own, which deletes a missing one for everybody.
   */
  leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome>;

  /** A document that was deleted comes back, for everybody, as it was before. */
  bringBack(docId: DocId): Promise<Outcome>;

  /**
   * Fast-forwards the branch to its upstream although files hold what comes in already, uncommitted, because peers have sent it.
   * No file that holds anything is written; where one has changes of its own instead, nothing is done.
   */
  pullSyncedChanges(options?: PullRequest): Promise<PullResult>;
  /** Whether `pullSyncedChanges` may come to this commit: it was fetched and lies ahead, or is not known here yet. Asks nobody. */
  canMoveTo(commit: string): Promise<boolean>;
  /** Once for each commit: it holds what others did and nobody has committed. */
  readonly onDidNoticeCommit: Event<CommitNotice>;

  /** A file appeared or vanished that might be an OpenAPI document (from the editor's own watcher). */
  fileAppeared(file: string): void;

  /** A person has renamed a file or a folder, absolute paths: what lay there has a new name, and is no new document. */
  fileRenamed(from: string, to: string): void;
}

/** Settings that a folder's session needs; checked by whoever reads them from a user's file. */
export interface PeerSettings {
  /** As others see this peer; undefined: git's user.name, else the login name. */
  readonly displayName: string | undefined;
  /** Globs of folders and files that are never documents. */
  readonly ignore: readonly string[];
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  readonly infoVersion: 'ask' | 'higher' | 'ours' | 'theirs';
  /** Whether new folders are looked for by the peer itself; an editor tells of them by its own watcher. */
  readonly watchesNewFolders: boolean;
  /** Other hosts that keep the same library; absent: this machine keeps it alone. */
  readonly hostLinks?: HostLinkSettings | undefined;
  /** More documents than these that change in one burst become one entry. Default 20. */
  readonly bulkDocuments?: number;
  /** How much history a library keeps while this peer leads. Default 30 days, 50 MB. */
  readonly retention?: Retention;
}
