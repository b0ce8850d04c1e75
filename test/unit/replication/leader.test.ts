import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId } from '../../../src/core/ids.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import { MemoryReplicatedLog } from '../../../src/core/replication/memoryReplicatedLog.ts';
import { PROTOCOL_MAX } from '../../../src/core/replication/messages.ts';
import { SyncError } from '../../../src/core/replication/syncError.ts';
import { createConnectionPair } from '../../../src/node/transport/memoryConnection.ts';
import { createOf, editOf, hashOf, settle } from './fakes.ts';
import { greet, HandPeer, startLeader } from './wire.ts';
import type { LeaderWorld } from './wire.ts';

/** Saves one document over and over. */
function writer(world: LeaderWorld, docId = 'doc-1') {
  let text: string | undefined;
  let step = 0;
  return async (size = 0): Promise<void> => {
    step += 1;
    const next = `step: ${String(step)}\n${'#'.repeat(size)}\n`;
    const proposal: Proposal =
      text === undefined ? createOf('w', docId, `${docId}.yaml`, next) : editOf('w', docId, text, next);
    text = next;
    assert.equal((await world.append(proposal)).kind, 'committed');
    await settle();
  };
}

test('[REP-10] the first commit is announced at once, those that follow within 100 ms together, with their entries', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const save = writer(world);
  await save();
  assert.deepEqual(
    bob.all('newEntries').map(({ from, to, count }) => [from, to, count]),
    [[1, 1, 1]],
  );
  await world.time.advance(10);
  await save();
  await save();
  await save();
  assert.equal(bob.all('newEntries').length, 1);
  await world.time.advance(89);
  assert.equal(bob.all('newEntries').length, 1);
  await world.time.advance(1);
  const [, second] = bob.all('newEntries');
  assert.deepEqual([second?.from, second?.to, second?.count, second?.entries?.length], [2, 4, 3, 3]);
});

test('[REP-10] a constant stream does not starve the announcement: it comes every 100 ms', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const save = writer(world);
  for (let step = 0; step < 100; step += 1) {
    await save();
    await world.time.advance(10);
  }
  const announced = bob.all('newEntries');
  assert.ok(announced.length >= 10 && announced.length <= 12, `${String(announced.length)} announcements in a second`);
  for (const { from, to, count } of announced) assert.equal(count, to - from + 1);
  assert.deepEqual(
    announced.map(({ from }) => from).slice(1),
    announced.map(({ to }) => to + 1).slice(0, -1),
    'no index twice, none left out',
  );
});

test('[REP-10] after a quiet time the next commit is announced at once again, and no timer is left', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const idleTimers = world.time.pendingTimers;
  const save = writer(world);
  await save();
  await save();
  await world.time.advance(1_000);
  assert.equal(world.time.pendingTimers, idleTimers);
  await save();
  assert.equal(bob.all('newEntries').length, 3);
});

test('[REP-10] a large entry is announced without its text and fetched by whoever wants it', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  await writer(world)(100_000);
  assert.equal(bob.last('newEntries').entries, undefined);
  bob.send({ kind: 'fetchEntries', requestId: 1, since: 0 as LogIndex, limit: 100 });
  await settle();
  assert.equal(bob.last('entriesResponse').entries.length, 1);
});

