import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, test } from 'node:test';
import type { DocId, LogIndex, ReplicaId } from '../../../src/core/ids.ts';
import type { StoredDocument } from '../../../src/core/replication/replicaStore.ts';
import { SqliteReplicaStore } from '../../../src/node/replica/sqliteReplicaStore.ts';
import { hashOf } from '../replication/fakes.ts';

const PAGE_BYTES = 4096;
const TEXT = 'x'.repeat(50_000);

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'als-replica-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'replica.sqlite');
}

interface Opened {
  readonly store: SqliteReplicaStore;
  readonly putAside: readonly string[];
  readonly damages: () => number;
}

function openStore(file: string, isSuspect = false): Opened {
  const putAside: string[] = [];
  let damages = 0;
  const store = new SqliteReplicaStore({
    replicaId: 'replica' as ReplicaId,
    file,
    workerFile: new URL('../../../src/node/replica/replicaWorker.ts', import.meta.url),
    isSuspect,
    onPutAside: (aside) => putAside.push(aside),
    onDamaged: () => (damages += 1),
  });
  cleanups.push(() => store.close().catch(() => undefined));
  return { store, putAside, damages: () => damages };
}

function documentOf(docId: string, text: string): StoredDocument {
  const shadow = { text, hash: hashOf(text), index: 1 as LogIndex };
  return {
    docId: docId as DocId,
    libraryPath: `${docId}.yaml`,
    localPath: `${docId}.yaml`,
    shadow,
    head: shadow,
    heldBase: undefined,
    attribution: {},
  };
}

/** A replica's state of some pages, closed, so that all of it is in its file. */
async function writeState(): Promise<string> {
  const file = newFile();
  const { store } = openStore(file);
  await store.load();
  await store.commit({ putDocuments: [documentOf('doc-1', TEXT)] });
  await store.close();
  return file;
}

function loseAllButTheFirstPage(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0, PAGE_BYTES);
  writeFileSync(file, bytes);
}

for (const [what, damage] of [
  ['is no database', (file: string) => writeFileSync(file, 'rubbish '.repeat(2_000))],
  ['has lost pages', loseAllButTheFirstPage],
  [
    'does not have a text that it names',
    (file: string) => {
      const database = new DatabaseSync(file);
      database.exec('DELETE FROM revisions');
      database.close();
    },
  ],
] as const) {
  test(`[REC-11] the state of a replica that ${what} is put aside, and the replica begins with nothing`, async () => {
    const file = await writeState();
    damage(file);
    const { size } = statSync(file);
    const { store, putAside } = openStore(file);
    assert.deepEqual((await store.load()).documents, []);
    assert.equal(putAside.length, 1);
    assert.equal(statSync(putAside[0] ?? '').size, size);
    await store.commit({ putDocuments: [documentOf('doc-2', TEXT)] });
  });
}

test('[REC-11] damage that is found while a replica is served is told once, and the state is put aside when it is opened as suspect', async () => {
  const file = await writeState();
  const { store, damages } = openStore(file);
  await store.load();
  loseAllButTheFirstPage(file);
  const docId = 'doc-1' as DocId;
  await assert.rejects(store.bulkMemory.bulksOf(docId), { code: 'replica-damaged' });
  await assert.rejects(store.bulkMemory.bulksOf(docId), { code: 'replica-damaged' });
  assert.equal(damages(), 1);
  await store.close();
  const next = openStore(file, true);
  await next.store.load();
  assert.equal(next.putAside.length, 1);
});

test('[REC-11] a state that is suspect, and sound when it is read as a whole, stays', async () => {
  const file = await writeState();
  const { store, putAside } = openStore(file, true);
  assert.equal((await store.load()).documents.length, 1);
  assert.deepEqual(putAside, []);
});
