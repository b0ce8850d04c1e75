import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runMergeCommand } from '../../../src/cli/mergeCommand.ts';
import { runMergeDriverCommand } from '../../../src/cli/mergeDriverCommand.ts';
import { runInstallMergeDriverCommand } from '../../../src/cli/mergeDriverInstall.ts';
import type { MergeIo } from '../../../src/cli/mergeFiles.ts';

const BASE = 'openapi: 3.0.3\ninfo:\n  title: A\n  version: 1.0.0\n';

async function inFolder(
  files: Readonly<Record<string, string>>,
  run: (folder: string, io: MergeIo, said: string[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'merge-command-'));
  const said: string[] = [];
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await run(
      folder,
      {
        cwd: folder,
        writeLine: (line) => said.push(line),
        writeError: (line) => said.push(line),
        confirm: () => Promise.resolve(true),
      },
      said,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ARGS = ['base.yaml', 'ours.yaml', 'theirs.yaml', '--output', 'out.yaml'];

test('[cli] a clean merge: exit code 0, line ends and BOM of ours', async () => {
  const crlf = (text: string): string => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
  await inFolder(
    {
      'base.yaml': BASE,
      'ours.yaml': crlf(BASE.replace('title: A', 'title: B')),
      'theirs.yaml': BASE.replace('1.0.0', '1.1.0'),
    },
    async (folder, io) => {
      assert.equal(await runMergeCommand(ARGS, io), 0);
      assert.equal(
        readFileSync(join(folder, 'out.yaml'), 'utf8'),
        crlf(BASE.replace('title: A', 'title: B').replace('1.0.0', '1.1.0')),
      );
    },
  );
});

test('[cli] conflicts: their number, and markers around the clashing elements only', async () => {
  const ours = BASE.replace('title: A', 'title: B').replace('info:', 'x-a: 1\ninfo:');
  await inFolder(
    { 'base.yaml': BASE, 'ours.yaml': ours, 'theirs.yaml': BASE.replace('title: A', 'title: C') },
    async (folder, io, said) => {
      assert.equal(await runMergeCommand([...ARGS, '--json'], io), 1);
      assert.equal(
        readFileSync(join(folder, 'out.yaml'), 'utf8'),
        'openapi: 3.0.3\nx-a: 1\ninfo:\n<<<<<<< ours\n  title: B\n||||||| base\n  title: A\n=======\n  title: C\n>>>>>>> theirs\n  version: 1.0.0\n',
      );
      const facts = JSON.parse(said[0] ?? '') as { clean: boolean; conflicts: { pointer: string }[] };
      assert.equal(facts.clean, false);
      assert.deepEqual(
        facts.conflicts.map(({ pointer }) => pointer),
        ['/info/title'],
      );
    },
  );
});

test('[cli] errors: exit code 128 and a plain sentence, and no file is written', async () => {
  await inFolder(
    { 'base.yaml': BASE, 'ours.yaml': 'a: [', 'theirs.yaml': BASE.replace('A', 'C') },
    async (folder, io, said) => {
      assert.equal(await runMergeCommand(ARGS, io), 128);
      assert.match(said.join('\n'), /Our version/);
      assert.equal(await runMergeCommand(['none.yaml', 'ours.yaml', 'theirs.yaml', '-o', 'x'], io), 128);
      assert.equal(await runMergeCommand([], io), 128);
      assert.throws(() => readFileSync(join(folder, 'out.yaml')));
    },
  );
});

test('[cli] git uses the driver once it is installed', async () => {
  await inFolder({ 'openapi.yaml': BASE }, async (folder, io) => {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    git('init', '-q');
    git('add', '.');
    assert.equal(await runInstallMergeDriverCommand([], io, 'api-live-sync'), 0);
    assert.equal(readFileSync(join(folder, '.gitattributes'), 'utf8'), '/openapi.yaml merge=api-live-sync\n');
    assert.equal(git('config', 'merge.api-live-sync.driver').trim(), 'api-live-sync merge-driver %O %A %B %P %L');
    assert.equal(await runInstallMergeDriverCommand([], io, 'api-live-sync'), 0);
    assert.equal(readFileSync(join(folder, '.gitattributes'), 'utf8'), '/openapi.yaml merge=api-live-sync\n');
    assert.equal(await runInstallMergeDriverCommand(['--info-version', 'higher'], io, 'api-live-sync'), 0);
    assert.equal(
      git('config', 'merge.api-live-sync.driver').trim(),
      'api-live-sync merge-driver --info-version higher %O %A %B %P %L',
    );
    assert.equal(await runInstallMergeDriverCommand(['--info-version', 'newest'], io, 'api-live-sync'), 128);
  });
});

test('[cli] where nobody can answer, a script is told that nothing was written', async () => {
  await inFolder({ 'openapi.yaml': BASE }, (folder) => {
    for (const args of [
      ['init', '-q'],
      ['add', '.'],
    ])
      execFileSync('git', args, { cwd: folder });
    const program = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [program, 'install-merge-driver'], {
      cwd: folder,
      encoding: 'utf8',
      input: 'yes\n',
    });
    assert.equal(status, 128);
    assert.match(stderr, /Nothing was written; --yes/);
    assert.equal(existsSync(join(folder, '.gitattributes')), false);
    return Promise.resolve();
  });
});

test('[cli] the driver replaces ours, and merges what it cannot read by lines', async () => {
  await inFolder(
    { o: BASE, a: BASE.replace('title: A', 'title: B'), b: BASE.replace('1.0.0', '1.1.0') },
    async (folder, io) => {
      assert.equal(await runMergeDriverCommand(['o', 'a', 'b', 'api/openapi.yaml', '7'], io), 0);
      assert.equal(
        readFileSync(join(folder, 'a'), 'utf8'),
        BASE.replace('title: A', 'title: B').replace('1.0.0', '1.1.0'),
      );
    },
  );
  const version = (raised: string): string => BASE.replace('1.0.0', raised);
  await inFolder({ o: BASE, a: version('1.9.0'), b: version('1.10.0') }, async (folder, io) => {
    assert.equal(await runMergeDriverCommand(['--info-version', 'higher', 'o', 'a', 'b', 'x.yaml', '7'], io), 0);
    assert.equal(readFileSync(join(folder, 'a'), 'utf8'), version('1.10.0'));
    assert.equal(await runMergeDriverCommand(['--info-version', 'newest', 'o', 'a', 'b'], io), 128);
  });
  await inFolder({ o: 'a: [\n', a: 'b: [\n', b: 'c: [\n' }, async (folder, io) => {
    assert.equal(await runMergeDriverCommand(['o', 'a', 'b', 'x.yaml', '3'], io), 1);
    assert.equal(readFileSync(join(folder, 'a'), 'utf8'), '<<< ours\nb: [\n||| base\na: [\n===\nc: [\n>>> theirs\n');
  });
});
