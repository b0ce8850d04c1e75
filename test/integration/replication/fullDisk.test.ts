import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { until } from '../../unit/replication/fakes.ts';
import { checkLog } from './checkLog.ts';
import { liftFileLimit, PeerGroup } from './peerProcesses.ts';

const SAVES = 60;
const MAX_FILE_KIB = 300;
/** How many looks in a row must find nothing new. */
const STUCK_LOOKS = 200;

let group: PeerGroup | undefined;

afterEach(async () => {
  await group?.dispose();
  group = undefined;
});

test(
  '[REP-07] [I6] [I8] a full disk: nothing is acknowledged that is not on it, nobody dies, and it goes on by itself once there is room',
  { skip: process.platform !== 'linux' },
  async () => {
    group = await PeerGroup.create();
    const { directory } = group;
    const leader = await group.start('alice', { maxFileKib: MAX_FILE_KIB });
    const follower = await group.start('bob');
    assert.equal(leader.role, 'leader');
    leader.send({ kind: 'write', count: SAVES, startAt: 0 });
    follower.send({ kind: 'write', count: SAVES, startAt: 0 });
    const answered = (): number => leader.answered.size + follower.answered.size;
    let [before, looks] = [-1, 0];
    await until(() => {
      looks = answered() === before && before > 0 ? looks + 1 : 0;
      before = answered();
      return looks >= STUCK_LOOKS;
    }, 'nothing can be written any more');
    assert.ok(before < 2 * SAVES, 'the disk was full before everything was saved');
    assert.deepEqual([leader.isAlive, leader.role, follower.connection], [true, 'leader', 'connected']);
    liftFileLimit(leader);
    await until(() => leader.writesFinished === 1 && follower.writesFinished === 1, 'everything is saved', 60_000);
    await until(() => leader.appliedIndex === 2 * SAVES && follower.appliedIndex === 2 * SAVES, 'both have everything');
    await Promise.all(group.peers.map((peer) => peer.kill()));
    assert.deepEqual(checkLog(directory, group.peers).entries, 2 * SAVES);
  },
);
