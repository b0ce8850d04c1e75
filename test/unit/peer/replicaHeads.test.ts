import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, ProposalId, RevisionHash } from '../../../src/core/ids.ts';
import type { DocumentHead, Proposal, ProposeResult } from '../../../src/core/replication/entry.ts';
import type { HeadsReason, LibraryLink, LinkStatus } from '../../../src/core/replication/libraryLink.ts';
import type { StoredRevision } from '../../../src/core/replication/replicaStore.ts';
import { Replica } from '../../../src/peer/replica/replica.ts';
import { createInlineMerger } from '../../simulation/replica/inlineMerger.ts';
import { SimulatedFolder } from '../../simulation/replica/simulatedFolder.ts';
import { openStore, StoreDisk } from '../../simulation/replica/simulatedStore.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';
import { SimulatedProcess } from '../../simulation/simulatedProcess.ts';
import { VirtualTime } from '../../simulation/virtualTime.ts';
import { hashOf } from '../replication/fakes.ts';

const PATH = 'openapi.yaml';
const DOC = 'doc-1' as DocId;
const LIMIT_MS = 60_000;

function spec(...summaries: readonly string[]): string {
  const paths = summaries.map((summary) => `  /${summary}:\n    get:\n      summary: ${summary}\n`).join('');
  return `openapi: 3.1.0\ninfo:\n  title: Pets\n  version: 1.0.0\npaths:\n${paths}`;
}

function revision(text: string, index: number): StoredRevision {
  return { text, hash: hashOf(text), index: index as LogIndex };
}

function headOf({ hash, index }: StoredRevision, docId: DocId = DOC): DocumentHead {
  return { docId, path: PATH, hash, index, author: { peerId: 'bob' as PeerId, name: 'bob' }, at: 0 };
}

/** One replica with one document, in front of a library that says what the test wants. */
class Bench {
  readonly time = new VirtualTime();
  readonly store = new StoreDisk('alice');
  readonly folder: SimulatedFolder;
  readonly proposed: Proposal[] = [];
  readonly revisions = new Map<RevisionHash, string>();
  answer: (proposal: Proposal) => ProposeResult = () => ({ kind: 'committed', index: 99 as LogIndex });
  readonly #process: SimulatedProcess;

  constructor(file: string, shadow: StoredRevision) {
    this.#process = new SimulatedProcess('alice', this.time, new SeededRandom(1));
    const nothing = (): void => undefined;
    this.folder = new SimulatedFolder('alice', {
      onWriting: nothing,
      onWritten: nothing,
      fail: (what) => assert.fail(what),
    });
    this.folder.put(PATH, file);
    this.store.synced = { index: shadow.index, runningHash: hashOf('somewhere') };
    this.store.documents.set(DOC, {
      docId: DOC,
      libraryPath: PATH,
      localPath: PATH,
      shadow,
      heldBase: undefined,
      head: shadow,
      attribution: {},
    });
  }

  /** The file's text was sent by an earlier run, and nobody knows what became of it. */
  putInFlight(base: StoredRevision): void {
    const text = this.folder.text(PATH) ?? '';
    const proposal: Proposal = {
      proposalId: 'replica-alice:1' as ProposalId,
      docId: DOC,
      kind: 'edit',
      baseHash: base.hash,
      hash: hashOf(text),
      patch: [{ offset: 0, deleteCount: base.text.length, insert: text }],
      changes: [],
    };
    this.store.outbox.set(proposal.proposalId, { proposal, text, heldBase: undefined });
    this.store.nextProposalNumber = 2;
  }

