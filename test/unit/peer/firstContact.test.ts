import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originChanges, originCommit } from '../../../src/core/replication/originCommit.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { hashOf } from '../replication/fakes.ts';
import { DOC, ORIGIN_COMMIT, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

/** A folder that has never been in step, in front of a library with these revisions, the first of them from `ORIGIN_COMMIT`. */
async function meet(
  file: string,
  git: ReplicaBench['git'],
  revisions: readonly string[],
): Promise<[ReplicaBench, Replica]> {
  const bench = new ReplicaBench(file, revision(file, 0));
  bench.forgetAll();
  bench.git = git;
  const changes = originChanges(ORIGIN_COMMIT);
  let last: ReturnType<typeof bench.addToHistory> | undefined;
  for (const text of revisions) last = bench.addToHistory(last, text, last === undefined ? changes : []);
  const replica = await bench.open();
  return [bench, replica];
}

const git = (...versions: readonly string[]): ReplicaBench['git'] => ({ stamp: 'still', versions });
const summaries = (text: string | undefined): readonly string[] =>
  [...(text ?? '').matchAll(/summary: (.+)/g)].map((match) => match[1] ?? '');
const changed = (text: string, from: string, to: string): string => text.replace(`summary: ${from}`, `summary: ${to}`);

test('[FST-02] the base is the newest revision of the library that is in the history of this clone', async () => {
  const committed = spec('cats', 'dogs');
  const mine = changed(committed, 'cats', 'Cats, by me');
  const theirs = changed(committed, 'dogs', 'Dogs, by bob');
  const [bench, replica] = await meet(mine, git(committed, spec('cats')), [spec('cats'), committed, theirs]);
  for (const index of [1, 2, 3]) await bench.takeFromHistory(replica, index);
  assert.deepEqual(replica.conflicts, []);
  assert.deepEqual(summaries(bench.folder.text(PATH)), ['Cats, by me', 'Dogs, by bob']);
  assert.equal(bench.proposed.at(-1)?.baseHash, hashOf(theirs), 'and what only I have is sent');
});

test('[FST-03] where neither side committed what the library has, the base is the file where both histories part', async () => {
  const base = spec('cats', 'dogs');
  const mine = changed(base, 'cats', 'Cats, by me');
  const theirs = changed(base, 'dogs', 'Dogs, by bob');
  const [bench, replica] = await meet(mine, { stamp: 'still', versions: [mine], atMergeBase: base }, [theirs]);
  await bench.takeFromHistory(replica, 1);
  assert.deepEqual(replica.conflicts, []);
  assert.deepEqual(summaries(bench.folder.text(PATH)), ['Cats, by me', 'Dogs, by bob']);
});

test('[FST-04] without anything in common only real differences ask', async () => {
  const mine = changed(spec('cats', 'dogs'), 'cats', 'Cats, by me');
  const theirs = changed(spec('cats', 'dogs', 'eels'), 'cats', 'Cats, by bob');
  const [bench, replica] = await meet(mine, undefined, [theirs]);
  await bench.takeFromHistory(replica, 1);
  assert.equal(replica.conflicts.length, 1);
  assert.deepEqual(summaries(bench.folder.text(PATH)), ['Cats, by me', 'dogs', 'eels']);
});

test('[FST-01] a file meets the newest revision, and is not led through what the document was before', async () => {
  const [bench, replica] = await meet(spec('cats', 'dogs'), undefined, [spec('cats'), spec('cats', 'dogs')]);
  const { version } = bench.folder;
  await bench.takeFromHistory(replica, 1);
  assert.deepEqual(replica.conflicts, []);
  await bench.takeFromHistory(replica, 2);
  assert.equal(bench.folder.version, version, 'the file is equal and is not written');
  assert.equal(bench.store.documents.get(DOC)?.shadow?.hash, hashOf(spec('cats', 'dogs')));
  assert.equal(replica.documents[0]?.state, 'inStep');
});

test('[FST-03] [I10] what an entry says of its origin is the name of a commit or nothing', () => {
  const said = (line: string): string | undefined => originCommit({ kind: 'create', changes: [line] });
  assert.equal(said(originChanges(ORIGIN_COMMIT)[0] ?? ''), ORIGIN_COMMIT);
  for (const line of ['from commit --upload-pack=x', `from commit ${'g'.repeat(40)}`, 'from commit HEAD', 'a change'])
    assert.equal(said(line), undefined, line);
  assert.equal(originCommit({ kind: 'edit', changes: originChanges(ORIGIN_COMMIT) }), undefined);
});
