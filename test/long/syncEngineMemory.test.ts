import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { EngineWorld } from '../unit/engine/engineWorld.ts';

const SYNCS = 10_000;
const SOURCES = 50;
const ROUNDS_BETWEEN_MEASUREMENTS = 50;
/** What the test itself and the just-in-time compiler may add over all rounds, in bytes. */
const MAX_GROWTH_BYTES = 4_000_000;

/** Lets everything go that nothing holds, so that what is left is what is kept. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('[ENG] 10,000 syncs keep nothing: memory is flat, and the metrics are those of 10,000 syncs', async () => {
  const world = new EngineWorld();
  await world.engine.startSync();
  const sizes: number[] = [];
  for (let round = 0; round < SYNCS / SOURCES; round += 1) {
    for (let one = 0; one < SOURCES; one += 1) await world.engine.addSyncJob(world.job(`s${one}`));
    await world.time.advance(5_000);
    world.runs.length = 0;
    if ((round + 1) % ROUNDS_BETWEEN_MEASUREMENTS === 0) sizes.push(heapInUse());
  }
  const { metrics, jobs } = world.engine.getSyncStatus();
  assert.equal(metrics.successfulSyncs, SYNCS);
  assert.deepEqual(jobs, []);
  console.log(`heap after each 2,500 syncs: ${sizes.map((size) => `${(size / 1e6).toFixed(1)} MB`).join(', ')}`);
  const [first = 0] = sizes;
  assert.ok((sizes.at(-1) ?? 0) - first < MAX_GROWTH_BYTES, sizes.join());
});
