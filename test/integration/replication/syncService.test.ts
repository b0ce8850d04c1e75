import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import type { DocId, LogIndex } from '../../../src/core/ids.ts';
import type { LinkStatus } from '../../../src/core/replication/libraryLink.ts';
import { LinkClosedError } from '../../../src/core/replication/libraryLink.ts';
import { LeaderLock } from '../../../src/node/lock/leaderLock.ts';
import { createOf, editOf, hashOf, RecordingSink, until } from '../../unit/replication/fakes.ts';
import { TestLibrary } from './library.ts';
import type { TestPeer } from './library.ts';

let library: TestLibrary;
const spec = 'doc-1' as DocId;

beforeEach(async () => {
  library = await TestLibrary.create();
});

afterEach(async () => {
  await library.dispose();
});

function isConnected(peer: TestPeer): boolean {
  return peer.service.status.connection === 'connected';
}

/** Saves one document `count` times, from where it stands. */
async function save(peer: TestPeer, count: number, from = 0): Promise<void> {
  for (let step = from; step < from + count; step += 1) {
    const [before, after] = [`step: ${String(step - 1)}\n`, `step: ${String(step)}\n`];
    const proposal = step === 0 ? createOf('w', spec, 'openapi.yaml', after) : editOf('w', spec, before, after);
    assert.deepEqual(await peer.service.propose(proposal), { kind: 'committed', index: step + 1 });
  }
}

test('[REP-01] the first peer leads, the others follow, and an entry reaches all of them', async () => {
  const alice = await library.start('alice');
  const bob = await library.start('bob');
  const carol = await library.start('carol');
  assert.deepEqual(
    [alice, bob, carol].map(({ service }) => service.status.role),
    ['leader', 'follower', 'follower'],
  );
  await until(
    () => [alice, bob, carol].every((peer) => isConnected(peer) && peer.service.status.peers.length === 2),
    'everybody sees everybody',
  );
  assert.deepEqual(alice.service.status.peers.map(({ name }) => name).sort(), ['bob', 'carol']);
  const result = await bob.service.propose(createOf('bob', spec, 'openapi.yaml', 'openapi: 3.1.0\n'));
  assert.deepEqual(result, { kind: 'committed', index: 1 });
  await until(() => [alice, bob, carol].every(({ sink }) => sink.index === 1), 'all have the entry');
  assert.equal(alice.sink.applied[0]?.author.name, 'bob');
  assert.equal(carol.sink.texts.get(spec), 'openapi: 3.1.0\n');
  await until(() => alice.service.followers.every(({ lag }) => lag === 0), 'the leader knows that all have it');
});

test('[REP-14] a follower that was away for 250 entries gets them, and what is saved meanwhile, in order', async () => {
  const alice = await library.start('alice');
  await save(alice, 250);
  const bob = await library.start('bob');
  await save(alice, 30, 250);
  // The one who has saved is told of it like everybody: the follower may have it before.
  await until(() => [alice, bob].every(({ sink }) => sink.index === 280), 'both have all');
  assert.deepEqual(
    bob.sink.applied.map(({ index }) => index),
    Array.from({ length: 280 }, (_, position) => position + 1),
  );
  assert.equal(bob.sink.runningHash, alice.sink.runningHash);
});

test('[ELE-03] a leader that closes hands over at once; what it committed stays, and what waits is decided by the next', async () => {
  const alice = await library.start('alice');
  const bob = await library.start('bob');
  await until(() => isConnected(bob), 'bob is connected');
  await save(alice, 1);
  const termBefore = alice.service.status.term?.number ?? 0;
  const begun = performance.now();
  alice.service.dispose();
  const result = await bob.service.propose(editOf('bob', spec, 'step: 0\n', 'step: 1\n'));
  console.log(`handed over after ${(performance.now() - begun).toFixed(0)} ms`);
  assert.deepEqual(result, { kind: 'committed', index: 2 });
  assert.equal(bob.service.status.role, 'leader');
  assert.equal(bob.service.metrics.elections, 1);
  assert.ok((bob.service.status.term?.number ?? 0) > termBefore);
  await until(() => bob.sink.index === 2, 'bob has both entries');
  assert.equal(bob.sink.texts.get(spec), 'step: 1\n');
});

