import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { git, hasGit } from '../support/clones.ts';
import { kindsInLog, readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { SHOP } from '../support/shop.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATHS = Array.from(
  { length: 60 },
  (_, at) =>
    `  /things${at}:\n    get:\n      summary: Thing ${at}, version 0\n      responses:\n        '200':\n          description: OK\n`,
);
const SPEC = `openapi: 3.1.0\ninfo:\n  title: Things\n  version: 1.0.0\npaths:\n${PATHS.join('')}`;
const PATH = 'openapi.yaml';

const here = machineForEachTest();

/** So long is waited for a sign of life: whoever takes over has not waited for that. */
const PATIENT = ['--keep-in-step', '--heartbeat', '300', '--timeout', '600'];
const SAVES = 200;
/** The last operations stay as they are: a file with another end is waited for, as it may be half of one. */
const SAVED_THINGS = 50;
/** Saves that come one right after the other; then all of them are brought in step. */
const BURST = 10;
/** In the middle of a burst. */
const KILLED_AT = 105;

/** At once, so that nobody writes between reading and writing. */
function save(peer: HeadlessPeer, thing: number, version: number): void {
  const file = join(peer.folder, PATH);
  const text = readFileSync(file, 'utf8');
  const next = text.replace(
    new RegExp(`summary: Thing ${thing}, version .*`),
    `summary: Thing ${thing}, version ${version}`,
  );
  writeFileSync(file, next);
}

async function untilEqual(peers: readonly HeadlessPeer[], version: number): Promise<void> {
  await until(`all have version ${version} and are in step`, async () => {
    const texts = await Promise.all(peers.map((peer) => peer.read(PATH)));
    const [text = ''] = texts;
    return (
      new Set(texts).size === 1 &&
      text.includes(`version ${version}\n`) &&
      peers.every(
        ({ status }) => status?.phase === 'running' && status.documents.every(({ state }) => state === 'inStep'),
      )
    );
  });
}

test('[I1][I6] kill -9 of the leader in the middle of 200 saves: all end equal, and every acknowledged save is in the log once', async () => {
  const files = { [PATH]: SPEC };
  const alice = await here.machine.serveNew('alice', files, { args: PATIENT });
  const bob = await here.machine.serveNew('bob', files, { args: PATIENT });
  const carol = await here.machine.serveNew('carol', files, { args: PATIENT });
  await Promise.all([bob, carol].map((peer) => peer.until('it follows', ({ role }) => role === 'follower')));
  // Bob and carol save in turns, each in operations of their own; alice, who leads, is killed on the way.
  for (let version = 1; version <= SAVES; version++) {
    save(version % 2 === 0 ? bob : carol, version % SAVED_THINGS, version);
    if (version === KILLED_AT) await alice.end('SIGKILL');
    if (version % BURST === 0) await untilEqual([bob, carol], version);
  }
  assert.equal([bob, carol].filter(({ status }) => status?.role === 'leader').length, 1);
  const revived = here.machine.serve(alice.folder, { name: 'alice', args: PATIENT });
  await untilEqual([revived, bob, carol], SAVES);
  const final = await bob.read(PATH);
  for (let thing = 0; thing < SAVED_THINGS; thing++) {
    const last = thing === 0 ? SAVES : SAVES - SAVED_THINGS + thing;
    assert.match(
      final,
      new RegExp(`summary: Thing ${thing}, version ${last}\n`),
      `the last save of thing ${thing} is there`,
    );
  }
  const { changes, hasHoles } = await readLog(here.machine);
  assert.equal(hasHoles, false);
  assert.equal(
    new Set(changes.map((entry) => entry.proposalId)).size,
    changes.length,
    'no proposal is in the log twice',
  );
});

test('[I1] a file that is written in ten pieces deletes nothing anywhere', async () => {
  const files = { [PATH]: SPEC, 'other.yaml': SHOP };
  // Time stands still, so that no two pieces are far apart: what stays cut for long is believed in the end.
  const alice = await here.keepNew('alice', files, { clock: { wallNow: () => Date.now(), monotonicNow: () => 0 } });
  const bob = await here.keepNew('bob', files);
  const next = SPEC.replace('title: Things', 'title: All things');
  const file = await open(join(alice.session.folder, PATH), 'w');
  for (let piece = 0; piece < 10; piece++) {
    await file.write(next.slice(Math.floor((piece * next.length) / 10), Math.floor(((piece + 1) * next.length) / 10)));
    // What is saved after the piece goes all the way while the piece does not.
    const title = `title: Shop ${piece}`;
    await alice.edit('other.yaml', (text) => text.replace(/title: .*/, title));
    await until('bob has what came after the piece', async () => (await bob.read('other.yaml')).includes(title));
    if (piece < 9) assert.equal(await bob.read(PATH), SPEC);
  }
  await file.close();
  await until('bob has the whole change', async () => (await bob.read(PATH)) === next);
  assert.equal((await kindsInLog(here.machine)).length, 2 + 10 + 1);
});

test('[I2] a follower that was away for 260 entries catches up', async () => {
  // No more at once, or they would be one entry.
  const paths = Array.from({ length: 20 }, (_, at) => `api/service${at}.yaml`);
  const files = Object.fromEntries(paths.map((path, at) => [path, SPEC.replace('Things', `Service ${at}`)]));
  const alice = await here.machine.serveNew('alice', files);
  const first = await here.machine.serveNew('carol', files);
  await first.end();
  for (let round = 1; round <= 13; round++) {
    await Promise.all(
      paths.map((path) => alice.edit(path, (text) => text.replace(/Thing 7, version .*/, `Thing 7, version ${round}`))),
    );
    await until(
      'all saves of this round are in the log',
      async () => (await readLog(here.machine)).changes.length === 20 + 20 * round,
    );
  }
  const carol = here.machine.serve(first.folder, { name: 'carol' });
  await until('carol has the newest texts', async () => {
    const pairs = await Promise.all(paths.map((path) => Promise.all([carol.read(path), alice.read(path)])));
    return pairs.every(([mine, newest]) => mine === newest && mine.includes('version 13'));
  });
  await carol.untilInStep(20);
});

test(
  '[I1] a git checkout that rewrites 300 documents proposes nothing, and coming back goes on',
  { skip: !hasGit && 'git is not installed' },
  async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`api/service${at}.yaml`, SPEC.replace('Things', `Service ${at}`)]),
    );
    const folder = await here.machine.workspace('backend', files);
    await git(folder, 'init', '-q', '-b', 'main');
    await git(folder, 'add', '-A');
    await git(folder, 'commit', '-qm', 'main');
    await git(folder, 'checkout', '-qb', 'other');
    for (const path of Object.keys(files))
      await writeFile(join(folder, path), SPEC.replace('Things', 'Other').slice(0, 400));
    await git(folder, 'commit', '-qam', 'other');
    await git(folder, 'checkout', '-q', 'main');
    const peer = here.machine.serve(folder, { name: 'alice' });
    await peer.untilInStep(300);
    const count = async (): Promise<number> => (await readLog(here.machine)).changes.length;
    assert.equal(await count(), 300);
    await git(folder, 'checkout', '-q', 'other');
    await peer.until('it observes', (status) => status.phase === 'observing' && /other/.test(status.observing ?? ''));
    await git(folder, 'checkout', '-q', 'main');
    await peer.untilInStep(300);
    assert.equal(await count(), 300, 'neither checkout sent anything');
    const path = 'api/service7.yaml';
    await peer.write(path, (await readFile(join(folder, path), 'utf8')).replace('version 0', 'version 1'));
    await until('an edit on main is sent again', async () => (await count()) === 301);
  },
);
