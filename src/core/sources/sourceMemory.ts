/**
 * What is remembered of a source on one branch. It never runs ahead of the file on disk: a crash between the two makes
 * the next merge find on both sides what was written already.
 */
export interface SourceMemory {
  /** The last revision that was merged into the file: the base of the next merge. */
  readonly revision: string;
  /** While something clashes: the revision, except that each clashing element reads as it did before (docs/decisions/0004). */
  readonly heldBase: string | undefined;
  /** SHA-256 of the answer that the revision was made of, as it came. */
  readonly answerHash: string;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  /** The address and the selection that the revision was made with: after a change nothing of before says "not modified". */
  readonly madeWith: string;
  /** SHA-256 of the file's text after the merge. */
  readonly resultHash: string;
  /** Wall clock, milliseconds. */
  readonly mergedAt: number;
  /** Of a shared source: which one it was of all windows' merges; see `SharedMemories`. */
  readonly basedOn?: number | undefined;
}

/** Which memory is meant: another target or another branch is another file. */
export interface SourceMemoryKey {
  readonly sourceId: string;
  readonly target: string;
  /** As `readBranch` names it; '' outside of git. */
  readonly branch: string;
}

/** Keeps memories over restarts. */
export interface SourceMemoryStore {
  load(key: SourceMemoryKey): Promise<SourceMemory | undefined>;
  /** Those of other branches, newest first. */
  loadOthers(key: SourceMemoryKey): Promise<readonly SourceMemory[]>;
  /** Durable when it resolves. */
  save(key: SourceMemoryKey, memory: SourceMemory): Promise<void>;
  /** Forgets what was last merged before `olderThan` (wall clock, milliseconds), of all sources but these. */
  sweep(keep: readonly string[], olderThan: number): Promise<void>;
}
