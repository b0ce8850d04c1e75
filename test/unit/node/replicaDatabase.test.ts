import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { DocId, LogIndex } from '../../../src/core/ids.ts';
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
      database.commit({ synced: { index: index(at), runningHash: hashOf(String(at)) } });
    });
  assert.deepEqual(reopened(file), { index: 2, runningHash: hashOf('2') });
  reopened(file, (database) => {
    database.commit({ synced: { index: index(3), runningHash: undefined } });
  });
  assert.deepEqual(reopened(file), { index: 3, runningHash: undefined });
});

test('[REC-04] a shadow that is not wholly in the file, because something is held, is not known as one that was', async (context) => {
  const database = new ReplicaDatabase(await newFile(context), hashOf);
  const docId = 'doc-1' as DocId;
  const document = { docId, libraryPath: 'a.yaml', localPath: 'a.yaml', head: undefined, attribution: {} };
  const put = (number: number, heldBase: string | undefined): void => {
    const shadow = { text: String(number), hash: hashOf(String(number)), index: index(number) };
    database.commit({ putDocuments: [{ ...document, shadow, heldBase }] });
  };
  put(1, undefined);
  put(2, 'as it was before the clash');
  assert.deepEqual(database.formerShadows(docId), [hashOf('1')]);
  put(2, undefined);
  assert.deepEqual(database.formerShadows(docId), [hashOf('2'), hashOf('1')]);
  database.close();
});

test('[REC-04] the shadows that a document had are known by name: all of the newest, then ever fewer, and some of the oldest', async (context) => {
  const file = await newFile(context);
  const docId = 'doc-1' as DocId;
  const saves = 5_000;
  const numberOf = new Map(Array.from({ length: saves }, (_, number) => [hashOf(String(number)), number]));
  reopened(file, (database) => {
    const document = { docId, libraryPath: 'a.yaml', localPath: 'a.yaml', heldBase: undefined, head: undefined };
    const documents = [...numberOf].map(([hash, number]) => {
      const shadow = { text: '', hash, index: index(number + 1) };
      return { ...document, shadow, attribution: {} };
    });
    // Each twice: what is stored again with the same shadow is no new one.
    database.commit({ putDocuments: documents.flatMap((one) => [one, one]) });
  });
  const database = new ReplicaDatabase(file, hashOf);
  const known = database.formerShadows(docId).map((hash) => numberOf.get(hash) ?? Number.NaN);
  database.close();
  assert.deepEqual(
    known.slice(0, 64),
    Array.from({ length: 64 }, (_, age) => saves - 1 - age),
  );
  assert.deepEqual(
    known,
    [...known].sort((a, b) => b - a),
  );
  assert.ok(known.length < 400, `${String(known.length)} are kept`);
  // However old a backup is, something is known that is at most about twice as old.
  for (let age = 1; age <= saves / 2; age *= 2)
    assert.ok(
      known.some((number) => saves - number >= age && saves - number <= 2 * age),
      `nothing of age ${String(age)}`,
    );
});

test('[REC-02] an index that an older release has moved on has no running hash', async (context) => {
  const file = await newFile(context);
  reopened(file, (database) => {
    database.commit({ synced: { index: index(2), runningHash: hashOf('2') } });
  });
  const older = new DatabaseSync(file);
  older.exec("UPDATE meta SET value = 5 WHERE name = 'lastSyncedIndex'");
  older.close();
  assert.deepEqual(reopened(file), { index: 5, runningHash: undefined });
});
