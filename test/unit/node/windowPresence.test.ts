import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Logger } from '../../../src/core/ports.ts';
import { WindowPresences, type WindowPresence } from '../../../src/node/folders/windowPresence.ts';

const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const presence: WindowPresence = {
  pid: process.pid,
  folder: '/work/repo/svc',
  folderName: 'svc',
  remote: 'example.test/team/api',
  branch: 'refs/heads/main',
  pathInCheckout: 'svc',
  documents: ['openapi.yaml'],
  title: 'Shop',
};
let stateDir: string;
let mine: WindowPresences;
let theirs: WindowPresences;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'als-windows-'));
  mine = new WindowPresences(stateDir, 'mine', logger);
  theirs = new WindowPresences(stateDir, 'theirs', logger);
});

afterEach(() => {
  mine.dispose();
  theirs.dispose();
  rmSync(stateDir, { recursive: true, force: true });
});

test('[REP-01] a window tells the others what it has, and where in the checkout', async () => {
  await theirs.announce(presence);
  assert.deepEqual(await mine.others(), [presence]);
});

test('[I10] a long title and thousands of documents make no window invisible', async () => {
  await theirs.announce({
    ...presence,
    folderName: 'f'.repeat(300),
    remote: 'r'.repeat(5_000),
    title: 'T'.repeat(900),
    documents: ['p'.repeat(5_000), ...Array.from({ length: 12_000 }, (_, at) => `api/${at}.yaml`)],
  });
  const [found] = await mine.others();
  assert.equal(found?.title?.length, 500);
  assert.equal(found.folderName.length, 255);
  assert.equal(found.documents.length, 10_000);
  assert.equal(found.documents[0], 'api/0.yaml');
  assert.equal(found.remote, undefined, 'half a remote would name another one');
});

test('[I10] what the others could not read is not written', async () => {
  await assert.rejects(theirs.announce({ ...presence, branch: 'b'.repeat(5_000) }));
  assert.deepEqual(await mine.others(), []);
});

test('a nudge reaches a window that follows, also from one that has nothing to tell', async () => {
  mine.follow();
  const nudged = new Promise<void>((resolve) => mine.onDidChange(() => resolve()));
  await theirs.nudge();
  await nudged;
  assert.deepEqual(await mine.others(), []);
});
