import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  branchName,
  findGitCheckout,
  gitActivity,
  normalizeRemote,
  readBranch,
  readRemote,
} from '../../../src/node/git/gitCheckout.ts';

let root: string;
before(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'git-checkout-')));
});
after(() => rm(root, { recursive: true }));

async function checkoutAt(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, name);
  await mkdir(join(folder, '.git'), { recursive: true });
  for (const [path, text] of Object.entries({ HEAD: 'ref: refs/heads/main\n', ...files }))
    await writeFile(join(folder, '.git', path), text);
  return folder;
}

test('a folder below the root belongs to its checkout; one outside belongs to none', async () => {
  const folder = await checkoutAt('below', {});
  await mkdir(join(folder, 'api', 'v1'), { recursive: true });
  assert.equal((await findGitCheckout(join(folder, 'api', 'v1')))?.root, folder);
  assert.equal(await findGitCheckout(root), undefined);
});

test(
  '[BRA-04] where git keeps its references in tables, HEAD names no branch, and git is asked',
  { skip: process.platform === 'win32' },
  async () => {
    const bin = join(root, 'bin');
    await mkdir(join(bin), { recursive: true });
    const { PATH } = process.env;
    const folder = await checkoutAt('tables', { HEAD: 'ref: refs/heads/.invalid\n' });
    await mkdir(join(folder, '.git', 'reftable'));
    const tables = join(folder, '.git', 'reftable', 'tables.list');
    const checkout = await findGitCheckout(folder);
    assert.ok(checkout);
    const says = (script: string): Promise<void> =>
      writeFile(join(bin, 'git'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const isSymbolicRef = 'case "$*" in *symbolic-ref*)';
    try {
      process.env['PATH'] = `${bin}:${PATH ?? ''}`;
      await says('echo refs/heads/feature');
      assert.equal(await readBranch(checkout), 'refs/heads/feature');
      await says(`${isSymbolicRef} exit 1;; *) echo 1a2b3c4;; esac`);
      assert.equal(await readBranch(checkout), 'detached:1a2b3c4');
      // A git that is too old for it: no two states are taken for the same line of work.
      await says('exit 128');
      await writeFile(tables, 'one');
      const before = await readBranch(checkout);
      await writeFile(tables, 'another');
      assert.notEqual(await readBranch(checkout), before);
    } finally {
      process.env['PATH'] = PATH;
    }
  },
);

test('a linked worktree has its own branch and the remote of the shared config', async () => {
  const main = await checkoutAt('main', { config: '[remote "origin"]\n\turl = git@host.example:team/api.git\n' });
  const own = join(main, '.git', 'worktrees', 'other');
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'HEAD'), 'ref: refs/heads/feature\n');
  await writeFile(join(own, 'commondir'), '../..\n');
  const folder = join(root, 'other');
  await mkdir(folder);
  await writeFile(join(folder, '.git'), `gitdir: ${own}\n`);
  const checkout = await findGitCheckout(folder);
  assert.ok(checkout);
  assert.equal(await readRemote(checkout), 'host.example/team/api');
  const branch = await readBranch(checkout);
  assert.notEqual(branch, 'refs/heads/feature', 'a worktree is a line of work of its own');
  assert.equal(branchName(branch), 'feature');
});

test('a detached HEAD is named by its commit', async () => {
  const folder = await checkoutAt('detached', { HEAD: '0123456789abcdef0123456789abcdef01234567\n' });
  const checkout = await findGitCheckout(folder);
  assert.ok(checkout);
  assert.equal(branchName(await readBranch(checkout)), 'detached at 0123456');
});

test('one remote has one name, however it is written, and never with credentials', () => {
  for (const url of [
    'git@Host.example:team/api.git',
    'ssh://git@host.example/team/api',
    'https://user:token@host.example/team/api.git/',
  ]) {
    assert.equal(normalizeRemote(url), 'host.example/team/api');
  }
  assert.equal(normalizeRemote('C:/repos/api'), 'C:/repos/api'.replace('C:', 'c:'));
});

test('git is at work while a lock, a merge or a rebase is there, and until its index has been quiet', async () => {
  for (const file of ['index.lock', 'HEAD.lock', 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD']) {
    const folder = await checkoutAt(`busy-${file}`, { [file]: '' });
    const checkout = await findGitCheckout(folder);
    assert.ok(checkout);
    assert.ok(await gitActivity(checkout, Date.now()), file);
  }
  const folder = await checkoutAt('quiet', { index: '' });
  const checkout = await findGitCheckout(folder);
  assert.ok(checkout);
  const now = 1_700_000_000_000;
  await utimes(join(folder, '.git', 'index'), now / 1000, now / 1000);
  const activity = await gitActivity(checkout, now + 100);
  assert.ok(activity?.settlesInMs !== undefined && activity.settlesInMs >= 400);
  assert.equal(await gitActivity(checkout, now + 600), undefined);
  assert.equal(await gitActivity(checkout, now - 3_600_000), undefined, 'a clock that was set back blocks nothing');
});
