import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { PeerGroup, type PeerProcess } from '../../integration/replication/peerProcesses.ts';
import { until } from '../../unit/replication/fakes.ts';
import { untilAllStand } from './untilAllStand.ts';

const NAMES = ['alice', 'bob', 'carol'];
const ENDLESS = 1_000_000;
/** As in a window: whoever is silent for so long counts as gone. */
const AS_IN_A_WINDOW = { heartbeatMs: 5_000, timeoutMs: 15_000 };
const WAIT_MS = 120_000;

let group: PeerGroup | undefined;

afterEach(async () => {
  await group?.dispose();
  group = undefined;
});

test(
  '[ELE-04] [REP-18] [I6] each peer is frozen while all write, until the others miss it: nothing acknowledged is lost, and it goes on when it wakes',
  { skip: process.platform === 'win32' },
  async () => {
    const peers = await PeerGroup.create();
    group = peers;
    for (const name of NAMES) {
      const peer = await peers.start(name, AS_IN_A_WINDOW);
      peer.send({ kind: 'write', count: ENDLESS, startAt: 0 });
    }
    for (const frozen of [...peers.alive]) {
      const others = peers.alive.filter((peer) => peer !== frozen);
      const isLeader = frozen.role === 'leader';
      const hasMissedIt = (peer: PeerProcess): boolean => (isLeader ? peer.connection === 'offline' : peer.peers === 1);
      frozen.process.kill('SIGSTOP');
      await until(() => others.every(hasMissedIt), `the others miss ${frozen.name}`, WAIT_MS);
      assert.deepEqual(
        others.filter(({ role }) => role === 'leader').length,
        isLeader ? 0 : 1,
        'nobody leads beside a leader that is only frozen',
      );
      const before = new Map(peers.alive.map((peer) => [peer, peer.answered.size]));
      frozen.process.kill('SIGCONT');
      const goesOn = (peer: PeerProcess): boolean =>
        peer.connection === 'connected' && peer.peers === 2 && peer.answered.size > (before.get(peer) ?? 0);
      await until(() => peers.alive.every(goesOn), `all go on with ${frozen.name}`, WAIT_MS);
    }
    const { entries, acknowledged } = await untilAllStand(peers, NAMES);
    console.log(`3 × frozen: ${String(entries)} entries, ${String(acknowledged)} acknowledged, 0 lost, 0 twice`);
  },
);
