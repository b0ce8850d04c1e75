import { spawn, spawnSync } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { programsAreFresh } from './builtPrograms.ts';

/**
 * Runs one level of tests with Node's own runner: `node test/harness/runLevel.ts unit [part of a file's path]`, or all
 * files but those with `!part` in their path. An empty level says so and passes.
 */
const [level, filter = ''] = process.argv.slice(2);
if (level === undefined || !/^[a-z]+$/.test(level))
  throw new Error('Name a level: unit, property, simulation, contract, integration, long.');

const isMeant = (file: string): boolean =>
  filter.startsWith('!') ? !file.includes(filter.slice(1)) : file.includes(filter);
const files: string[] = [];
for await (const file of glob(`test/${level}/**/*.test.ts`)) if (isMeant(file)) files.push(file);
if (files.length === 0) {
  console.log(`${level}: no tests yet\n0 passed, 0 failed`);
} else {
  // They run what ships.
  const needsPrograms = level === 'integration' || level === 'long';
  if (needsPrograms && !programsAreFresh()) spawnSync(process.execPath, ['esbuild.mjs'], { stdio: 'inherit' });
  const isParallel = level === 'unit' || level === 'property' || level === 'contract';
  const args = ['--test', `--test-concurrency=${isParallel ? 2 : 1}`, '--test-reporter=spec', ...files.sort()];
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, NODE_NO_WARNINGS: '1' } });
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}
