import assert from 'node:assert/strict';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { test } from 'node:test';
import { git, hasGit } from '../support/clones.ts';
import { readLog, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { machineForEachTest } from '../support/testMachine.ts';

const PATHS = Array.from(
  { length: 60 },
  (_, at) =>
    `  /things${at}:\n    get:\n      summary: Thing ${at}, version 0\n      responses:\n        '200':\n          description: OK\n`,
);
const SPEC = `openapi: 3.1.0\ninfo:\n  title: Things\n  version: 1.0.0\npaths:\n${PATHS.join('')}`;
const PATH = 'openapi.yaml';

const here = machineForEachTest();

/** Alice, who leads, bob and carol, in step. */
async function threePeers(): Promise<[HeadlessPeer, HeadlessPeer, HeadlessPeer]> {
  const files = { [PATH]: SPEC };
  const alice = await here.machine.serveNew('alice', files);
  return [alice, await here.machine.serveNew('bob', files), await here.machine.serveNew('carol', files)];
}

test('[I1][I6] kill -9 of the leader in the middle of 200 saves: all end equal, and every acknowledged save is in the log once', async () => {
  const peers = await threePeers();
  const [alice, bob, carol] = peers;
  await Promise.all([bob, carol].map((peer) => peer.until('it follows', (status) => status.role === 'follower')));
  let revived: HeadlessPeer | undefined;
  let takeoverMs = 0;
  // Bob and carol save in turns, each in operations of their own; alice, who leads, is killed on the way.
  for (let save = 1; save <= 200; save++) {
    const peer = save % 2 === 0 ? bob : carol;
    const thing = save % 60;
    await peer.edit(PATH, (text) =>
      text.replace(new RegExp(`summary: Thing ${thing}, version .*`), `summary: Thing ${thing}, version ${save}`),
    );
    await pause(5);
    if (save === 100) {
      const start = performance.now();
      await alice.end('SIGKILL');
      await until('another peer leads', () =>
        Promise.resolve(
          [bob, carol].some((one) => one.status?.role === 'leader' && one.status.connection === 'connected'),
        ),
      );
      takeoverMs = performance.now() - start;
      revived = here.machine.serve(alice.folder, { name: 'alice' });
    }
  }
  assert.ok(revived);
  assert.ok(takeoverMs < 2_000, `another peer leads within 2 s, not ${takeoverMs} ms`);
  const all = [revived, bob, carol];
  await until('all three files are equal and in step', async () => {
    const texts = await Promise.all(all.map((peer) => peer.read(PATH)));
    return (
      new Set(texts).size === 1 &&
      all.every(
        (peer) =>
          peer.status?.documents.every((document) => document.state === 'inStep') === true &&
          peer.status.phase === 'running',
      )
    );
  });
  const final = await bob.read(PATH);
  for (let thing = 0; thing < 60; thing++) {
    const last = thing <= 20 ? 180 + thing : 120 + thing;
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
  const [alice, bob] = await threePeers();
  const next = SPEC.replace('title: Things', 'title: All things');
  const seen: number[] = [];
  const file = await open(join(alice.folder, PATH), 'w');
  for (let piece = 0; piece < 10; piece++) {
    await file.write(next.slice(Math.floor((piece * next.length) / 10), Math.floor(((piece + 1) * next.length) / 10)));
    await pause(95);
    seen.push((await bob.read(PATH)).length);
  }
  await file.close();
  await until('bob has the whole change', async () => (await bob.read(PATH)) === next);
  assert.ok(
    seen.every((length) => length === SPEC.length || length === next.length),
    `bob never saw a cut file: ${seen.join(' ')}`,
  );
  assert.deepEqual(
    (await readLog(here.machine)).changes.map((entry) => entry.kind),
    ['create', 'edit'],
  );
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
