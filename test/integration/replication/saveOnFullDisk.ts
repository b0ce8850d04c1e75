import assert from 'node:assert/strict';
import { until } from '../../unit/replication/fakes.ts';
import { checkLog } from './checkLog.ts';
import { liftFileLimit, type PeerGroup } from './peerProcesses.ts';

/** How many looks in a row must find nothing new. */
const STUCK_LOOKS = 200;

/**
 * The leader's disk is full when a file has `maxFileKib`, before it and a follower have saved `saves` times each; once
 * there is room both go on by themselves, and nothing that was acknowledged is missing.
 */
export async function saveOnFullDisk(group: PeerGroup, saves: number, maxFileKib: number): Promise<void> {
  const { directory } = group;
  const leader = await group.start('alice', { maxFileKib });
  const follower = await group.start('bob');
  assert.equal(leader.role, 'leader');
  leader.send({ kind: 'write', count: saves, startAt: 0 });
  follower.send({ kind: 'write', count: saves, startAt: 0 });
  const answered = (): number => leader.answered.size + follower.answered.size;
  let [before, looks] = [-1, 0];
  await until(() => {
    looks = answered() === before && before > 0 ? looks + 1 : 0;
    before = answered();
    return looks >= STUCK_LOOKS;
  }, 'nothing can be written any more');
  assert.ok(before < 2 * saves, 'the disk was full before everything was saved');
  assert.deepEqual([leader.isAlive, leader.role, follower.connection], [true, 'leader', 'connected']);
  liftFileLimit(leader);
  await until(() => leader.writesFinished === 1 && follower.writesFinished === 1, 'everything is saved', 60_000);
  await until(() => leader.appliedIndex === 2 * saves && follower.appliedIndex === 2 * saves, 'both have everything');
  await Promise.all(group.peers.map((peer) => peer.kill()));
  assert.deepEqual(checkLog(directory, group.peers).entries, 2 * saves);
}
