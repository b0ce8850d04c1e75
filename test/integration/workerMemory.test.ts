import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerMerger } from '../../src/node/documents/workerMerger.ts';

const WORKER = new URL('../../src/node/documents/documentWorker.ts', import.meta.url);
/** Enough for the program and small documents. */
const MAX_MEMORY_MB = 32;

/** YAML with an anchor is read as a whole, which takes 160 bytes for each character. */
function spec(paths: number, title: string): string {
  const items = Array.from(
    { length: paths },
    (_, at) => `  /a${at}: { get: { summary: Thing ${at}, tags: [a, b] } }\n`,
  );
  return `openapi: 3.1.0\ninfo: &info\n  title: ${title}\n  version: 1.0.0\npaths:\n${items.join('')}x-info: *info\n`;
}

test('[I10] a document for which the memory does not suffice is refused with a problem, and all else is merged as before', async (t) => {
  const merger = new WorkerMerger(WORKER, MAX_MEMORY_MB);
  t.after(() => merger.dispose());
  const inputOf = (paths: number) => {
    const base = spec(paths, 'Base');
    return { base, ours: base.replace('Thing 1,', 'Mine,'), theirs: base.replace('Base', 'Theirs') };
  };
  const [huge, small] = [inputOf(12_000), inputOf(200)];
  const [refused, checked, beside] = await Promise.all([
    merger.merge(huge, 'yaml'),
    merger.check(huge.base, 'yaml'),
    merger.merge(small, 'yaml'),
  ]);
  for (const problems of [refused.problems, checked])
    assert.deepEqual(
      problems.map(({ code, severity }) => [code, severity]),
      [['out-of-memory', 'error']],
    );
  assert.equal(refused.text, huge.ours);
  assert.deepEqual(refused.conflicts, []);
  for (const result of [beside, await merger.merge(small, 'yaml')]) {
    assert.deepEqual(result.problems, []);
    assert.equal(result.text, small.ours.replace('Base', 'Theirs'));
  }
});
