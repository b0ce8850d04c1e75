import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId } from '../../../src/core/ids.ts';
import type { DocumentHead, LogEntry } from '../../../src/core/replication/entry.ts';
import { BadEntryError, LinkClosedError } from '../../../src/core/replication/libraryLink.ts';
import { nextRunningHash } from '../../../src/core/replication/runningHash.ts';
import { authorOf, createOf, editOf, hashOf, RecordingSink, settle } from './fakes.ts';
import { connectTo, HEARTBEAT_MS, startFollower, startLeader, TIMEOUT_MS } from './wire.ts';
import type { Standing } from '../../../src/core/replication/messages.ts';
import type { HandPeer } from './wire.ts';

const term = { number: 1, leaderId: 'peer-leader' as PeerId };

/** The entries of a log in which one document grows. */
function makeEntries(count: number): LogEntry[] {
  return Array.from({ length: count }, (_, position) => {
    const before = `step ${String(position)}\n`;
    const after = `step ${String(position + 1)}\n`;
    const proposal = position === 0 ? createOf('w', 'doc-1', 'a.yaml', after) : editOf('w', 'doc-1', before, after);
    return { ...proposal, index: (position + 1) as LogIndex, term, author: authorOf('writer'), at: position };
  });
}

const index = (value: number): LogIndex => value as LogIndex;

function welcome(leader: HandPeer, last: number, standing: Standing = 'onLog', protocol = 1): void {
  leader.send({ kind: 'welcome', requestId: 0, protocol, index: index(last), runningHash: '', standing, peers: [] });
}

/** Answers every page that is asked for from these entries. */
async function servePages(leader: HandPeer, entries: readonly LogEntry[]): Promise<void> {
  let answered = -1;
  for (;;) {
    await settle();
    const request = leader.all('fetchEntries').find(({ requestId }) => requestId > answered);
    if (request === undefined) return;
    answered = request.requestId;
    const page = entries.filter((entry) => entry.index > request.since).slice(0, request.limit);
    leader.send({
      kind: 'entriesResponse',
      requestId: request.requestId,
      entries: page,
      hasMore: (page.at(-1)?.index ?? 0) < entries.length,
    });
  }
}

test('[REP-14] a follower that was away for 250 entries catches up in pages of 100', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const entries = makeEntries(250);
  const leader = attachByHand();
  await settle();
  assert.equal(leader.last('hello').index, 0);
  welcome(leader, 250);
  await servePages(leader, entries);
  assert.deepEqual(
    leader.all('fetchEntries').map(({ since, limit }) => [since, limit]),
    [
      [0, 100],
      [100, 100],
      [200, 100],
    ],
  );
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    entries.map((entry) => entry.index),
  );
  assert.equal(leader.last('acknowledge').index, 250);
});

test('[REP-13] what is announced while catching up waits its turn: each entry once, in order, one at a time', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const entries = makeEntries(130);
  const gate = Promise.withResolvers<undefined>();
  sink.beforeApply = async (entry) => {
    if (entry.index === 5) await gate.promise;
    await settle();
  };
  const leader = attachByHand();
  await settle();
  welcome(leader, 120);
  const pages = servePages(leader, entries.slice(0, 120));
  await settle();
  leader.send({ kind: 'newEntries', from: index(121), to: index(125), count: 5, entries: entries.slice(120, 125) });
  leader.send({ kind: 'newEntries', from: index(126), to: index(130), count: 5, entries: entries.slice(125) });
  leader.send({ kind: 'newEntries', from: index(1), to: index(3), count: 3, entries: entries.slice(0, 3) });
  await settle();
  gate.resolve(undefined);
  await pages;
  while (sink.index < 130) {
    await settle();
    await servePages(leader, entries);
  }
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    entries.map((entry) => entry.index),
  );
  assert.equal(sink.maxConcurrent, 1);
});

test('[REP-14] an announcement that leaves a gap makes the follower fetch what is missing', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const entries = makeEntries(6);
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  leader.send({ kind: 'newEntries', from: index(1), to: index(1), count: 1, entries: entries.slice(0, 1) });
  leader.send({ kind: 'newEntries', from: index(5), to: index(6), count: 2, entries: entries.slice(4) });
  await servePages(leader, entries);
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    [1, 2, 3, 4, 5, 6],
  );
});

