import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { LogIndex } from '../../../src/core/ids.ts';
import { ReplicaDatabase } from '../../../src/node/replica/replicaDatabase.ts';
import { hashOf } from '../replication/fakes.ts';

const index = (value: number): LogIndex => value as LogIndex;

async function newFile(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'api-live-sync-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'replica.sqlite');
}

function reopened(file: string, change: (database: ReplicaDatabase) => void = () => undefined) {
  const database = new ReplicaDatabase(file, hashOf);
  try {
    change(database);
    return database.load().synced;
  } finally {
    database.close();
  }
}

test('[REC-02] a replica keeps the running hash of the index that it stands at, and only that one', async (context) => {
  const file = await newFile(context);
  for (const at of [1, 2])
    reopened(file, (database) => {
      database.commit([{ synced: { index: index(at), runningHash: hashOf(String(at)) } }]);
    });
  assert.deepEqual(reopened(file), { index: 2, runningHash: hashOf('2') });
  reopened(file, (database) => {
    database.commit([{ synced: { index: index(3), runningHash: undefined } }]);
  });
  assert.deepEqual(reopened(file), { index: 3, runningHash: undefined });
});

test('[REC-02] an index that an older release has moved on has no running hash', async (context) => {
  const file = await newFile(context);
  reopened(file, (database) => {
    database.commit([{ synced: { index: index(2), runningHash: hashOf('2') } }]);
  });
  const older = new DatabaseSync(file);
  older.exec("UPDATE meta SET value = 5 WHERE name = 'lastSyncedIndex'");
  older.close();
  assert.deepEqual(reopened(file), { index: 5, runningHash: undefined });
});
