import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';

/**
 * `npm run fuzz [-- RUNS [SEED]]`: the property tests of the merge with many more generated cases than in `npm test`, and
 * other ones each time. Prints the seed: the same runs and seed draw the same cases.
 */
const runs = process.argv[2] ?? '100000';
const seed = process.argv[3] ?? String(randomInt(2 ** 31));
console.log(`fuzz: ${runs} cases of each property from seed ${seed}`);
const child = spawn(process.execPath, ['test/harness/runLevel.ts', 'property'], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: runs, FUZZ_SEED: seed },
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
