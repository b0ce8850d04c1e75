import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOC, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

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

test('[I1] [BRA-04] a checkout whose files come before its HEAD proposes nothing, and neither does coming back', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  const replica = await bench.open();
  await bench.rest(replica);
  const pass = async (ms: number): Promise<void> => {
    const end = bench.time.now + ms;
    while (await bench.time.step(end));
  };
  bench.folder.hinder({ reason: 'git is at work', settlesInMs: 500 }, bench.time.now);
  bench.folder.save(PATH, spec('birds'), undefined);
  await pass(1_000);
  bench.folder.hinder({ reason: 'git is on another branch', settlesInMs: undefined }, bench.time.now);
  await pass(10_000);
  bench.folder.hinder({ reason: 'git is at work', settlesInMs: 500 }, bench.time.now);
  bench.folder.save(PATH, before.text, undefined);
  await pass(1_000);
  bench.folder.hinder(undefined, bench.time.now);
  await bench.rest(replica);
  assert.deepEqual(bench.proposed, []);
  bench.folder.save(PATH, spec('cats', 'dogs'), undefined);
  await bench.untilTrue(() => bench.proposed.length === 1);
});

test('[I1] conflict marks that a stash leaves, with nothing under way for git, are not sent, and are said to be there', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  const replica = await bench.open();
  await bench.rest(replica);
  const marked = `${before.text}<<<<<<< Updated upstream\n  /dogs: {}\n=======\n  /birds: {}\n>>>>>>> Stashed changes\n`;
  bench.folder.save(PATH, marked, undefined);
  await bench.untilTrue(() => replica.documents[0]?.problem?.code === 'git-conflict-marks');
  assert.deepEqual([replica.documents[0]?.state, bench.proposed], ['invalid', []]);
  bench.folder.save(PATH, spec('cats', 'dogs'), undefined);
  await bench.untilTrue(() => bench.proposed.length === 1);
});

test('[I8] [I1] a change waits for the unsaved buffer: saved, both are there; thrown away, nothing of it is sent', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  const replica = await bench.open();
  bench.folder.setBuffer(PATH, spec('birds', 'cats'));
  const theirs = await bench.takeEntry(replica, before, spec('cats', 'dogs'));
  assert.equal(replica.documents[0]?.state, 'waiting');
  const texts = [bench.folder.text(PATH), bench.folder.buffers.get(PATH), bench.store.documents.get(DOC)?.shadow?.text];
  assert.deepEqual(
    texts,
    [before.text, spec('birds', 'cats'), before.text],
    'neither buffer nor disk, and not agreed on',
  );
  bench.folder.setBuffer(PATH, undefined);
  await bench.untilTrue(() => bench.folder.text(PATH) === theirs.text);
  await bench.rest(replica);
  assert.deepEqual(bench.proposed, []);
  bench.folder.setBuffer(PATH, spec('birds', 'cats', 'dogs'));
  await bench.takeEntry(replica, theirs, spec('cats', 'dogs', 'fish'));
  bench.folder.setBuffer(PATH, undefined);
  bench.folder.save(PATH, spec('birds', 'cats', 'dogs'), 'byHand');
  await bench.untilTrue(() => bench.proposed.length === 1);
  assert.equal(bench.folder.text(PATH), spec('birds', 'cats', 'dogs', 'fish'));
});

test('[I8] [I1] what Merge Now has put into the buffer is not agreed on before it is saved: thrown away, it comes again', async () => {
  const before = revision(spec('cats'), 5);
  const bench = new ReplicaBench(before.text, before);
  const replica = await bench.open();
  bench.folder.setBuffer(PATH, spec('birds', 'cats'));
  const theirs = await bench.takeEntry(replica, before, spec('cats', 'dogs'));
  const file = bench.folder.fileOf(PATH);
  assert.deepEqual(await bench.until(replica.choices.mergeNow(file)), { isDone: true });
  assert.equal(bench.folder.buffers.get(PATH), spec('birds', 'cats', 'dogs'));
  assert.equal(bench.store.documents.get(DOC)?.shadow?.text, before.text);
  bench.folder.setBuffer(PATH, undefined);
  await bench.untilTrue(() => bench.folder.text(PATH) === theirs.text);
  await bench.rest(replica);
  assert.deepEqual(bench.proposed, []);
});
