import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, ProposalId } from '../../../src/core/ids.ts';
import type { BulkProposal } from '../../../src/core/replication/entry.ts';
import { parseLogEntry } from '../../../src/core/replication/entrySchema.ts';
import { MAX_BULK_UNITS } from '../../../src/core/replication/limits.ts';
import { BULK_PROTOCOL, encodeMessage, parseMessage, PROTOCOL_MAX } from '../../../src/core/replication/messages.ts';
import { authorOf, createOf, editOf, hashOf } from './fakes.ts';
import { connectTo, greet, LIBRARY, startFollower, startLeader } from './wire.ts';
import type { LeaderWorld } from './wire.ts';

const DOCUMENTS = ['doc-1', 'doc-2', 'doc-3'] as const;
const NEW_PEER = { protocolMin: 1, protocolMax: PROTOCOL_MAX };

/** Edits of documents that read `one`, made by a replica in one go. */
function bulkOf(
  replica: string,
  after: string,
  before = 'one\n',
  documents: readonly string[] = DOCUMENTS,
): BulkProposal {
  return {
    reason: 'generator',
    documents: documents.map((docId) => ({
      proposalId: `${replica}:${docId}:${after.trim()}` as ProposalId,
      docId: docId as DocId,
      baseHash: hashOf(before),
      hash: hashOf(after),
      patch: [{ offset: 0, deleteCount: before.length, insert: after }],
    })),
  };
}

async function startWithDocuments(): Promise<LeaderWorld> {
  const world = await startLeader();
  for (const docId of DOCUMENTS) await world.append(createOf('a', docId, `${docId}.yaml`, 'one\n'));
  await world.time.advance(500);
  return world;
}

const appendTo = (world: LeaderWorld, bulk: BulkProposal) =>
  world.transactions.appendBulk(bulk, authorOf('bob'), world.transactions.term);

test('[BLK-03] what fits is one entry, and each of the others is told why it does not', async () => {
  const world = await startWithDocuments();
  await world.append(editOf('a', 'doc-2', 'one\n', 'else\n'));
  const bulk = bulkOf('b', 'two\n');
  const [first, second, third, fourth] = await appendTo(world, {
    ...bulk,
    documents: [...bulk.documents, ...bulkOf('b', 'x\n', 'one\n', ['doc-9']).documents],
  });
  assert.deepEqual(
    [first, third],
    [
      { kind: 'committed', index: 5 },
      { kind: 'committed', index: 5 },
    ],
  );
  assert.equal(second?.kind === 'stale' && second.head?.hash, hashOf('else\n'));
  assert.deepEqual(fourth, { kind: 'stale', head: undefined });
  const { entries } = await world.log.entries(4 as LogIndex, { count: 10, units: Infinity });
  assert.deepEqual(
    entries.map(({ entry }) => entry?.kind === 'bulk' && entry.documents.map(({ docId }) => docId)),
    [['doc-1', 'doc-3']],
  );
});

test('[BLK-03] where nothing fits there is no entry', async () => {
  const world = await startWithDocuments();
  const results = await appendTo(world, bulkOf('b', 'two\n', 'never\n'));
  assert.deepEqual(
    results.map(({ kind }) => kind),
    ['stale', 'stale', 'stale'],
  );
  assert.equal(world.transactions.position.index, 3);
});

test('[BLK-02] [REP-05] an edit that was committed in a bulk is known by its own id, alone or in another bulk, also after a revert', async () => {
  const world = await startWithDocuments();
  const bulk = bulkOf('b', 'two\n');
  await appendTo(world, bulk);
  await world.append(editOf('a', 'doc-1', 'two\n', 'one\n'));
  assert.deepEqual(await appendTo(world, { ...bulk, documents: bulk.documents.slice(0, 2) }), [
    { kind: 'committed', index: 4 },
    { kind: 'committed', index: 4 },
  ]);
  const [first] = bulk.documents;
  assert.ok(first !== undefined);
  const alone = await world.append({ ...first, kind: 'edit', changes: [] });
  assert.deepEqual(alone, { kind: 'committed', index: 4 });
  assert.equal(world.transactions.position.index, 5);
});

