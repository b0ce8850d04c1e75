import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId } from '../../../src/core/ids.ts';
import { originChanges, originCommit } from '../../../src/core/replication/originCommit.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { hashOf } from '../replication/fakes.ts';
import { DOC, entryOf, ORIGIN_COMMIT, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

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

test('[FST-01] who joins a library of many documents does not wait for one file after the other', async () => {
  // What the folder's own search does not find: only the library tells of these.
  const text = '{ "openapi": "3.1.0", "info": { "title": "Pets", "version": "1.0.0" }, "paths": {} }\n';
  const bench = new ReplicaBench(text, revision(text, 0));
  bench.forgetAll();
  const paths = [PATH, ...Array.from({ length: 30 }, (_, at) => `api/service${String(at)}.json`)];
  for (const path of paths) bench.folder.put(path, text);
  const entries = paths.map((path, at) => ({
    ...entryOf(undefined, revision(text, at + 1)),
    docId: path as DocId,
    kind: 'create' as const,
    path,
  }));
  const replica = await bench.open();
  const read = Promise.withResolvers<undefined>();
  bench.beforeReading = () => read.promise;
  for (const entry of entries.slice(0, -1))
    await bench.until(replica.applySyncEntry(entry, hashOf('on the way'), true));
  read.resolve(undefined);
  await bench.takeTogether(replica, entries.slice(-1));
  assert.deepEqual(
    replica.documents.map(({ state }) => state),
    paths.map(() => 'inStep'),
  );
});

test('[FST-03] [I10] what an entry says of its origin is the name of a commit or nothing', () => {
  const said = (line: string): string | undefined => originCommit({ kind: 'create', changes: [line] });
  assert.equal(said(originChanges(ORIGIN_COMMIT)[0] ?? ''), ORIGIN_COMMIT);
  for (const line of ['from commit --upload-pack=x', `from commit ${'g'.repeat(40)}`, 'from commit HEAD', 'a change'])
    assert.equal(said(line), undefined, line);
  assert.equal(originCommit({ kind: 'edit', changes: originChanges(ORIGIN_COMMIT) }), undefined);
});
