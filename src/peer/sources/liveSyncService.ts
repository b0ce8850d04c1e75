import type { SyncEngineStatus } from '../../core/engine/syncEngine.ts';
import type { Event } from '../../core/event.ts';
import type { MergeConflict } from '../../core/merge/types.ts';
import type { ElementChange } from '../../core/sources/elementChange.ts';
import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import type { FoundSource } from '../../node/sources/findSources.ts';
import type { Outcome } from '../folderSession.ts';

/**
 * What one source is doing:
 * - `new`: not asked yet; `syncing`: it is asked, or its answer merged; `inStep`: the file has all that it said;
 * - `changesWaiting`: it says something new, which a person is to look at first;
 * - `waiting`: the file has unsaved edits, or git is at work;
 * - `held`: the file has all of it, but what clashes with changes made by hand;
 * - `failed`: see `problem`; `paused`; `elsewhere`: another window runs the sources of this folder;
 * - `atLeader`: it is shared, and the window that leads the library runs it (see `leaderName`).
 */
export type SourceState =
  'new' | 'syncing' | 'inStep' | 'changesWaiting' | 'waiting' | 'held' | 'failed' | 'paused' | 'elsewhere' | 'atLeader';

/** An immutable snapshot of one source. Times are wall-clock milliseconds. */
export interface SyncStatus {
  readonly sourceId: string;
  readonly config: LiveSourceConfig;
  readonly state: SourceState;
  /** When it was last found that the file has (or could have) all that the source says. */
  readonly lastSyncAt: number | undefined;
  /** When it last changed the file. */
  readonly lastChangeAt: number | undefined;
  /** What it changed then; for `changesWaiting`: what it would change. */
  readonly changes: readonly ElementChange[];
  readonly conflictCount: number;
  /** How long the last attempt took, in milliseconds. */
  readonly durationMs: number | undefined;
  /** For `atLeader`: the name of the folder whose window leads, where it is known. */
  readonly leaderName?: string;
  /** For `failed` and `waiting`. */
  readonly problem?: UserProblem;
}

/** How one sync ended. */
export interface SyncResult {
  readonly sourceId: string;
  /** `changed`: the file was written; `unchanged`: it had all already; `waiting`: see `SourceState`. */
  readonly kind: 'unchanged' | 'changed' | 'changesWaiting' | 'waiting' | 'failed';
  readonly changes: readonly ElementChange[];
  readonly conflictCount: number;
  readonly durationMs: number;
  readonly problem?: UserProblem;
}

export type SyncEvent =
  | { readonly type: 'source:added' | 'source:updated'; readonly sourceId: string; readonly config: LiveSourceConfig }
  | { readonly type: 'source:removed' | 'sync:started'; readonly sourceId: string }
  | { readonly type: 'sync:completed' | 'sync:failed'; readonly sourceId: string; readonly result: SyncResult }
  | { readonly type: 'conflict:found'; readonly sourceId: string; readonly conflicts: readonly MergeConflict[] }
  | { readonly type: 'status:changed'; readonly sourceId: string; readonly status: SyncStatus };

/** `waiting`: what a file reads as, and would read as with the changes that wait; `done`: what the last change made of it. */
export interface SourcePreview {
  readonly kind: 'waiting' | 'done';
  /** Absolute path of the target. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  readonly changes: readonly ElementChange[];
  readonly conflictCount: number;
}

/**
 * The live sources of one workspace folder: the one door through which commands, views, the command line and other
 * extensions reach them. A source that was added lives until it is removed or the folder is closed; who keeps the list
 * (an editor's settings) adds it again. Methods that take an id reject with a plain sentence where there is none of it.
 */
export interface LiveSyncService {
  /** Begins to keep a source's target in step. Rejects where the config is wrong, or the id is taken. */
  addSource(config: LiveSourceConfig): Promise<void>;
  /** Ends that. The file stays as it is. What is remembered of the source is kept for a while: added again, it goes on from there. */
  removeSource(sourceId: string): Promise<void>;
  /** Sources that could be added: frameworks in the folder, servers of this machine. Asks the loopback interface only. */
  findSources(signal?: AbortSignal): Promise<readonly FoundSource[]>;
  /** Replaces the config of the source with the same id; what is remembered of it stays. */
  updateSource(config: LiveSourceConfig): Promise<void>;

  /** Asks the source now, as a person's wish: also where it is paused or has just failed. Resolves with the first attempt. */
  syncSource(sourceId: string, signal?: AbortSignal): Promise<SyncResult>;
  syncAllSources(signal?: AbortSignal): Promise<readonly SyncResult[]>;
  /** Something that the source is made of has changed: asks it now, and again when its server had time to start anew. */
  triggerSource(sourceId: string): void;

  getSourceStatus(sourceId: string): SyncStatus;
  getAllSourceStatuses(): readonly SyncStatus[];
  readonly engineStatus: SyncEngineStatus;
  readonly isPaused: boolean;

  /** What the source would change now, else what it changed last; undefined where it did neither since the folder was opened. */
  previewChanges(sourceId: string): Promise<SourcePreview | undefined>;
  /** Merges the changes that wait into the file. */
  applyChanges(sourceId: string): Promise<Outcome>;

  /** Asks no source by itself any more, also after a restart, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;

  readonly onDidHappen: Event<SyncEvent>;
}
