import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DiskStableReader, looksCut } from '../../../src/node/files/stableReader.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stable-reader-'));
});
after(() => rm(folder, { recursive: true }));

const agreed = 'openapi: 3.1.0\npaths:\n  /a: {}\n  /b: {}\n';

/** A reader in a time of its own: it goes on only where the reader waits. */
function readerInTime(onWait: () => Promise<void> = () => Promise.resolve()): {
  readonly reader: DiskStableReader;
  readonly waitedMs: () => number;
} {
  let now = 0;
  const reader = new DiskStableReader(undefined, { monotonicNow: () => now }, async (waitMs) => {
    now += waitMs;
    await onWait();
  });
  return { reader, waitedMs: () => now };
}

const operation = (path: string): string =>
  `  /${path}:\n    get:\n      responses:\n        '200':\n          description: OK\n`;
const alike = `openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n${['a', 'b', 'c', 'd'].map(operation).join('')}`;

test('[I1] a text without its agreed end looks cut, also where its beginning was edited', () => {
  assert.equal(looksCut('openapi: 3.1.0\npaths:\n', agreed), true);
  assert.equal(looksCut('openapi: 3.1.1\npaths:\n  /a: {}\n', agreed), true);
  assert.equal(looksCut('', agreed), true);
});

test('[I1] every beginning of the agreed text looks cut, wherever it ends, also behind an operation that ends like the last', () => {
  for (let length = 0; length < alike.trimEnd().length; length++)
    assert.equal(looksCut(alike.slice(0, length), alike), true, alike.slice(0, length));
});

test('[I1] so does every beginning of an edited text that ends before the edited text does', () => {
  const edited = alike.replace('title: T', 'title: Things');
  for (let length = edited.indexOf('Things'); length < edited.trimEnd().length; length++)
    assert.equal(looksCut(edited.slice(0, length), alike), true, edited.slice(0, length));
  assert.equal(looksCut(edited, alike), false);
});

test('[I1] a text that has the agreed end, or goes on behind it, does not look cut', () => {
  assert.equal(looksCut(alike.replace(operation('b'), ''), alike), false);
  assert.equal(looksCut(alike.replace('3.1.0', '3.1.1').trimEnd(), alike), false);
  assert.equal(looksCut(`${agreed}  /c: {}\n`, agreed), false);
  assert.equal(looksCut(agreed.trimEnd(), agreed), false);
});

test('[I8] JSON on one line does not wait for lines that it has not; a beginning of it still does', () => {
  assert.equal(looksCut('{"openapi":"3.1.0","paths":{"/a":{}}}', '{"openapi":"3.1.0","paths":{}}'), false);
  assert.equal(looksCut('{"openapi":"3.1.0","paths":{"/a":', '{"openapi":"3.1.0","paths":{}}'), true);
  assert.equal(looksCut('{"openapi":"3.1.0","paths":{}', '{"openapi":"3.1.0","paths":{}}'), true);
});

test('[I10] an end that repeats itself for ever is searched in a moment', () => {
  const lines = '- a\n'.repeat(500_000);
  const start = performance.now();
  looksCut(`x\n${lines}`, lines);
  assert.ok(performance.now() - start < 500);
});

test('[I1] a file that is being written in pieces is read when it is whole', async () => {
  const file = join(folder, 'slow.yaml');
  const pieces = [agreed.slice(0, 15), agreed.slice(15, 22), agreed.slice(22).replace('/a', '/z')];
  await writeFile(file, '');
  // The writer rests before each of them.
  const left = pieces.flatMap((piece) => ['', piece]);
  const { reader } = readerInTime(async () => appendFile(file, left.shift() ?? ''));
  const result = await reader.read(file, undefined, agreed);
  assert.equal(result.kind === 'text' ? result.working.text : result.kind, pieces.join(''));
});

test('[I1] a shorter file that stays as it is, is believed in the end', async () => {
  const file = join(folder, 'shorter.yaml');
  await writeFile(file, agreed);
  await truncate(file, 22);
  const result = await readerInTime().reader.read(file, undefined, agreed);
  assert.equal(result.kind === 'text' ? result.working.text : result.kind, agreed.slice(0, 22));
});