test('[REP-11] a follower that does not read is passed over, and told everything that gathered once it reads', async () => {
  const world = await startLeader();
  const [mine, leaders] = createConnectionPair();
  let isCongested = false;
  const congested = new Proxy(leaders, {
    get: (target, key) => {
      if (key === 'isCongested') return isCongested;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  world.leader.accept(congested);
  const bob = new HandPeer(mine, 'peer-bob' as PeerId, { number: 0, leaderId: 'peer-bob' as PeerId });
  await greet(world, bob);
  const carol = world.connectByHand('carol');
  await greet(world, carol);
  const save = writer(world);
  isCongested = true;
  await save();
  await save();
  await world.time.advance(350);
  assert.equal(bob.all('newEntries').length, 0);
  assert.ok(carol.all('newEntries').length >= 1, 'the others are not held up');
  isCongested = false;
  await world.time.advance(100);
  assert.deepEqual(
    bob.all('newEntries').map(({ from, to }) => [from, to]),
    [[1, 2]],
  );
});

test('[REP-12] pages are at most 100 entries, and say rightly whether there is more, also after compaction', async () => {
  const world = await startLeader();
  const save = writer(world);
  for (let step = 0; step < 250; step += 1) await save();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const fetch = async (since: number) => {
    bob.send({ kind: 'fetchEntries', requestId: 7, since: since as LogIndex, limit: 100 });
    await settle();
    const { entries, hasMore } = bob.last('entriesResponse');
    return [entries.length, hasMore];
  };
  assert.deepEqual(await fetch(0), [100, true]);
  assert.deepEqual(await fetch(150), [100, false]);
  assert.deepEqual(await fetch(149), [100, true]);
  assert.deepEqual(await fetch(250), [0, false]);
  await world.transactions.compact({ olderThan: Infinity, keepUnits: Infinity });
  bob.send({ kind: 'fetchEntries', requestId: 8, since: 10 as LogIndex, limit: 100 });
  await settle();
  assert.deepEqual([bob.last('syncRequired').requestId, bob.last('syncRequired').reason], [8, 'compacted']);
  assert.deepEqual(await fetch(250), [0, false]);
  await save();
  assert.deepEqual(await fetch(250), [1, false]);
  for (let step = 0; step < 100; step += 1) await save();
  assert.deepEqual(
    [await fetch(250), await fetch(251)],
    [
      [100, true],
      [100, false],
    ],
  );
});

test('[REP-12] a page ends at about 4 MiB of entries', async () => {
  const world = await startLeader();
  const save = writer(world);
  for (let step = 0; step < 5; step += 1) await save(1024 * 1024);
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  bob.send({ kind: 'fetchEntries', requestId: 7, since: 0 as LogIndex, limit: 100 });
  await settle();
  const { entries, hasMore } = bob.last('entriesResponse');
  assert.deepEqual([entries.length, hasMore], [3, true]);
});

test('[REP-12] a limit above 100 is no message of ours', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  bob.send({ kind: 'fetchEntries', requestId: 1, since: 0 as LogIndex, limit: 101 });
  await settle();
  assert.equal(bob.last('bye').reason, 'invalidMessage');
});

test('[REP-15] the leader tracks who is connected and how far each is behind', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  const carol = world.connectByHand('carol');
  await greet(world, bob);
  await greet(world, carol);
  const save = writer(world);
  await save();
  await save();
  bob.send({ kind: 'acknowledge', index: 2 as LogIndex });
  carol.send({ kind: 'acknowledge', index: 1 as LogIndex });
  await settle();
  const lag = (): [string, number][] => world.leader.followers.map(({ peer, lag: entries }) => [peer.name, entries]);
  assert.deepEqual(lag(), [
    ['bob', 0],
    ['carol', 1],
  ]);
  bob.send({ kind: 'acknowledge', index: 1 as LogIndex });
  await settle();
  assert.deepEqual(
    lag(),
    [
      ['bob', 0],
      ['carol', 1],
    ],
    'a late acknowledgement takes nothing back',
  );
  carol.send({ kind: 'acknowledge', index: 2 as LogIndex }, { term: { ...carol.term, number: 0 } });
  await settle();
  assert.deepEqual(lag()[1], ['carol', 1], 'one of an older term changes nothing');
  const { runningHash } = world.transactions.position;
  const dave = world.connectByHand('dave');
  await greet(world, dave, { index: 2, runningHash: hashOf('another log') } as never);
  assert.deepEqual(lag()[2], ['dave', 2], 'what it has of another log counts for nothing');
  dave.connection.close();
  const erin = world.connectByHand('erin');
  await greet(world, erin, { index: 2, runningHash } as never);
  assert.deepEqual(lag()[2], ['erin', 0]);
  erin.connection.close();
  carol.connection.close();
  await settle();
  assert.deepEqual(lag(), [['bob', 0]]);
});

test('[REP-20] who comes and goes is told to everybody at once, and a heartbeat is answered with the index and the peers', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const carol = world.connectByHand('carol');
  await greet(world, carol);
  assert.deepEqual(
    bob.last('heartbeat').peers?.map(({ name }) => name),
    ['bob', 'carol'],
  );
  assert.deepEqual(
    carol.last('welcome').peers.map(({ name }) => name),
    ['bob', 'carol'],
  );
  await writer(world)();
  bob.send({ kind: 'heartbeat', index: 0 as LogIndex });
  await settle();
  assert.equal(bob.last('heartbeat').index, 1);
  carol.connection.close();
  await settle();
  assert.deepEqual(
    bob.last('heartbeat').peers?.map(({ name }) => name),
    ['bob'],
  );
});

test('[REP-20] a follower that is silent longer than the timeout is forgotten, whatever the wall clock says', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  for (const jump of [3_600_000, -7_200_000]) {
    world.time.wallOffset += jump;
    await world.time.advance(10_000);
    assert.equal(world.leader.followers.length, 1);
    bob.send({ kind: 'heartbeat', index: 0 as LogIndex });
    await settle();
  }
  await world.time.advance(21_000);
  assert.equal(world.leader.followers.length, 0);
  assert.equal(bob.connection.isClosed, true);
});

