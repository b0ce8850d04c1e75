import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { PeerGroup } from '../../integration/replication/peerProcesses.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';
import { until } from '../../unit/replication/fakes.ts';
import { untilAllStand } from './untilAllStand.ts';

const KILLS = 200;
const MAX_WAIT_MS = 300;
const NAMES = ['alice', 'bob', 'carol'];
const ENDLESS = 1_000_000;

let group: PeerGroup | undefined;

afterEach(async () => {
  await group?.dispose();
  group = undefined;
});

test(`[ELE-04] [I6] ${String(KILLS)} × kill -9 at random moments during writes: every acknowledged save is in the log once, all hashes equal`, async () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${String(seed)}`);
  const random = new SeededRandom(seed);
  const peers = await PeerGroup.create();
  group = peers;
  /** Where each goes on: after the last save that it was told of; what was under way is sent again under its own id. */
  const next = new Map(NAMES.map((name) => [name, 0]));
  const startWriting = async (name: string): Promise<void> => {
    const peer = await peers.start(name);
    peer.send({ kind: 'write', count: ENDLESS, startAt: next.get(name) ?? 0 });
  };
  for (const name of NAMES) await startWriting(name);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const waitMs = random.between(0, MAX_WAIT_MS);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    // The leader more often than its share, for that is where it hurts.
    const victim = random.chance(0.6) ? (peers.leader() ?? random.pick(peers.alive)) : random.pick(peers.alive);
    await victim.kill();
    for (const proposalId of victim.answered.keys()) {
      const step = Number(proposalId.split(':')[1]);
      next.set(victim.name, Math.max(next.get(victim.name) ?? 0, step + 1));
    }
    await startWriting(victim.name);
  }
  const saved = peers.alive.map(({ answered }) => answered.size);
  await until(
    () => peers.alive.every(({ answered }, position) => answered.size > (saved[position] ?? 0)),
    'all still save',
  );
  const { entries, acknowledged } = await untilAllStand(peers, NAMES);
  assert.ok(acknowledged >= KILLS);
  console.log(
    `${String(KILLS)} × kill -9: ${String(entries)} entries, ${String(acknowledged)} acknowledged, 0 lost, 0 twice`,
  );
});
