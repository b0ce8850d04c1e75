import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommitNotice } from '../../../src/peer/folderSession.ts';
import { clones, commitAndPush, git, hasGit } from '../support/clones.ts';
import { type Machine, readLog, until } from '../support/headlessPeer.ts';
import { type LocalPeer, problemCode } from '../support/localPeer.ts';
import { SHOP_WITH_ITEMS as SPEC } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATH = 'openapi.yaml';
const here = machineForEachTest();
const options = { skip: !hasGit && 'git is not installed' };

interface Two {
  readonly alice: LocalPeer;
  readonly bob: LocalPeer;
  /** Alice's change has come to bob, who has not committed it; `git status` of bob. */
  readonly status: () => Promise<string>;
  readonly machine: Machine;
}

/** Two clones in step; alice has changed a summary, and bob has it. */
async function inStep(body: (two: Two) => Promise<void>): Promise<void> {
  const { machine } = here;
  const files = { [PATH]: SPEC, 'other.txt': 'one\n', '.gitattributes': '* -text\n' };
  const [first, second] = await clones(machine, files, ['alice', 'bob'] as const);
  const alice = await here.keep(first);
  await alice.untilInStep(1);
  const bob = await here.keep(second);
  await bob.untilInStep(1);
  await change(alice, [bob], 'List orders', 'List all orders');
  const status = (): Promise<string> => git(second, 'status', '--porcelain');
  await body({ alice, bob, status, machine });
}

async function change(by: LocalPeer, others: readonly LocalPeer[], from: string, to: string): Promise<void> {
  await by.edit(PATH, (text) => text.replace(from, to));
  for (const peer of others) await until(`all have "${to}"`, async () => (await peer.read(PATH)).includes(to));
  for (const peer of [by, ...others]) await peer.untilInStep(1);
}

test(
  '[PUL-01] [PUL-02] [PUL-04] what git refuses because peers have brought it already is pulled, and no file is written',
  options,
  async () => {
    await inStep(async ({ alice, bob, status, machine }) => {
      await writeFile(join(alice.session.folder, 'other.txt'), 'two\n');
      await commitAndPush(alice.session.folder, 'by alice');
      await assert.rejects(git(bob.session.folder, 'pull', '-q'), /overwritten by merge/);
      const entries = (await readLog(machine)).changes.length;
      const before = await bob.read(PATH);
      const pulled = { isDone: true, commitCount: 1, held: [PATH], changedSince: [] };
      assert.deepEqual(await bob.session.pullSyncedChanges(), pulled);
      assert.equal(await status(), '');
      assert.equal(await bob.read(PATH), before);
      assert.equal(await readFile(join(bob.session.folder, 'other.txt'), 'utf8'), 'two\n');
      assert.deepEqual(await bob.session.pullSyncedChanges(), { ...pulled, commitCount: 0, held: [] });
      await bob.session.syncNow();
      assert.equal((await readLog(machine)).changes.length, entries, "nothing of it is anybody's change");

      // A file that has taken the incoming version in and holds more keeps it, uncommitted.
      await change(alice, [bob], 'List all orders', 'List every order');
      await commitAndPush(alice.session.folder, 'again');
      await change(alice, [bob], 'List items', 'List all items');
      // Git sets the file back, and bob types at once: for a moment it holds nothing of what it is known to hold.
      await git(bob.session.folder, 'stash', '-q');
      await bob.edit(PATH, (text) => text.replace('title: Shop', 'title: Web shop'));
      assert.deepEqual(await bob.session.pullSyncedChanges(), { ...pulled, changedSince: [PATH] });
      await until('alice has what bob typed', async () => (await alice.read(PATH)).includes('Web shop'));
      const more = await bob.read(PATH);
      assert.equal(await alice.read(PATH), more);
      for (const kept of ['List every order', 'List all items']) assert.ok(more.includes(kept), kept);
      const diff = await git(bob.session.folder, 'diff', '--unified=0');
      assert.match(diff, /\+ {6}summary: List all items/);
      assert.doesNotMatch(diff, /^[-+].*order/m, 'what came in is not undone by what is left');

      // Documents that peers have created and deleted.
      await writeFile(join(alice.session.folder, 'second.yaml'), SPEC.replace('Shop', 'Second'));
      alice.session.fileAppeared(join(alice.session.folder, 'second.yaml'));
      await bob.untilInStep(2);
      await git(alice.session.folder, 'add', '-A');
      await commitAndPush(alice.session.folder, 'a second one');
      assert.deepEqual(await bob.session.pullSyncedChanges(), { ...pulled, held: [PATH, 'second.yaml'] });
      await alice.untilInStep(2);
      // What goes while git is at work may be git's doing, and is asked about ([DEL-03]).
      await until('git is at rest', async () => (await alice.session.syncNow()).isDone);
      await rm(join(alice.session.folder, 'second.yaml'));
      await bob.untilInStep(1);
      await commitAndPush(alice.session.folder, 'no second one');
      assert.deepEqual(await bob.session.pullSyncedChanges(), { ...pulled, held: ['second.yaml'] });
      assert.equal(await status(), '');
    });
  },
);

