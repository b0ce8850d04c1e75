import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { LibraryId } from '../../../src/core/ids.ts';
import {
  createLibrary,
  deleteLibrary,
  libraryDirectory,
  listLibraries,
  readLibrary,
  readToken,
  updateHints,
} from '../../../src/node/libraryDirectory.ts';
import { LeaderLock } from '../../../src/node/lock/leaderLock.ts';
import { stateDirectory } from '../../../src/node/stateDirectory.ts';

let stateDir: string;
const hints = [
  {
    folderName: 'backend',
    remote: 'git@example.com:pets.git',
    documents: [{ path: 'openapi.yaml', title: 'Pets', operations: ['GET /pets'] }],
  },
];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'als-state-'));
});

afterEach(() => {
  rmSync(stateDir, { recursive: true, force: true });
});

test('[I10] a library has an id and a token of its own, and only the user can look into it', async () => {
  const [first, second] = [
    await createLibrary(stateDir, { name: 'pets', hints }),
    await createLibrary(stateDir, { name: 'pets', hints: [] }),
  ];
  assert.notEqual(first, second);
  const tokens = [
    await readToken(libraryDirectory(stateDir, first)),
    await readToken(libraryDirectory(stateDir, second)),
  ];
  assert.match(tokens[0] ?? '', /^[0-9a-f]{64}$/);
  assert.notEqual(tokens[0], tokens[1]);
  if (process.platform === 'win32') return;
  const directory = libraryDirectory(stateDir, first);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of ['token', 'library.json']) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
});

test('[I10] the token is not in the description', async () => {
  const libraryId = await createLibrary(stateDir, { name: 'pets', hints });
  const directory = libraryDirectory(stateDir, libraryId);
  assert.ok(!readFileSync(join(directory, 'library.json'), 'utf8').includes(await readToken(directory)));
});

test('[REP-01] libraries are listed with their hints, oldest first, and what is damaged or no library is left out', async () => {
  assert.deepEqual(await listLibraries(stateDir), []);
  const libraryId = await createLibrary(stateDir, { name: 'pets', hints });
  const damaged = await createLibrary(stateDir, { name: 'damaged', hints: [] });
  writeFileSync(join(libraryDirectory(stateDir, damaged), 'library.json'), '{"libraryId":');
  const renamed = await createLibrary(stateDir, { name: 'other id', hints: [] });
  const text = readFileSync(join(libraryDirectory(stateDir, renamed), 'library.json'), 'utf8');
  writeFileSync(join(libraryDirectory(stateDir, renamed), 'library.json'), text.replace(renamed, libraryId));
  mkdirSync(join(stateDir, 'libraries', 'not-an-id'));
  assert.deepEqual(
    (await listLibraries(stateDir)).map((library) => [library.libraryId, library.name, library.hints]),
    [[libraryId, 'pets', hints]],
  );
  await assert.rejects(readLibrary(stateDir, damaged), { code: 'library-damaged' });
});

test('[REP-01] hints can be replaced', async () => {
  const libraryId = await createLibrary(stateDir, { name: 'pets', hints: [] });
  await updateHints(stateDir, libraryId, hints);
  assert.deepEqual((await readLibrary(stateDir, libraryId)).hints, hints);
});

test('[I10] a forgotten library is gone with everything that it held', async () => {
  const libraryId = await createLibrary(stateDir, { name: 'pets', hints });
  await deleteLibrary(stateDir, libraryId);
  assert.equal(existsSync(libraryDirectory(stateDir, libraryId)), false);
  await deleteLibrary(stateDir, libraryId);
  await assert.rejects(readLibrary(stateDir, libraryId), { code: 'library-missing' });
  await assert.rejects(updateHints(stateDir, libraryId, hints), { code: 'library-missing' });
});

test('[I10] an id that is no id names no folder', () => {
  for (const id of ['..', '../..', 'a/b', '', '.']) {
    assert.throws(() => libraryDirectory(stateDir, id as LibraryId), { code: 'library-missing' });
  }
});

test('[REP-01] the state folder is that of the operating system, and can be set', () => {
  assert.equal(stateDirectory({ API_LIVE_SYNC_STATE_DIR: '/elsewhere' }, 'linux'), '/elsewhere');
  assert.equal(stateDirectory({ XDG_STATE_HOME: '/xdg' }, 'linux'), '/xdg/api-live-sync');
  assert.match(stateDirectory({ XDG_STATE_HOME: 'relative' }, 'linux'), /\.local[/\\]state[/\\]api-live-sync$/);
  assert.match(stateDirectory({}, 'darwin'), /Application Support[/\\]api-live-sync$/);
  assert.match(stateDirectory({ LOCALAPPDATA: '/local' }, 'win32'), /local[/\\]api-live-sync$/);
});

test('[I10] what is too long for a description is cut, so that a library that was made can be read', async () => {
  const operations = Array.from({ length: 6_000 }, (_, at) => `GET /pets/${at}`);
  const documents = Array.from({ length: 6_000 }, (_, at) => ({ path: `api/${at}.yaml` }));
  const first = { path: 'openapi.yaml', title: 'T'.repeat(3_000), operations: ['x'.repeat(2_000), ...operations] };
  const hint = {
    folderName: 'f'.repeat(1_200),
    remote: 'r'.repeat(1_200),
    branch: 'main',
    documents: [{ path: 'p'.repeat(1_200) }, first, ...documents],
  };
  const many = [hint, ...Array.from({ length: 120 }, () => ({ folderName: 'frontend', documents: [] }))];
  const libraryId = await createLibrary(stateDir, { name: 'n'.repeat(2_000), hints: many });
  const check = async (): Promise<void> => {
    const { hints: read } = await readLibrary(stateDir, libraryId);
    assert.equal(read.length, 100);
    assert.equal(read[0]?.documents.length, 5_000);
    assert.equal(read[0].documents[0]?.path, 'openapi.yaml');
    assert.equal(read[0].documents[0].title?.length, 1_000);
    assert.equal(read[0].documents[0].operations?.length, 5_000);
    assert.equal(read[0].remote, undefined, 'half a remote would name another one');
  };
  await check();
  assert.equal((await listLibraries(stateDir))[0]?.name.length, 1_000);
  await updateHints(stateDir, libraryId, many);
  await check();
});

test('[I1] a library that somebody leads is not deleted', async () => {
  const libraryId = await createLibrary(stateDir, { name: 'pets', hints });
  const lock = new LeaderLock(libraryDirectory(stateDir, libraryId));
  assert.equal(lock.tryAcquire(), true);
  assert.equal(await deleteLibrary(stateDir, libraryId), false);
  assert.equal((await readLibrary(stateDir, libraryId)).name, 'pets');
  lock.dispose();
  assert.equal(await deleteLibrary(stateDir, libraryId), true);
  assert.equal(existsSync(libraryDirectory(stateDir, libraryId)), false);
});
