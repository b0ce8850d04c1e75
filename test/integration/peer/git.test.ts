import assert from 'node:assert/strict';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { clones, git, hasGit } from '../support/clones.ts';
import { gitAtRandom } from '../support/gitAtRandom.ts';
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

test(
  '[I1] [BRA-03] a file that git set back and somebody edited while nobody served it takes nothing back',
  { skip: !hasGit && 'git is not installed' },
  async () => {
    await withUncommittedWork(async (machine, alice, bob) => {
      await alice.end();
      await git(alice.folder, 'stash', '-q');
      await alice.edit(PATH, (text) => text.replace('List orders', 'List every order'));
      const again = machine.serve(alice.folder, { name: 'alice' });
      await again.untilInStep(1);
      await until('bob has what alice did', async () => (await bob.read(PATH)).includes('List every order'));
      for (const kept of ['Web shop', 'List all items']) assert.ok((await bob.read(PATH)).includes(kept), kept);
      assert.equal(await again.read(PATH), await bob.read(PATH));
    });
  },
);

const options = { skip: !hasGit && 'git is not installed' };

test(
  '[I1] [BRA-02] a pull of what others have committed on an older version takes nothing back, and asks nobody',
  options,
  async () => {
    await withUncommittedWork(async (machine, alice, bob) => {
      // Carol is in no library. What she did comes by git, on top of what was committed.
      await git(alice.folder, 'stash', '-q');
      await alice.until('alice is asked', (status) => status.documents[0]?.state === 'behind');
      const carol = await commitBeside(alice.folder, SPEC.replace('List orders', 'List orders, by carol'));
      await git(alice.folder, 'merge', '-q', '--ff-only', carol);
      await alice.untilInStep(1);
      await until('bob has what carol did', async () => (await bob.read(PATH)).includes('by carol'));
      assert.equal(await bob.read(PATH), await alice.read(PATH));
      for (const kept of ['Web shop', 'List all items', 'by carol'])
        assert.ok((await alice.read(PATH)).includes(kept), kept);
      assert.equal((await readLog(machine)).hasHoles, false);
    });
  },
);

/** Somebody without this program commits this text of the document on what is committed here. Gives the commit. */
async function commitBeside(folder: string, text: string): Promise<string> {
  const other = `${folder}-carol`;
  await git(folder, 'worktree', 'add', '-q', '--detach', other);
  await writeFile(join(other, PATH), text);
  await git(other, 'commit', '-qam', 'by carol');
  return (await git(other, 'rev-parse', 'HEAD')).trim();
}

test(
  '[FST-02] [FST-03] two clones that never were in step, on different commits and with uncommitted edits: only real differences ask',
  options,
  async () => {
    const machine = await Machine.create();
    try {
      const [first, second] = await clones(machine, { [PATH]: SPEC }, ['alice', 'bob'] as const);
      await writeFile(join(first, PATH), SPEC.replace('title: Shop', 'title: Web shop'));
      const alice = machine.serve(first, { name: 'alice' });
      await alice.untilInStep(1);
      // Bob has committed something of his own since, and changes more.
      await writeFile(join(second, PATH), SPEC.replace('List items', 'List all items'));
      await git(second, 'commit', '-qam', 'by bob');
      const bobs = SPEC.replace('List items', 'List all items').replace('version: 1.0.0', 'version: 1.1.0');
      await writeFile(join(second, PATH), bobs);
      const bob = machine.serve(second, { name: 'bob' });
      await bob.untilInStep(1);
      assert.equal(bob.status?.conflictCount, 0);
      assert.equal(await bob.read(PATH), bobs.replace('title: Shop', 'title: Web shop'));
      await until('alice has the same', async () => (await alice.read(PATH)) === (await bob.read(PATH)));
      await bob.end();
      await alice.edit(PATH, (text) => text.replace('List orders', 'List every order'));
      await until('the library has it', async () => (await readLog(machine)).changes.length === 3);

      // A third clone has in its history what the library once was.
      await git(first, 'commit', '-qam', 'all of it');
      await git(first, 'push', '-q', 'origin', 'main');
      const third = join(machine.root, 'carol');
      await git(machine.root, 'clone', '-q', join(machine.root, 'remote.git'), third);
      await alice.edit(PATH, (text) => text.replace('List every order', 'List orders, newest first'));
      await until('the library has it', async () => (await readLog(machine)).changes.length === 4);
      const committed = await git(third, 'show', `HEAD:${PATH}`);
      await writeFile(join(third, PATH), committed.replace('List all items', 'List items, cheapest first'));
      await git(third, 'commit', '-qam', 'by carol');
      const carol = machine.serve(third, { name: 'carol' });
      await carol.untilInStep(1);
      assert.equal(carol.status?.conflictCount, 0);
      const all = await carol.read(PATH);
      for (const kept of ['newest first', 'cheapest first', 'Web shop', '1.1.0']) assert.ok(all.includes(kept), kept);
      await until('alice has the same', async () => (await alice.read(PATH)) === all);
    } finally {
      await machine.dispose();
    }
  },
);

test(
  '[I1] [BRA-04] branches that are switched at random moments send nothing of one to the other, and coming back goes on',
  options,
  () => gitAtRandom({ seed: 2, steps: 8, doings: ['add', 'away', 'away', 'home', 'side', 'commit', 'bringBack'] }),
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