test('[REP-14] an entry that is announced twice is applied once', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const entries = makeEntries(2);
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  for (let time = 0; time < 3; time += 1)
    leader.send({ kind: 'newEntries', from: index(1), to: index(2), count: 2, entries });
  await settle();
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    [1, 2],
  );
});

test('[REP-14] after a reconnect the follower fetches what was committed while it was away', async () => {
  const world = await startLeader();
  const { follower, sink } = startFollower('bob', world.time);
  await world.append(createOf('w', 'doc-1', 'a.yaml', 'one\n'));
  const first = connectTo(world);
  follower.attach(first);
  await settle();
  first.close();
  await settle();
  await world.append(editOf('w', 'doc-1', 'one\n', 'two\n'));
  await world.append(editOf('w', 'doc-1', 'two\n', 'three\n'));
  assert.equal(sink.index, 1);
  follower.attach(connectTo(world));
  await settle();
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    [1, 2, 3],
  );
});

test('[REP-14] a heartbeat with a higher index than was announced makes the follower fetch', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const entries = makeEntries(3);
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  leader.send({ kind: 'heartbeat', index: index(3), peers: [] });
  await servePages(leader, entries);
  assert.equal(sink.index, 3);
});

test('[REP-15] an entry is acknowledged after the replica has it, never before', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const gate = Promise.withResolvers<undefined>();
  sink.beforeApply = () => gate.promise.then(() => undefined);
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  leader.send({ kind: 'newEntries', from: index(1), to: index(1), count: 1, entries: makeEntries(1) });
  await settle();
  assert.equal(leader.all('acknowledge').length, 0);
  gate.resolve(undefined);
  await settle();
  assert.equal(leader.last('acknowledge').index, 1);
});

test('[REP-16] after a restart the replica says where it is, with the running hash, and is given only what is new', async () => {
  const entries = makeEntries(4);
  const sink = new RecordingSink();
  const before = startFollower('bob', undefined, sink);
  const first = before.attachByHand();
  await settle();
  welcome(first, 3);
  await servePages(first, entries.slice(0, 3));
  before.follower.dispose();
  const after = startFollower('bob', undefined, sink);
  const second = after.attachByHand();
  await settle();
  let runningHash = '';
  for (const entry of entries.slice(0, 3)) runningHash = nextRunningHash(runningHash, entry, hashOf);
  assert.deepEqual([second.last('hello').index, second.last('hello').runningHash], [3, runningHash]);
  welcome(second, 4);
  await servePages(second, entries);
  assert.deepEqual(
    second.all('fetchEntries').map(({ since }) => since),
    [3],
  );
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    [1, 2, 3, 4],
  );
});

test('[REP-17] an entry that cannot be read is put aside and said; the heads come instead and the rest goes on', async () => {
  const { attachByHand, sink, logger, follower } = startFollower('bob');
  const quarantined: number[] = [];
  follower.onDidQuarantine((entry) => quarantined.push(entry.index));
  const entries = makeEntries(4);
  const damaged: unknown[] = [...entries];
  damaged[1] = { index: 2, nonsense: true };
  const leader = attachByHand();
  await settle();
  welcome(leader, 3);
  await settle();
  leader.send({
    kind: 'entriesResponse',
    requestId: leader.last('fetchEntries').requestId,
    entries: damaged.slice(0, 3),
    hasMore: false,
  });
  await settle();
  const head: DocumentHead = {
    docId: 'doc-1' as DocId,
    path: 'a.yaml',
    hash: hashOf('step 3\n'),
    index: index(3),
    author: authorOf('writer'),
    at: 0,
  };
  leader.send({
    kind: 'heads',
    requestId: leader.last('fetchHeads').requestId,
    heads: [head],
    index: index(3),
    runningHash: hashOf('h'),
  });
  await settle();
  assert.deepEqual(quarantined, [2]);
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    [1],
  );
  assert.deepEqual(sink.headCalls, [{ heads: [head], index: 3 }]);
  assert.ok(logger.lines.some((line) => line.includes('put aside')));
  leader.send({ kind: 'newEntries', from: index(4), to: index(4), count: 1, entries: entries.slice(3) });
  await settle();
  assert.equal(sink.index, 4);
});

