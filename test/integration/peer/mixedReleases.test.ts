import assert from 'node:assert/strict';
import { rename as renameFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { kindsInLog, readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { unpackPreviousRelease } from '../support/previousRelease.ts';
import { SHOP_WITH_ITEMS as SPEC } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATH = 'openapi.yaml';

const here = machineForEachTest();

/** One after the other in step: a peer of the release before this one, and one of this one. */
async function bothReleases(): Promise<{
  readonly old: HeadlessPeer;
  readonly current: HeadlessPeer;
  readonly previous: string;
}> {
  const previous = await unpackPreviousRelease(join(here.machine.root, 'previous'));
  const old = await here.machine.serveNew('old', { [PATH]: SPEC }, { cli: previous });
  return { old, current: await here.machine.serveNew('current', { [PATH]: SPEC }), previous };
}

async function rename(peer: HeadlessPeer, from: string, to: string): Promise<void> {
  await peer.edit(PATH, (text) => text.replace(from, to));
}

async function untilBothRead(peers: readonly HeadlessPeer[], what: string): Promise<void> {
  await until(`all read "${what}"`, async () => {
    const texts = await Promise.all(peers.map((peer) => peer.read(PATH)));
    return texts.every((text) => text.includes(what));
  });
}

test('[I2][I1] the release before this one and this one keep each other in step, whoever leads', async () => {
  const { old, current, previous } = await bothReleases();
  assert.equal(old.status?.role, 'leader');
  await rename(old, 'List orders', 'List the orders');
  await untilBothRead([old, current], 'List the orders');
  await rename(current, 'List items', 'List the items');
  await untilBothRead([old, current], 'List the items');

  await old.end('SIGKILL');
  await current.until('this release leads', (status) => status.role === 'leader' && status.connection === 'connected');
  await rename(current, 'title: Shop', 'title: Web shop');
  await current.untilInStep(1);
  const again = here.machine.serve(old.folder, { name: 'old', cli: previous });
  await untilBothRead([again, current], 'title: Web shop');
  await again.untilInStep(1);
  await rename(again, 'List the orders', 'List all orders');
  await untilBothRead([again, current], 'List all orders');
  assert.equal((await readLog(here.machine)).hasHoles, false);
  assert.deepEqual(await kindsInLog(here.machine), ['create', 'edit', 'edit', 'edit', 'edit']);
});

test('[I1] what the release before this one kept for a folder is taken over: its log, its shadow, what was not sent yet', async () => {
  const { machine } = here;
  const previous = await unpackPreviousRelease(join(machine.root, 'previous'));
  const folder = await machine.workspace('mine', { [PATH]: SPEC });
  const old = machine.serve(folder, { name: 'old', cli: previous });
  await old.untilInStep(1);
  await old.end('SIGKILL');
  await rename(old, 'List orders', 'List the orders');
  const current = machine.serve(folder, { name: 'current' });
  await current.untilInStep(1);
  await until('the edit is in the log', async () => (await readLog(machine)).changes.length === 2);
  assert.equal((await readLog(machine)).hasHoles, false);
});

test('[REN-07] a name that this release gives a document hurts the release before it in nothing, and is there once that is updated', async () => {
  const { old, current } = await bothReleases();
  await renameFile(join(current.folder, PATH), join(current.folder, 'shop.yaml'));
  await until('the name is in the log', async () => (await readLog(here.machine)).changes.at(-1)?.kind === 'rename');
  await rename(old, 'List orders', 'List the orders');
  await until('the old one is heard', async () => (await current.read('shop.yaml')).includes('List the orders'));
  await current.edit('shop.yaml', (text) => text.replace('List items', 'List the items'));
  await until('the old one hears', async () => (await old.read(PATH)).includes('List the items'));
  await old.end('SIGTERM');
  const updated = here.machine.serve(old.folder, { name: 'updated' });
  await until('the name is there', async () => (await updated.read('shop.yaml').catch(() => '')).includes('the items'));
  await updated.untilInStep(1);
  assert.deepEqual(await kindsInLog(here.machine), ['create', 'rename', 'edit', 'edit']);
});
