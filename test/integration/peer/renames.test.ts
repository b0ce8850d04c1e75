import assert from 'node:assert/strict';
import { access, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Machine, readLog, until } from '../support/headlessPeer.ts';
import { LocalPeer, problemCode } from '../support/localPeer.ts';

const SPEC = `openapi: 3.1.0
info:
  title: Shop
  version: 1.0.0
paths:
  /orders:
    get:
      summary: List orders
      responses:
        '200': { description: OK }
`;
const FILES = { 'openapi.yaml': SPEC, 'pets.yaml': SPEC.replace('Shop', 'Pets') };

let machine: Machine;
let peers: LocalPeer[];
beforeEach(async () => {
  machine = await Machine.create();
  peers = [];
});
afterEach(async () => {
  for (const peer of peers) await peer.close();
  await machine.dispose();
});

async function joining(name: string): Promise<LocalPeer> {
  const peer = await LocalPeer.open(machine, await machine.workspace(name, FILES));
  peers.push(peer);
  assert.equal(problemCode(await peer.session.keepInStep()), undefined);
  await peer.untilInStep(2);
  return peer;
}

/** As a person does it in a terminal. */
async function move(peer: LocalPeer, from: string, to: string): Promise<void> {
  const target = join(peer.session.folder, to);
  await mkdir(dirname(target), { recursive: true });
  await rename(join(peer.session.folder, from), target);
  // Windows tell of new files by the editor's own watcher.
  peer.session.fileAppeared(target);
}

function isThere(peer: LocalPeer, path: string): Promise<boolean> {
  return access(join(peer.session.folder, path)).then(
    () => true,
    () => false,
  );
}

async function kinds(): Promise<readonly string[]> {
  return (await readLog(machine)).changes.map(({ kind }) => kind);
}

test('[REN-01] [REN-03] [I1] a file that is renamed has the new name everywhere, with what was edited there meanwhile', async () => {
  const alice = await joining('alice');
  const bob = await joining('bob');
  await bob.session.pause();
  await bob.edit('pets.yaml', (text) => text.replace('List orders', 'List pets'));
  await move(alice, 'pets.yaml', 'api/Pets.yaml');
  await until('the name is in the log', async () => (await kinds()).length === 3);
  await bob.session.resume();
  await until('bob has the name', () => isThere(bob, 'api/Pets.yaml'));
  await until('alice has the edit', async () => (await alice.read('api/Pets.yaml')).includes('List pets'));
  await alice.untilInStep(2);
  await bob.untilInStep(2);
  assert.equal(await isThere(bob, 'pets.yaml'), false);
  assert.deepEqual(await kinds(), ['create', 'create', 'rename', 'edit']);
});

test('[REN-01] a folder that is renamed as a whole deletes nothing, also where that happened while nobody was looking', async () => {
  const alice = await joining('alice');
  const bob = await joining('bob');
  await alice.session.stop();
  await move(alice, 'pets.yaml', 'v2/pets.yaml');
  await move(alice, 'openapi.yaml', 'v2/openapi.yaml');
  assert.equal(problemCode(await alice.session.start()), undefined);
  await until(
    'bob has both',
    async () => (await isThere(bob, 'v2/pets.yaml')) && (await isThere(bob, 'v2/openapi.yaml')),
  );
  await bob.untilInStep(2);
  await alice.untilInStep(2);
  assert.equal(await bob.read('v2/pets.yaml'), FILES['pets.yaml']);
  assert.deepEqual(await kinds(), ['create', 'create', 'rename', 'rename']);
});
