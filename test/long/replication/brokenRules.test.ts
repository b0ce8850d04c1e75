import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_RULES } from '../../simulation/brokenRules.ts';
import type { BrokenRule } from '../../simulation/brokenRules.ts';
import { HostSimulation } from '../../simulation/hosts/hostSimulation.ts';
import { runBroken } from '../../simulation/runBroken.ts';
import { Simulation } from '../../simulation/simulation.ts';

const SEEDS = 1_000;

for (const broken of BROKEN_RULES) {
  test(`the simulator notices: ${broken.rule}`, async () => {
    const violation = await runBroken(broken, SEEDS);
    assert.ok(violation !== undefined, `not noticed within ${String(SEEDS)} seeds`);
    console.log(`${broken.rule} → ${violation}`.slice(0, 220));
    const seed = Number(/^seed (\d+)/.exec(violation)?.[1]);
    const { violations } = await intactSimulation(broken, seed).run();
    assert.deepEqual(violations, [], 'it is the broken rule that was noticed');
  });
}

function intactSimulation({ simulation = 'machine' }: BrokenRule, seed: number): Simulation | HostSimulation {
  switch (simulation) {
    case 'machine':
      return new Simulation(seed);
    case 'hosts':
      return new HostSimulation(seed);
    case 'hostsWithLastingFaults':
      return new HostSimulation(seed, { hasLastingFaults: true });
  }
}