test('[I8] a file that looks cut is waited for once, not once for each reading of the same state', async () => {
  const file = join(folder, 'again.yaml');
  await writeFile(file, agreed.slice(0, 22));
  const { reader, waitedMs } = readerInTime();
  await reader.read(file, undefined, agreed);
  const first = waitedMs();
  for (let round = 0; round < 3; round++) await reader.read(file, undefined, agreed);
  assert.ok(waitedMs() - first < first / 2, `${String(first)} ms the first time, then ${String(waitedMs() - first)}`);
});

test('[I8] what this window has just saved is taken without a wait', async () => {
  const file = join(folder, 'saved.yaml');
  await writeFile(file, 'openapi: 3.1.0\r\n');
  const { reader, waitedMs } = readerInTime();
  const result = await reader.read(file, 'openapi: 3.1.0\n', agreed);
  assert.equal(result.kind, 'text');
  assert.equal(waitedMs(), 0);
});

test('[I1] what another program wrote over a save is not taken for the saved text', async () => {
  const file = join(folder, 'overwritten.yaml');
  await writeFile(file, 'openapi: 3.0.0\n');
  const result = await new DiskStableReader().read(file, 'openapi: 3.1.0\n', undefined);
  assert.equal(result.kind === 'text' ? result.working.text : result.kind, 'openapi: 3.0.0\n');
});

test(
  '[I10] what a link leads to outside of the folder is not read, also where the file was one before',
  { skip: process.platform === 'win32' },
  async () => {
    const workspace = await realpath(await mkdtemp(join(folder, 'workspace-')));
    await mkdir(join(workspace, 'api'));
    await writeFile(join(folder, 'secret.json'), '{"token":"private"}');
    await symlink(join(folder, 'secret.json'), join(workspace, 'api', 'x.json'));
    await symlink('../y.json', join(workspace, 'api', 'y.json'));
    await writeFile(join(workspace, 'y.json'), '{}');
    const reader = new DiskStableReader(workspace);
    const outside = await reader.read(join(workspace, 'api', 'x.json'), undefined, undefined);
    assert.equal(outside.kind === 'failed' ? outside.problem.code : outside.kind, 'file-outside');
    assert.equal((await reader.read(join(workspace, 'api', 'y.json'), undefined, undefined)).kind, 'text');
  },
);

test('[I10] a folder with the name of a document is no text', async () => {
  await mkdir(join(folder, 'folder.yaml'));
  const result = await new DiskStableReader().read(join(folder, 'folder.yaml'), undefined, undefined);
  assert.equal(result.kind, 'failed');
});

test('[I10] a file that is not UTF-8 gives a coded problem', async () => {
  const file = join(folder, 'latin1.yaml');
  await writeFile(file, Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]));
  const result = await new DiskStableReader().read(file, undefined, undefined);
  assert.equal(result.kind === 'failed' ? result.problem.code : result.kind, 'not-utf-8');
});

test('[I1] a file that is cut in the middle of a character is waited for, not called unreadable', async () => {
  const file = join(folder, 'umlaut.yaml');
  const bytes = Buffer.from('title: Größe\n');
  await writeFile(file, bytes.subarray(0, 10));
  let waits = 0;
  const { reader } = readerInTime(async () => {
    waits += 1;
    if (waits === 3) await appendFile(file, bytes.subarray(10));
  });
  const result = await reader.read(file, undefined, 'title: Maß\n');
  assert.equal(result.kind === 'text' ? result.working.text : result.kind, 'title: Größe\n');
});

test('[DEL-03] a file that is not there is missing, and so may be its folder', async () => {
  await writeFile(join(folder, 'another.yaml'), 'openapi: 3.1.0\n');
  const read = (path: string): Promise<unknown> =>
    new DiskStableReader().read(join(folder, path), undefined, undefined);
  assert.deepEqual(await read('none.yaml'), { kind: 'missing', isFolderGone: false });
  assert.deepEqual(await read('gone/none.yaml'), { kind: 'missing', isFolderGone: true });
  await mkdir(join(folder, 'empty'));
  assert.deepEqual(await read('empty/none.yaml'), { kind: 'missing', isFolderGone: true });
});
