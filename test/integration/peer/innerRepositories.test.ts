import assert from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { clones, commitAndPush, git, hasGit } from '../support/clones.ts';
import { readLog, until } from '../support/headlessPeer.ts';
import { type LocalPeer, problemCode } from '../support/localPeer.ts';
import { SHOP_WITH_ITEMS as SPEC } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const here = machineForEachTest();
const options = { skip: !hasGit && 'git is not installed' };
const PATH = 'backend/openapi.yaml';

/** Two folders that are in no repository and have a clone each, in step. */
async function inStep(): Promise<readonly [LocalPeer, LocalPeer]> {
  const { machine } = here;
  const folders: string[] = [];
  for (const clone of await clones(machine, { 'openapi.yaml': SPEC }, ['a', 'b'] as const)) {
    await git(clone, 'branch', 'away');
    const folder = `${clone}-work`;
    await mkdir(folder);
    await rename(clone, join(folder, 'backend'));
    folders.push(folder);
  }
  const [first = '', second = ''] = folders;
  const alice = await here.keep(first);
  await alice.untilInStep(1);
  const bob = await here.open(second);
  const [library] = await bob.session.listLibraries();
  assert.ok(library !== undefined);
  assert.equal(problemCode(await bob.session.join(library.libraryId, library.pairs)), undefined);
  await bob.untilInStep(1);
  return [alice, bob];
}

test(
  "[BRA-05] [I1] what git does in a repository inside of the folder is nobody's edit: not another branch, not a stash",
  options,
  async () => {
    const [alice, bob] = await inStep();
    const backend = join(bob.session.folder, 'backend');
    await git(backend, 'checkout', '-q', 'away');
    await bob.until('bob looks on', (status) => status.unjoinedBranch === 'away of backend');
    await writeFile(join(backend, 'openapi.yaml'), SPEC.replace('List orders', 'Orders of another branch'));
    await git(backend, 'commit', '-qam', 'away');
    await alice.edit(PATH, (text) => text.replace('List items', 'List all items'));
    await git(backend, 'checkout', '-q', 'main');
    await bob.untilInStep(1);
    await until('bob has what alice did', async () => (await bob.read(PATH)).includes('List all items'));
    assert.deepEqual((await readLog(here.machine)).changes.length, 2, 'nothing of the other branch was sent');
    assert.equal(await alice.read(PATH), await bob.read(PATH));

    await git(backend, 'stash', '-q');
    await bob.until('bob is asked', (status) => status.documents[0]?.state === 'behind');
    await git(backend, 'stash', 'pop', '-q');
    await bob.untilInStep(1);

    // Somebody else pushes, and bob pulls: that comes on top of what was agreed on.
    const carol = join(here.machine.root, 'carol');
    await git(here.machine.root, 'clone', '-q', join(here.machine.root, 'remote.git'), carol);
    await writeFile(join(carol, 'openapi.yaml'), SPEC.replace('List orders', 'List orders, by carol'));
    await commitAndPush(carol, 'by carol');
    await git(backend, 'stash', '-q');
    await git(backend, 'pull', '-q', '--ff-only');
    await until('alice has what carol did', async () => (await alice.read(PATH)).includes('by carol'));
    await bob.untilInStep(1);
    assert.ok((await bob.read(PATH)).includes('List all items'), 'what alice did stays');

    // A branch joins when a person says so.
    await git(backend, 'stash', '-q');
    await git(backend, 'checkout', '-q', 'away');
    await bob.until('bob looks on', (status) => status.unjoinedBranch === 'away of backend');
    assert.equal(problemCode(await bob.session.keepInStep()), undefined);
    await bob.until('bob is at work', (status) => status.phase === 'running' && status.unjoinedBranch === undefined);
  },
);
