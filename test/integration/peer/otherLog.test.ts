import assert from 'node:assert/strict';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, test } from 'node:test';
import { readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { ITEMS, SHOP as SPEC } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATH = 'api/openapi.yaml';

const here = machineForEachTest();
let alice: HeadlessPeer;
let bob: HeadlessPeer;
beforeEach(async () => {
  alice = await here.machine.serveNew('alice', { [PATH]: SPEC });
  bob = await here.machine.serveNew('bob', { [PATH]: SPEC });
});

async function libraryDirectory(): Promise<string> {
  const libraries = join(here.machine.stateDir, 'libraries');
  const [libraryId] = await readdir(libraries);
  assert.ok(libraryId !== undefined, 'the machine has a library');
  return join(libraries, libraryId);
}

async function removeLog(): Promise<void> {
  for (const name of ['log.sqlite', 'log.sqlite-wal', 'log.sqlite-shm'])
    await rm(join(await libraryDirectory(), name), { force: true });
}

function serve(folder: string, name: string): HeadlessPeer {
  return here.machine.serve(folder, { name });
}

test('[REC-04] [I1] a log that was put back from a backup takes no saved change out of any file', async () => {
  await alice.end();
  await bob.end();
  const backup = join(here.machine.root, 'backup.sqlite');
  await cp(join(await libraryDirectory(), 'log.sqlite'), backup);
  bob = serve(bob.folder, 'bob');
  await bob.untilInStep(1);
  await bob.edit(PATH, (text) => text + ITEMS);
  await until('the new path is in the log', async () => (await readLog(here.machine)).changes.length === 2);
  await bob.untilInStep(1);
  await bob.end();

  await removeLog();
  await cp(backup, join(await libraryDirectory(), 'log.sqlite'));
  // Alice goes on alone until the log is longer than the one that bob knows: only the running hash tells the two apart.
  alice = serve(alice.folder, 'alice');
  await alice.untilInStep(1);
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await until('the log is as long as it was', async () => (await readLog(here.machine)).changes.length === 2);
  await alice.edit(PATH, (text) => text.replace('title: Shop', 'title: Web shop'));
  await until('the log is longer than it was', async () => (await readLog(here.machine)).changes.length === 3);
  bob = serve(bob.folder, 'bob');
  await until('alice has what bob saved', async () => (await alice.read(PATH)).includes('/items:'));
  await alice.untilInStep(1);
  const expected = (SPEC + ITEMS).replace('List orders', 'List all orders').replace('title: Shop', 'title: Web shop');
  assert.equal(await alice.read(PATH), expected);
  assert.equal(await bob.read(PATH), expected);
  await bob.untilInStep(1);
  assert.equal(bob.status?.conflictCount, 0);
});

test('[REC-04] [I2] a log that was deleted is filled again from the replicas, and nobody is asked', async () => {
  await bob.edit(PATH, (text) => text + ITEMS);
  await until('the new path is with alice', async () => (await alice.read(PATH)).includes('/items:'));
  await alice.end();
  await bob.end();
  await removeLog();
  [alice, bob] = [serve(alice.folder, 'alice'), serve(bob.folder, 'bob')];
  await alice.untilInStep(1);
  await bob.untilInStep(1);
  await until('the document is in the log again', async () => (await readLog(here.machine)).changes.length === 1);
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await until('bob has what alice saved', async () => (await bob.read(PATH)).includes('List all orders'));
  assert.equal(await bob.read(PATH), (SPEC + ITEMS).replace('List orders', 'List all orders'));
  assert.equal(bob.status?.conflictCount, 0);
});

test('[REP-17] an entry that the disk has damaged keeps no other document waiting, and the next change of its own mends it', async () => {
  const OTHER = 'api/other.yaml';
  await alice.write(OTHER, SPEC.replace('title: Shop', 'title: Other'));
  await bob.untilInStep(2);
  await bob.end();
  await alice.edit(PATH, (text) => text.replace('title: Shop', 'title: Web shop'));
  await until('the title is in the log', async () => (await readLog(here.machine)).changes.length === 3);
  await alice.edit(OTHER, (text) => text.replace('List orders', 'List all orders'));
  await until('the other document is changed', async () => (await readLog(here.machine)).changes.length === 4);
  await alice.end();
  const log = new DatabaseSync(join(await libraryDirectory(), 'log.sqlite'));
  log.exec('UPDATE entries SET body = substr(body, 1, 40) WHERE idx = 3');
  log.close();
  bob = serve(bob.folder, 'bob');
  await until('bob has the other one', async () => (await bob.read(OTHER)).includes('List all orders'));
  await bob.until('bob is told', ({ documents }) =>
    documents.some(({ problem }) => problem?.code === 'library-revision-missing'),
  );
  await bob.edit(PATH, (text) => text + ITEMS);
  alice = serve(alice.folder, 'alice');
  await alice.untilInStep(2);
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await bob.untilInStep(2);
  await until('alice has what bob saved', async () => (await alice.read(PATH)).includes('/items:'));
  const expected = (SPEC + ITEMS).replace('List orders', 'List all orders').replace('title: Shop', 'title: Web shop');
  assert.equal(await alice.read(PATH), expected);
  assert.equal(await bob.read(PATH), expected);
});

test(
  '[I6] [REC-04] windows that are open while the library is put back from a backup follow the one that leads it now, and nothing is lost',
  { skip: process.platform === 'win32' },
  async () => {
    const directory = await libraryDirectory();
    await cp(directory, join(here.machine.root, 'backup'), { recursive: true });
    await bob.edit(PATH, (text) => text + ITEMS);
    await until('alice has the new path', async () => (await alice.read(PATH)).includes('/items:'));
    await rm(directory, { recursive: true });
    await cp(join(here.machine.root, 'backup'), directory, { recursive: true });
    const carol = await here.machine.serveNew('carol', { [PATH]: SPEC });
    assert.equal(carol.status?.role, 'leader', 'in the library that was put back');
    await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
    const expected = (SPEC + ITEMS).replace('List orders', 'List all orders');
    for (const peer of [alice, bob, carol])
      await until('everybody has everything', async () => (await peer.read(PATH)) === expected);
    await alice.end();
    await bob.edit(PATH, (text) => text.replace('title: Shop', 'title: Web shop'));
    await until('carol is found', async () => (await carol.read(PATH)).includes('title: Web shop'));
  },
);

test('[REP-05] [I1] what is saved after the own state of a window was put back from a backup reaches everybody', async () => {
  const replicas = join(here.machine.stateDir, 'replicas');
  await alice.end();
  await cp(replicas, join(here.machine.root, 'replicas'), { recursive: true });
  alice = serve(alice.folder, 'alice');
  await alice.untilInStep(1);
  await alice.edit(PATH, (text) => text.replace('title: Shop', 'title: Web shop'));
  await until('bob has the title', async () => (await bob.read(PATH)).includes('Web shop'));
  await alice.end();
  await bob.end();
  await rm(replicas, { recursive: true });
  await cp(join(here.machine.root, 'replicas'), replicas, { recursive: true });
  [alice, bob] = [serve(alice.folder, 'alice'), serve(bob.folder, 'bob')];
  await alice.untilInStep(1);
  await alice.edit(PATH, (text) => text + ITEMS);
  const expected = SPEC.replace('title: Shop', 'title: Web shop') + ITEMS;
  for (const peer of [alice, bob])
    await until('both have everything', async () => (await peer.read(PATH)) === expected);
  await alice.untilInStep(1);
});

const PAGE_BYTES = 4096;

/** A database that has lost all but its first page, for whoever has it open, too. */
async function damage(file: string): Promise<void> {
  const database = new DatabaseSync(file, { timeout: 10_000 });
  // Who has read something of it reads it anew after another one's write, and from the file once that is there.
  database.exec('CREATE TABLE written (x); DROP TABLE written; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill('rubbish ', PAGE_BYTES));
}

test('[REC-11] [I1] a library and a folder whose own files are damaged go on by themselves, and say so once', async () => {
  await damage(join(await libraryDirectory(), 'log.sqlite'));
  await alice.edit(PATH, (text) => text.replace('title: Shop', 'title: Web shop') + ITEMS);
  const expected = SPEC.replace('title: Shop', 'title: Web shop') + ITEMS;
  await until('bob has everything', async () => (await bob.read(PATH)) === expected);
  await bob.untilInStep(1);
  assert.deepEqual(
    [...alice.putAside, ...bob.putAside].map(({ code }) => code),
    ['log-put-aside'],
  );

  const replicas = join(here.machine.stateDir, 'replicas');
  for (const name of await readdir(replicas)) await damage(join(replicas, name, 'replica.sqlite'));
  await alice.edit(PATH, (text) => text.replace('List orders', 'List all orders'));
  await alice.until('alice is asked about what reads differently', ({ conflictCount }) => conflictCount === 1);
  assert.equal(await alice.read(PATH), expected.replace('List orders', 'List all orders'));
  assert.equal(alice.putAside.at(-1)?.code, 'state-put-aside');
});