test('[REP-17] an entry at another place than its own is put aside', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  const [, second] = makeEntries(2);
  leader.send({ kind: 'newEntries', from: index(1), to: index(1), count: 1, entries: [second] });
  await settle();
  assert.deepEqual([sink.applied.length, leader.all('fetchHeads').length], [0, 1]);
});

test('[REP-21] a welcome in the name of another leader is none', async () => {
  const { attachByHand, follower } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  leader.send(
    { kind: 'welcome', requestId: 0, protocol: 1, index: index(0), runningHash: '', standing: 'onLog', peers: [] },
    { sender: 'peer-mallory' as PeerId },
  );
  await settle();
  assert.equal(follower.isConnected, false);
});

test('[REP-17] an entry that the replica finds at fault does not block the rest', async () => {
  const { attachByHand, sink } = startFollower('bob');
  sink.beforeApply = (entry) => {
    if (entry.index === 1) throw new BadEntryError('The patch does not give the hash.');
  };
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  leader.send({ kind: 'newEntries', from: index(1), to: index(2), count: 2, entries: makeEntries(2) });
  await settle();
  leader.send({
    kind: 'heads',
    requestId: leader.last('fetchHeads').requestId,
    heads: [],
    index: index(2),
    runningHash: '',
  });
  await settle();
  assert.deepEqual([sink.index, sink.applied.length, sink.headCalls.length], [2, 0, 1]);
});

test('[REC-03] a follower that the log cannot serve takes the heads, also where they lie behind it', async () => {
  const sink = new RecordingSink();
  sink.index = index(250);
  const { attachByHand } = startFollower('bob', undefined, sink);
  const leader = attachByHand();
  await settle();
  welcome(leader, 200, 'unknown');
  await settle();
  assert.equal(leader.all('fetchEntries').length, 0, 'no entry of the other log is applied on the way');
  leader.send({
    kind: 'heads',
    requestId: leader.last('fetchHeads').requestId,
    heads: [],
    index: index(200),
    runningHash: hashOf('h'),
  });
  await settle();
  assert.equal(sink.index, 200);
  leader.send({
    kind: 'newEntries',
    from: index(201),
    to: index(201),
    count: 1,
    entries: [{ ...makeEntries(1)[0], index: 201 }],
  });
  await settle();
  assert.equal(sink.index, 201);
});

test('[REC-02] a replica that an older release left without a running hash has one from the next leader on', async () => {
  const sink = new RecordingSink();
  sink.index = index(1);
  sink.runningHash = undefined;
  const { attachByHand } = startFollower('bob', undefined, sink);
  const leader = attachByHand();
  await settle();
  assert.equal(leader.last('hello').runningHash, undefined);
  const [, second] = makeEntries(2);
  assert.ok(second !== undefined);
  const before = hashOf('the log at 1');
  leader.send({
    kind: 'welcome',
    requestId: 0,
    protocol: 1,
    index: index(1),
    runningHash: before,
    standing: 'onLog',
    peers: [],
  });
  leader.send({ kind: 'newEntries', from: index(2), to: index(2), count: 1, entries: [second] });
  await settle();
  assert.equal(sink.runningHash, nextRunningHash(before, second, hashOf));
});

test('[REC-03] what a new connection found missing is not forgotten over the heads of the one before', async () => {
  const sink = new RecordingSink();
  sink.index = index(250);
  const gate = Promise.withResolvers<undefined>();
  const taken: number[] = [];
  sink.applyHeads = async (_heads, at) => {
    if (taken.length === 0) await gate.promise;
    taken.push(at);
    sink.index = at;
  };
  const { attachByHand } = startFollower('bob', undefined, sink);
  for (const at of [200, 120]) {
    const leader = attachByHand();
    await settle();
    welcome(leader, at, 'unknown');
    await settle();
    if (at === 120) gate.resolve(undefined);
    await settle();
    const { requestId } = leader.last('fetchHeads');
    leader.send({ kind: 'heads', requestId, heads: [], index: index(at), runningHash: hashOf(String(at)) });
    await settle();
  }
  assert.deepEqual(taken, [200, 120]);
});

