import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_RULES } from '../../simulation/brokenRules.ts';
import { runBroken } from '../../simulation/runBroken.ts';

const SEEDS = 1_000;

for (const broken of BROKEN_RULES) {
  test(`the simulator notices: ${broken.rule}`, async () => {
    const violation = await runBroken(broken, SEEDS);
    assert.notEqual(violation, undefined, `not noticed within ${String(SEEDS)} seeds`);
    console.log(`${broken.rule} → ${violation ?? ''}`.slice(0, 220));
  });
}