  async open(): Promise<Replica> {
    const view = this.folder.open(this.#process, () => undefined);
    const opening = Replica.open({
      ambient: this.#process.ambient,
      files: view.files,
      store: openStore(this.store, this.#process, () => undefined),
      merger: createInlineMerger(this.#process, () => 0),
      reader: view.reader,
      guard: view.guard,
      watcher: view.watcher,
      layout: view.layout,
      infoVersion: 'ask',
      discover: () => view.discover(),
    });
    const replica = await this.until(opening);
    await this.until(replica.start(this.#link()));
    return replica;
  }

  /** Lets simulated time pass until the promise is settled. */
  async until<T>(work: Promise<T>): Promise<T> {
    const settled = { isSo: false };
    const settle = (): void => {
      settled.isSo = true;
    };
    work.then(settle, settle);
    const end = this.time.now + LIMIT_MS;
    do await this.time.step(end);
    while (!settled.isSo && this.time.now < end);
    assert.ok(settled.isSo, 'came to an end');
    return await work;
  }

  async takeHeads(replica: Replica, heads: readonly DocumentHead[], index: number, why: HeadsReason): Promise<void> {
    await this.until(replica.applyHeads(heads, index as LogIndex, hashOf('another log'), why));
    await this.until(replica.syncNow(5_000));
  }

  #link(): LibraryLink {
    const status: LinkStatus = {
      connection: 'connected',
      role: 'follower',
      term: { number: 1, leaderId: 'bob' as PeerId },
      peers: [],
      lastIndex: 0 as LogIndex,
    };
    return {
      status,
      onDidChangeStatus: () => ({ dispose: () => undefined }),
      propose: (proposal) => {
        this.proposed.push(proposal);
        return Promise.resolve(this.answer(proposal));
      },
      fetchHeads: () => Promise.resolve([]),
      fetchRevision: (_docId, hash) => Promise.resolve(this.revisions.get(hash)),
      fetchHistory: () => Promise.resolve([]),
      dispose: () => undefined,
    };
  }
}

test('[REC-02] the running hash is durable together with the index, and said by the next run', async () => {
  const first = revision(spec('cats'), 5);
  const bench = new Bench(first.text, first);
  assert.equal((await bench.open()).lastSyncedHash(), hashOf('somewhere'));
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(first)], 9, 'compacted');
  assert.deepEqual(bench.store.synced, { index: 9, runningHash: hashOf('another log') });
  assert.equal((await bench.open()).lastSyncedHash(), hashOf('another log'));
});

test('[REC-04] what others took out of a committed proposal does not come back, although its answer was lost', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new Bench(spec('cats', 'dogs'), base);
  bench.putInFlight(base);
  // Committed at 6; at 7 somebody took /dogs out and put /birds in.
  bench.answer = (proposal) =>
    proposal.proposalId === 'replica-alice:1'
      ? { kind: 'committed', index: 6 as LogIndex }
      : assert.fail('nothing else is to be sent');
  const head = revision(spec('birds', 'cats'), 7);
  bench.revisions.set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 7, 'compacted');
  assert.equal(bench.folder.text(PATH), head.text);
  assert.equal(bench.store.outbox.size, 0);
});

test('[REC-04] a committed proposal that was taken back as a whole since is asked about, too', async () => {
  const base = revision(spec('cats'), 5);
  const bench = new Bench(spec('cats', 'dogs'), base);
  bench.putInFlight(base);
  bench.answer = (proposal) =>
    proposal.proposalId === 'replica-alice:1'
      ? { kind: 'committed', index: 6 as LogIndex }
      : assert.fail('nothing else is to be sent');
  bench.revisions.set(base.hash, base.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf({ ...base, index: 7 as LogIndex })], 7, 'compacted');
  assert.equal(bench.folder.text(PATH), base.text);
  assert.equal(bench.store.outbox.size, 0);
});

test('[REC-04] [I1] a shadow that the log does not know is no base: what is only here stays', async () => {
  // The log was put back to before /dogs came in.
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new Bench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), shadow.text);
  assert.deepEqual(
    bench.proposed.map(({ kind, baseHash, hash }) => [kind, baseHash, hash]),
    [['edit', head.hash, shadow.hash]],
  );
});

test('[REC-04] a shadow that the log knows is the base, also where the log is another one', async () => {
  const shadow = revision(spec('cats', 'dogs'), 9);
  const bench = new Bench(shadow.text, shadow);
  const head = revision(spec('cats'), 4);
  bench.revisions.set(shadow.hash, shadow.text).set(head.hash, head.text);
  const replica = await bench.open();
  await bench.takeHeads(replica, [headOf(head)], 4, 'unknown');
  assert.equal(bench.folder.text(PATH), head.text);
  assert.deepEqual(bench.proposed, []);
});

test('[REC-04] [I1] a document that the log never had is created in it anew', async () => {
  const shadow = revision(spec('cats'), 9);
  const bench = new Bench(spec('cats', 'dogs'), shadow);
  bench.answer = ({ kind }) =>
    kind === 'create' ? { kind: 'committed', index: 1 as LogIndex } : { kind: 'stale', head: undefined };
  const replica = await bench.open();
  await bench.takeHeads(replica, [], 0, 'unknown');
  const { kind, docId, path, hash, baseHash } = bench.proposed.at(-1) ?? assert.fail('nothing was sent');
  assert.deepEqual([kind, docId, path, baseHash], ['create', DOC, PATH, undefined]);
  assert.equal(hash, hashOf(spec('cats', 'dogs')));
});

test('[REC-04] a document that the log never had gives its place to the one that the log has there', async () => {
  const shadow = revision(spec('cats'), 9);
  const bench = new Bench(spec('cats', 'dogs'), shadow);
  const other = 'doc-2' as DocId;
  const head = revision(spec('birds', 'cats'), 3);
  bench.revisions.set(head.hash, head.text);
  const replica = await bench.open();
  bench.proposed.length = 0;
  await bench.takeHeads(replica, [headOf(head, other)], 3, 'unknown');
  assert.deepEqual(
    replica.documents.map(({ docId }) => docId),
    [other],
  );
  const text = bench.folder.text(PATH) ?? '';
  for (const path of ['birds', 'cats', 'dogs']) assert.match(text, new RegExp(`/${path}:`));
  assert.equal(bench.proposed.at(-1)?.docId, other);
});
