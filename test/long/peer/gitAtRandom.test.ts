import { test } from 'node:test';
import { hasGit } from '../../integration/support/clones.ts';
import { EVERYTHING, gitAtRandom } from '../../integration/support/gitAtRandom.ts';

const ROUNDS = Number(process.env['API_LIVE_SYNC_GIT_ROUNDS'] ?? 5);
const STEPS = 25;
const FIRST_SEED = Number(process.env['API_LIVE_SYNC_SEED'] ?? 1);

for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
  test(
    `[I1] [I2] seed ${String(seed)}: git commands in real clones at random moments take nothing out of the library, and bring nothing of another branch into it`,
    { skip: !hasGit && 'git is not installed' },
    () => gitAtRandom({ seed, steps: STEPS, doings: EVERYTHING }),
  );
}
