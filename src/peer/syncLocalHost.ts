import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LibraryId } from '../core/ids.ts';
import type { Ambient } from '../core/ports.ts';
import { SyncError } from '../core/replication/syncError.ts';
import { LOG_FILE, readToken } from '../node/libraryDirectory.ts';
import { LeaderLock } from '../node/lock/leaderLock.ts';
import { loadSqlite } from '../node/log/sqlite.ts';
import { LogFile } from '../node/log/logFile.ts';
import { createConnectionPair } from '../node/transport/memoryConnection.ts';
import { hostAddress, readHostAddress } from '../node/transport/hostAddress.ts';
import { connectToLeader } from '../node/transport/webSocketClient.ts';
import type { ConnectOptions } from '../node/transport/webSocketClient.ts';
import { TransportServer } from '../node/transport/webSocketServer.ts';
import type { HostLinks, HostLinkSettings, SyncHost } from './syncHost.ts';
import {
  publishLeaderAddress,
  readLeaderAddress,
  watchLeaderAddress,
  withdrawLeaderAddress,
} from './syncLeaderAddress.ts';

export interface LocalSyncHostOptions {
  readonly libraryId: LibraryId;
  readonly libraryDirectory: string;
  readonly ambient: Ambient;
  readonly logWorkerPath: string | undefined;
  /** The log's file was damaged and put aside; called with its path now. */
  readonly onLogPutAside: (file: string) => void;
  readonly links?: HostLinkSettings | undefined;
}

/** This machine: an SQLite lock and log in the library's folder, WebSockets on the loopback. Rejects with `sqlite-missing`, `library-missing` or `library-damaged`. */
export async function createLocalSyncHost(options: LocalSyncHostOptions): Promise<SyncHost> {
  const { libraryId, libraryDirectory, ambient, logWorkerPath, links } = options;
  loadSqlite();
  const token = await readToken(libraryDirectory);
  const lock = new LeaderLock(libraryDirectory);
  const path = join(libraryDirectory, LOG_FILE);
  const workerPath = logWorkerPath === undefined ? {} : { workerPath: logWorkerPath };
  const log = new LogFile({ path, ...workerPath }, options.onLogPutAside);
  return {
    tryLock: () => {
      if (!existsSync(libraryDirectory)) throw new SyncError('library-missing', 'The library is not there any more.');
      return lock.tryAcquire();
    },
    releaseLock: () => {
      lock.release();
    },
    openLog: () => log.open(),
    listen: async (term, onConnection) => {
      const server = await TransportServer.listen({ libraryId, token, ambient, port: links?.port, onConnection });
      try {
        await publishLeaderAddress(libraryDirectory, { port: server.port, term, pid: process.pid });
      } catch (error) {
        server.dispose();
        throw error;
      }
      return {
        withdraw: () => withdrawLeaderAddress(libraryDirectory, term.leaderId),
        dispose: () => {
          server.dispose();
        },
      };
    },
    connect: async () => {
      const address = await readLeaderAddress(libraryDirectory);
      if (address === undefined) return undefined;
      return await connectToLeader({ port: address.port, libraryId, token, ambient });
    },
    connectWithin: createConnectionPair,
    watch: (onHint) => watchLeaderAddress(libraryDirectory, ambient.logger, onHint),
    links: links === undefined ? undefined : linkHosts(links, { libraryId, token, ambient }),
  };
}

function linkHosts(settings: HostLinkSettings, options: Omit<ConnectOptions, 'port'>): HostLinks {
  return {
    ownAddress: settings.ownAddress ?? hostAddress(settings.port),
    addresses: settings.addresses,
    connect: async (address) => {
      const port = readHostAddress(address);
      // An address may also come from another host, and nobody leads us off this machine.
      if (port === undefined) throw new SyncError('connection-failed', 'Hosts are linked over the loopback only.');
      return await connectToLeader({ ...options, port });
    },
  };
}
