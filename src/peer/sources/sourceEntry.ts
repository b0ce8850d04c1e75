import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import type { Ambient, Disposable, Merger } from '../../core/ports.ts';
import type { SourceMemoryStore } from '../../core/sources/sourceMemory.ts';
import type { SourceTexts } from '../../core/sources/sourceTexts.ts';
import type { WorkingFiles } from '../../core/workingFiles.ts';
import { findGitCheckout, gitActivity, readBranch } from '../../node/git/gitCheckout.ts';
import { fetchSpec } from '../../node/sources/httpFetcher.ts';
import type { PeerSettings } from '../folderSession.ts';
import { SerialQueue } from '../replica/serialQueue.ts';
import type { SyncResult, SyncStatus } from './liveSyncService.ts';
import { readSource, type ReadSecret } from './sourceReader.ts';
import { newStatus } from './sourceStatus.ts';
import type { SharedSourcePlace } from '../../node/sources/sharedSourcePlace.ts';
import { SharedMemories, type SharedMemoriesOptions } from './sharedMemories.ts';
import type { SourceLibrary } from './sourceLibrary.ts';
import { SourceSync, type SourceGit, type SourceSyncOptions } from './sourceSync.ts';

/** What the sources of a folder need from its window. */
export interface FolderSourcesOptions {
  /** The workspace folder's real path. */
  readonly folder: string;
  readonly ambient: Ambient;
  readonly settings: Pick<PeerSettings, 'infoVersion'>;
  readonly stateDir: string;
  readonly files: WorkingFiles;
  readonly merger: Merger;
  readonly texts: SourceTexts;
  readonly readSecret: ReadSecret;
  readonly library: () => Promise<SourceLibrary>;
  /** See `SharedMemories`. */
  readonly hasRevision: SharedMemoriesOptions['hasRevision'];
  /** Called before a source writes a file, for the change to be known as the source's. */
  readonly expectChange: SourceSyncOptions['expectChange'];
}

/**
 * Whose turn it is to run a source: this window's (`place`: for the library), the leader's or whoever stands in for it, or
 * not known yet.
 */
export type SourceTurn =
  | { readonly kind: 'here'; readonly place: SharedSourcePlace | undefined }
  | { readonly kind: 'leader'; readonly leaderName: string | undefined }
  | { readonly kind: 'undecided' };

/** One source of a folder, with what hangs on it. */
export interface SourceEntry {
  readonly sync: SourceSync;
  turn: SourceTurn;
  /** Of a shared one. */
  readonly memories: SharedMemories | undefined;
  /** Attempts and choices of people happen one after the other. */
  readonly queue: SerialQueue;
  /** The questions that still follow a change that triggered them. */
  triggered: Disposable | undefined;
  status: SyncStatus;
  /** On a generated file, while this window runs the source. */
  fileWatch: Disposable | undefined;
  next: Disposable | undefined;
  isWantedByPerson: boolean;
  isWaitingForSave: boolean;
  waiters: ((result: SyncResult) => void)[];
  /** Conflicts that were told of. */
  known: ReadonlySet<string>;
}

export function createSourceEntry(
  config: LiveSourceConfig,
  options: FolderSourcesOptions,
  store: SourceMemoryStore,
): SourceEntry {
  const { folder, ambient, files, merger, texts, settings, readSecret, expectChange, hasRevision } = options;
  // A turn is only there when the entry is, which is what the memories belong to.
  const place = (): SharedSourcePlace | undefined => (entry.turn.kind === 'here' ? entry.turn.place : undefined);
  const memories = config.shared ? new SharedMemories({ own: store, place, hasRevision }) : undefined;
  const sync = new SourceSync(config, {
    folder,
    ambient,
    files,
    merger,
    texts,
    memories: memories ?? store,
    expectChange,
    infoVersion: settings.infoVersion,
    git: sourceGit(folder, ambient),
    read: (source, known, signal) => readSource({ folder, fetch: fetchSpec, readSecret }, source, known, signal),
  });
  const queue = new SerialQueue((error) => ambient.logger.error('A source failed.', { error: String(error) }));
  const entry: SourceEntry = {
    sync,
    turn: config.shared ? { kind: 'undecided' } : { kind: 'here', place: undefined },
    memories,
    queue,
    status: newStatus(config),
    known: new Set(),
    triggered: undefined,
    fileWatch: undefined,
    next: undefined,
    isWantedByPerson: false,
    isWaitingForSave: false,
    waiters: [],
  };
  return entry;
}

function sourceGit(folder: string, { clock }: Ambient): SourceGit {
  const checkout = findGitCheckout(folder);
  return {
    branch: async () => {
      const found = await checkout;
      return found === undefined ? '' : await readBranch(found);
    },
    activity: async () => {
      const found = await checkout;
      return found === undefined ? undefined : (await gitActivity(found, clock.wallNow()))?.what;
    },
  };
}
