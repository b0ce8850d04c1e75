import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Logger } from '../../../src/core/ports.ts';
import { GitWorkGuard } from '../../../src/node/git/gitWorkGuard.ts';

const quiet = (): void => undefined;
const clock = { wallNow: () => Date.now(), monotonicNow: () => performance.now() };
let root: string;
let warnings: string[];
let logger: Logger;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'als-guard-'));
  warnings = [];
  logger = { trace: quiet, debug: quiet, info: quiet, warn: (message) => warnings.push(message), error: quiet };
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('[I8] a checkout that is gone is asked for again, and watched again when it is back', async () => {
  const gitDirectory = join(root, '.git');
  const make = (): void => {
    mkdirSync(gitDirectory);
    writeFileSync(join(gitDirectory, 'HEAD'), 'ref: refs/heads/main\n');
  };
  make();
  const guard = new GitWorkGuard(
    { root, gitDirectory, commonDirectory: gitDirectory },
    'refs/heads/main',
    clock,
    logger,
  );
  rmSync(gitDirectory, { recursive: true });
  const gone = await guard.check();
  assert.equal(gone?.reason, 'this folder is not there at the moment');
  assert.ok((gone.settlesInMs ?? 0) > 0);
  make();
  assert.equal(await guard.check(), undefined);
  const { promise: told, resolve } = Promise.withResolvers<undefined>();
  guard.onMayHaveChanged(() => resolve(undefined));
  writeFileSync(join(gitDirectory, 'HEAD'), 'ref: refs/heads/other\n');
  await told;
  guard.dispose();
});

test('[I8] git that cannot be watched is looked at each time, and stops nothing', async () => {
  // A folder that is not there refuses a watch as a system does that has none left.
  const gitDirectory = join(root, '.git');
  const checkout = { root, gitDirectory, commonDirectory: gitDirectory };
  const guard = new GitWorkGuard(checkout, 'refs/heads/main', clock, logger);
  assert.equal(warnings.length, 1);
  mkdirSync(gitDirectory);
  writeFileSync(join(gitDirectory, 'HEAD'), 'ref: refs/heads/other\n');
  assert.deepEqual(await guard.check(), { reason: 'branch other has not joined', settlesInMs: undefined });
  assert.equal(guard.otherBranch, 'other');
  writeFileSync(join(gitDirectory, 'HEAD'), 'ref: refs/heads/main\n');
  assert.equal(await guard.check(), undefined);
  assert.equal(guard.otherBranch, undefined);
  guard.dispose();
});