test('[BLK-05] a peer is told of a bulk by its hashes, with the announcement and in a page; a host gets what is in it', async () => {
  const world = await startWithDocuments();
  const peer = world.connectByHand('peer');
  const host = world.connectByHand('host');
  await greet(world, peer, NEW_PEER);
  await greet(world, host, { ...NEW_PEER, isHost: true });
  await appendTo(world, bulkOf('b', 'two\n'));
  await world.time.advance(500);
  const inline = peer.last('newEntries').entries?.map(parseLogEntry)[0];
  assert.deepEqual(inline?.kind === 'bulk' && inline.documents.map(({ hash, patch }) => [hash, patch]), [
    [hashOf('two\n'), undefined],
    [hashOf('two\n'), undefined],
    [hashOf('two\n'), undefined],
  ]);
  assert.equal(host.last('newEntries').entries, undefined);
  for (const one of [peer, host]) one.send({ kind: 'fetchEntries', requestId: 1, since: 3 as LogIndex, limit: 10 });
  await world.time.advance(10);
  const [told, kept] = [peer, host].map((one) => one.last('entriesResponse').entries.map(parseLogEntry)[0]);
  assert.deepEqual(told, inline);
  assert.deepEqual(kept?.kind === 'bulk' && kept.documents, bulkOf('b', 'two\n').documents);
});

test('[BLK-06] a peer of the release before goes around a bulk by the heads, and reads all other entries', async () => {
  const world = await startWithDocuments();
  const old = world.connectByHand('old');
  await greet(world, old, { protocolMin: 1, protocolMax: BULK_PROTOCOL - 1 });
  await appendTo(world, bulkOf('b', 'two\n'));
  await world.time.advance(500);
  assert.equal(old.last('newEntries').entries, undefined, 'nothing that it cannot read');
  old.send({ kind: 'fetchEntries', requestId: 1, since: 0 as LogIndex, limit: 10 });
  old.send({ kind: 'fetchEntries', requestId: 2, since: 3 as LogIndex, limit: 10 });
  old.send({ kind: 'fetchSkeleton', requestId: 3, since: 3 as LogIndex, limit: 10 });
  await world.time.advance(10);
  const page = old.last('entriesResponse');
  assert.deepEqual([page.requestId, page.entries.length, page.hasMore], [1, 3, true]);
  assert.deepEqual([old.last('syncRequired').requestId, old.last('syncRequired').reason], [2, 'compacted']);
  assert.equal(old.last('skeleton').rows[0]?.further, undefined);
});

test('[BLK-06] a leader of the release before is proposed one edit after the other', async () => {
  const { follower, attachByHand, time } = startFollower('bob');
  const leader = attachByHand();
  const welcome = {
    kind: 'welcome',
    requestId: 0,
    index: 0 as LogIndex,
    runningHash: '',
    standing: 'onLog',
    peers: [],
  } as const;
  leader.send({ ...welcome, protocol: BULK_PROTOCOL - 1 });
  await time.advance(10);
  const results = follower.proposeBulk(bulkOf('b', 'two\n'));
  await time.advance(10);
  assert.deepEqual(leader.all('proposeBulk'), []);
  const asked = leader.all('propose');
  assert.deepEqual(
    asked.map(({ proposal }) => proposal.docId),
    [...DOCUMENTS],
  );
  for (const [at, { requestId }] of asked.entries())
    leader.send({ kind: 'committed', requestId, index: (at + 1) as LogIndex });
  await time.advance(10);
  assert.deepEqual(
    (await results).map((result) => result.kind === 'committed' && result.index),
    [1, 2, 3],
  );
});

test('[BLK-01] [REP-18] a bulk is sent again until it is decided, and committed once', async () => {
  const world = await startWithDocuments();
  const { follower, attach } = startFollower('bob', world.time);
  const connection = connectTo(world);
  attach(connection);
  await world.time.advance(10);
  const results = follower.proposeBulk(bulkOf('b', 'two\n'));
  connection.close();
  await world.time.advance(10);
  attach(connectTo(world));
  await world.time.advance(100);
  assert.deepEqual(new Set((await results).map((result) => JSON.stringify(result))).size, 1);
  assert.equal(world.transactions.position.index, 4);
});

test('[BLK-01] [REP-02] what is no bulk is no message: a document twice, none at all, too much of it, an unknown reason', () => {
  const bulk = bulkOf('b', 'two\n');
  const [first] = bulk.documents;
  assert.ok(first !== undefined);
  const parse = (changed: object) =>
    parseMessage(
      encodeMessage({
        libraryId: LIBRARY,
        term: { number: 1, leaderId: 'peer-a' as never },
        sender: 'peer-a' as never,
        kind: 'proposeBulk',
        requestId: 1,
        bulk: { ...bulk, ...changed },
      }),
    ).value;
  assert.ok(parse({}));
  assert.equal(parse({ documents: [first, first] }), undefined);
  assert.equal(parse({ documents: [] }), undefined);
  assert.equal(parse({ reason: 'magic' }), undefined);
  assert.equal(parse({ headCommit: '--upload-pack=x' }), undefined);
  const huge = { ...first, patch: [{ offset: 0, deleteCount: 0, insert: 'x'.repeat(MAX_BULK_UNITS + 1) }] };
  assert.equal(parse({ documents: [huge] }), undefined);
});
