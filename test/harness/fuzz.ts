import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';

/** What a run remembers of its cases fills a process in the end, so a long one is many short ones. */
const MAX_RUNS_PER_PROCESS = 1_000;

/**
 * `npm run fuzz [-- RUNS [SEED]]`: the property tests of the merge with many more generated cases than in `npm test`, and
 * other ones each time. Prints the seeds: the same runs and seed draw the same cases. Ends with the first that fail.
 */
async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 100_000);
  const firstSeed = Number(process.argv[3] ?? randomInt(2 ** 31));
  for (let begun = 0; begun < runs; begun += MAX_RUNS_PER_PROCESS) {
    const count = Math.min(MAX_RUNS_PER_PROCESS, runs - begun);
    const seed = firstSeed + begun / MAX_RUNS_PER_PROCESS;
    console.log(`fuzz: ${String(count)} cases of each property from seed ${String(seed)}`);
    const child = spawn(process.execPath, ['test/harness/runLevel.ts', 'property'], {
      stdio: 'inherit',
      env: { ...process.env, FUZZ_RUNS: String(count), FUZZ_SEED: String(seed) },
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    process.exitCode = code ?? 1;
    if (process.exitCode !== 0) return;
  }
}

await main();
