import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../../src/core/ports.ts';
import { DocumentWatcher } from '../../../src/node/files/documentWatcher.ts';
import { createIgnoreRules } from '../../../src/node/files/ignoreRules.ts';

const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const WAIT_MS = 10_000;

let folder: string;
let watcher: DocumentWatcher;
let seen: string[];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'als-watch-')));
  mkdirSync(join(folder, 'api'));
  start(new DocumentWatcher(logger));
});

afterEach(() => {
  watcher.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function start(next: DocumentWatcher): void {
  watcher = next;
  seen = [];
  watcher.onDidChange(({ file, kind }) => seen.push(`${kind} ${file.slice(folder.length + 1)}`));
}

/** Resolves when this was told since the last call. */
async function told(event: string): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!seen.includes(event)) {
    assert.ok(performance.now() < end, `"${event}" is told, not only ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  seen = [];
}

function put(path: string, text: string): void {
  writeFileSync(join(folder, path), text);
}

test('[I1] a change is seen from the moment on in which the folder counts as watched, also for later folders', async () => {
  for (let at = 0; at < 10; at++) {
    const path = `api/${at}/openapi.yaml`;
    mkdirSync(join(folder, 'api', String(at)));
    put(path, 'a');
    await watcher.watchFoldersOf([join(folder, path)]);
    put(path, 'b');
    await told(`changed ${path}`);
  }
});

test('[I1] a folder that was removed and restored is watched again, and its files are told', async () => {
  const path = 'api/openapi.yaml';
  put(path, 'a');
  await watcher.watchFoldersOf([join(folder, path)]);
  for (const round of ['b', 'c']) {
    rmSync(join(folder, 'api'), { recursive: true });
    await told(`removed ${path}`);
    mkdirSync(join(folder, 'api'));
    put(path, round);
    await told(`changed ${path}`);
    put(path, `${round} edited`);
    await told(`changed ${path}`);
  }
});

test('[I1] so is one that was replaced in the same moment, by another of its name', async () => {
  const path = 'api/openapi.yaml';
  put(path, 'a');
  mkdirSync(join(folder, 'next'));
  put('next/openapi.yaml', 'b');
  await watcher.watchFoldersOf([join(folder, path)]);
  rmSync(join(folder, 'api'), { recursive: true });
  renameSync(join(folder, 'next'), join(folder, 'api'));
  await told(`changed ${path}`);
  put(path, 'c');
  await told(`changed ${path}`);
});

test('[I1] a folder that is not there yet is waited for, with those above it', async () => {
  const path = 'services/shop/v2/openapi.yaml';
  await watcher.watchFoldersOf([join(folder, path)]);
  mkdirSync(join(folder, 'services', 'shop'), { recursive: true });
  mkdirSync(join(folder, 'services', 'shop', 'v2'));
  put(path, 'a');
  await told(`changed ${path}`);
  put(path, 'b');
  await told(`changed ${path}`);
});

test('[I8] files that are no candidates are not told', async () => {
  await watcher.watchFoldersOf([join(folder, 'api', 'openapi.yaml')]);
  put('api/readme.md', 'a');
  put('api/.~als-0011-openapi.yaml', 'a');
  put('api/openapi.yaml', 'a');
  const end = performance.now() + WAIT_MS;
  while (seen.length === 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(seen, ['changed api/openapi.yaml']);
});

test('[I2] without an editor, files in new folders are told, unless they are ignored', async () => {
  watcher.dispose();
  const isIgnored = createIgnoreRules(['build']);
  start(new DocumentWatcher(logger, { newFolders: { root: folder, isIgnored } }));
  await watcher.watchFoldersOf([join(folder, 'api', 'openapi.yaml')]);
  mkdirSync(join(folder, 'build'));
  put('build/openapi.yaml', 'a');
  mkdirSync(join(folder, 'services', 'shop'), { recursive: true });
  put('services/shop/openapi.yaml', 'a');
  await told('changed services/shop/openapi.yaml');
  mkdirSync(join(folder, 'api', 'v2'));
  put('api/v2/openapi.yaml', 'a');
  await told('changed api/v2/openapi.yaml');
  rmSync(join(folder, 'services'), { recursive: true });
  mkdirSync(join(folder, 'services'));
  put('services/openapi.yaml', 'a');
  await told('changed services/openapi.yaml');
  assert.equal(
    seen.some((event) => event.includes('build')),
    false,
  );
});

test('[I8] a folder that cannot be looked through keeps nobody waiting, and its being unwatched is told', () => {
  const program = fileURLToPath(new URL('./watchWithoutFiles.ts', import.meta.url));
  const said = execFileSync(process.execPath, [program, join(folder, 'api', 'openapi.yaml')], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(said), ['watch-limit', 'goes on']);
});

test('[I8] a process whose folders are let go of while their files are removed comes to its end', () => {
  const program = fileURLToPath(new URL('./watchAndLeave.ts', import.meta.url));
  execFileSync(process.execPath, [program, folder], { timeout: 30_000 });
});

test('letting go while a folder is being taken up leaves nobody waiting', async () => {
  const watching = watcher.watchFoldersOf([join(folder, 'api', 'openapi.yaml')]);
  watcher.dispose();
  await watching;
});
