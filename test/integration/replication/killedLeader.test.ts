import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { until } from '../../unit/replication/fakes.ts';
import { checkLog } from './checkLog.ts';
import { PeerGroup } from './peerProcesses.ts';
import type { PeerProcess } from './peerProcesses.ts';

/** So long a sign of life is waited for: whoever leads in this test has not waited for that. */
const PATIENT = { heartbeatMs: 300_000, timeoutMs: 600_000 };

let group: PeerGroup | undefined;

afterEach(async () => {
  await group?.dispose();
  group = undefined;
});

test('[ELE-04] [I6] kill -9 of the leader in a stream of 200 saves: the next leads without waiting for any timeout, every acknowledged save is in the log once', async () => {
  group = await PeerGroup.create();
  const { directory } = group;
  for (const name of ['alice', 'bob', 'carol']) await group.start(name, PATIENT);
  const first = group.leader();
  assert.ok(first !== undefined);
  const SAVES_PER_PEER = 67;
  for (const peer of group.peers) peer.send({ kind: 'write', count: SAVES_PER_PEER, startAt: 0 });
  await until(() => first.answered.size >= 20, 'the stream runs');
  const killedAt = performance.now();
  await first.kill();
  const survivors = group.alive;
  await until(() => survivors.some(({ role }) => role === 'leader'), 'another leads');
  const takeover = Math.max(...survivors.map(({ leadsSince }) => leadsSince)) - killedAt;
  await until(
    () => survivors.every(({ writesFinished }) => writesFinished === 1),
    'the survivors have saved everything',
  );
  const again = await group.start(first.name, PATIENT);
  const expected = Math.max(...survivors.flatMap(({ answered }) => [...answered.values()].map(({ index }) => index)));
  await until(
    () => [...survivors, again].every(({ appliedIndex }) => appliedIndex >= expected),
    'all three have every entry',
  );
  const hashes = new Set([...survivors, again].map(({ runningHash }) => runningHash));
  await Promise.all(group.peers.map((peer) => peer.kill()));
  const { entries, acknowledged, runningHash } = checkLog(directory, group.peers);
  assert.deepEqual([...hashes], [runningHash]);
  console.log(
    `kill -9: taken over after ${takeover.toFixed(0)} ms; ${String(entries)} entries, ${String(acknowledged)} acknowledged, 0 lost, 0 twice`,
  );
});

test('[ELE-04] [I6] one leader after the other is killed while it writes, and every peer dies at some point', async () => {
  group = await PeerGroup.create();
  const { directory } = group;
  const names = ['alice', 'bob', 'carol'];
  for (const name of names) await group.start(name);
  const next = new Map(names.map((name) => [name, 0]));
  const ROUNDS = 2;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const peer of group.alive) {
      const startAt = next.get(peer.name) ?? 0;
      peer.send({ kind: 'write', count: 1_000, startAt });
    }
    const leader = group.leader();
    assert.ok(leader !== undefined);
    const before = leader.answered.size;
    await until(() => leader.answered.size >= before + 10 + round * 3, 'it has saved some more');
    await Promise.all(group.alive.map((peer) => peer.kill()));
    // What was answered is certain; the next proposal may or may not be in the log, so its owner begins with it again.
    for (const peer of group.peers)
      next.set(peer.name, Math.max(next.get(peer.name) ?? 0, peer.answered.size === 0 ? 0 : lastStep(peer) + 1));
    checkLog(directory, group.peers);
    const peers = group;
    await Promise.all(names.map((name) => peers.start(name)));
    await until(() => group?.leader() !== undefined, 'somebody leads');
  }
  await Promise.all(group.alive.map((peer) => peer.kill()));
  const { entries, acknowledged } = checkLog(directory, group.peers);
  console.log(
    `${String(ROUNDS * names.length)} × kill -9: ${String(entries)} entries, ${String(acknowledged)} acknowledged, 0 lost, 0 twice`,
  );
});

test('[ELE-04] [REP-18] [I8] a frozen leader is waited for: nobody leads beside it, and what was saved meanwhile is committed when it wakes', async () => {
  group = await PeerGroup.create();
  const { directory } = group;
  for (const name of ['alice', 'bob', 'carol']) await group.start(name);
  const leader = group.leader();
  assert.ok(leader !== undefined);
  const others = group.alive.filter((peer) => peer !== leader);
  leader.process.kill('SIGSTOP');
  for (const peer of others) peer.send({ kind: 'write', count: 5, startAt: 0 });
  await until(() => others.every(({ connection }) => connection === 'offline'), 'the others have noticed');
  assert.deepEqual(
    others.map(({ role, answered }) => [role, answered.size]),
    [
      ['follower', 0],
      ['follower', 0],
    ],
  );
  leader.process.kill('SIGCONT');
  await until(() => others.every(({ writesFinished }) => writesFinished === 1), 'everything is committed');
  assert.deepEqual([leader.role, others.map(({ role }) => role)], ['leader', ['follower', 'follower']]);
  await until(() => group?.peers.every(({ appliedIndex }) => appliedIndex === 10) === true, 'all have it');
  await Promise.all(group.peers.map((peer) => peer.kill()));
  assert.equal(checkLog(directory, group.peers).entries, 10);
});

function lastStep(peer: PeerProcess): number {
  return Math.max(...[...peer.answered.keys()].map((proposalId) => Number(proposalId.split(':')[1])));
}
