import assert from 'node:assert/strict';
import { rename as renameFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Machine, readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { unpackPreviousRelease } from '../support/previousRelease.ts';

const PATH = 'openapi.yaml';
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
`;

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
  const machine = await Machine.create();
  try {
    const previous = await unpackPreviousRelease(join(machine.root, 'previous'));
    const old = machine.serve(await machine.workspace('old', { [PATH]: SPEC }), { name: 'old', cli: previous });
    await old.untilInStep(1);
    const current = machine.serve(await machine.workspace('current', { [PATH]: SPEC }), { name: 'current' });
    await current.untilInStep(1);
    assert.equal(old.status?.role, 'leader');
    await rename(old, 'List orders', 'List the orders');
    await untilBothRead([old, current], 'List the orders');
    await rename(current, 'List items', 'List the items');
    await untilBothRead([old, current], 'List the items');

    await old.end('SIGKILL');
    await current.until(
      'this release leads',
      (status) => status.role === 'leader' && status.connection === 'connected',
    );
    await rename(current, 'title: Shop', 'title: Web shop');
    await current.untilInStep(1);
    const again = machine.serve(old.folder, { name: 'old', cli: previous });
    await untilBothRead([again, current], 'title: Web shop');
    await again.untilInStep(1);
    await rename(again, 'List the orders', 'List all orders');
    await untilBothRead([again, current], 'List all orders');
    const { changes, hasHoles } = await readLog(machine);
    assert.equal(hasHoles, false);
    assert.deepEqual(
      changes.map((change) => change.kind),
      ['create', 'edit', 'edit', 'edit', 'edit'],
    );
  } finally {
    await machine.dispose();
  }
});

test('[I1] what the release before this one kept for a folder is taken over: its log, its shadow, what was not sent yet', async () => {
  const machine = await Machine.create();
  try {
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
  } finally {
    await machine.dispose();
  }
});

test('[REN-07] a name that this release gives a document hurts the release before it in nothing, and is there once that is updated', async () => {
  const machine = await Machine.create();
  try {
    const previous = await unpackPreviousRelease(join(machine.root, 'previous'));
    const old = machine.serve(await machine.workspace('old', { [PATH]: SPEC }), { name: 'old', cli: previous });
    await old.untilInStep(1);
    const current = machine.serve(await machine.workspace('current', { [PATH]: SPEC }), { name: 'current' });
    await current.untilInStep(1);
    await renameFile(join(current.folder, PATH), join(current.folder, 'shop.yaml'));
    await until('the name is in the log', async () => (await readLog(machine)).changes.at(-1)?.kind === 'rename');
    await rename(old, 'List orders', 'List the orders');
    await until('the old one is heard', async () => (await current.read('shop.yaml')).includes('List the orders'));
    await current.edit('shop.yaml', (text) => text.replace('List items', 'List the items'));
    await until('the old one hears', async () => (await old.read(PATH)).includes('List the items'));
    await old.end('SIGTERM');
    const updated = machine.serve(old.folder, { name: 'updated' });
    await until('the name is there', async () =>
      (await updated.read('shop.yaml').catch(() => '')).includes('the items'),
    );
    await updated.untilInStep(1);
    assert.deepEqual(
      (await readLog(machine)).changes.map((change) => change.kind),
      ['create', 'rename', 'edit', 'edit'],
    );
  } finally {
    await machine.dispose();
  }
});