test('[REP-20] a leader that slept blames nobody for what it has not read yet', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  world.time.now += 600_000;
  await world.time.advance(0);
  assert.equal(world.leader.followers.length, 1);
  bob.send({ kind: 'heartbeat', index: 0 as LogIndex });
  await world.time.advance(15_000);
  assert.equal(world.leader.followers.length, 1);
  await world.time.advance(6_000);
  assert.deepEqual([world.leader.followers.length, bob.last('bye').reason], [0, 'silent']);
});

test('[ELE-05] a term that nobody can have lived through is not followed', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  bob.term = { number: Number.MAX_SAFE_INTEGER, leaderId: 'peer-other' as PeerId };
  await greet(world, bob);
  assert.equal(bob.last('bye').reason, 'invalidMessage');
  assert.equal(world.transactions.term.number, 1);
});

test('[REP-20] a connection that never says hello is closed after the timeout', async () => {
  const world = await startLeader();
  const silent = world.connectByHand('bob');
  await world.time.advance(20_000);
  assert.equal(silent.connection.isClosed, true);
});

test('[REP-22] the author is who the connection belongs to, and nobody speaks for another', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  bob.send({ kind: 'propose', requestId: 1, proposal: createOf('b', 'doc-1', 'a.yaml', 'one\n') });
  await settle();
  const page = await world.transactions.entries(0 as LogIndex, { count: 1, units: Infinity });
  assert.deepEqual(page.entries[0]?.entry?.author, { peerId: 'peer-bob', name: 'bob' });
  bob.send(
    { kind: 'propose', requestId: 2, proposal: createOf('b', 'doc-2', 'b.yaml', 'one\n') },
    { sender: 'peer-alice' as PeerId },
  );
  await settle();
  assert.equal(bob.last('bye').reason, 'invalidMessage');
  assert.equal(world.transactions.position.index, 1);
});

test('[REP-22] a change of a source has its name beside the folder that speaks for it, and the id of the connection', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const proposal = createOf('b', 'doc-1', 'a.yaml', 'one\n');
  bob.send({ kind: 'propose', requestId: 1, proposal, source: 'localhost:8000' });
  await settle();
  const page = await world.transactions.entries(0 as LogIndex, { count: 1, units: Infinity });
  assert.deepEqual(page.entries[0]?.entry?.author, { peerId: 'peer-bob', name: 'localhost:8000 (bob-folder)' });
});

test('[REP-02] before hello nothing is answered, and after junk nothing more', async () => {
  const world = await startLeader();
  const early = world.connectByHand('early');
  early.send({ kind: 'fetchHeads', requestId: 1 });
  await settle();
  assert.equal(early.last('bye').reason, 'invalidMessage');
  assert.equal(early.connection.isClosed, true);
  const junk = ['', 'null', '[]', '{"kind":"hello"}', '{"kind":"gossip"}', `{"kind":"fetchHeads","__proto__":{}}`];
  for (const text of junk) {
    const peer = world.connectByHand('bob');
    await greet(world, peer);
    peer.connection.send(text);
    await settle();
    assert.equal(peer.connection.isClosed, true, text);
  }
  assert.equal(world.leader.followers.length, 0);
});

test('[REP-02] a message that only a leader may send ends the connection', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  bob.send({ kind: 'newEntries', from: 1 as LogIndex, to: 1 as LogIndex, count: 1 });
  await settle();
  assert.equal(bob.last('bye').reason, 'invalidMessage');
});

test('[REP-02] a message of another library ends the connection', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  bob.libraryId = 'library-2' as typeof bob.libraryId;
  await greet(world, bob);
  assert.deepEqual([bob.last('bye').reason, world.leader.followers.length], ['wrongLibrary', 0]);
});

test('[REP-03] a peer whose protocols we do not speak is told so, also one that says more than we know', async () => {
  const world = await startLeader();
  const older = world.connectByHand('older');
  await greet(world, older, { protocolMin: 0, protocolMax: 0 });
  assert.equal(older.last('bye').reason, 'protocolTooOld');
  const newer = world.connectByHand('newer');
  await greet(world, newer, { protocolMin: PROTOCOL_MAX + 1, protocolMax: PROTOCOL_MAX + 2, newField: 1 } as never);
  assert.equal(newer.last('bye').reason, 'protocolTooNew');
  const both = world.connectByHand('both');
  await greet(world, both, { protocolMin: 1, protocolMax: PROTOCOL_MAX + 1, newField: 1 } as never);
  assert.equal(both.last('welcome').protocol, PROTOCOL_MAX);
  const before = world.connectByHand('before');
  await greet(world, before, { protocolMin: 1, protocolMax: 1 });
  assert.equal(before.last('welcome').protocol, 1);
});

