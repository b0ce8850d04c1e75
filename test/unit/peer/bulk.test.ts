import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, ProposalId } from '../../../src/core/ids.ts';
import type { BulkEntry } from '../../../src/core/replication/entry.ts';
import type { AppliedBulk, AppliedChange } from '../../../src/peer/folderSession.ts';
import { BulkArrivals } from '../../../src/peer/replica/bulkArrivals.ts';
import type { Replica } from '../../../src/peer/replica/replica.ts';
import { FakeTime, hashOf } from '../replication/fakes.ts';
import { headOf, PATH, ReplicaBench, revision, spec } from './replicaBench.ts';

const OLD = spec('one');
const NEW = spec('one', 'two');
const OTHERS = ['a', 'b', 'c', 'd', 'e'];
const pathOf = (name: string): string => `${name}.yaml`;
const NEVER = new AbortController().signal;
const ALL_PATHS = [PATH, ...OTHERS.map(pathOf)];

/** Documents that read alike, in a folder and in the library; six of them unless told. */
function createBench(others: readonly string[] = OTHERS): ReplicaBench {
  const bench = new ReplicaBench(OLD, revision(OLD, 1));
  bench.bulkDocuments = 4;
  for (const name of others) {
    const document = [...bench.store.documents.values()][0];
    assert.ok(document !== undefined);
    const docId = `doc-${name}` as DocId;
    bench.store.documents.set(docId, { ...document, docId, libraryPath: pathOf(name), localPath: pathOf(name) });
    bench.folder.put(pathOf(name), OLD);
  }
  return bench;
}

/** Somebody else has rewritten all of them. */
function bulkEntry(bench: ReplicaBench, text = NEW, overrides: Partial<BulkEntry> = {}): BulkEntry {
  const documents = [...bench.store.documents.keys()].map((docId) => ({
    proposalId: `replica-bob:${docId}` as ProposalId,
    docId,
    baseHash: hashOf(OLD),
    hash: hashOf(text),
  }));
  return {
    index: 2 as LogIndex,
    term: { number: 1, leaderId: 'bob' as PeerId },
    kind: 'bulk',
    proposalId: documents[0]?.proposalId ?? ('replica-bob:1' as ProposalId),
    reason: 'pull',
    documents,
    author: { peerId: 'bob' as PeerId, name: 'bob' },
    at: 0,
    ...overrides,
  };
}

function listen(replica: Replica): { readonly bulks: AppliedBulk[]; readonly single: AppliedChange[] } {
  const heard = { bulks: [] as AppliedBulk[], single: [] as AppliedChange[] };
  replica.onDidApplyBulk((bulk) => heard.bulks.push(bulk));
  replica.onDidApplyChange((change) => heard.single.push(change));
  return heard;
}

const textsIn = (bench: ReplicaBench): readonly (string | undefined)[] =>
  ALL_PATHS.map((path) => bench.folder.text(path));

test('[BLK-01] more edits than the setting says that are made in one burst are proposed together, fewer one by one', async () => {
  const bench = createBench();
  const replica = await bench.open();
  for (const path of ALL_PATHS.slice(0, 4)) bench.folder.put(path, NEW);
  await bench.rest(replica);
  assert.deepEqual([bench.bulks.length, bench.proposed.length], [0, 4]);
  const many = createBench();
  const other = await many.open();
  for (const path of ALL_PATHS.slice(0, 5)) many.folder.put(path, NEW);
  await many.rest(other);
  assert.deepEqual([many.bulks.length, many.proposed.length], [1, 0]);
  assert.equal(many.bulks[0]?.documents.length, 5);
  assert.equal(many.store.outbox.size, 5, 'each is in the outbox by its own id');
});

test('[BLK-01] a person who pauses while git is asked what has made a bulk pauses it, and resuming sends it', async () => {
  const bench = createBench();
  const replica = await bench.open();
  bench.beforeOrigin = () => replica.pause();
  for (const path of ALL_PATHS) bench.folder.put(path, NEW);
  await bench.rest(replica);
  assert.deepEqual([bench.bulks.length, bench.proposed.length], [0, 0]);
  bench.beforeOrigin = () => undefined;
  replica.resume();
  await bench.rest(replica);
  assert.deepEqual(
    bench.bulks.map(({ documents }) => documents.length),
    [ALL_PATHS.length],
  );
});

