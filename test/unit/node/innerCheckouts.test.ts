import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Logger } from '../../../src/core/ports.ts';
import { findGitCheckout } from '../../../src/node/git/gitCheckout.ts';
import { InnerCheckouts } from '../../../src/node/git/innerCheckouts.ts';

const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const clock = { wallNow: () => Date.now(), monotonicNow: () => performance.now() };
const A_COMMIT = '1'.repeat(40);
const ANOTHER_COMMIT = '2'.repeat(40);
let root: string;
let opened: InnerCheckouts[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'als-inner-'));
  opened = [];
});

afterEach(() => {
  for (const one of opened) one.dispose();
  rmSync(root, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function open(): Promise<InnerCheckouts> {
  const outer = await findGitCheckout(root);
  const memoryFile = join(root, 'memory.json');
  const inner = await InnerCheckouts.open({ folder: root, outer, memoryFile, clock, logger });
  opened.push(inner);
  return inner;
}

test('[BRA-05] [I1] a repository inside of the folder hinders while another branch than the joined one is checked out, also after a restart', async () => {
  put('backend/.git/HEAD', 'ref: refs/heads/main\n');
  const before = await open();
  await before.cover([join(root, 'backend', 'api', 'openapi.yaml'), join(root, 'openapi.yaml')]);
  assert.equal(before.checkoutOf(join(root, 'backend', 'api', 'openapi.yaml'))?.root, join(root, 'backend'));
  assert.equal(before.checkoutOf(join(root, 'openapi.yaml')), undefined);
  assert.equal(await before.check(), undefined);
  put('backend/.git/HEAD', 'ref: refs/heads/other\n');
  const after = await open();
  for (const inner of [before, after]) {
    assert.equal((await inner.check())?.reason, 'branch other of backend has not joined');
    assert.equal(inner.otherBranch, 'other of backend');
  }
  await after.join();
  assert.equal(await after.check(), undefined);
  assert.equal(after.otherBranch, undefined);
  assert.equal(await (await open()).check(), undefined, 'that is durable');
  put('backend/.git/index.lock', '');
  assert.equal((await after.check())?.reason, 'git is changing files in backend');
  rmSync(join(root, 'backend', '.git'), { recursive: true });
  assert.equal(await after.check(), undefined, 'nothing is left to be mixed up');
});

test('[BRA-05] which commit a submodule is at is told by the repository around it; a branch that is checked out there is not', async () => {
  put('.git/HEAD', 'ref: refs/heads/main\n');
  put('.git/modules/contracts/HEAD', `${A_COMMIT}\n`);
  put('contracts/.git', 'gitdir: ../.git/modules/contracts\n');
  const inner = await open();
  await inner.cover([join(root, 'contracts', 'openapi.yaml')]);
  assert.equal(await inner.check(), undefined);
  put('.git/modules/contracts/HEAD', `${ANOTHER_COMMIT}\n`);
  assert.equal(await inner.check(), undefined);
  put('.git/modules/contracts/HEAD', 'ref: refs/heads/other\n');
  assert.equal((await inner.check())?.reason, 'branch other of contracts has not joined');
});
