import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Simulation } from './simulation.ts';

const SEEDS = 300;
const BULK_SEEDS = 150;
const FIRST_SEED = 1;

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

test(`[BLK-02] [BLK-04] [I1] [I2] [I7] [I9] ${String(BULK_SEEDS)} histories in which people also rewrite all documents at once`, async () => {
  let bulks = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + BULK_SEEDS; seed += 1) {
    const report = await new Simulation(seed, { hasBulks: true }).run();
    assert.deepEqual(report.violations, []);
    bulks += report.bulks;
  }
  console.log(`${String(BULK_SEEDS)} seeds with bulks: ${String(bulks)} bulk entries committed, 0 violations`);
  assert.ok(bulks > BULK_SEEDS, 'many were rewritten together');
});

test('[I2] the same seed is the same history', async () => {
  for (const seed of [5, 77]) assert.deepEqual(await new Simulation(seed).run(), await new Simulation(seed).run());
});
