import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { chmod, lstat, mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { kindsInLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { SHOP_AND_PETS as FILES } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const NOBODY = 65_534;
// Who may do everything may write what is read-only, so these tests are somebody else's; not where that one may read nothing.
const isRoot = process.getuid?.() === 0 && !canNobodyRead(import.meta.dirname);
if (process.getuid?.() === 0 && !isRoot) process.setuid?.(NOBODY);

function canNobodyRead(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o005) === 0o005;
  return isOpen && (dirname(folder) === folder || canNobodyRead(dirname(folder)));
}

const here = machineForEachTest();

/** As an editor on Windows writes it. */
const asOnWindows = (text: string): string => `\uFEFF${text.replaceAll('\n', '\r\n')}`;

/** What the files of a process may have at most, in bytes. */
function limitFiles(peer: HeadlessPeer, limit: string): void {
  execFileSync('prlimit', ['--pid', String(peer.process.pid), `--fsize=${limit}:`]);
}

test(
  '[I1] [I3] [I8] a read-only file stays and says why; once it may be written it goes on by itself, with its line ends, BOM, mode and link',
  { skip: process.platform === 'win32' || isRoot },
  async () => {
    const alice = await here.keepNew('alice', FILES);
    const folder = await here.machine.workspace('bob', { 'openapi.yaml': FILES['openapi.yaml'] });
    const target = join(folder, 'texts', 'pets.text');
    await mkdir(join(folder, 'texts'));
    await writeFile(target, asOnWindows(FILES['pets.yaml']), { mode: 0o660 });
    // The umask took a bit of that; the file is to keep it.
    await chmod(target, 0o660);
    await symlink('texts/pets.text', join(folder, 'pets.yaml'));
    const bob = await here.keep(folder);
    await bob.untilInStep(2);
    await chmod(target, 0o440);
    await alice.edit('pets.yaml', (text) => text.replace('List orders', 'List pets'));
    await bob.until('it says why', ({ documents }) =>
      documents.some(({ state, problem }) => state === 'unwritable' && problem?.code === 'file-read-only'),
    );
    assert.equal(await readFile(target, 'utf8'), asOnWindows(FILES['pets.yaml']));
    await alice.edit('openapi.yaml', (text) => text.replace('List orders', 'List all orders'));
    await until('the other file goes on', async () => (await bob.read('openapi.yaml')).includes('all orders'));
    await chmod(target, 0o660);
    await bob.untilInStep(2);
    assert.equal(await readFile(target, 'utf8'), asOnWindows(await alice.read('pets.yaml')));
    assert.equal((await stat(target)).mode & 0o777, 0o660);
    assert.equal((await lstat(join(folder, 'pets.yaml'))).isSymbolicLink(), true);
    assert.deepEqual(await kindsInLog(here.machine), ['create', 'create', 'edit', 'edit']);
  },
);

test('[I1] [I8] a folder that is taken away (a drive, a share) is said to be gone, is not made anew, and goes on by itself when it is back', async () => {
  const alice = await here.keepNew('alice', FILES);
  const bob = await here.keepNew('bob', FILES);
  const { folder } = bob.session;
  await rename(folder, `${folder}-away`);
  await alice.edit('pets.yaml', (text) => text.replace('List orders', 'List pets'));
  await bob.until('it says so', ({ observing }) => observing === 'this folder is not there at the moment');
  await alice.untilInStep(2);
  assert.equal(existsSync(folder), false);
  await rename(`${folder}-away`, folder);
  await until('bob has it', async () => (await bob.read('pets.yaml')).includes('List pets'));
  await bob.untilInStep(2);
  assert.deepEqual(await kindsInLog(here.machine), ['create', 'create', 'edit'], 'nothing was deleted');
});

test(
  '[I1] [I8] a peer on a full disk says so and lives on; once there is room, what both sides saved meanwhile is everywhere',
  { skip: process.platform !== 'linux' },
  async () => {
    const alice = await here.keepNew('alice', FILES);
    const bob = await here.machine.serveNew('bob', FILES);
    limitFiles(bob, '1');
    const untilItSaysSo = (file: string): Promise<unknown> =>
      bob.until(`it says so of ${file}`, ({ documents }) =>
        documents.some(({ path, state }) => path === file && state === 'unwritable'),
      );
    await bob.edit('openapi.yaml', (text) => text.replace('List orders', 'List all orders'));
    await untilItSaysSo('openapi.yaml');
    await alice.edit('pets.yaml', (text) => text.replace('List orders', 'List pets'));
    await untilItSaysSo('pets.yaml');
    assert.equal(await alice.read('openapi.yaml'), FILES['openapi.yaml'], 'nothing is sent that is not in the outbox');
    limitFiles(bob, 'unlimited');
    await until('alice has what bob saved', async () => (await alice.read('openapi.yaml')).includes('all orders'));
    await until('bob has what alice saved', async () => (await bob.read('pets.yaml')).includes('List pets'));
    await bob.untilInStep(2);
    await alice.untilInStep(2);
    assert.deepEqual((await kindsInLog(here.machine)).toSorted(), ['create', 'create', 'edit', 'edit']);
  },
);