test('[REC-03] syncRequired as the answer to a page leads to the heads', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 9);
  await settle();
  leader.send({ kind: 'syncRequired', requestId: leader.last('fetchEntries').requestId, reason: 'compacted' });
  await settle();
  leader.send({
    kind: 'heads',
    requestId: leader.last('fetchHeads').requestId,
    heads: [],
    index: index(9),
    runningHash: '',
  });
  await settle();
  assert.equal(sink.index, 9);
});

test('[REP-21] who is not the leader, or no longer is, is not heard', async () => {
  const { attachByHand, sink, follower, time } = startFollower('bob');
  const first = attachByHand('leader', 5);
  await settle();
  welcome(first, 0);
  await settle();
  const news = { kind: 'newEntries', from: index(1), to: index(1), count: 1, entries: makeEntries(1) } as const;
  first.send(news, { sender: 'peer-mallory' as PeerId });
  first.send(news, { term: { number: 5, leaderId: 'peer-mallory' as PeerId }, sender: 'peer-mallory' as PeerId });
  first.send(news, { term: { number: 9, leaderId: 'peer-mallory' as PeerId }, sender: 'peer-mallory' as PeerId });
  first.send(news, { term: { number: 4, leaderId: 'peer-leader' as PeerId } });
  first.send(news, { libraryId: 'library-2' as typeof first.libraryId });
  await settle();
  assert.equal(sink.index, 0);
  assert.deepEqual(follower.term, { number: 5, leaderId: 'peer-leader' });
  const older = attachByHand('older', 4);
  await settle();
  welcome(older, 1);
  older.send(news);
  await settle();
  assert.deepEqual([sink.index, follower.isConnected], [0, false]);
  await time.advance(TIMEOUT_MS + HEARTBEAT_MS);
  assert.equal(older.connection.isClosed, true, 'a stale leader is left, not waited for');
});

test('[REP-21] messages of the connection before are not heard any more', async () => {
  const { attachByHand, sink } = startFollower('bob');
  const before = attachByHand('leader', 1);
  await settle();
  welcome(before, 0);
  await settle();
  const after = attachByHand('next', 2);
  before.send({ kind: 'newEntries', from: index(1), to: index(1), count: 1, entries: makeEntries(1) });
  await settle();
  welcome(after, 0);
  await settle();
  assert.equal(sink.index, 0);
  assert.equal(before.connection.isClosed, true);
});

test('[REP-20] silence longer than the timeout ends the connection, by the monotonic clock alone', async () => {
  const { attachByHand, follower, time, disconnections } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  await settle();
  for (const jump of [3_600_000, -7_200_000]) {
    time.wallOffset += jump;
    await time.advance(10_000);
    assert.equal(follower.isConnected, true);
    leader.send({ kind: 'heartbeat', index: index(0), peers: [] });
    await settle();
  }
  assert.equal(leader.all('heartbeat').length, 4, 'one every five seconds');
  await time.advance(21_000);
  assert.deepEqual(
    disconnections.map(({ reason, wasWelcomed }) => [reason, wasWelcomed]),
    [['silent', true]],
  );
  assert.equal(leader.connection.isClosed, true);
});

test('[REP-20] a follower that slept waits for what the leader may have said meanwhile', async () => {
  const { attachByHand, follower, time } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  await settle();
  time.now += 600_000;
  await time.advance(0);
  assert.equal(follower.isConnected, true);
  leader.send({ kind: 'heartbeat', index: index(0), peers: [] });
  await time.advance(14_000);
  assert.equal(follower.isConnected, true);
  await time.advance(10_000);
  assert.equal(follower.isConnected, false);
});

test('[REP-18] [I8] a proposal made offline waits, and is sent once there is a leader', async () => {
  const world = await startLeader();
  const { follower, sink } = startFollower('bob', world.time);
  const results = [createOf('b', 'doc-1', 'a.yaml', 'one\n'), createOf('b', 'doc-2', 'b.yaml', 'one\n')].map(
    (proposal) => follower.propose(proposal),
  );
  await settle();
  follower.attach(connectTo(world));
  assert.deepEqual(await Promise.all(results), [
    { kind: 'committed', index: 1 },
    { kind: 'committed', index: 2 },
  ]);
  await settle();
  assert.equal(sink.index, 2);
});