test(
  '[PUL-03] [COM-01] where a file has changes of its own nothing is pulled; who commits what others did is told once',
  options,
  async () => {
    await inStep(async ({ alice, bob, status }) => {
      const { folder } = bob.session;
      await writeFile(join(alice.session.folder, 'other.txt'), 'two\n');
      await commitAndPush(alice.session.folder, 'by alice');
      await writeFile(join(folder, 'other.txt'), 'by bob\n');
      const [head, before] = [await git(folder, 'rev-parse', 'HEAD'), await status()];
      const result = await bob.session.pullSyncedChanges();
      assert.ok(!result.isDone);
      assert.equal(result.problem.code, 'not-held');
      assert.match(result.problem.message, /^other\.txt has/);
      assert.deepEqual([await git(folder, 'rev-parse', 'HEAD'), await status()], [head, before]);
      assert.equal(await readFile(join(folder, 'other.txt'), 'utf8'), 'by bob\n');

      // Where git itself says no, the index is as it was.
      await git(folder, 'checkout', '-q', 'other.txt');
      const hook = join(folder, '.git/hooks/reference-transaction');
      await writeFile(hook, '#!/bin/sh\ncase "$1" in prepared) exit 1;; esac\n', { mode: 0o755 });
      assert.equal(problemCode(await bob.session.pullSyncedChanges()), 'not-forwarded');
      await rm(hook);
      assert.equal(await git(folder, 'diff', '--cached'), '');

      const notices: CommitNotice[] = [];
      bob.session.onDidNoticeCommit((notice) => notices.push(notice));
      await git(folder, 'add', PATH);
      await until('bob is told', () => Promise.resolve(notices.length === 1));
      assert.deepEqual(notices, [{ paths: [PATH], authorNames: ['test (alice)'], isMade: false }]);
      await git(folder, 'commit', '-qm', 'with what alice did');
      assert.equal(problemCode(await bob.session.pullSyncedChanges()), 'diverged');
      // What is committed is nobody's uncommitted change any more, and one's own is none of others.
      await change(bob, [alice], 'List items', 'List all items');
      await git(folder, 'commit', '-qam', 'by bob alone');
      await change(alice, [bob], 'title: Shop', 'title: Web shop');
      await git(folder, 'commit', '-qam', 'with what alice did later');
      await until('bob is told again', () => Promise.resolve(notices.length === 2));
      assert.deepEqual(notices[1]?.authorNames, ['test (alice)']);
      await git(folder, 'checkout', '-q', '--detach');
      assert.equal(problemCode(await bob.session.pullSyncedChanges()), 'no-branch');
    });
  },
);
