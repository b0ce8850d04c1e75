import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installMergeDriver, MergeDriverError, planMergeDriver } from '../../../src/node/git/mergeDriver.ts';
import {
  launcherCommand,
  launcherPath,
  refreshLauncher,
  writeLauncher,
} from '../../../src/node/git/mergeDriverLauncher.ts';

const BASE = `openapi: 3.0.3
info: { title: A, version: 1.0.0 }
paths:
  /a:
    get:
      responses:
        '200': { description: Good }
`;
const response = (code: string): string => `        '${code}': { description: None }\n`;
const CLI = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  // A quote in the path: the shell must not stumble over it.
  const folder = mkdtempSync(join(tmpdir(), "merge driver's "));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A repository in which `git merge other` clashes by lines, and not by elements. */
function createRepository(folder: string): (...args: string[]) => { readonly status: number | null } {
  const git = (...args: string[]): { readonly status: number | null } =>
    spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: folder, encoding: 'utf8' });
  const commit = (text: string): void => {
    writeFileSync(join(folder, 'openapi.yaml'), text);
    assert.equal(git('add', '.').status, 0);
    assert.equal(git('commit', '-q', '-m', 'x').status, 0);
  };
  assert.equal(git('init', '-q', '-b', 'main').status, 0);
  commit(BASE);
  git('checkout', '-q', '-b', 'other');
  commit(BASE + response('404'));
  git('checkout', '-q', 'main');
  commit(BASE + response('500'));
  return git;
}

test('[driver] git merges by elements through the launcher, and by lines once the program is gone', async () => {
  await inFolder(async (folder) => {
    const stateDir = join(folder, 'state');
    const git = createRepository(folder);
    await writeLauncher(stateDir, { runtime: process.execPath, cli: CLI });
    await installMergeDriver(await planMergeDriver(folder, [], launcherCommand(stateDir)));
    assert.equal(git('merge', '-q', '--no-edit', 'other').status, 0);
    assert.equal(readFileSync(join(folder, 'openapi.yaml'), 'utf8'), BASE + response('404') + response('500'));

    git('reset', '-q', '--hard', 'HEAD~1');
    await refreshLauncher(stateDir, { runtime: process.execPath, cli: join(folder, 'gone.js') });
    await installMergeDriver(await planMergeDriver(folder, [], launcherCommand(stateDir)));
    assert.equal(git('merge', '-q', '--no-edit', 'other').status, 1);
    assert.match(
      readFileSync(join(folder, 'openapi.yaml'), 'utf8'),
      /^<{7} ours\n.*'500'.*\n\|{7} base\n={7}\n|^<{7} ours\n.*'500'.*\n={7}\n/m,
    );
  });
});

test('[driver] the launcher is written again only where there is one', async () => {
  await inFolder(async (folder) => {
    const program = { runtime: process.execPath, cli: CLI };
    await refreshLauncher(folder, program);
    assert.throws(() => statSync(launcherPath(folder)));
    await writeLauncher(folder, program);
    const { mtimeMs } = statSync(launcherPath(folder));
    await refreshLauncher(folder, program);
    assert.equal(statSync(launcherPath(folder)).mtimeMs, mtimeMs);
    await refreshLauncher(folder, { ...program, cli: '/elsewhere/cli.js' });
    assert.ok(readFileSync(launcherPath(folder), 'utf8').includes("cli='/elsewhere/cli.js'"));
  });
});

test('[driver] what .gitattributes has already stays as it is, line ends too', async () => {
  await inFolder(async (folder) => {
    execFileSync('git', ['init', '-q'], { cwd: folder });
    writeFileSync(join(folder, 'my api.yaml'), BASE);
    writeFileSync(join(folder, '.gitattributes'), '*.png binary\r\n*.txt text');
    execFileSync('git', ['add', '.'], { cwd: folder });
    for (let time = 0; time < 2; time++) await installMergeDriver(await planMergeDriver(folder, [], 'tool'));
    assert.equal(
      readFileSync(join(folder, '.gitattributes'), 'utf8'),
      '*.png binary\r\n*.txt text\r\n"/my api.yaml" merge=api-live-sync\r\n',
    );
  });
});

test('[driver] outside of a repository, and without OpenAPI files, it says so', async () => {
  await inFolder(async (folder) => {
    await assert.rejects(
      planMergeDriver(folder, [], 'tool'),
      new MergeDriverError('this folder is not in a git repository'),
    );
    execFileSync('git', ['init', '-q'], { cwd: folder });
    await assert.rejects(
      planMergeDriver(folder, [], 'tool'),
      new MergeDriverError('this repository has no OpenAPI files that git knows'),
    );
  });
});
