import { basename, join } from 'node:path';
import type { LibraryLink, LinkMetrics, PeerInfo } from '../core/replication/libraryLink.ts';
import type { UserProblem } from '../core/workingFiles.ts';
import { DocumentWatcher } from '../node/files/documentWatcher.ts';
import { createIgnoreRules } from '../node/files/ignoreRules.ts';
import { DiskStableReader } from '../node/files/stableReader.ts';
import type { ReplicaRecord } from '../node/folders/folderRecord.ts';
import type { FolderGuard } from '../node/git/folderGuard.ts';
import { FolderTexts } from '../node/git/folderTexts.ts';
import type { GitCheckout } from '../node/git/gitCheckout.ts';
import { bulkOriginOf } from '../node/git/headReflog.ts';
import type { ExclusiveLock } from '../node/lock/exclusiveLock.ts';
import { createReferenceFile } from '../node/replica/referenceFile.ts';
import { SqliteReplicaStore } from '../node/replica/sqliteReplicaStore.ts';
import { librariesDirectory, makePrivateDirectory } from '../node/stateDirectory.ts';
import { replicaLock } from './folderDecisions.ts';
import { createFolderLayout } from './folderLayout.ts';
import { Replica } from './replica/replica.ts';
import type { ReplicaOptions } from './replica/replicaOptions.ts';
import { logPutAside, statePutAside } from './servingProblem.ts';
import { SyncService } from './syncService.ts';
import type { WorkspaceFolderOptions } from './workspaceFolder.ts';

/** Of a random id: the same one once more would have to meet a number of a run whose state was lost, too. */
const RUN_NAME_LENGTH = 13;
/** A person does not save so many files at once. */
const DEFAULT_BULK_DOCUMENTS = 20;

export interface ServeOptions extends WorkspaceFolderOptions {
  readonly folder: string;
  readonly record: ReplicaRecord;
  readonly guard: FolderGuard;
  readonly checkout: GitCheckout | undefined;
  readonly peer: PeerInfo;
  readonly replicaDirectory: string;
  /** Held, and let go of when the replica is closed or could not be served. */
  readonly lock: ExclusiveLock;
  readonly carried: ReplicaOptions['carried'];
  readonly discover: ReplicaOptions['discover'];
  readonly inspect: ReplicaOptions['inspect'];
  /** The file with the replica's state has called itself damaged before. */
  readonly isStateSuspect: boolean;
  /** The replica's state turns out to be damaged; to be closed, and served anew as suspect. */
  readonly onStateDamaged: () => void;
  /** Something that was damaged was put aside, and everything goes on without it ([REC-11]). */
  readonly onPutAside: (problem: UserProblem) => void;
  /** Aborted where it is not to be served after all: what the start waits for may never come (a frozen leader's answer). */
  readonly signal: AbortSignal;
}

/** A replica at work, with everything that it holds open. */
export interface ServingReplica {
  readonly replica: Replica;
  readonly link: LibraryLink;
  readonly metrics: () => LinkMetrics;
  close(): Promise<void>;
}

/** Takes the lock of a replica; undefined where another window serves it. */
export function takeReplicaLock(directory: string): ExclusiveLock | undefined {
  makePrivateDirectory(directory);
  const lock = replicaLock(directory);
  return lock.tryAcquire() ? lock : undefined;
}

/** Opens a replica's state, joins the library and watches the files. Rejects where the state or the library cannot be opened, or the signal gives it up. */
export async function serveReplica(options: ServeOptions): Promise<ServingReplica> {
  const { ambient, record, settings, checkout, lock, signal } = options;
  const putAside = (describe: (folder: string, file: string) => UserProblem, file: string): void => {
    ambient.logger.error('A damaged file was put aside.', { file });
    options.onPutAside(describe(basename(options.folder), basename(file)));
  };
  const store = new SqliteReplicaStore({
    replicaId: record.replicaId,
    file: join(options.replicaDirectory, 'replica.sqlite'),
    workerFile: options.workers.replica,
    isSuspect: options.isStateSuspect,
    onPutAside: (file) => putAside(statePutAside, file),
    onDamaged: options.onStateDamaged,
  });
  const isIgnored = createIgnoreRules(settings.ignore);
  const newFolders = settings.watchesNewFolders ? { newFolders: { root: options.folder, isIgnored } } : {};
  const watcher = new DocumentWatcher(ambient.logger, newFolders);
  // The files stay as they are, and Sync Now reads them all the same.
  watcher.onDidFail((problem) => ambient.logger.error(problem.message, { code: problem.code }));
  let service: SyncService | undefined;
  let replica: Replica | undefined;
  const letGo = (): void => {
    replica?.dispose();
    watcher.dispose();
    service?.dispose();
  };
  const close = async (): Promise<void> => {
    letGo();
    try {
      await service?.closed;
      // A write that is under way is recorded before the next one may take the replica over.
      await replica?.closed;
      await store.close();
    } catch (error) {
      ambient.logger.warn('The replica was not closed cleanly.', { error: String(error) });
    } finally {
      lock.dispose();
    }
  };
  signal.addEventListener('abort', letGo);
  try {
    replica = await Replica.open({
      ambient,
      runName: ambient.random.uuid().slice(0, RUN_NAME_LENGTH),
      files: options.files,
      store,
      merger: options.merger,
      referenceMemory: createReferenceFile(join(options.replicaDirectory, 'references.json')),
      reader: new DiskStableReader(options.folder, ambient.clock),
      guard: options.guard,
      watcher: {
        onDidChange: watcher.onDidChange,
        watchFoldersOf: async (files) => {
          await options.guard.inner?.cover(files);
          await watcher.watchFoldersOf(files);
        },
        dispose: () => watcher.dispose(),
      },
      committed: new FolderTexts(checkout, options.guard.inner, options.gitPath),
      carried: options.carried,
      layout: createFolderLayout(options.folder, record, isIgnored),
      infoVersion: settings.infoVersion,
      bulkDocuments: settings.bulkDocuments ?? DEFAULT_BULK_DOCUMENTS,
      bulkOrigin: () => bulkOriginOf(checkout, ambient.clock.wallNow()),
      bulkMemory: store.bulkMemory,
      discover: options.discover,
      inspect: options.inspect,
    });
    service = await SyncService.start({
      libraryId: record.libraryId,
      libraryDirectory: join(librariesDirectory(options.stateDir), record.libraryId),
      peer: options.peer,
      sink: replica,
      ambient,
      logWorkerPath: options.workers.log,
      heartbeatMs: settings.heartbeatMs,
      timeoutMs: settings.timeoutMs,
      links: settings.hostLinks,
      onLogPutAside: (file) => putAside(logPutAside, file),
      ...(settings.retention === undefined ? {} : { retention: settings.retention }),
    });
    signal.throwIfAborted();
    if (record.isPaused) replica.pause();
    await replica.start(service);
    signal.throwIfAborted();
    const link = service;
    return { replica, link, metrics: () => link.metrics, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    signal.removeEventListener('abort', letGo);
  }
}
