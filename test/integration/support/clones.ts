import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Machine } from './headlessPeer.ts';

const run = promisify(execFile);

export const hasGit = await run('git', ['--version']).then(
  () => true,
  () => false,
);

/** Runs git in a folder and returns what it printed; the person's own configuration does not count. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'commit.gpgsign=false'];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  const { stdout } = await run('git', ['-C', folder, ...identity, ...args], { env });
  return stdout;
}

/** A bare repository with one commit on `main`, and a clone of it for each name. */
export async function clones<Names extends readonly string[]>(
  machine: Machine,
  files: Readonly<Record<string, string>>,
  names: Names,
): Promise<{ readonly [at in keyof Names]: string }> {
  const remote = join(machine.root, 'remote.git');
  await git(machine.root, 'init', '-q', '--bare', '-b', 'main', remote);
  const seed = join(machine.root, 'seed');
  await git(machine.root, 'clone', '-q', remote, seed);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(seed, path)), { recursive: true });
    await writeFile(join(seed, path), text);
  }
  await git(seed, 'checkout', '-q', '-B', 'main');
  await git(seed, 'add', '-A');
  await git(seed, 'commit', '-qm', 'base');
  await git(seed, 'push', '-q', 'origin', 'main');
  const folders: string[] = [];
  for (const name of names) {
    const folder = join(machine.root, name);
    await git(machine.root, 'clone', '-q', remote, folder);
    folders.push(folder);
  }
  return folders as unknown as { readonly [at in keyof Names]: string }; // One for each name, in their order.
}

/** Commits what is in the folder and pushes it. */
export async function commitAndPush(folder: string, message: string): Promise<void> {
  await git(folder, 'commit', '-qam', message);
  await git(folder, 'push', '-q', 'origin', 'HEAD');
}
