import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export interface RepositoryOptions {
  readonly remoteUrl: string;
  readonly branch: string;
}

/**
 * Makes a folder a git checkout with a remote and one commit of what lies in it. Where git is not installed, it writes what git would
 * have written for a repository before its first commit.
 */
export async function makeRepository(dir: string, { remoteUrl, branch }: RepositoryOptions): Promise<void> {
  try {
    await git(dir, 'init', '--quiet', `--initial-branch=${branch}`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await writeEmptyRepository(dir, { remoteUrl, branch });
    return;
  }
  await git(dir, 'config', 'user.name', 'Sample');
  await git(dir, 'config', 'user.email', 'sample@localhost');
  await git(dir, 'config', 'commit.gpgsign', 'false');
  await git(dir, 'remote', 'add', 'origin', remoteUrl);
  await git(dir, 'add', '--all');
  await git(dir, 'commit', '--quiet', '--message', 'Sample API');
}

/** Runs git in a folder and returns what it printed. The person's own configuration does not count. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  // The same date and author in every copy give the same commit, as in two clones.
  const date = '2026-01-01T12:00:00Z';
  const { stdout } = await promisify(execFile)('git', args, {
    cwd,
    env: {
      ...process.env,
      GIT_CONFIG_GLOBAL: devNull,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
    },
  });
  return stdout;
}

async function writeEmptyRepository(dir: string, { remoteUrl, branch }: RepositoryOptions): Promise<void> {
  const gitDir = path.join(dir, '.git');
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags']) {
    await mkdir(path.join(gitDir, folder), { recursive: true });
  }
  await writeFile(path.join(gitDir, 'HEAD'), `ref: refs/heads/${branch}\n`);
  await writeFile(
    path.join(gitDir, 'config'),
    `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n[remote "origin"]\n\turl = ${remoteUrl}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
  );
}