test('[REP-20] the same peer on a new connection replaces its old one', async () => {
  const world = await startLeader();
  const before = world.connectByHand('bob');
  await greet(world, before);
  const after = world.connectByHand('bob');
  await greet(world, after);
  assert.equal(before.last('bye').reason, 'replaced');
  assert.deepEqual([world.leader.followers.length, after.connection.isClosed], [1, false]);
});

test('[I7] a request in an older term is told the new one and changes nothing', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const older = bob.term;
  await world.transactions.raiseTerm(older.number + 4);
  bob.send({ kind: 'propose', requestId: 1, proposal: createOf('b', 'doc-1', 'a.yaml', 'one\n') }, { term: older });
  await settle();
  const answer = bob.last('error');
  assert.deepEqual(
    [answer.code, answer.isFinal, answer.requestId, answer.term.number],
    ['stale-term', false, 1, older.number + 5],
  );
  assert.equal(world.transactions.position.index, 0);
});

test('[ELE-05] a leader that meets a higher term goes above it', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  bob.term = { number: 41, leaderId: 'peer-other' as PeerId };
  await greet(world, bob);
  assert.equal(bob.last('welcome').term.number, 42);
  assert.equal(world.transactions.term.number, 42);
});

test('[REP-07] a proposal that could not be written is answered as not decided, and works later', async () => {
  class FullDisk extends MemoryReplicatedLog {
    isFull = true;
    override append(...values: Parameters<MemoryReplicatedLog['append']>): Promise<void> {
      return this.isFull
        ? Promise.reject(new SyncError('log-unavailable', 'The disk is full.'))
        : super.append(...values);
    }
  }
  const log = new FullDisk();
  const world = await startLeader(log);
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const proposal = createOf('b', 'doc-1', 'a.yaml', 'one\n');
  bob.send({ kind: 'propose', requestId: 1, proposal });
  await settle();
  assert.deepEqual([bob.last('error').code, bob.last('error').isFinal], ['log-unavailable', false]);
  log.isFull = false;
  bob.send({ kind: 'propose', requestId: 2, proposal });
  await settle();
  assert.deepEqual([bob.last('committed').requestId, bob.last('committed').index], [2, 1]);
});

test('[REP-23] a follower that asks faster than it can be answered is cut off', async () => {
  class SlowLog extends MemoryReplicatedLog {
    override history(): Promise<never> {
      return new Promise(() => undefined);
    }
  }
  const world = await startLeader(new SlowLog());
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  for (let requestId = 1; requestId <= 65; requestId += 1)
    bob.send({ kind: 'fetchHistory', requestId, docId: 'doc-1' as DocId, limit: 1 });
  await settle();
  assert.equal(bob.last('bye').reason, 'overloaded');
  assert.equal(world.leader.followers.length, 0);
});

test('[REC-02] who stands where the log has been goes on from there, who does not is told that it must take the heads', async () => {
  const world = await startLeader();
  const save = writer(world);
  await save();
  await save();
  const hash = (await world.log.runningHashAt(1 as LogIndex)) ?? '';
  const standing = async (hello: { readonly index: number; readonly runningHash?: string | undefined }) => {
    const peer = world.connectByHand('bob');
    await greet(world, peer, hello as never);
    return peer.last('welcome').standing;
  };
  assert.equal(await standing({ index: 1, runningHash: hash }), 'onLog');
  assert.equal(
    await standing({ index: 1, runningHash: undefined }),
    'onLog',
    'a replica that keeps no hash is believed by index',
  );
  assert.equal(
    await standing({ index: 1, runningHash: hashOf('another log') }),
    'unknown',
    'a restored backup that went on differently',
  );
  assert.equal(await standing({ index: 3, runningHash: hash }), 'unknown', 'ahead of a log that was set back');
  await world.transactions.compact({ olderThan: Infinity, keepUnits: Infinity });
  assert.equal(await standing({ index: 1, runningHash: hash }), 'compacted', 'behind the horizon');
  assert.equal(await standing({ index: 1, runningHash: hashOf('another log') }), 'unknown', 'also behind the horizon');
  assert.equal(await standing({ index: 0, runningHash: '' }), 'compacted', 'a new replica of a compacted log');
});

test('[ELE-06] a leader that is disposed says goodbye, leaves no timer and announces nothing more', async () => {
  const world = await startLeader();
  const bob = world.connectByHand('bob');
  await greet(world, bob);
  const save = writer(world);
  await save();
  await save();
  world.leader.dispose();
  await save();
  await settle();
  assert.equal(bob.last('bye').reason, 'shuttingDown');
  assert.equal(bob.all('newEntries').length, 1);
  assert.equal(world.time.pendingTimers, 0);
  const late = world.connectByHand('carol');
  await settle();
  assert.equal(late.connection.isClosed, true);
});
