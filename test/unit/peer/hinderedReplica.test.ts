import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

test('[I8] while git is at work nobody asks it again and again; when it is at rest, what was saved is sent', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  bench.folder.hinder({ reason: 'git is on another branch', settlesInMs: undefined }, bench.time.now);
  await bench.open();
  const end = bench.time.now + 10_000;
  const { events } = bench.time;
  while (await bench.time.step(end));
  assert.ok(
    bench.time.events - events < 20,
    `${String(bench.time.events - events)} things happened in ten idle seconds`,
  );
  bench.folder.put(PATH, spec('cats', 'dogs'));
  bench.folder.hinder(undefined, bench.time.now);
  await bench.untilTrue(() => bench.proposed.length === 1);
});
