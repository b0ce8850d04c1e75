import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostSimulation } from './hostSimulation.ts';

const SEEDS = 100;
const BULK_SEEDS = 30;
const LASTING_SEEDS = 12;
/**
 * 606: a host that was raising its term went on to follow the leader of an older one. 170: a log went back for the leader of
 * a connection before, when the host served its peers again. 323: what was set aside in several steps was proposed newest first.
 */
const LASTING_REGRESSIONS = [606, 170, 323];
const FIRST_SEED = 1;

test(`[I1] [I2] [I7] [I9] [ELE-11] [REC-08] ${String(SEEDS)} simulated histories of several hosts that fall apart and come together, and nothing lost`, async () => {
  const sums = { entries: 0, faults: 0, elections: 0, setAside: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
    const report = await new HostSimulation(seed).run();
    assert.deepEqual(report.violations, []);
    sums.entries += report.entries;
    sums.faults += report.faults;
    sums.elections += report.elections;
    sums.setAside += report.setAside;
  }
  console.log(
    `${String(SEEDS)} seeds: ${String(sums.entries)} entries committed, ${String(sums.faults)} faults injected, ${String(sums.elections)} leaderships, ${String(sums.setAside)} entries set aside, 0 violations`,
  );
  assert.ok(sums.setAside > SEEDS, 'logs have parted');
});

test(`[BLK-07] [I1] [I2] [I7] [I9] ${String(BULK_SEEDS)} histories of hosts in which people also rewrite all documents at once`, async () => {
  let bulks = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + BULK_SEEDS; seed += 1) {
    const report = await new HostSimulation(seed, { hasBulks: true }).run();
    assert.deepEqual(report.violations, []);
    bulks += report.bulks;
  }
  assert.ok(bulks > BULK_SEEDS, 'many were rewritten together');
});

test(`[ELE-09] [ELE-13] [I1] [I2] ${String(LASTING_SEEDS)} histories in which some hosts never reach each other and some disks stay slow: one leader, whom everybody follows`, async () => {
  const seeds = Array.from({ length: LASTING_SEEDS }, (_, at) => FIRST_SEED + at);
  for (const seed of [...seeds, ...LASTING_REGRESSIONS]) {
    const report = await new HostSimulation(seed, { hasLastingFaults: true }).run();
    assert.deepEqual(report.violations, []);
  }
});

test('[I2] the same seed is the same history of the same hosts', async () => {
  for (const seed of [5, 77])
    assert.deepEqual(await new HostSimulation(seed).run(), await new HostSimulation(seed).run());
});