test('[ELE-06] after dispose nothing is held: no lock, no address, no answer that never comes', async () => {
  const alice = await library.start('alice');
  const statuses: LinkStatus[] = [];
  alice.service.onDidChangeStatus((status) => statuses.push(status));
  await save(alice, 1);
  await alice.stop();
  const count = statuses.length;
  const lock = new LeaderLock(library.directory);
  assert.equal(lock.tryAcquire(), true);
  lock.dispose();
  assert.equal(existsSync(join(library.directory, 'leader.json')), false);
  assert.deepEqual(
    readdirSync(library.directory).filter((name) => name.startsWith('.~als-')),
    [],
  );
  await assert.rejects(alice.service.propose(createOf('a', 'doc-2', 'b.yaml', 'x\n')), LinkClosedError);
  await assert.rejects(alice.service.fetchHeads(), LinkClosedError);
  assert.equal(statuses.length, count);
});

test('[ELE-06] starting and stopping at once leaves nothing either', async () => {
  const peers = await Promise.all(['alice', 'bob', 'carol', 'dave'].map((name) => library.start(name)));
  assert.equal(peers.filter(({ service }) => service.status.role === 'leader').length, 1);
  await Promise.all(peers.map((peer) => peer.stop()));
  const again = await library.start('erin');
  assert.equal(again.service.status.role, 'leader');
});