test('[BLK-01] what waits for its burst is not sent where heads are taken in while the person has paused, and goes with resuming', async () => {
  const bench = createBench();
  const replica = await bench.open();
  for (const path of ALL_PATHS) bench.folder.put(path, NEW);
  const looked = replica.syncNow(5_000);
  await bench.untilTrue(() => bench.store.outbox.size === ALL_PATHS.length);
  replica.pause();
  await bench.until(looked);
  const heads = [...bench.store.documents.values()].map(({ docId, libraryPath }) => ({
    ...headOf(revision(OLD, 1), docId),
    path: libraryPath,
  }));
  await bench.takeHeads(replica, heads, 9, 'compacted');
  assert.deepEqual([bench.bulks.length, bench.proposed.length], [0, 0]);
  replica.resume();
  await bench.untilTrue(() => bench.bulks.length > 0);
  assert.deepEqual(
    bench.bulks.map(({ documents }) => documents.length),
    [ALL_PATHS.length],
  );
  assert.deepEqual(bench.proposed, []);
});

test('[BLK-01] what a former run has left in the outbox is sent together, under the same ids', async () => {
  const bench = createBench();
  const replica = await bench.open();
  for (const path of ALL_PATHS) bench.folder.put(path, NEW);
  await bench.rest(replica);
  replica.dispose();
  const ids = [...bench.store.outbox.keys()].sort();
  bench.bulks.splice(0);
  await bench.open();
  assert.deepEqual(
    bench.bulks.map(({ documents }) => documents.map(({ proposalId }) => proposalId).sort()),
    [ids],
  );
  assert.deepEqual(bench.proposed, []);
});

test('[BLK-01] the first edits of a burst, which a run that was killed in it has left, go together although they are few', async () => {
  const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const bench = createBench(others);
  bench.answer = () => new Promise(() => undefined);
  const replica = await bench.open();
  for (const path of [PATH, 'a.yaml']) bench.folder.put(path, NEW);
  await bench.rest(replica);
  replica.dispose();
  const left = [...bench.store.outbox.keys()].sort();
  assert.equal(left.length, 2);
  bench.proposed.splice(0);
  for (const name of others.slice(1)) bench.folder.put(pathOf(name), NEW);
  await bench.rest(await bench.open());
  const [first, second] = bench.bulks.map(({ documents }) => documents.map(({ proposalId }) => proposalId).sort());
  assert.deepEqual([first, second?.length, bench.proposed], [left, 6, []]);
});

test('[BLK-05] a text that the file has already is not fetched', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(NEW), NEW);
  bench.folder.put(PATH, NEW);
  bench.folder.put('a.yaml', NEW);
  bench.answer = () => new Promise(() => undefined);
  const replica = await bench.open();
  await bench.until(replica.applySyncEntry(bulkEntry(bench), hashOf('log at 2')));
  await bench.untilTrue(() => textsIn(bench).every((text) => text === NEW));
  assert.equal(bench.fetched.length, 4);
});

test('[BLK-05] a text that git has in the commit is not fetched, unless it is another one there', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(NEW), NEW);
  const asked: string[] = [];
  bench.git = {
    stamp: '',
    versions: [],
    textsAt: (commit, files) => {
      asked.push(commit);
      return new Map(files.map((file) => [file, file.endsWith('a.yaml') ? OLD : NEW]));
    },
  };
  const replica = await bench.open();
  const headCommit = 'c'.repeat(40);
  await bench.until(replica.applySyncEntry(bulkEntry(bench, NEW, { headCommit }), hashOf('log at 2')));
  await bench.untilTrue(() => textsIn(bench).every((text) => text === NEW));
  assert.deepEqual([asked, bench.fetched], [[headCommit], [hashOf(NEW)]]);
});

test('[BLK-04] a bulk is recorded as a whole or not at all: where that fails it is offered again, and taken in once', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(NEW), NEW);
  const replica = await bench.open();
  bench.store.failing = 1;
  await assert.rejects(bench.until(replica.applySyncEntry(bulkEntry(bench), hashOf('log at 2'))));
  const heads = (): readonly (number | undefined)[] =>
    [...bench.store.documents.values()].map(({ head }) => head?.index);
  assert.deepEqual([bench.store.synced.index, new Set(heads())], [1, new Set([1])]);
  assert.equal(replica.lastSyncedIndex(), 1);
  bench.store.failing = 0;
  const parts: (readonly [documents: number, index: number | undefined])[] = [];
  const apply = bench.store.apply.bind(bench.store);
  bench.store.apply = (change) => {
    const taken = change.putDocuments?.filter(({ head, shadow }) => head?.index === 2 && shadow?.index === 1) ?? [];
    if (taken.length > 0) parts.push([taken.length, change.synced?.index]);
    apply(change);
  };
  await bench.until(replica.applySyncEntry(bulkEntry(bench), hashOf('log at 2')));
  assert.deepEqual(parts[0], [6, 2]);
  assert.deepEqual([bench.store.synced.index, new Set(heads())], [2, new Set([2])]);
  await bench.untilTrue(() => textsIn(bench).every((text) => text === NEW));
});