test('[REP-03] a leader of protocol 1 is not told of the source that it would refuse', async () => {
  for (const [protocol, source] of [
    [1, undefined],
    [2, 'localhost:8000'],
  ] as const) {
    const { follower, attachByHand } = startFollower('bob');
    const leader = attachByHand('leader', 1);
    await settle();
    welcome(leader, 0, 'onLog', protocol);
    void follower.propose(createOf('b', 'doc-1', 'a.yaml', 'one\n'), 'localhost:8000');
    await settle();
    assert.equal(leader.last('propose').source, source);
  }
});

test('[REP-05] [REP-18] an answer that was lost with its connection is asked for again and commits nothing twice', async () => {
  const world = await startLeader();
  const { follower, sink, attachByHand } = startFollower('bob', world.time);
  const proposal = createOf('b', 'doc-1', 'a.yaml', 'one\n');
  const forgetful = attachByHand('leader', 1);
  await settle();
  welcome(forgetful, 0);
  const result = follower.propose(proposal);
  await settle();
  // It reaches the log, and the answer is never sent.
  assert.equal((await world.append(forgetful.last('propose').proposal)).kind, 'committed');
  forgetful.connection.close();
  await settle();
  follower.attach(connectTo(world));
  assert.deepEqual(await result, { kind: 'committed', index: 1 });
  await settle();
  assert.deepEqual(
    sink.applied.map((entry) => entry.proposalId),
    [proposal.proposalId],
  );
});

test('[REP-19] a request without an answer is asked again after the timeout, and a late answer is no answer to another', async () => {
  const { follower, attachByHand, time } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  const result = follower.propose(createOf('b', 'doc-1', 'a.yaml', 'one\n'));
  await settle();
  const first = leader.last('propose').requestId;
  for (let passed = 0; passed <= TIMEOUT_MS; passed += HEARTBEAT_MS) {
    leader.send({ kind: 'heartbeat', index: index(0), peers: [] });
    await time.advance(HEARTBEAT_MS);
  }
  const second = leader.last('propose').requestId;
  assert.notEqual(second, first);
  leader.send({ kind: 'stale', requestId: first });
  await settle();
  leader.send({ kind: 'committed', requestId: second, index: index(7) });
  assert.deepEqual(await result, { kind: 'committed', index: 7 });
});

test('[REP-18] a leader that cannot decide yet is asked again with growing pauses; a final refusal is the answer', async () => {
  const { follower, attachByHand, time } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  const result = follower.propose(createOf('b', 'doc-1', 'a.yaml', 'one\n'));
  await settle();
  const sentAt: number[] = [];
  for (let attempt = 0; attempt < 4; attempt += 1) {
    const count = leader.all('propose').length;
    sentAt.push(time.now);
    leader.send({
      kind: 'error',
      requestId: leader.last('propose').requestId,
      code: 'log-unavailable',
      message: 'Full.',
      isFinal: false,
    });
    await settle();
    while (leader.all('propose').length === count) await time.advance(1);
  }
  const pauses = sentAt.slice(1).map((at, position) => at - (sentAt[position] ?? 0));
  assert.ok(
    pauses.every((pause, position) => position === 0 || pause > (pauses[position - 1] ?? 0)),
    pauses.join(),
  );
  leader.send({
    kind: 'error',
    requestId: leader.last('propose').requestId,
    code: 'hash-mismatch',
    message: 'No.',
    isFinal: true,
  });
  assert.deepEqual(await result, { kind: 'rejected', code: 'hash-mismatch', message: 'No.' });
});

