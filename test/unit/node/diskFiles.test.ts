import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Logger } from '../../../src/core/ports.ts';
import type { WorkingFiles, WriteOutcome } from '../../../src/core/workingFiles.ts';
import { TEMPORARY_FILE_PREFIX } from '../../../src/node/atomicFile.ts';
import { createDiskFiles } from '../../../src/node/files/diskFiles.ts';

const quiet = (): void => undefined;
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
const isWindows = process.platform === 'win32';

let root: string;
let folder: string;
let files: WorkingFiles;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'als-disk-')));
  folder = join(root, 'workspace');
  mkdirSync(folder);
  mkdirSync(join(root, 'outside'));
  files = createDiskFiles({ folder, ignore: [], logger });
});

afterEach(() => {
  files.dispose();
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, before: string | undefined, after: string): Promise<WriteOutcome> {
  return files.write({ file, before, after, splices: [] });
}

/** Saves `text` as a person, in the moment in which the first temporary file of ours is there. */
async function savedMeanwhile(file: string, text: string, work: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
  const save = { isDone: false };
  const watcher = watch(folder, (_, name) => {
    if (save.isDone || name?.startsWith(TEMPORARY_FILE_PREFIX) !== true) return;
    save.isDone = true;
    writeFileSync(file, text);
  });
  try {
    const outcome = await work();
    // The writing was over before the event came: then the save comes after it, and nothing is in the way.
    if (!save.isDone) writeFileSync(file, text);
    return outcome;
  } finally {
    watcher.close();
  }
}

test('[I1] a save that comes while the new text is written and synced is never overwritten', async () => {
  const file = join(folder, 'openapi.yaml');
  for (let round = 0; round < 15; round++) {
    const before = `round: ${round}\n`;
    const mine = `mine: ${round}\n`;
    writeFileSync(file, before);
    const after = randomBytes(250_000).toString('hex');
    await savedMeanwhile(file, mine, () => write(file, before, after));
    assert.equal(readFileSync(file, 'utf8'), mine);
  }
  assert.deepEqual(readdirSync(folder), ['openapi.yaml']);
});

test('[I1] a file that somebody else makes while ours is on its way stays', async () => {
  for (let round = 0; round < 15; round++) {
    const file = join(folder, `new${round}.yaml`);
    const after = randomBytes(250_000).toString('hex');
    await savedMeanwhile(file, 'mine: true\n', () => write(file, undefined, after));
    assert.equal(readFileSync(file, 'utf8'), 'mine: true\n');
  }
});

test('[I1] a file that is not as expected any more is left alone', async () => {
  const file = join(folder, 'a.yaml');
  assert.deepEqual(await write(file, 'a: 1\n', 'a: 2\n'), { kind: 'changed' });
  writeFileSync(file, 'mine\n');
  assert.deepEqual(await write(file, 'a: 1\n', 'a: 2\n'), { kind: 'changed' });
  assert.deepEqual(await write(file, undefined, 'a: 2\n'), { kind: 'changed' });
  assert.deepEqual(await write(file, 'mine\n', 'a: 2\n'), { kind: 'written' });
  assert.equal(readFileSync(file, 'utf8'), 'a: 2\n');
});

test(
  '[I10] nothing is written through a link that leads out of the folder, also where it dangles',
  { skip: isWindows },
  async () => {
    const secret = join(root, 'outside', 'secret.json');
    writeFileSync(secret, '{}');
    symlinkSync(secret, join(folder, 'x.json'));
    symlinkSync(join(root, 'outside', 'none.json'), join(folder, 'dangling.json'));
    symlinkSync(join(root, 'outside'), join(folder, 'api'));
    symlinkSync('loop.json', join(folder, 'loop.json'));
    for (const [path, before] of [
      ['x.json', '{}'],
      ['dangling.json', undefined],
      ['api/new.json', undefined],
      ['api/deep/new.json', undefined],
      ['loop.json', undefined],
    ] as const) {
      const outcome = await write(join(folder, path), before, '{"a":1}');
      assert.equal(outcome.kind === 'failed' ? outcome.problem.code : outcome.kind, 'file-outside', path);
    }
    assert.equal(readFileSync(secret, 'utf8'), '{}');
    assert.deepEqual(readdirSync(join(root, 'outside')), ['secret.json']);
  },
);

test('[I3] a link that stays inside is written through, also where it dangles', { skip: isWindows }, async () => {
  symlinkSync(join('real', 'a.json'), join(folder, 'a.json'));
  assert.deepEqual(await write(join(folder, 'a.json'), undefined, '{}'), { kind: 'written' });
  assert.deepEqual(await write(join(folder, 'a.json'), '{}', '[]'), { kind: 'written' });
  assert.equal(readFileSync(join(folder, 'real', 'a.json'), 'utf8'), '[]');
});

test('[I2] a new file brings the folders along that it lies in', async () => {
  const file = join(folder, 'api', 'v2', 'openapi.yaml');
  assert.deepEqual(await write(file, undefined, 'openapi: 3.1.0\n'), { kind: 'written' });
  assert.equal(readFileSync(file, 'utf8'), 'openapi: 3.1.0\n');
});

test('[I10] a workspace folder that is gone is not made anew', async () => {
  rmSync(folder, { recursive: true });
  const outcome = await write(join(folder, 'api', 'openapi.yaml'), undefined, 'openapi: 3.1.0\n');
  assert.equal(outcome.kind, 'failed');
  assert.equal(existsSync(folder), false);
});

test('[DEL-02] a file is removed only while it reads as it was agreed on', async () => {
  const file = join(folder, 'a.yaml');
  writeFileSync(file, 'one\n');
  assert.deepEqual(await files.remove(file, 'another\n'), { kind: 'changed' });
  assert.equal(readFileSync(file, 'utf8'), 'one\n');
  assert.deepEqual(await files.remove(file, 'one\n'), { kind: 'written' });
  assert.deepEqual(readdirSync(folder), []);
  assert.deepEqual(await files.remove(file, 'one\n'), { kind: 'changed' });
});

test('[I10] nothing outside of the folder is removed, and of a link only the link', { skip: isWindows }, async () => {
  const outside = join(root, 'outside', 'a.yaml');
  writeFileSync(outside, 'one\n');
  symlinkSync(outside, join(folder, 'link.yaml'));
  assert.equal((await files.remove(join(folder, 'link.yaml'), 'one\n')).kind, 'failed');
  assert.equal((await files.remove(outside, 'one\n')).kind, 'failed');
  writeFileSync(join(folder, 'real.yaml'), 'one\n');
  symlinkSync(join(folder, 'real.yaml'), join(folder, 'inner.yaml'));
  assert.equal((await files.remove(join(folder, 'inner.yaml'), 'one\n')).kind, 'written');
  assert.equal(readFileSync(join(folder, 'real.yaml'), 'utf8'), 'one\n');
  assert.equal(readFileSync(outside, 'utf8'), 'one\n');
});

test('[REN-03] a file gets its new place only as it was expected, where nothing is yet, and inside of the folder', async () => {
  const from = join(folder, 'openapi.yaml');
  const to = join(folder, 'api', 'v2', 'petstore.yaml');
  writeFileSync(from, 'a: 1\r\n', { mode: 0o640 });
  assert.equal((await files.move(from, to, 'a: 2\n')).kind, 'changed');
  assert.equal((await files.move(from, join(root, 'outside', 'x.yaml'), 'a: 1\r\n')).kind, 'failed');
  assert.deepEqual(await files.move(from, to, 'a: 1\r\n'), { kind: 'written' });
  assert.equal(readFileSync(to, 'utf8'), 'a: 1\r\n');
  assert.equal(existsSync(from), false);
  if (!isWindows) assert.equal(statSync(to).mode & 0o777, 0o640);
  writeFileSync(from, 'another: 1\n');
  const outcome = await files.move(to, from, 'a: 1\r\n');
  assert.equal(outcome.kind === 'failed' && outcome.problem.code, 'file-not-renamed');
  assert.equal(readFileSync(from, 'utf8'), 'another: 1\n');
  assert.deepEqual(await files.move(from, join(folder, 'OpenAPI.yaml'), 'another: 1\n'), { kind: 'written' });
  assert.ok(readdirSync(folder).includes('OpenAPI.yaml'));
});