test('[REP-28] [BLK-04] [BLK-08] a bulk that is followed by more is brought into the files with that, each once, and told once', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(OLD), OLD);
  bench.revisions.set(hashOf(NEW), NEW);
  const replica = await bench.open();
  const heard = listen(replica);
  let writes = 0;
  bench.onWritten = () => (writes += 1);
  const entry = bulkEntry(bench);
  await bench.until(replica.applySyncEntry(entry, hashOf('log at 2'), true));
  assert.deepEqual([writes, replica.lastSyncedIndex(), replica.lastDurableIndex()], [0, 2, 2]);
  assert.ok(replica.documents.every(({ state }) => state === 'syncing'));
  await bench.takeEntry(replica, revision(NEW, 2), spec('one', 'two', 'three'));
  await bench.untilTrue(() => heard.bulks.length > 0);
  assert.deepEqual(textsIn(bench), [spec('one', 'two', 'three'), NEW, NEW, NEW, NEW, NEW]);
  assert.equal(writes, 6);
  assert.deepEqual([heard.bulks.map(({ documents }) => documents.length), heard.single.length], [[6], 1]);
});

test('[BLK-08] [I12] a bulk of somebody else is told once, and taken back in one step, after a restart too; what was changed since stays', async () => {
  const bench = createBench();
  bench.bulkDocuments = 3;
  bench.revisions.set(hashOf(OLD), OLD);
  bench.revisions.set(hashOf(NEW), NEW);
  const first = await bench.open();
  const heard = listen(first);
  const entry = bulkEntry(bench);
  await bench.until(first.applySyncEntry(entry, hashOf('log at 2')));
  await bench.untilTrue(() => heard.bulks.length > 0);
  assert.deepEqual(heard.single, []);
  assert.deepEqual(
    heard.bulks.map(({ id, authorName, reason, documents }) => [id, authorName, reason, documents.length]),
    [[entry.proposalId, 'bob', 'pull', 6]],
  );
  first.dispose();
  const replica = await bench.open();
  const clashing = NEW.replace('summary: two', 'summary: mine');
  bench.folder.put('a.yaml', spec('one', 'two', 'three'));
  bench.folder.put('b.yaml', clashing);
  await bench.rest(replica);
  bench.history = [OLD, NEW];
  const outcome = await bench.until(replica.bulkTakeBack.takeBack(entry.proposalId, NEVER));
  assert.equal(!outcome.isDone && outcome.problem.code, 'changed-since');
  assert.match(!outcome.isDone ? outcome.problem.message : '', /^1 of 6 files stay as they are/);
  assert.deepEqual(textsIn(bench), [OLD, spec('one', 'three'), clashing, OLD, OLD, OLD]);
  await bench.untilTrue(() => bench.bulks.length === 1);
  assert.deepEqual(new Set(bench.bulks[0]?.documents.map(({ hash }) => hash)), new Set([hashOf(OLD)]));
});

test('[BLK-08] [I12] what was taken back already is not taken back again, and what is not known is said to be', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(OLD), OLD);
  bench.revisions.set(hashOf(NEW), NEW);
  const replica = await bench.open();
  const entry = bulkEntry(bench);
  await bench.until(replica.applySyncEntry(entry, hashOf('log at 2')));
  await bench.untilTrue(() => textsIn(bench).every((text) => text === NEW));
  const codeOf = async (id: ProposalId): Promise<string | undefined> => {
    const outcome = await bench.until(replica.bulkTakeBack.takeBack(id, NEVER));
    return outcome.isDone ? undefined : outcome.problem.code;
  };
  assert.equal(await codeOf('replica-bob:unknown' as ProposalId), 'nothing-to-undo');
  assert.equal(await codeOf(entry.proposalId), undefined);
  assert.ok(textsIn(bench).every((text) => text === OLD));
  assert.equal(await codeOf(entry.proposalId), 'nothing-to-undo');
  bench.disconnect();
  assert.equal(await codeOf(entry.proposalId), 'not-connected');
});

test('[BLK-08] who stops it keeps what was taken back until then, as one change, and takes the rest back later', async () => {
  const others = Array.from({ length: 19 }, (_, at) => `other-${String(at)}`);
  const bench = createBench(others);
  bench.revisions.set(hashOf(OLD), OLD);
  bench.revisions.set(hashOf(NEW), NEW);
  const replica = await bench.open();
  const entry = bulkEntry(bench);
  const oldFiles = (): number => [PATH, ...others.map(pathOf)].filter((path) => bench.folder.text(path) === OLD).length;
  await bench.until(replica.applySyncEntry(entry, hashOf('log at 2')));
  await bench.untilTrue(() => oldFiles() === 0);
  const messageOf = async (signal: AbortSignal): Promise<string> => {
    const outcome = await bench.until(replica.bulkTakeBack.takeBack(entry.proposalId, signal));
    return outcome.isDone ? '' : outcome.problem.message;
  };
  assert.equal(await messageOf(AbortSignal.abort()), 'Nothing was taken back.');
  assert.equal(oldFiles(), 0);
  const stopping = new AbortController();
  bench.beforeRevision = () => {
    if (oldFiles() > 0) stopping.abort();
  };
  const stopped = await messageOf(stopping.signal);
  const done = oldFiles();
  assert.ok(done > 0 && done < 20, `${String(done)} files`);
  assert.equal(stopped, `It was stopped after ${String(done)} of 20 files; the others stay as they are.`);
  await bench.untilTrue(() => bench.bulks.length === 1);
  assert.equal(bench.bulks[0]?.documents.length, done);
  assert.equal(await messageOf(NEVER), '');
  assert.equal(oldFiles(), 20);
});

