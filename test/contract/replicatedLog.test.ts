import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { MemoryReplicatedLog } from '../../src/core/replication/memoryReplicatedLog.ts';
import { SqliteReplicatedLog } from '../../src/node/log/sqliteReplicatedLog.ts';
import { testReplicatedLog } from './replicatedLogContract.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

testReplicatedLog('in memory', () => Promise.resolve(new MemoryReplicatedLog()));

testReplicatedLog('SQLite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'als-log-'));
  cleanups.push(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const log = await SqliteReplicatedLog.open({ path: join(directory, 'log.sqlite') });
  cleanups.push(() => log.close());
  return log;
});
