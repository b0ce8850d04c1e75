import { join } from 'node:path';
import { DisposableStore } from '../core/disposableStore.ts';
import type { LibraryLink, PeerInfo } from '../core/replication/libraryLink.ts';
import { DocumentWatcher } from '../node/files/documentWatcher.ts';
import { createIgnoreRules } from '../node/files/ignoreRules.ts';
import { DiskStableReader } from '../node/files/stableReader.ts';
import type { ReplicaRecord } from '../node/folders/folderRecord.ts';
import { CommittedTexts } from '../node/git/committedTexts.ts';
import type { GitCheckout } from '../node/git/gitCheckout.ts';
import type { GitWorkGuard } from '../node/git/gitWorkGuard.ts';
import { ExclusiveLock } from '../node/lock/exclusiveLock.ts';
import { SqliteReplicaStore } from '../node/replica/sqliteReplicaStore.ts';
import { librariesDirectory, makePrivateDirectory } from '../node/stateDirectory.ts';
import { createFolderLayout } from './folderLayout.ts';
import { Replica } from './replica/replica.ts';
import { SyncService } from './syncService.ts';
import type { WorkspaceFolderOptions } from './workspaceFolder.ts';

export interface ServeOptions extends WorkspaceFolderOptions {
  readonly folder: string;
  readonly record: ReplicaRecord;
  readonly guard: GitWorkGuard;
  readonly checkout: GitCheckout | undefined;
  readonly peer: PeerInfo;
  readonly replicaDirectory: string;
  readonly discover: () => Promise<readonly string[]>;
}

/** A replica at work, with everything that it holds open. */
export interface ServingReplica {
  readonly replica: Replica;
  readonly link: LibraryLink;
  readonly branch: string;
  /** Let go of first when the replica is closed. */
  readonly disposables: DisposableStore;
  close(): Promise<void>;
}

/**
 * Takes the replica's lock, opens its state, joins the library and watches the files. Answers `attached` where another
 * window serves this replica; rejects where the state or the library cannot be opened.
 */
export async function serveReplica(options: ServeOptions): Promise<ServingReplica | 'attached'> {
  const { ambient, record, settings, checkout } = options;
  makePrivateDirectory(options.replicaDirectory);
  const lock = new ExclusiveLock(join(options.replicaDirectory, 'replica.lock'));
  if (!lock.tryAcquire()) return 'attached';
  const disposables = new DisposableStore();
  const store = new SqliteReplicaStore(
    record.replicaId,
    join(options.replicaDirectory, 'replica.sqlite'),
    options.workers.replica,
  );
  const watcher = new DocumentWatcher(ambient.logger);
  let service: SyncService | undefined;
  let replica: Replica | undefined;
  const close = async (): Promise<void> => {
    disposables.dispose();
    replica?.dispose();
    watcher.dispose();
    options.guard.dispose();
    service?.dispose();
    try {
      await service?.closed;
      await store.close();
    } catch (error) {
      ambient.logger.warn('The replica was not closed cleanly.', { error: String(error) });
    } finally {
      lock.dispose();
    }
  };
  try {
    replica = await Replica.open({
      ambient,
      files: options.files,
      store,
      merger: options.merger,
      reader: new DiskStableReader(),
      guard: options.guard,
      watcher,
      committed: checkout === undefined ? undefined : new CommittedTexts(checkout, ambient.logger),
      layout: createFolderLayout(options.folder, record, createIgnoreRules(settings.ignore)),
      infoVersion: settings.infoVersion,
      discover: options.discover,
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
    });
    await replica.start(service);
    return { replica, link: service, branch: record.branch, disposables, close };
  } catch (error) {
    await close();
    throw error;
  }
}
