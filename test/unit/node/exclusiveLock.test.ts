import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createAmbient } from '../../../src/node/ambient.ts';
import { ExclusiveLock } from '../../../src/node/lock/exclusiveLock.ts';
import { runUnderLock } from '../../../src/node/lock/runUnderLock.ts';
import { silentLogger } from '../replication/fakes.ts';

let directory: string;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'als-lock-'));
});

after(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('[ELE-01] one holds the lock, another is refused at once, and gets it when it is released', () => {
  const path = join(directory, 'a.lock');
  const [first, second] = [new ExclusiveLock(path), new ExclusiveLock(path)];
  assert.equal(first.tryAcquire(), true);
  assert.equal(first.tryAcquire(), true, 'asking again while holding it changes nothing');
  assert.equal(second.tryAcquire(), false);
  second.dispose();
  assert.equal(first.isHeld, true);
  first.release();
  first.release();
  assert.equal(second.tryAcquire(), true);
  assert.equal(first.tryAcquire(), false);
  second.dispose();
});

test('[ELE-01] a lock whose process was killed is free at once', async () => {
  const path = join(directory, 'b.lock');
  const holder = fork(fileURLToPath(new URL('./lockHolder.ts', import.meta.url)), [path], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await new Promise<void>((resolve) =>
    holder.once('message', () => {
      resolve();
    }),
  );
  const lock = new ExclusiveLock(path);
  assert.equal(lock.tryAcquire(), false);
  const gone = new Promise<void>((resolve) =>
    holder.once('exit', () => {
      resolve();
    }),
  );
  holder.kill('SIGKILL');
  await gone;
  assert.equal(lock.tryAcquire(), true);
  lock.dispose();
});

test('[ELE-01] a lock in a folder that is not there is an error, not a refusal', () => {
  assert.throws(() => new ExclusiveLock(join(directory, 'missing', 'c.lock')).tryAcquire());
});

test("[I10] the lock file is the user's own", { skip: process.platform === 'win32' }, () => {
  const path = join(directory, 'd.lock');
  const lock = new ExclusiveLock(path);
  lock.tryAcquire();
  assert.equal(statSync(path).mode & 0o077, 0);
  lock.dispose();
});

test('[I8] a wait for a lock that nobody gives back can be given up, and the step is not run', async () => {
  const path = join(directory, 'd.lock');
  const holder = new ExclusiveLock(path);
  assert.equal(holder.tryAcquire(), true);
  const giveUp = new AbortController();
  const { scheduler } = createAmbient(silentLogger);
  const waiting = runUnderLock(new ExclusiveLock(path), scheduler, giveUp.signal, () => assert.fail('it was run'));
  giveUp.abort(new Error('given up'));
  await assert.rejects(waiting, { message: 'given up' });
  holder.dispose();
});
