import { DisposableStore } from '../../core/disposableStore.ts';
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
import { SourceSync, type SourceGit } from './sourceSync.ts';

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
}

/** One source of a folder, with what hangs on it. */
export interface SourceEntry {
  readonly sync: SourceSync;
  /** Attempts and choices of people happen one after the other. */
  readonly queue: SerialQueue;
  /** What hangs on the config: timers and watches. */
  store: DisposableStore;
  status: SyncStatus;
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
  memories: SourceMemoryStore,
): SourceEntry {
  const { folder, ambient, files, merger, texts, settings, readSecret } = options;
  const sync = new SourceSync(config, {
    folder,
    ambient,
    files,
    merger,
    texts,
    memories,
    infoVersion: settings.infoVersion,
    git: sourceGit(folder, ambient),
    read: (source, known, signal) => readSource({ folder, fetch: fetchSpec, readSecret }, source, known, signal),
  });
  const queue = new SerialQueue((error) => ambient.logger.error('A source failed.', { error: String(error) }));
  return {
    sync,
    queue,
    status: newStatus(config),
    known: new Set(),
    store: new DisposableStore(),
    next: undefined,
    isWantedByPerson: false,
    isWaitingForSave: false,
    waiters: [],
  };
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
