import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { failuresIn } from './failures.ts';

interface Level {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
}

const level = (name: string, ...filter: readonly string[]): Level => ({
  name,
  script: 'test/harness/runLevel.ts',
  args: [name, ...filter],
});

const SOURCES = 'integration/sources';

/**
 * The levels that belong to `npm test`: two lanes that take about as long, what computes beside what also waits, and then
 * the windows, which get the machine for themselves.
 */
const LANES: readonly (readonly Level[])[] = [
  [
    ...['unit', 'property', 'simulation', 'contract'].map((name) => level(name)),
    // What this lane has time for while the other one is at work.
    level('integration', SOURCES),
  ],
  [level('integration', `!${SOURCES}`), { name: 'host', script: 'test/harness/runHostTests.ts', args: [] }],
];
const LAST: Level = { name: 'ui', script: 'test/harness/runUiTests.ts', args: [] };

interface Outcome {
  readonly name: string;
  readonly exitCode: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** What failed and why, as the level said it. */
  readonly failures: readonly string[];
}

async function main(): Promise<number> {
  if ((await run({ name: 'build', script: 'esbuild.mjs', args: [] })).exitCode !== 0) return 1;
  const outcomes = [...(await Promise.all(LANES.map(runLane))).flat(), await run(LAST)];
  console.log();
  for (const { name, failures } of outcomes) for (const line of failures) console.log(`${name.padEnd(12)}✖ ${line}`);
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

/** The levels of one lane, one after the other. */
async function runLane(lane: readonly Level[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const level of lane) outcomes.push(await run(level));
  return outcomes;
}

/** Runs a script of ours, shows its lines under its name as they come, and reads the counts from them. */
async function run({ name, script, args }: Level): Promise<Outcome> {
  const start = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
      console.log(`${name.padEnd(12)}│ ${line}`);
      lines.push(line);
    });
  }
  const exitCode = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)));
  const output = lines.join('\n');
  const count = (pattern: RegExp): number =>
    [...output.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
  return {
    name,
    exitCode,
    passed: count(/^(?:ℹ|#) pass (\d+)$/gm) + count(/^(\d+) passed, \d+ failed/gm),
    failed: count(/^(?:ℹ|#) fail (\d+)$/gm) + count(/^\d+ passed, (\d+) failed/gm),
    skipped: count(/^(?:ℹ|#) skipped (\d+)$/gm),
    seconds: (performance.now() - start) / 1000,
    failures: exitCode === 0 ? [] : failuresIn(lines),
  };
}

process.exitCode = await main();
