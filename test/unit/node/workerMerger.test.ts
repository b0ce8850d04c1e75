import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { WorkerMerger } from '../../../src/node/documents/workerMerger.ts';

const WORKER = new URL('../../../src/node/documents/documentWorker.ts', import.meta.url);

let folder: string;
let merger: WorkerMerger;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'merger-')));
  merger = new WorkerMerger(WORKER);
  await merger.warmUp();
});
after(async () => {
  merger.dispose();
  await rm(folder, { recursive: true });
});

function spec(operations: number, title: string): string {
  const paths = Array.from({ length: operations }, (_, at) => `  /a${at}:\n    get:\n      summary: Thing ${at}\n`);
  return `openapi: 3.1.0\ninfo:\n  title: ${title}\n  version: 1.0.0\npaths:\n${paths.join('')}`;
}

/** Whether the work was done before the call came back: then nothing else could run meanwhile. */
async function isInline(result: Promise<unknown>): Promise<boolean> {
  const isDone = await Promise.race([result.then(() => true), Promise.resolve().then(() => false)]);
  await result;
  return isDone;
}

test('[I8] only small texts are merged and checked on the calling thread', async () => {
  const [small, large] = [spec(2, 'Base'), spec(150, 'Base')];
  assert.ok(large.length < 8_000);
  assert.equal(await isInline(merger.merge({ base: small, ours: small, theirs: small }, 'yaml')), true);
  assert.equal(await isInline(merger.check(small, 'yaml')), true);
  const [ours, theirs] = [large.replace('Thing 1\n', 'Mine\n'), large.replace('Base', 'Theirs')];
  assert.equal(await isInline(merger.merge({ base: large, ours, theirs }, 'yaml')), false);
  assert.equal(await isInline(merger.check(large, 'yaml')), false);
  assert.equal(await isInline(merger.diff(large, spec(150, 'Theirs'))), true);
  assert.equal(await isInline(merger.diff(large.repeat(20), large.repeat(21))), false);
});

test('[I8] many small texts in one turn are no less work than a large one: what is too much for one turn goes to the worker', async () => {
  const [text, half] = [spec(60, 'Base'), spec(30, 'Base')];
  const questions = [
    () => merger.check(text, 'yaml'),
    () => merger.sameButForm(half, half, 'yaml'),
    () => merger.fileReferences(text, 'yaml'),
    () => merger.hasFragments(text, 'yaml', ['#/info']),
  ];
  for (const ask of questions) {
    await new Promise((resolve) => setImmediate(resolve));
    const inTurn = [ask, ask, ask].map((one) => isInline(one()));
    assert.deepEqual([await inTurn[0], await inTurn[2]], [true, false]);
  }
});

test('[I8] where one side changed nothing, nothing is read, however large the document is', async () => {
  const [base, changed] = [spec(5_000, 'Base'), spec(5_000, 'Other')];
  for (const [ours, theirs] of [
    [base, changed],
    [changed, base],
    [changed, changed],
  ] as const) {
    const result = merger.merge({ base, ours, theirs }, 'yaml');
    assert.equal(await isInline(result), true);
    assert.equal((await result).text, changed);
  }
});

test('[I3] the merge is the same wherever it is done', async () => {
  for (const operations of [2, 150]) {
    const base = spec(operations, 'Base');
    const merged = await merger.merge(
      { base, ours: base.replace('Thing 1\n', 'Mine\n'), theirs: base.replace('Base', 'Theirs') },
      'yaml',
    );
    assert.equal(merged.text, base.replace('Thing 1\n', 'Mine\n').replace('Base', 'Theirs'));
    assert.deepEqual(merged.conflicts, []);
  }
});

test('[I8] one file is inspected without a search of the folder', async () => {
  await writeFile(join(folder, 'openapi.yaml'), spec(1, 'Shop'));
  await writeFile(join(folder, 'package.json'), '{"name":"shop"}');
  assert.equal(await merger.inspectFile(folder, join(folder, 'openapi.yaml')), 'root');
  assert.equal(await merger.inspectFile(folder, join(folder, 'package.json')), 'other');
  assert.equal(await merger.inspectFile(folder, join(folder, 'none.json')), 'unclear');
});

test('[I8] the thread is started by the first small work, not in the middle of the first large one', async () => {
  const other = new WorkerMerger(WORKER);
  let started = 0;
  const count = (): void => {
    started++;
  };
  process.on('worker', count);
  try {
    await other.check(spec(1, 'A'), 'yaml');
    // Node tells of a new thread in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(started, 1);
    await other.warmUp();
    await other.check(spec(150, 'A'), 'yaml');
    assert.equal(started, 1);
  } finally {
    process.off('worker', count);
    other.dispose();
  }
});
