import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from './simulation.ts';

const SEEDS = 300;
const FIRST_SEED = 1;
/** Histories that once showed a fault, each with what it was. */
const REGRESSIONS: readonly (readonly [number, string])[] = [
  [2687, 'an append in doubt whose entries were compacted before the leader looked again'],
  [37, 'heads that were compacted away between being named and being fetched'],
  [
    10541,
    'a proposal that was committed, lost its answer and fell behind the horizon brought back what others took out',
  ],
  [13047, 'the same, where the document then read as it had before'],
  [19, 'a follower behind the horizon took what was removed since for its own'],
];

test(`[I1] [I2] [I6] [I7] [I9] ${String(SEEDS)} simulated histories: crashes, power cuts, partitions, full disks, restored backups, and nothing lost`, async () => {
  let entries = 0;
  let faults = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
    const report = await new Simulation(seed).run();
    assert.deepEqual(report.violations, []);
    entries += report.entries;
    faults += report.faults;
  }
  console.log(
    `${String(SEEDS)} seeds: ${String(entries)} entries committed, ${String(faults)} faults injected, 0 violations`,
  );
  assert.ok(entries > SEEDS, 'the peers have done something');
});

test('[I2] the same seed is the same history', async () => {
  for (const seed of [5, 77]) assert.deepEqual(await new Simulation(seed).run(), await new Simulation(seed).run());
});

for (const [seed, what] of REGRESSIONS) {
  test(`[I1] seed ${String(seed)} once showed: ${what}`, async () => {
    assert.deepEqual((await new Simulation(seed).run()).violations, []);
  });
}
