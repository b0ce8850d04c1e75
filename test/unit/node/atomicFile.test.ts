import assert from 'node:assert/strict';
import fs, {
  chmodSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { isTemporaryFileName, TEMPORARY_FILE_PREFIX, writeFileAtomic } from '../../../src/node/atomicFile.ts';

let directory: string;
const isWindows = process.platform === 'win32';
const isRoot = process.getuid?.() === 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'als-file-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('[I1] a file is replaced whole and nothing is left beside it', async () => {
  const file = join(directory, 'a.yaml');
  await writeFileAtomic(file, 'one\n');
  const inode = statSync(file).ino;
  await writeFileAtomic(file, 'two\n');
  assert.equal(readFileSync(file, 'utf8'), 'two\n');
  assert.notEqual(statSync(file).ino, inode, 'a reader keeps the old file until it opens the new one');
  assert.deepEqual(readdirSync(directory), ['a.yaml']);
});

test('[I1] a reader never meets a part of it', async () => {
  const file = join(directory, 'a.yaml');
  const texts = ['a', 'b'].map((letter) => letter.repeat(200_000));
  await writeFileAtomic(file, texts[0] ?? '');
  let isWriting = true;
  const writing = (async () => {
    for (let round = 0; round < 20; round += 1) await writeFileAtomic(file, texts[round % 2] ?? '');
    isWriting = false;
  })();
  while (isWriting) {
    assert.ok(texts.includes(readFileSync(file, 'utf8')));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writing;
});

test(
  '[I3] an existing file keeps its mode, a new one gets the mode that is asked for',
  { skip: isWindows },
  async () => {
    const file = join(directory, 'a.yaml');
    await writeFileAtomic(file, 'one\n', { mode: 0o600 });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    chmodSync(file, 0o640);
    await writeFileAtomic(file, 'two\n', { mode: 0o600 });
    assert.equal(statSync(file).mode & 0o777, 0o640);
  },
);

test('[I3] a symbolic link is written through, also one that points to nothing yet', { skip: isWindows }, async () => {
  mkdirSync(join(directory, 'real'));
  symlinkSync(join('real', 'a.yaml'), join(directory, 'link.yaml'));
  await writeFileAtomic(join(directory, 'link.yaml'), 'one\n');
  await writeFileAtomic(join(directory, 'link.yaml'), 'two\n');
  assert.equal(lstatSync(join(directory, 'link.yaml')).isSymbolicLink(), true);
  assert.equal(readFileSync(join(directory, 'real', 'a.yaml'), 'utf8'), 'two\n');
  assert.deepEqual(readdirSync(join(directory, 'real')), ['a.yaml']);
});

test('[I3] a file with several names keeps them', { skip: isWindows }, async () => {
  const [file, other] = [join(directory, 'a.yaml'), join(directory, 'b.yaml')];
  writeFileSync(file, 'a longer text than the next\n');
  linkSync(file, other);
  await writeFileAtomic(file, 'one\n');
  assert.equal(readFileSync(other, 'utf8'), 'one\n');
  assert.equal(statSync(file).nlink, 2);
});

test('[I1] a read-only file is refused and stays', { skip: isWindows || isRoot }, async () => {
  const file = join(directory, 'a.yaml');
  writeFileSync(file, 'one\n');
  chmodSync(file, 0o444);
  await assert.rejects(writeFileAtomic(file, 'two\n'), { code: 'EACCES' });
  assert.equal(readFileSync(file, 'utf8'), 'one\n');
});

test('[I1] a folder that is gone is an error and leaves nothing', async () => {
  await assert.rejects(writeFileAtomic(join(directory, 'missing', 'a.yaml'), 'one\n'), { code: 'ENOENT' });
  assert.deepEqual(readdirSync(directory), []);
});

test('[I9] temporary files can be told by their name', () => {
  assert.equal(isTemporaryFileName(`${TEMPORARY_FILE_PREFIX}0011-a.yaml`), true);
  assert.equal(isTemporaryFileName('a.yaml'), false);
});

test('[I1] a file that another program holds open, as Windows lets it, is replaced when that lets go', async (context) => {
  const file = join(directory, 'a.yaml');
  writeFileSync(file, 'one\n');
  const { renameSync } = fs;
  const platform = Object.getOwnPropertyDescriptor(process, 'platform');
  assert.ok(platform !== undefined);
  let refusals = 2;
  const renamed = context.mock.method(fs, 'renameSync', (from: string, to: string) => {
    refusals -= 1;
    if (refusals >= 0) throw Object.assign(new Error('busy'), { code: refusals === 0 ? 'EPERM' : 'EBUSY' });
    renameSync(from, to);
  });
  context.after(() => {
    renamed.mock.restore();
    syncBuiltinESMExports();
    Object.defineProperty(process, 'platform', platform);
  });
  syncBuiltinESMExports();
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });

  const inode = statSync(file).ino;
  assert.equal(await writeFileAtomic(file, 'two\n'), true);
  assert.equal(renamed.mock.callCount(), 3);
  assert.notEqual(statSync(file).ino, inode, 'it was replaced, not written over');
  assert.equal(readFileSync(file, 'utf8'), 'two\n');
  assert.deepEqual(readdirSync(directory), ['a.yaml']);
});
