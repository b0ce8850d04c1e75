import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { kindsInLog, until } from '../support/headlessPeer.ts';
import { type LocalPeer, problemCode } from '../support/localPeer.ts';
import { SHOP_AND_PETS as FILES } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const here = machineForEachTest();
const kinds = (): Promise<readonly string[]> => kindsInLog(here.machine);

/** As a person does it in a terminal. */
async function move(peer: LocalPeer, from: string, to: string): Promise<void> {
  const target = join(peer.session.folder, to);
  await mkdir(dirname(target), { recursive: true });
  await rename(join(peer.session.folder, from), target);
  // Windows tell of new files by the editor's own watcher.
  peer.session.fileAppeared(target);
}

test('[REN-01] [REN-03] [I1] a file that is renamed has the new name everywhere, with what was edited there meanwhile', async () => {
  const alice = await here.keepNew('alice', FILES);
  const bob = await here.keepNew('bob', FILES);
  await bob.session.pause();
  await bob.edit('pets.yaml', (text) => text.replace('List orders', 'List pets'));
  await move(alice, 'pets.yaml', 'api/Pets.yaml');
  await until('the name is in the log', async () => (await kinds()).length === 3);
  await bob.session.resume();
  await until('bob has the name', () => bob.has('api/Pets.yaml'));
  await until('alice has the edit', async () => (await alice.read('api/Pets.yaml')).includes('List pets'));
  await alice.untilInStep(2);
  await bob.untilInStep(2);
  assert.equal(await bob.has('pets.yaml'), false);
  assert.deepEqual(await kinds(), ['create', 'create', 'rename', 'edit']);
});

test('[REN-01] a folder that is renamed as a whole deletes nothing, also where that happened while nobody was looking', async () => {
  const alice = await here.keepNew('alice', FILES);
  const bob = await here.keepNew('bob', FILES);
  await alice.session.stop();
  await move(alice, 'pets.yaml', 'v2/pets.yaml');
  await move(alice, 'openapi.yaml', 'v2/openapi.yaml');
  assert.equal(problemCode(await alice.session.start()), undefined);
  await until('bob has both', async () => (await bob.has('v2/pets.yaml')) && (await bob.has('v2/openapi.yaml')));
  await bob.untilInStep(2);
  await alice.untilInStep(2);
  assert.equal(await bob.read('v2/pets.yaml'), FILES['pets.yaml']);
  assert.deepEqual(await kinds(), ['create', 'create', 'rename', 'rename']);
});
