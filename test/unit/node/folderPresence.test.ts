import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Disposable, Logger } from '../../../src/core/ports.ts';
import { FolderPresence } from '../../../src/node/files/folderPresence.ts';
import { FolderGuard } from '../../../src/node/git/folderGuard.ts';
import { GitWorkGuard } from '../../../src/node/git/gitWorkGuard.ts';

const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: (what) => assert.fail(what) };
const clock = { wallNow: () => Date.now(), monotonicNow: () => performance.now() };
let root: string;
let folder: string;
/** What is due with the next heartbeat. */
let due: (() => void) | undefined;
let hasScheduled: () => void;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'als-presence-'));
  folder = join(root, 'workspace');
  mkdirSync(folder);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function after(delayMs: number, run: () => void): Disposable {
  assert.equal(delayMs, 5_000);
  due = run;
  hasScheduled();
  return { dispose: () => (due = undefined) };
}

function presenceOf(witness?: string): FolderPresence {
  hasScheduled = quiet;
  return new FolderPresence({ folder, witness, scheduler: { after }, everyMs: 5_000, logger });
}

/** Resolves when what the heartbeat has begun is over. */
async function beat(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  hasScheduled = () => resolve(undefined);
  due?.();
  await promise;
}

test('[I8] a folder that is taken away while nothing happens in it is noticed with the next heartbeat, and that it is back', async () => {
  const guard = new FolderGuard(new GitWorkGuard(undefined, '', clock, logger), undefined, presenceOf(), logger);
  const told: (string | undefined)[] = [];
  const asked: Promise<unknown>[] = [];
  guard.onMayHaveChanged(() => asked.push(guard.check().then((hindrance) => told.push(hindrance?.reason))));
  await beat();
  assert.equal(asked.length, 0, 'nothing is asked while nothing has changed');
  renameSync(folder, `${folder}-away`);
  await beat();
  await beat();
  renameSync(`${folder}-away`, folder);
  await Promise.all(asked);
  assert.deepEqual(told, ['this folder is not there at the moment']);
  await beat();
  await Promise.all(asked);
  assert.deepEqual(told, ['this folder is not there at the moment', undefined]);
  guard.dispose();
  assert.equal(due, undefined, 'no timer is left');
});

test('[I8] an empty folder in the place of a checkout (an unmounted drive) is no checkout', async () => {
  const head = join(folder, 'HEAD');
  writeFileSync(head, 'ref: refs/heads/main\n');
  const presence = presenceOf(head);
  let changes = 0;
  presence.onDidChange(() => (changes += 1));
  rmSync(head);
  await beat();
  assert.equal(changes, 1);
  presence.dispose();
});