test('[REP-23] at most 32 requests are under way at once, the others wait for their turn', async () => {
  const { follower, attachByHand } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  const results = Array.from({ length: 50 }, (_, count) =>
    follower.propose(createOf('b', `doc-${String(count)}`, `${String(count)}.yaml`, 'x\n')),
  );
  await settle();
  assert.equal(leader.all('propose').length, 32);
  for (const [position, { requestId }] of leader.all('propose').entries())
    leader.send({ kind: 'committed', requestId, index: index(position + 1) });
  await settle();
  assert.equal(leader.all('propose').length, 50);
  for (const [position, { requestId }] of leader.all('propose').slice(32).entries())
    leader.send({ kind: 'committed', requestId, index: index(position + 33) });
  assert.equal((await Promise.all(results)).length, 50);
});

test('[REP-18] a proposal that is no proposal is rejected here, without a word to the leader', async () => {
  const { follower } = startFollower('bob');
  const proposal = { ...createOf('b', 'doc-1', 'a.yaml', 'x\n'), changes: Array.from({ length: 5_000 }, () => 'much') };
  const result = await follower.propose(proposal);
  assert.equal(result.kind === 'rejected' ? result.code : '', 'invalid-proposal');
});

test('[REP-24] a replica that cannot take an entry in is offered it again on the next connection, and nothing is skipped', async () => {
  const world = await startLeader();
  const { follower, sink, disconnections } = startFollower('bob', world.time);
  await world.append(createOf('w', 'doc-1', 'a.yaml', 'one\n'));
  await world.append(editOf('w', 'doc-1', 'one\n', 'two\n'));
  let isDiskFull = true;
  sink.beforeApply = (entry) => {
    if (entry.index === 2 && isDiskFull) throw new Error('The disk is full.');
  };
  follower.attach(connectTo(world));
  await settle();
  assert.deepEqual(
    disconnections.map(({ didSinkFail }) => didSinkFail),
    [true],
  );
  assert.equal(sink.index, 1);
  await world.append(editOf('w', 'doc-1', 'two\n', 'three\n'));
  isDiskFull = false;
  follower.attach(connectTo(world));
  await settle();
  assert.deepEqual(
    sink.applied.map((entry) => entry.index),
    [1, 2, 3],
  );
});

test('[REP-24] a replica that says yes without recording it is not believed', async () => {
  const world = await startLeader();
  const { follower, sink, disconnections } = startFollower('bob', world.time);
  await world.append(createOf('w', 'doc-1', 'a.yaml', 'one\n'));
  sink.applySyncEntry = () => Promise.resolve();
  follower.attach(connectTo(world));
  await settle();
  assert.deepEqual(
    disconnections.map(({ didSinkFail }) => didSinkFail),
    [true],
  );
});

test('[REP-13] a connection that comes while an entry is being taken in waits for it', async () => {
  const world = await startLeader();
  const { follower, sink } = startFollower('bob', world.time);
  await world.append(createOf('w', 'doc-1', 'a.yaml', 'one\n'));
  await world.append(editOf('w', 'doc-1', 'one\n', 'two\n'));
  const gate = Promise.withResolvers<undefined>();
  sink.beforeApply = () => gate.promise.then(() => undefined);
  follower.attach(connectTo(world));
  await settle();
  follower.attach(connectTo(world));
  await settle();
  follower.attach(connectTo(world));
  await settle();
  gate.resolve(undefined);
  await settle();
  assert.deepEqual([sink.applied.map((entry) => entry.index), sink.maxConcurrent], [[1, 2], 1]);
  assert.equal(world.leader.followers[0]?.lag, 0);
});

test('[ELE-06] a follower that is disposed leaves no timer, answers what waits, and hears nothing more', async () => {
  const { follower, attachByHand, time, sink } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  const waiting = [follower.propose(createOf('b', 'doc-1', 'a.yaml', 'x\n')), follower.fetchHeads()];
  await settle();
  follower.dispose();
  leader.send({ kind: 'newEntries', from: index(1), to: index(1), count: 1, entries: makeEntries(1) });
  for (const answer of waiting) await assert.rejects(answer, LinkClosedError);
  await assert.rejects(follower.fetchRevision('doc-1' as DocId, hashOf('x')), LinkClosedError);
  await settle();
  assert.equal(leader.last('bye').reason, 'shuttingDown');
  assert.deepEqual([time.pendingTimers, sink.index], [0, 0]);
});

