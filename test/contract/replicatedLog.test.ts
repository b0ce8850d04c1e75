import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { MemoryReplicatedLog } from '../../src/core/replication/memoryReplicatedLog.ts';
import type { ReplicatedLog } from '../../src/core/replication/replicatedLog.ts';
import { SqliteReplicatedLog } from '../../src/node/log/sqliteReplicatedLog.ts';
import { testBulkLog } from './bulkLogContract.ts';
import { testReplicatedLog } from './replicatedLogContract.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const openInMemory = (): Promise<ReplicatedLog> => Promise.resolve(new MemoryReplicatedLog());
testReplicatedLog('in memory', openInMemory);
testBulkLog('in memory', openInMemory);

const openSqlite = async (): Promise<ReplicatedLog> => {
  const directory = mkdtempSync(join(tmpdir(), 'als-log-'));
  cleanups.push(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const log = await SqliteReplicatedLog.open({ path: join(directory, 'log.sqlite') });
  cleanups.push(() => log.close());
  return log;
};
testReplicatedLog('SQLite', openSqlite);
testBulkLog('SQLite', openSqlite);
