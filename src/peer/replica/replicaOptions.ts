import type { Event } from '../../core/event.ts';
import type { BulkMemory } from '../../core/history/bulkMemory.ts';
import type { RevisionHash } from '../../core/ids.ts';
import type { Ambient, Disposable, Merger } from '../../core/ports.ts';
import type { ReferenceMemory } from '../../core/references/foundReference.ts';
import type { BulkOrigin } from '../../core/replication/entry.ts';
import type { ReplicaStore } from '../../core/replication/replicaStore.ts';
import type { WorkingFiles } from '../../core/workingFiles.ts';
import type { DocumentLayout } from './documentLayout.ts';
import type { CommittedTexts, StableReader, WorkGuard } from './replicaPorts.ts';

/** Files that changed in the folders of known documents. */
export interface FolderWatcher extends Disposable {
  readonly onDidChange: Event<{ readonly file: string; readonly kind: 'changed' | 'removed' }>;
  watchFoldersOf(files: readonly string[]): Promise<void>;
}

export interface ReplicaOptions {
  readonly ambient: Ambient;
  /**
   * Tells this run of the replica from every other, and stands in the ids of its proposals: where the replica's own state was
   * put back from a backup, its counter gives numbers that the log knows already, of other changes ([REP-05]).
   */
  readonly runName: string;
  readonly files: WorkingFiles;
  readonly store: ReplicaStore;
  readonly merger: Merger;
  /** Absent: what was found of references between documents is forgotten with the process. */
  readonly referenceMemory?: ReferenceMemory;
  readonly reader: StableReader;
  readonly guard: WorkGuard & { readonly onMayHaveChanged: Event<void> };
  /** Undefined outside of git. */
  readonly committed?: CommittedTexts | undefined;
  readonly watcher: FolderWatcher;
  readonly layout: DocumentLayout;
  /** More edits than these that are made in one burst become one entry ([BLK-01]). */
  readonly bulkDocuments: number;
  /** What has rewritten many files just now. */
  readonly bulkOrigin: () => Promise<BulkOrigin>;
  readonly bulkMemory: BulkMemory;
  /** By local path: what another branch's replica of this folder had agreed on, until just now ([BRA-06]). */
  readonly carried?: ReadonlyMap<string, RevisionHash> | undefined;
  readonly infoVersion: 'ask' | 'higher' | 'ours' | 'theirs';
  /** Absolute paths of this folder's documents, found by their content. */
  readonly discover: () => Promise<readonly string[]>;
  /** Whether a file is a document by itself; `unclear` where only a search can tell. */
  readonly inspect: (file: string) => Promise<'root' | 'other' | 'unclear'>;
}
