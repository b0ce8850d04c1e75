import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Machine, readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';

const SPEC = `openapi: 3.1.0
info:
  title: Shop
  version: 1.0.0
paths:
  /orders:
    get:
      summary: List orders
  /items:
    get:
      summary: List items
components: {}
`;
const PATH = 'openapi.yaml';
const run = promisify(execFile);
const hasGit = await run('git', ['--version']).then(
  () => true,
  () => false,
);

function git(folder: string, ...args: string[]): Promise<unknown> {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.test', '-c', 'commit.gpgsign=false'];
  return run('git', ['-C', folder, ...identity, ...args]);
}

/** Alice with an edit that she has not committed, and bob; both in step, and bob has changed something since. */
async function withUncommittedWork(
  body: (machine: Machine, alice: HeadlessPeer, bob: HeadlessPeer) => Promise<void>,
): Promise<void> {
  const machine = await Machine.create();
  try {
    const folder = await machine.workspace('alice', { [PATH]: SPEC });
    await git(folder, 'init', '-q', '-b', 'main');
    await git(folder, 'add', '-A');
    await git(folder, 'commit', '-qm', 'base');
    const uncommitted = SPEC.replace('title: Shop', 'title: Web shop');
    await writeFile(join(folder, PATH), uncommitted);
    const alice = machine.serve(folder, { name: 'alice' });
    await alice.untilInStep(1);
    const bob = machine.serve(await machine.workspace('bob', { [PATH]: uncommitted }), { name: 'bob' });
    await bob.untilInStep(1);
    await bob.edit(PATH, (text) => text.replace('List items', 'List all items'));
    await until('alice has what bob changed', async () => (await alice.read(PATH)).includes('List all items'));
    await alice.untilInStep(1);
    await body(machine, alice, bob);
  } finally {
    await machine.dispose();
  }
}

test(
  '[I1] git stash takes nothing back in the library, though what it restores was never a revision there',
  { skip: !hasGit && 'git is not installed' },
  async () => {
    await withUncommittedWork(async (machine, alice, bob) => {
      const known = (await readLog(machine)).changes.length;
      await git(alice.folder, 'stash');
      await alice.until('alice is asked', (status) => status.documents[0]?.state === 'behind');
      assert.match(await bob.read(PATH), /List all items/);
      assert.equal((await readLog(machine)).changes.length, known);
      await git(alice.folder, 'stash', 'pop');
      await alice.untilInStep(1);
      assert.equal((await readLog(machine)).changes.length, known);
      assert.equal(await alice.read(PATH), await bob.read(PATH));
    });
  },
);

test(
  '[I1] a reset that happens while nobody serves the folder is asked about at the next start',
  { skip: !hasGit && 'git is not installed' },
  async () => {
    await withUncommittedWork(async (machine, alice, bob) => {
      await alice.end();
      await git(alice.folder, 'reset', '-q', '--hard');
      const again = machine.serve(alice.folder, { name: 'alice' });
      await again.until('alice is asked', (status) => status.documents[0]?.state === 'behind');
      assert.match(await bob.read(PATH), /Web shop/);
    });
  },
);

test('[I1] a save right after git has written its index is sent when git is at rest', async () => {
  const machine = await Machine.create();
  try {
    const folder = await machine.workspace('alice', { [PATH]: SPEC, '.git/index': '' });
    const old = new Date(Date.now() - 10_000);
    await utimes(join(folder, '.git/index'), old, old);
    const alice = machine.serve(folder, { name: 'alice' });
    await alice.untilInStep(1);
    const bob = machine.serve(await machine.workspace('bob', { [PATH]: SPEC }), { name: 'bob' });
    await bob.untilInStep(1);
    await utimes(join(folder, '.git/index'), new Date(), new Date());
    await alice.edit(PATH, (text) => text.replace('List items', 'List all items'));
    await until('bob has it', async () => (await bob.read(PATH)).includes('List all items'));
  } finally {
    await machine.dispose();
  }
});
