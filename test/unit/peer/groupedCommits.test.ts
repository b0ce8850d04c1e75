import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, ReplicaId } from '../../../src/core/ids.ts';
import type { ReplicaChange, ReplicaStore } from '../../../src/core/replication/replicaStore.ts';
import { GroupedCommits } from '../../../src/peer/replica/groupedCommits.ts';
import { hashOf, settle } from '../replication/fakes.ts';

/** A disk whose transactions end when the test says so. */
class SlowDisk implements ReplicaStore {
  readonly replicaId = 'replica-slow' as ReplicaId;
  readonly written: ReplicaChange[] = [];
  #writing: { readonly change: ReplicaChange; readonly ended: PromiseWithResolvers<undefined> } | undefined;

  load = () => assert.fail('nothing is loaded here');
  formerShadows = () => Promise.resolve([]);
  close = () => Promise.resolve();

  commit(change: ReplicaChange): Promise<void> {
    assert.equal(this.#writing, undefined, 'one transaction at a time');
    const ended = Promise.withResolvers<undefined>();
    this.#writing = { change, ended };
    return ended.promise;
  }

  async end(error?: Error): Promise<void> {
    const writing = this.#writing;
    assert.ok(writing, 'a transaction is under way');
    this.#writing = undefined;
    if (error === undefined) this.written.push(writing.change);
    if (error === undefined) writing.ended.resolve(undefined);
    else writing.ended.reject(error);
    await settle();
  }

  get isIdle(): boolean {
    return this.#writing === undefined;
  }
}

const at = (index: number): ReplicaChange => ({
  synced: { index: index as LogIndex, runningHash: `hash ${String(index)}` },
});
const putting = (text: string, index: number): ReplicaChange => {
  const head = { text, hash: hashOf(text), index: index as LogIndex };
  const places = { docId: 'a' as DocId, libraryPath: 'a', localPath: 'a' };
  return { putDocuments: [{ ...places, shadow: undefined, heldBase: undefined, head, attribution: {} }] };
};
const indexes = (disk: SlowDisk): readonly unknown[] => disk.written.map(({ synced }) => synced?.index);

test('[REP-28] what comes while a transaction is under way shares the next one, and nothing is durable before what came before it', async () => {
  const disk = new SlowDisk();
  const commits = new GroupedCommits(disk);
  const first = commits.commit(at(1));
  for (let index = 2; index <= 1_000; index++) commits.commitLater(at(index));
  let isDurable = false;
  const last = commits.commit({ putOutbox: [] }).then(() => {
    isDurable = true;
  });
  await disk.end();
  await first;
  assert.deepEqual([indexes(disk), commits.durableIndex, isDurable], [[1], 1, false]);
  await disk.end();
  await last;
  assert.deepEqual([indexes(disk), commits.durableIndex, isDurable], [[1, 1_000], 1_000, true]);
  assert.ok(disk.isIdle);
});

test('[REP-28] what nobody waits for gathers for one transaction, until it is much or is to be on disk', async () => {
  const disk = new SlowDisk();
  const commits = new GroupedCommits(disk);
  await commits.flush();
  commits.commitLater(at(1));
  assert.ok(disk.isIdle);
  const flushed = commits.flush();
  await disk.end();
  await flushed;
  for (let index = 2; index <= 1_001; index++) commits.commitLater(at(index));
  await disk.end();
  const long = 'x'.repeat(1024 * 1024);
  for (let index = 1_002; index <= 1_005; index++) commits.commitLater({ ...at(index), ...putting(long, index) });
  await disk.end();
  assert.deepEqual([indexes(disk), commits.durableIndex], [[1, 1_001, 1_005], 1_005]);
  assert.ok(disk.isIdle);
});

test('[I6] where the disk fails, who waits hears of it, and the rest comes with the next change, never after it', async () => {
  const disk = new SlowDisk();
  const commits = new GroupedCommits(disk);
  commits.commitLater({ removeDocuments: ['a' as DocId] });
  const flushed = commits.flush();
  await disk.end(new Error('full'));
  await flushed;
  assert.ok(disk.isIdle, 'a disk that fails is not asked again at once');
  const refused = assert.rejects(commits.commit(at(7)), /full/);
  await disk.end(new Error('full'));
  await refused;
  const accepted = commits.commit({ removeIntents: ['b' as DocId] });
  await disk.end();
  await accepted;
  assert.deepEqual(
    disk.written.map(({ removeDocuments, removeIntents, synced }) => [removeDocuments, removeIntents, synced]),
    [[['a'], ['b'], undefined]],
  );
});

test('[I6] what was removed and is put again stays, and what was put and is removed again goes', async () => {
  const disk = new SlowDisk();
  const commits = new GroupedCommits(disk);
  const [a, b] = ['a' as DocId, 'b' as DocId];
  const document = { docId: a, libraryPath: 'a', localPath: 'a', shadow: undefined, heldBase: undefined };
  const stored = { ...document, head: undefined, attribution: {} };
  const first = commits.commit({});
  commits.commitLater({ removeDocuments: [a], putDocuments: [{ ...stored, docId: b }] });
  commits.commitLater({ removeDocuments: [b], putDocuments: [stored] });
  const flushed = commits.flush();
  await disk.end();
  await first;
  await disk.end();
  await flushed;
  const change = disk.written.at(-1);
  assert.deepEqual(change?.removeDocuments, [b]);
  assert.ok(change.putDocuments?.some(({ docId }) => docId === a));
});
