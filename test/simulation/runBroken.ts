import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokenRule } from './brokenRules.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** What a simulation is made of. */
const PARTS = ['src/core', 'src/node', 'src/peer', 'test/simulation', 'test/unit/replication/fakes.ts'];

const PROGRAMS = {
  machine: ['test/simulation/simulate.ts'],
  hosts: ['test/simulation/hosts/run.ts'],
  hostsWithLastingFaults: ['test/simulation/hosts/run.ts', '--lasting'],
} as const;

/** Runs the rule's simulator on a copy of the source in which one rule is broken; answers with its first violation, if it finds one within the seeds. */
export async function runBroken(broken: BrokenRule, seeds: number): Promise<string | undefined> {
  // Below the project, so that packages are found.
  const cache = join(PROJECT, '.cache');
  await mkdir(cache, { recursive: true });
  const copy = await mkdtemp(join(cache, 'broken-'));
  try {
    for (const part of PARTS) await cp(join(PROJECT, part), join(copy, part), { recursive: true });
    await breakRule(copy, broken);
    const [program, ...options] = PROGRAMS[broken.simulation ?? 'machine'];
    const { code, output } = await run(process.execPath, [
      join(copy, program),
      ...options,
      '--stop',
      '--seeds',
      String(seeds),
    ]);
    if (code === 0) return undefined;
    const violation = output.split('\n').find((line) => line.startsWith('seed '));
    if (violation === undefined) throw new Error(`The simulator could not run:\n${output}`);
    return violation;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function breakRule(copy: string, { file, find, replace, rule }: BrokenRule): Promise<void> {
  const path = join(copy, file);
  const source = await readFile(path, 'utf8');
  if (source.split(find).length !== 2)
    throw new Error(`${rule}: what is to be broken does not stand in ${file} exactly once.`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(
    path,
    source.replace(find, () => replace),
  );
}

function run(
  program: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString('utf8')));
    child.stderr.on('data', (data: Buffer) => (output += data.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}
