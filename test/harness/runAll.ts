import { spawn } from 'node:child_process';

/** Runs all levels that belong to `npm test`, one after the other, and closes with one line of counts. */
const LEVELS: readonly (readonly [name: string, script: string, ...args: string[]])[] = [
  ['unit', 'test/harness/runLevel.ts', 'unit'],
  ['property', 'test/harness/runLevel.ts', 'property'],
  ['simulation', 'test/harness/runLevel.ts', 'simulation'],
  ['contract', 'test/harness/runLevel.ts', 'contract'],
  ['integration', 'test/harness/runLevel.ts', 'integration'],
  ['host', 'test/harness/runHostTests.ts'],
  ['ui', 'test/harness/runUiTests.ts'],
];

interface Outcome {
  readonly name: string;
  readonly exitCode: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

async function main(): Promise<number> {
  if ((await run('build', 'esbuild.mjs', [])).exitCode !== 0) return 1;
  const outcomes: Outcome[] = [];
  for (const [name, script, ...args] of LEVELS) {
    console.log(`\n── ${name} ──`);
    outcomes.push(await run(name, script, args));
  }
  console.log();
  for (const { name, exitCode, passed, failed, seconds } of outcomes) {
    console.log(
      `${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(12)} ${passed} passed, ${failed} failed in ${seconds.toFixed(0)} s`,
    );
  }
  const sum = (of: (one: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  // A level that ended badly without saying which test failed counts as one failure.
  const failed = sum((one) => (one.exitCode === 0 ? one.failed : Math.max(one.failed, 1)));
  const skipped = sum((one) => one.skipped);
  console.log(`\n${sum((one) => one.passed)} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
  return failed === 0 ? 0 : 1;
}

/** Runs a script of ours and reads the counts from what it prints on the way. */
async function run(name: string, script: string, args: readonly string[]): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  const exitCode = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  const count = (pattern: RegExp): number =>
    [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  return {
    name,
    exitCode,
    passed: count(/^(?:ℹ|#) pass (\d+)$/gm) + count(/^(\d+) passed, \d+ failed/gm),
    failed: count(/^(?:ℹ|#) fail (\d+)$/gm) + count(/^\d+ passed, (\d+) failed/gm),
    skipped: count(/^(?:ℹ|#) skipped (\d+)$/gm),
    seconds: (performance.now() - start) / 1000,
  };
}

process.exitCode = await main();
