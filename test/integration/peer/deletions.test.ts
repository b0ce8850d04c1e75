import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Emitter } from '../../../src/core/event.ts';
import { git, hasGit } from '../support/clones.ts';
import { kindsInLog, until } from '../support/headlessPeer.ts';
import { type LocalPeer, problemCode } from '../support/localPeer.ts';
import { SHOP, SHOP_AND_PETS as FILES } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const here = machineForEachTest();
const kinds = (): Promise<readonly string[]> => kindsInLog(here.machine);

function isGone(peer: LocalPeer, path: string): Promise<void> {
  return until(`${path} is gone`, async () => !(await peer.has(path)));
}

test('[DEL-01] [I12] a file that a person deletes goes for everybody, and comes back in one step', async () => {
  const alice = await here.keepNew('alice', FILES);
  const bob = await here.keepNew('bob', FILES);
  const applied: string[] = [];
  let docId: Parameters<typeof bob.session.bringBack>[0] | undefined;
  bob.session.onDidApplyChange((change) => {
    if (!change.isDeletion) return;
    applied.push(change.path);
    ({ docId } = change);
  });
  await rm(join(alice.session.folder, 'pets.yaml'));
  await isGone(bob, 'pets.yaml');
  await bob.untilInStep(1);
  await alice.untilInStep(1);
  assert.deepEqual(applied, ['pets.yaml']);
  assert.deepEqual(await kinds(), ['create', 'create', 'delete']);
  assert.ok(docId !== undefined);
  assert.equal(problemCode(await bob.session.bringBack(docId)), undefined);
  await bob.untilInStep(2);
  await alice.untilInStep(2);
  assert.equal(await alice.read('pets.yaml'), FILES['pets.yaml']);
});

test('[DEL-01] a new file at the place of a deleted one is a new document', async () => {
  const alice = await here.keepNew('alice', FILES);
  const bob = await here.keepNew('bob', FILES);
  await rm(join(alice.session.folder, 'pets.yaml'));
  await isGone(bob, 'pets.yaml');
  const other = SHOP.replace('Shop', 'Other pets');
  await writeFile(join(alice.session.folder, 'pets.yaml'), other);
  alice.session.fileAppeared(join(alice.session.folder, 'pets.yaml'));
  await until(
    'bob has the new one',
    async () => (await bob.has('pets.yaml')) && (await bob.read('pets.yaml')) === other,
  );
  assert.deepEqual(await kinds(), ['create', 'create', 'delete', 'create']);
});

for (const choice of ['ours', 'theirs'] as const) {
  test(`[DEL-04] deleted here and edited there is a conflict over the whole file: ${choice}`, async () => {
    const alice = await here.keepNew('alice', FILES);
    const bob = await here.keepNew('bob', FILES);
    await bob.session.pause();
    await rm(join(bob.session.folder, 'pets.yaml'));
    const edited = FILES['pets.yaml'].replace('List orders', 'List pets');
    await alice.edit('pets.yaml', () => edited);
    await until('the edit is in the log', async () => (await kinds()).length === 3);
    await bob.session.resume();
    await bob.until('bob is asked', ({ conflictCount }) => conflictCount === 1);
    assert.equal(await alice.read('pets.yaml'), edited);
    const [held] = bob.session.conflicts;
    assert.ok(held !== undefined);
    assert.equal(held.conflict.ours, undefined);
    assert.equal(held.conflict.theirs?.text, edited);
    assert.equal(
      problemCode(await bob.session.resolveConflicts(held.docId, new Map([[held.conflict.id, { choice: choice }]]))),
      undefined,
    );
    if (choice === 'ours') {
      await isGone(alice, 'pets.yaml');
      await bob.untilInStep(1);
    } else {
      await bob.untilInStep(2);
      assert.equal(await bob.read('pets.yaml'), edited);
    }
  });

  test(`[DEL-04] edited here and deleted there is a conflict over the whole file: ${choice}`, async () => {
    const alice = await here.keepNew('alice', FILES);
    const bob = await here.keepNew('bob', FILES);
    await bob.session.pause();
    const edited = FILES['pets.yaml'].replace('List orders', 'List pets');
    await bob.edit('pets.yaml', () => edited);
    await rm(join(alice.session.folder, 'pets.yaml'));
    await until('the deletion is in the log', async () => (await kinds()).includes('delete'));
    await bob.session.resume();
    await bob.until('bob is asked', ({ conflictCount }) => conflictCount === 1);
    assert.equal(await bob.read('pets.yaml'), edited);
    const [held] = bob.session.conflicts;
    assert.ok(held !== undefined);
    assert.equal(held.conflict.theirs, undefined);
    assert.equal(
      problemCode(await bob.session.resolveConflicts(held.docId, new Map([[held.conflict.id, { choice: choice }]]))),
      undefined,
    );
    if (choice === 'ours') {
      await alice.untilInStep(2);
      await until(
        'alice has it again',
        async () => (await alice.has('pets.yaml')) && (await alice.read('pets.yaml')) === edited,
      );
    } else {
      await bob.untilInStep(1);
      assert.equal(await bob.has('pets.yaml'), false);
    }
  });
}

