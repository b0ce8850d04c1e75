import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

const TURNS = 20;
/** Of simulated time: a search takes less. */
const STEP_MS = 100;

test('[scale] a saved file that is no document is no reason to search the folder; a root or a part of one is', async () => {
  const shadow = revision(spec('cats').replace('summary: cats', "$ref: './parts/my%20cats.yaml'"), 5);
  const bench = new ReplicaBench(shadow.text, shadow);
  const replica = await bench.open();
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await bench.time.step(bench.time.now + STEP_MS);
    }
  };
  const appears = async (path: string, kind?: 'root' | 'other'): Promise<void> => {
    const file = bench.folder.fileOf(path);
    if (kind !== undefined) bench.kinds.set(file, kind);
    replica.fileAppeared(file);
    await turns();
  };
  await bench.rest(replica);
  const before = bench.searches;
  await appears('package.json', 'other');
  await appears(PATH, 'root');
  assert.equal(bench.searches, before);
  await appears('orders.yaml', 'root');
  assert.equal(bench.searches, before + 1);
  await appears('parts/my cats.yaml', 'other');
  assert.equal(bench.searches, before + 2);
  await appears('being-written.yaml');
  assert.equal(bench.searches, before + 3);
});

test('[I9] a new document that could not be recorded is found again: the disk was full for a moment', async () => {
  const shadow = revision(spec('cats'), 5);
  const bench = new ReplicaBench(shadow.text, shadow);
  bench.answer = () => new Promise(() => undefined);
  const replica = await bench.open();
  await bench.rest(replica);
  const { searches } = bench;
  bench.folder.save('orders.yaml', spec('orders'), undefined);
  await bench.untilTrue(() => bench.searches > searches);
  bench.store.failing = 1;
  const { now } = bench.time;
  await bench.untilTrue(() => bench.time.now > now + 1_000);
  assert.equal(bench.proposed.length, 0);
  bench.store.failing = 0;
  await bench.untilTrue(() => bench.proposed.length === 1);
  assert.equal(bench.proposed[0]?.path, 'orders.yaml');
});
