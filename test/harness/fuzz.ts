import { spawn } from 'node:child_process';

/** `npm run fuzz [-- RUNS]`: the property tests of the merge with many more generated cases than in `npm test`. */
const runs = process.argv[2] ?? '100000';
const child = spawn(process.execPath, ['test/harness/runLevel.ts', 'property'], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: runs },
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