test('[ELE-07] a log of a newer release is refused with a plain sentence, and the lock is free for whoever can open it', async () => {
  const alice = await library.start('alice');
  await save(alice, 1);
  await alice.stop();
  const path = join(library.directory, 'log.sqlite');
  const setVersion = (version: number): void => {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA user_version = ${String(version)}`);
    database.close();
  };
  setVersion(99);
  await assert.rejects(library.start('bob'), { code: 'log-schema-newer' });
  const lock = new LeaderLock(library.directory);
  await until(() => lock.tryAcquire(), 'the lock is free');
  lock.dispose();
  setVersion(1);
  assert.equal((await library.start('carol')).service.status.role, 'leader');
});

test('[REC-04] a restored backup: replicas that are ahead of it are told, and take the heads', async () => {
  const bobSink = new RecordingSink();
  const first = await library.start('alice');
  const bob = await library.start('bob', { sink: bobSink });
  await save(first, 2);
  await until(() => bobSink.index === 2, 'bob is in step');
  await bob.stop();
  await first.stop();
  const backup = `${library.directory}.backup`;
  cpSync(join(library.directory, 'log.sqlite'), backup);
  const second = await library.start('alice', { sink: first.sink });
  const bobAgain = await library.start('bob', { sink: bobSink });
  await save(second, 3, 2);
  await until(() => bobSink.index === 5, 'bob is in step');
  await bobAgain.stop();
  await second.stop();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(library.directory, `log.sqlite${suffix}`), { force: true });
  cpSync(backup, join(library.directory, 'log.sqlite'));
  rmSync(backup);

  const alice = await library.start('alice', { sink: first.sink });
  await until(() => first.sink.headCalls.length === 1, 'alice has taken the heads');
  assert.deepEqual(
    first.sink.headCalls.map(({ index }) => index),
    [2],
  );
  // The log goes on differently from there, and reaches the very index at which bob stands.
  await alice.service.propose(editOf('a', spec, 'step: 1\n', 'other: 2\n'));
  await alice.service.propose(editOf('a', spec, 'other: 2\n', 'other: 3\n'));
  await alice.service.propose(editOf('a', spec, 'other: 3\n', 'other: 4\n'));
  await library.start('bob', { sink: bobSink });
  await until(() => bobSink.headCalls.length === 1, 'bob has taken the heads, though its index is in the log');
  assert.deepEqual(
    bobSink.headCalls[0]?.heads.map(({ hash }) => hash),
    [hashOf('other: 4\n')],
  );
});

test('[REC-05] a replica from before the horizon takes the heads and then follows entry by entry', async () => {
  const bobSink = new RecordingSink();
  const alice = await library.start('alice');
  const bob = await library.start('bob', { sink: bobSink });
  await save(alice, 3);
  await until(() => bobSink.index === 3, 'bob is in step');
  await bob.stop();
  await save(alice, 5, 3);
  await alice.stop();
  const database = new DatabaseSync(join(library.directory, 'log.sqlite'));
  database.exec('UPDATE entries SET at = 0 WHERE idx <= 6');
  database.close();
  const { SqliteLogStore } = await import('../../../src/node/log/sqliteLogStore.ts');
  const store = new SqliteLogStore(join(library.directory, 'log.sqlite'));
  assert.equal(store.compact({ olderThan: 1, keepUnits: Infinity }), 6);
  store.close();
  const again = await library.start('alice', { sink: alice.sink });
  await library.start('bob', { sink: bobSink });
  await until(() => bobSink.index === 8, 'bob stands at the end of the log');
  assert.equal(bobSink.headCalls.length, 1);
  await save(again, 1, 8);
  await until(() => bobSink.index === 9, 'bob follows');
  assert.deepEqual(bobSink.applied.at(-1)?.index, 9 as LogIndex);
});

test('[REP-23] a document of 40 MB goes through a socket in both directions', async () => {
  const patient = { heartbeatMs: 5_000, timeoutMs: 30_000 };
  await library.start('alice', patient);
  const bob = await library.start('bob', patient);
  const carol = await library.start('carol', patient);
  await until(() => isConnected(bob) && isConnected(carol), 'both are connected');
  const text = `description: |\n${'  all the same line after line "quoted"\n'.repeat(1_000_000)}`;
  assert.deepEqual(await bob.service.propose(createOf('b', spec, 'large.yaml', text)), { kind: 'committed', index: 1 });
  await until(() => carol.sink.index === 1, 'carol has it', 30_000);
  assert.equal(carol.sink.texts.get(spec) === text, true);
  assert.equal((await carol.service.fetchRevision(spec, hashOf(text))) === text, true);
});

test('[REP-24] a replica that cannot take an entry in stays, and goes on by itself when it can; the others do not notice', async () => {
  const alice = await library.start('alice');
  const bobSink = new RecordingSink();
  let isDiskFull = true;
  bobSink.beforeApply = (entry) => {
    if (entry.index === 2 && isDiskFull) throw new Error('The disk is full.');
  };
  const bob = await library.start('bob', { sink: bobSink });
  await save(alice, 4);
  assert.deepEqual(await bob.service.propose(createOf('b', 'doc-2', 'b.yaml', 'x\n')), { kind: 'committed', index: 5 });
  await until(() => alice.sink.index === 5, 'alice goes on');
  await until(() => bobSink.index === 1, 'bob has what comes before it');
  isDiskFull = false;
  await until(() => bobSink.index === 5, 'bob has caught up');
  assert.deepEqual(
    bobSink.applied.map(({ index }) => index),
    [1, 2, 3, 4, 5],
  );
});

test('[REP-24] the same holds for the replica of the leader itself', async () => {
  const sink = new RecordingSink();
  let isDiskFull = true;
  sink.beforeApply = () => {
    if (isDiskFull) throw new Error('The disk is full.');
  };
  const alice = await library.start('alice', { sink });
  const bob = await library.start('bob');
  await save(bob, 3);
  assert.equal(sink.index, 0);
  isDiskFull = false;
  await until(() => sink.index === 3, 'alice has caught up');
  assert.equal(alice.service.status.role, 'leader');
});

test('[ELE-01] a library without its folder or token is a coded error', async () => {
  rmSync(join(library.directory, 'token'));
  await assert.rejects(library.start('alice'), { code: 'library-missing' });
});