test('[DEL-05] a deletion never comes back: not from who was away, not from an old copy that turns up', async () => {
  const alice = await here.keepNew('alice', FILES);
  const bob = await here.keepNew('bob', FILES);
  await bob.close();
  await rm(join(alice.session.folder, 'pets.yaml'));
  await until('the deletion is in the log', async () => (await kinds()).includes('delete'));
  const again = await here.keep(bob.session.folder);
  await isGone(again, 'pets.yaml');
  await again.untilInStep(1);
  // A checkout of an old commit, a stash, a backup.
  await again.session.pause();
  await writeFile(join(again.session.folder, 'pets.yaml'), FILES['pets.yaml']);
  await again.session.resume();
  await again.session.syncNow();
  await again.until('bob is asked', ({ conflictCount }) => conflictCount === 1);
  assert.deepEqual(await kinds(), ['create', 'create', 'delete']);
  const [held] = again.session.conflicts;
  assert.ok(held !== undefined);
  assert.equal(
    problemCode(await again.session.resolveConflicts(held.docId, new Map([[held.conflict.id, { choice: 'theirs' }]]))),
    undefined,
  );
  await isGone(again, 'pets.yaml');
});

test('[DEL-03] a folder that vanishes deletes nothing until a person says so', async () => {
  const files = { 'openapi.yaml': SHOP, 'api/a.yaml': FILES['pets.yaml'], 'api/b.yaml': SHOP.replace('Shop', 'B') };
  const alice = await here.keepNew('alice', files);
  const bob = await here.keepNew('bob', files);
  const missing = (): string[] =>
    alice.status.documents.filter(({ state }) => state === 'missing').map(({ path }) => path);
  await rm(join(alice.session.folder, 'api'), { recursive: true });
  await alice.until('alice is asked about both', () => missing().length === 2);
  assert.equal(
    problemCode(await alice.session.leaveBehind(join(alice.session.folder, 'api/a.yaml'), 'bringBack')),
    undefined,
  );
  assert.equal(
    problemCode(await alice.session.leaveBehind(join(alice.session.folder, 'api/b.yaml'), 'keepMine')),
    undefined,
  );
  await isGone(bob, 'api/b.yaml');
  assert.equal(await alice.read('api/a.yaml'), files['api/a.yaml']);
  assert.deepEqual(await kinds(), ['create', 'create', 'create', 'delete']);
});

test('[DEL-02] an unsaved buffer keeps a file that others deleted', async () => {
  const alice = await here.keepNew('alice', FILES);
  let isUnsaved = true;
  const changed = new Emitter<string>((error) => assert.fail(String(error)));
  const bob = await here.keepNew('bob', FILES, {
    wrapFiles: (files) => ({
      ...files,
      hasUnsavedEdits: (file) => isUnsaved && file.endsWith('pets.yaml'),
      onDidChangeUnsaved: changed.event,
    }),
  });
  await rm(join(alice.session.folder, 'pets.yaml'));
  await bob.until('it waits', ({ documents }) => documents.some(({ state }) => state === 'waiting'));
  assert.equal(await bob.read('pets.yaml'), FILES['pets.yaml']);
  isUnsaved = false;
  changed.fire(join(bob.session.folder, 'pets.yaml'));
  await isGone(bob, 'pets.yaml');
});

test(
  '[DEL-03] a file that git removes is asked about, and a checkout that brings it back says nothing',
  { skip: !hasGit && 'git is not installed' },
  async () => {
    const folder = await here.machine.workspace('alice', { 'openapi.yaml': SHOP });
    await git(folder, 'init', '-q', '-b', 'main');
    await git(folder, 'add', '-A');
    await git(folder, 'commit', '-qm', 'base');
    await writeFile(join(folder, 'pets.yaml'), FILES['pets.yaml']);
    await git(folder, 'add', '-A');
    await git(folder, 'commit', '-qm', 'pets');
    const alice = await here.keep(folder);
    await alice.untilInStep(2);
    await git(folder, 'reset', '-q', '--hard', 'HEAD~1');
    await alice.until('alice is asked', ({ documents }) => documents.some(({ state }) => state === 'missing'));
    await git(folder, 'reset', '-q', '--hard', 'HEAD@{1}');
    await alice.untilInStep(2);
    assert.deepEqual(await kinds(), ['create', 'create']);
  },
);
