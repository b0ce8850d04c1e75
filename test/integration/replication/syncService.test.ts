import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import type { DocId, LibraryId } from '../../../src/core/ids.ts';
import { createAmbient } from '../../../src/node/ambient.ts';
import { createLibrary, libraryDirectory } from '../../../src/node/libraryDirectory.ts';
import { SyncService } from '../../../src/peer/syncService.ts';
import { createOf, editOf, peerInfo, RecordingSink, silentLogger, until } from '../../unit/replication/fakes.ts';

interface Peer {
  readonly service: SyncService;
  readonly sink: RecordingSink;
}

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function newLibrary(): Promise<{ readonly libraryId: LibraryId; readonly directory: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), 'als-sync-'));
  cleanups.push(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });
  const libraryId = await createLibrary(stateDir, { name: 'petstore', hints: [] });
  return { libraryId, directory: libraryDirectory(stateDir, libraryId) };
}

async function startPeer(
  library: { readonly libraryId: LibraryId; readonly directory: string },
  name: string,
  sink = new RecordingSink(),
): Promise<Peer> {
  const service = await SyncService.start({
    libraryId: library.libraryId,
    libraryDirectory: library.directory,
    peer: peerInfo(name),
    sink,
    ambient: createAmbient(silentLogger),
    heartbeatMs: 500,
    timeoutMs: 2_000,
  });
  cleanups.push(async () => {
    service.dispose();
    await service.closed;
  });
  return { service, sink };
}

test('[REP-01] the first peer leads, the second follows, and an entry reaches both', async () => {
  const library = await newLibrary();
  const alice = await startPeer(library, 'alice');
  const bob = await startPeer(library, 'bob');
  assert.equal(alice.service.status.role, 'leader');
  assert.equal(bob.service.status.role, 'follower');
  await until(() => bob.service.status.connection === 'connected', 'bob is connected');
  await until(() => alice.service.status.peers.length === 1, 'alice sees bob');
  const result = await bob.service.propose(createOf('bob', 'doc-1', 'openapi.yaml', 'openapi: 3.1.0\n'));
  assert.deepEqual(result, { kind: 'committed', index: 1 });
  await until(() => alice.sink.index === 1 && bob.sink.index === 1, 'both have the entry');
  assert.equal(alice.sink.applied[0]?.author.name, 'bob');
  assert.equal(bob.sink.texts.get('doc-1' as DocId), 'openapi: 3.1.0\n');
});

test('[ELE-03] a leader that closes hands over at once, and what it committed stays', async () => {
  const library = await newLibrary();
  const alice = await startPeer(library, 'alice');
  const bob = await startPeer(library, 'bob');
  await until(() => bob.service.status.connection === 'connected', 'bob is connected');
  await alice.service.propose(createOf('alice', 'doc-1', 'openapi.yaml', 'a: 1\n'));
  const termBefore = alice.service.status.term?.number ?? 0;
  const begun = performance.now();
  alice.service.dispose();
  const result = await bob.service.propose(editOf('bob', 'doc-1', 'a: 1\n', 'a: 2\n'));
  console.log(`handed over after ${(performance.now() - begun).toFixed(0)} ms`);
  assert.deepEqual(result, { kind: 'committed', index: 2 });
  assert.equal(bob.service.status.role, 'leader');
  assert.ok((bob.service.status.term?.number ?? 0) > termBefore);
  await until(() => bob.sink.index === 2, 'bob has both entries');
  assert.equal(bob.sink.texts.get('doc-1' as DocId), 'a: 2\n');
});
