import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { installOnce } from '../harness/installOnce.ts';
import { waitFor } from '../harness/waitFor.ts';

const role = process.env['INSTALL_ONCE_ROLE'];
if (role === undefined) {
  test('two processes that need the same thing at once install it once', async () => {
    await inCache(async (dir) => {
      const children = [start(dir, 'installs'), start(dir, 'installs')];
      await Promise.all(children.map(async (child) => once(child, 'exit')));
      assert.deepEqual(
        children.map((child) => child.exitCode),
        [0, 0],
      );
      assert.equal(await readFile(path.join(dir, 'journal'), 'utf8'), 'installed\n');
      assert.equal(await readFile(path.join(dir, 'thing', 'content'), 'utf8'), 'whole');
    });
  });

  test('what a killed install leaves counts as nothing and is cleared away by the next', async () => {
    await inCache(async (dir) => {
      const killed = start(dir, 'hangs halfway');
      await once(killed, 'message');
      killed.kill('SIGKILL');
      await once(killed, 'exit');
      assert.ok(!(await readdir(dir)).includes('thing'));

      await once(start(dir, 'installs'), 'exit');
      assert.equal(await readFile(path.join(dir, 'thing', 'content'), 'utf8'), 'whole');
      assert.deepEqual(
        (await readdir(dir)).filter((name) => name.includes('partial')),
        [],
      );
    });
  });

  test('a failed install is told and leaves nothing', async () => {
    await inCache(async (dir) => {
      process.env['API_LIVE_SYNC_CACHE'] = dir;
      const install = async (): Promise<void> => Promise.reject(new Error('no network'));
      await assert.rejects(
        installOnce({ name: 'thing', install }, () => undefined),
        /no network/,
      );
      assert.deepEqual(
        (await readdir(dir)).filter((name) => name.startsWith('thing') && !name.includes('.lock')),
        [],
      );
    });
  });
} else {
  await installOnce(
    {
      name: 'thing',
      install: async (staging) => {
        await writeFile(path.join(staging, 'content'), 'half');
        if (role === 'hangs halfway') {
          process.send?.('halfway');
          await waitFor('the end', () => false, { timeout: 60_000 });
        }
        await writeFile(path.join(staging, 'content'), 'whole');
        await appendFile(path.join(process.env['API_LIVE_SYNC_CACHE'] ?? '', 'journal'), 'installed\n');
      },
    },
    () => undefined,
  );
  process.disconnect();
}

function start(dir: string, as: string): ChildProcess {
  return fork(import.meta.filename, {
    env: { ...process.env, API_LIVE_SYNC_CACHE: dir, INSTALL_ONCE_ROLE: as },
    execArgv: [],
  });
}

async function inCache(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(path.join(tmpdir(), 'als-cache-'));
  try {
    await body(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
