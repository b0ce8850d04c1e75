import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { CommittedTexts } from '../../../src/node/git/committedTexts.ts';
import { findGitCheckout, type GitCheckout } from '../../../src/node/git/gitCheckout.ts';
import { GitCommand } from '../../../src/node/git/gitCommand.ts';
import { bulkOriginOf } from '../../../src/node/git/headReflog.ts';

const run = promisify(execFile);
const hasGit = await run('git', ['--version']).then(
  () => true,
  () => false,
);
const options = { skip: !hasGit && 'git is not installed' };

interface Repository {
  readonly root: string;
  readonly checkout: GitCheckout;
  readonly git: (...args: string[]) => Promise<string>;
}

async function withRepository(body: (repository: Repository) => Promise<void>): Promise<void> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'als-git-')));
  try {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'commit.gpgsign=false'];
    const git = async (...args: string[]): Promise<string> =>
      (await run('git', ['-C', root, ...identity, ...args])).stdout.trim();
    await git('init', '-q', '-b', 'main');
    await writeFile(join(root, 'a.yaml'), 'one\n');
    await writeFile(join(root, 'ä b.yaml'), '\ufeffzwei\r\n');
    await git('add', '-A');
    await git('commit', '-qm', 'base');
    const checkout = await findGitCheckout(root);
    assert.ok(checkout !== undefined);
    await body({ root, checkout, git });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

test('[BLK-01] the reason of a bulk is what git did just now, and otherwise a generator', options, async () => {
  await withRepository(async ({ root, checkout, git }) => {
    const head = await git('rev-parse', 'HEAD');
    assert.deepEqual(await bulkOriginOf(checkout, Date.now()), { reason: 'generator', headCommit: head });
    await git('checkout', '-qb', 'other');
    assert.equal((await bulkOriginOf(checkout, Date.now())).reason, 'checkout');
    await writeFile(join(root, 'a.yaml'), 'two\n');
    await git('commit', '-qam', 'two');
    await git('checkout', '-q', 'main');
    await git('merge', '-q', 'other');
    assert.deepEqual(await bulkOriginOf(checkout, Date.now()), {
      reason: 'merge',
      headCommit: await git('rev-parse', 'other'),
    });
    await git('reset', '-q', '--hard', head);
    assert.equal((await bulkOriginOf(checkout, Date.now())).reason, 'reset');
    assert.equal((await bulkOriginOf(checkout, Date.now() + 3_600_000)).reason, 'generator', 'an hour ago');
    assert.deepEqual(await bulkOriginOf(undefined, Date.now()), { reason: 'generator' });
  });
});

test(
  '[BLK-05] git gives the texts of a commit in revision form, and leaves out what it does not have',
  options,
  async () => {
    await withRepository(async ({ root, checkout, git }) => {
      const commit = await git('rev-parse', 'HEAD');
      await writeFile(join(root, 'a.yaml'), 'not committed\n');
      const files = ['missing.yaml', 'a.yaml', '../outside.yaml', 'ä b.yaml', 'line\nbreak.yaml'].map((path) =>
        join(root, path),
      );
      const texts = await new CommittedTexts(checkout, new GitCommand(root, () => 'git')).textsAt(commit, files);
      assert.deepEqual(
        [...texts],
        [
          [join(root, 'a.yaml'), 'one\n'],
          [join(root, 'ä b.yaml'), 'zwei\n'],
        ],
      );
      assert.equal(
        (await new CommittedTexts(checkout, new GitCommand(root, () => 'git')).textsAt('0'.repeat(40), files)).size,
        0,
      );
    });
  },
);

test('[BLK-01] what git knows of many files that change at once is asked in a few runs', options, async () => {
  await withRepository(async ({ root, checkout, git }) => {
    const paths = Array.from({ length: 60 }, (_, at) => `${'deep/'.repeat(at % 3)}ä ${String(at)}.yaml`);
    for (const path of paths) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), `committed ${path}\n`);
    }
    await writeFile(join(root, 'latin.yaml'), Buffer.from([0xe4, 0xe4, 0xe4, 0x0a]));
    await writeFile(join(root, 'line\nbreak.yaml'), 'committed\n');
    await git('add', '-A');
    await git('commit', '-qm', 'all');
    for (const path of paths) await writeFile(join(root, path), `changed ${path}\n`);
    await git('add', paths[7] ?? '');
    let runs = 0;
    const command = new GitCommand(root, () => {
      runs += 1;
      return 'git';
    });
    const texts = new CommittedTexts(checkout, command);
    const asked = ['latin.yaml', '../outside.yaml', 'missing.yaml', ...paths];
    const files = asked.map((path) => join(root, path));
    const inHead = await Promise.all(files.map((file) => texts.committedText(file)));
    const seen = await Promise.all(files.map((file) => texts.lastSeen(file)));
    assert.deepEqual(inHead.slice(1), [undefined, undefined, ...paths.map((path) => `committed ${path}\n`)]);
    assert.deepEqual(
      seen.slice(1).map((one) => one?.text),
      [undefined, undefined, ...paths.map((path, at) => `${at === 7 ? 'changed' : 'committed'} ${path}\n`)],
    );
    assert.equal(seen.at(-1)?.modifiedAt !== undefined && seen.at(-1)?.modifiedAt !== 0, true);
    // The first who asks does not wait for the others.
    assert.ok(runs <= 8, `${String(runs)} runs`);
    assert.equal(await texts.committedText(join(root, 'line\nbreak.yaml')), 'committed\n');
  });
});
