import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { Ambient, Merger } from '../../core/ports.ts';
import type { Proposal, ProposeResult } from '../../core/replication/entry.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import type { UserProblem, WorkingFiles } from '../../core/workingFiles.ts';
import type { WorkingText } from '../../core/workingText.ts';
import type { AppliedChange } from '../folderSession.ts';
import type { GroupedCommits } from './groupedCommits.ts';

/** Why nothing may be sent or written at the moment. */
export interface Hindrance {
  /** As a person would say it: "git is switching branches". */
  readonly reason: string;
  /** When it is worth asking again although nothing seems to happen, in milliseconds. */
  readonly settlesInMs: number | undefined;
}

/** Says whether the folder is in a state in which its files are the person's: right branch, git at rest. */
export interface WorkGuard {
  check(): Promise<Hindrance | undefined>;
}

/** A text that a file had at a time, as git has noted it. */
export interface GitText {
  /** As a revision. */
  readonly text: string;
  /** By the file's own clock, in milliseconds, like `FileReading.modifiedAt`. */
  readonly modifiedAt: number;
}

/** What git has committed, where the folder is in git. */
export interface CommittedTexts {
  /** Another one whenever git may have written files. */
  stamp(): Promise<string>;
  /** The file as HEAD has it, as a revision. */
  committedText(file: string): Promise<string | undefined>;
  /**
   * The text that git last knew the file to have, and when the file was changed to that; undefined where git does not
   * keep the file, or has not seen it with the text that it keeps.
   */
  lastSeen(file: string): Promise<GitText | undefined>;
  /** The commit that is checked out where the file lies; undefined where that is not known. */
  head(file: string): Promise<string | undefined>;
  /** What the file was in the history of a commit (HEAD), as revisions, newest first. */
  versions(file: string, commit?: string): AsyncIterable<string>;
  /** The file where HEAD's history and that of `commit` part; undefined where this clone does not know it. */
  textAtMergeBase(file: string, commit: string): Promise<string | undefined>;
  /** What these files read like in a commit, by file; those that it does not have, or that git does not give, are left out. */
  textsAt(commit: string, files: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

export type FileReading =
  | {
      readonly kind: 'text';
      readonly working: WorkingText;
      /** The file's own time of its last change, in milliseconds; grows with every change, and is compared with git's only. */
      readonly modifiedAt: number;
    }
  | {
      readonly kind: 'missing';
      /** The folder that it was in is gone too, or empty: a mount that vanished, a folder that was removed as a whole. */
      readonly isFolderGone?: boolean;
    }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

/** Reads a file when it is whole: not in the middle of somebody's writing it (DESIGN §5, "Half-written files"). */
export interface StableReader {
  /**
   * @param savedText what this window has just saved there: if the file reads so, it is whole.
   * @param agreedText the shadow: a strict prefix of it is looked at again later, because most prefixes of YAML are valid YAML.
   */
  read(file: string, savedText: string | undefined, agreedText: string | undefined): Promise<FileReading>;
}

/** Which files that are gone were deleted by a person, one by one, and which are to be asked about. */
export interface Removals {
  /** The file of a document was found missing. */
  missed(docId: DocId): void;
  /** The watcher tells of the file once more: it may have been there in between, for too short a time to be read. */
  toldAgain(docId: DocId): void;
  /** The file is there again, or what became of it is decided. */
  settled(docId: DocId): void;
  /** `waitMs`: how long to wait before asking again. */
  verdict(docId: DocId): { readonly kind: 'send' | 'ask' } | { readonly kind: 'wait'; readonly waitMs: number };
}

/** Hears where the documents' files lie, as that changes. */
export interface Places {
  /** Keeps a place for the document's file until `moved` or `stayed`; `false` where another document of this replica has it. */
  reserve(localPath: string, docId: DocId): boolean;
  /** The document's file has another place. */
  moved(docId: DocId): void;
  /** The document's file stays where it is after all. */
  stayed(docId: DocId): void;
  /** The document has no copy here any more. */
  gone(docId: DocId): void;
  /** A document that never came into the library has no file any more: nothing is left of it. */
  forget(docId: DocId): void;
}

/** Which entries a file has taken in at one go: those after `from` (undefined: none was in it), up to `to`. */
export interface AppliedStep {
  readonly from: LogIndex | undefined;
  readonly to: LogIndex;
}

/** What a document needs from the replica that owns it. */
export interface DocumentContext {
  readonly ambient: Ambient;
  readonly files: WorkingFiles;
  readonly store: GroupedCommits;
  readonly merger: Merger;
  readonly reader: StableReader;
  readonly committed: CommittedTexts | undefined;
  readonly infoVersion: 'ask' | 'higher' | 'ours' | 'theirs';
  /** Undefined where the replica is not connected to its library (yet). */
  link(): LibraryLink | undefined;
  /** Sends a proposal that is in the outbox; see `BulkProposals.propose`. */
  send(proposal: Proposal, source: string | undefined, mayGo: () => boolean): Promise<ProposeResult | undefined>;
  /** Whether this proposal is one of this replica's own. */
  isOwn(proposalId: ProposalId): boolean;
  takeProposalNumber(): { readonly proposalId: ProposalId; readonly nextProposalNumber: number };
  /** Not paused and not hindered; a hindrance is reported to the replica, which wakes its documents when it is gone. */
  mayWork(): Promise<boolean>;
  /** How many hindrances are over: what was read before the last one ended may be another branch's. */
  hindranceCount(): number;
  /** What the file was agreed to be on the branch that was served just before; see `ReplicaOptions.carried`. */
  carriedHash(localPath: string | undefined): RevisionHash | undefined;
  /** The source that made exactly this change of the file, if one did. */
  sourceOf(before: RevisionHash | undefined, after: RevisionHash): string | undefined;
  changed(): void;
  /** @param step where the file's text was changed by revisions of the library. */
  applied(change: AppliedChange, step?: AppliedStep): void;
  readonly removals: Removals;
  readonly places: Places;
  fileOf(localPath: string): string;
  /** Whether files of this folder have the same names as in the library; else they are paired by hand, and a name is its own. */
  readonly sharesPaths: boolean;
  /** See `DocumentLayout.placeFor`. */
  placeFor(libraryPath: string): Promise<string | undefined>;
  /** Other documents that the library had at this path before; what a file was set back to may be theirs. */
  formerlyAt(libraryPath: string): readonly DocId[];
  /** The newest entry that was taken in. */
  syncedIndex(): LogIndex;
  /** Whether new files are being looked for: one that is gone may be among them under another name. */
  isLookingForFiles(): boolean;
}