test('[REC-06] a revision that does not have its hash is no revision', async () => {
  const { follower, attachByHand } = startFollower('bob');
  const leader = attachByHand();
  await settle();
  welcome(leader, 0);
  const answers = [
    follower.fetchRevision('doc-1' as DocId, hashOf('x')),
    follower.fetchRevision('doc-1' as DocId, hashOf('y')),
  ];
  await settle();
  for (const { requestId } of leader.all('fetchRevision')) leader.send({ kind: 'revision', requestId, text: 'x' });
  assert.deepEqual(await Promise.all(answers), ['x', undefined]);
});

test('[REP-01] heads, revisions and history come from the leader', async () => {
  const world = await startLeader();
  const { follower } = startFollower('bob', world.time);
  await world.append(createOf('w', 'doc-1', 'a.yaml', 'one\n'));
  await world.append(editOf('w', 'doc-1', 'one\n', 'two\n'));
  follower.attach(connectTo(world));
  assert.deepEqual(
    (await follower.fetchHeads()).map(({ path, hash }) => [path, hash]),
    [['a.yaml', hashOf('two\n')]],
  );
  assert.equal(await follower.fetchRevision('doc-1' as DocId, hashOf('one\n')), 'one\n');
  assert.deepEqual(
    (await follower.fetchHistory('doc-1' as DocId, 10)).map((entry) => entry.index),
    [2, 1],
  );
});

test('[I10] a leader that sends junk or asks like a follower is left', async () => {
  for (const misbehave of [
    (leader: HandPeer) => {
      leader.connection.send('{');
    },
    (leader: HandPeer) => {
      leader.send({ kind: 'fetchHeads', requestId: 1 });
    },
  ]) {
    const { attachByHand, disconnections } = startFollower('bob');
    const leader = attachByHand();
    await settle();
    welcome(leader, 0);
    misbehave(leader);
    await settle();
    assert.deepEqual(
      disconnections.map(({ reason }) => reason),
      ['invalidMessage'],
    );
  }
});

test('[REC-04] what heads build on is asked of the leader that gave them, never of the next one, whose log may be another', async () => {
  const { follower, attachByHand, sink, disconnections } = startFollower('bob');
  const [gate, done] = [Promise.withResolvers<undefined>(), Promise.withResolvers<unknown>()];
  sink.applyHeads = async () => {
    await gate.promise;
    const asked = follower.fetchRevision('doc-1' as DocId, hashOf('x'), 'heads');
    asked.then(done.resolve, done.resolve);
    await asked;
  };
  const giver = attachByHand();
  await settle();
  welcome(giver, 3, 'unknown');
  await settle();
  const { requestId } = giver.last('fetchHeads');
  giver.send({ kind: 'heads', requestId, heads: [], index: index(3), runningHash: hashOf('log') });
  await settle();
  const next = attachByHand('next', 2);
  await settle();
  welcome(next, 3, 'unknown');
  await settle();
  gate.resolve(undefined);
  const outcome = await done.promise;
  assert.match(String(outcome), /is gone/);
  await settle();
  assert.deepEqual([next.all('fetchRevision'), disconnections.at(-1)?.didSinkFail], [[], true]);
});

test('[REP-26] an entry of the last leader that is taken in after hello is checked against the next leader, which may lack it', async () => {
  const { attachByHand, sink, disconnections } = startFollower('bob');
  const gate = Promise.withResolvers<undefined>();
  sink.beforeApply = () => gate.promise.then(() => undefined);
  const first = attachByHand();
  await settle();
  welcome(first, 0);
  await settle();
  const entries = makeEntries(1);
  first.send({ kind: 'newEntries', from: index(1), to: index(1), count: 1, entries });
  await settle();
  const second = attachByHand('next', 2);
  await settle();
  welcome(second, 1);
  gate.resolve(undefined);
  await settle();
  const { requestId } = second.last('fetchEntries');
  const others = entries.map((entry) => ({ ...entry, author: authorOf('somebody else') }));
  second.send({ kind: 'entriesResponse', requestId, entries: others, hasMore: false });
  await settle();
  assert.deepEqual([sink.index, disconnections.at(-1)?.reason], [1, 'moved']);
});