test('[BLK-08] [I12] a file that a later entry overtook is told with the bulk and by itself, and taken back with it', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(OLD), OLD);
  bench.revisions.set(hashOf(NEW), NEW);
  const replica = await bench.open();
  const heard = listen(replica);
  const entry = bulkEntry(bench);
  bench.folder.setBuffer(PATH, OLD.replace('Pets', 'Dogs'));
  await bench.until(replica.applySyncEntry(entry, hashOf('log at 2')));
  await bench.takeEntry(replica, revision(NEW, 2), spec('one', 'two', 'three'));
  bench.folder.setBuffer(PATH, undefined);
  await bench.rest(replica);
  await bench.untilTrue(() => heard.bulks.flatMap(({ documents }) => documents).length === 6);
  assert.deepEqual(
    heard.single.map(({ path }) => path),
    [PATH],
  );
  assert.deepEqual(await bench.until(replica.bulkTakeBack.takeBack(entry.proposalId, NEVER)), { isDone: true });
  assert.deepEqual(textsIn(bench), [spec('one', 'three'), OLD, OLD, OLD, OLD, OLD]);
});

test('[BLK-08] a bulk is told once, with its last file, however slowly the files are written', async () => {
  const time = new FakeTime();
  const told: number[] = [];
  const arrivals = new BulkArrivals(time, ({ documents }) => told.push(documents.length));
  const docIds = ['a', 'b', 'c'] as DocId[];
  arrivals.expect(bulkEntry(createBench()), docIds);
  for (const docId of docIds) {
    assert.deepEqual(told, []);
    await time.advance(2_000);
    const change = { docId, file: docId, path: docId, authorName: 'bob', changes: [], isDeletion: false };
    assert.ok(arrivals.take(change, { from: 1 as LogIndex, to: 2 as LogIndex }));
  }
  assert.deepEqual(told, [3]);
  await time.advance(60_000);
  assert.deepEqual(told, [3]);
});

test('[BLK-08] a file that has the bulk already is not told with it when something else changes it', async () => {
  const bench = createBench();
  bench.revisions.set(hashOf(NEW), NEW);
  bench.folder.put(PATH, NEW);
  bench.answer = () => new Promise(() => undefined);
  const replica = await bench.open();
  const heard = listen(replica);
  await bench.until(replica.applySyncEntry(bulkEntry(bench), hashOf('log at 2')));
  await bench.untilTrue(() => heard.bulks.length > 0);
  await bench.takeEntry(replica, revision(NEW, 2), spec('one', 'two', 'three'));
  await bench.untilTrue(() => heard.single.length > 0);
  assert.deepEqual(
    heard.bulks.map(({ documents }) => documents.length),
    [5],
  );
});

test('[BLK-05] [I8] a text that cannot be had keeps nobody waiting, is asked for again, and nothing of its document is sent until then', async () => {
  const bench = createBench();
  const OTHER = spec('other');
  bench.revisions.set(hashOf(NEW), NEW);
  const replica = await bench.open();
  const entry = bulkEntry(bench);
  const documents = entry.documents.map((document) =>
    document.docId === 'doc-a' ? { ...document, hash: hashOf(OTHER) } : document,
  );
  await bench.until(replica.applySyncEntry({ ...entry, documents }, hashOf('log at 2')));
  await bench.untilTrue(() => textsIn(bench).filter((text) => text === NEW).length === 5);
  assert.equal(replica.lastSyncedIndex(), 2);
  bench.folder.put('a.yaml', spec('one', 'mine'));
  await bench.rest(replica);
  assert.deepEqual([bench.proposed, bench.bulks], [[], []]);
  replica.dispose();
  const next = await bench.open();
  bench.revisions.set(hashOf(OTHER), OTHER);
  await bench.untilTrue(() => bench.folder.text('a.yaml')?.includes('other') ?? false);
  await bench.untilTrue(() => bench.proposed.length === 1);
  assert.equal(bench.proposed[0]?.baseHash, hashOf(OTHER), 'merged first');
  next.dispose();
});
