import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId, LogIndex, PeerId, RevisionHash, Term } from '../../../src/core/ids.ts';
import { documentEntries } from '../../../src/core/replication/bulkEntry.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import { Follower } from '../../../src/core/replication/follower.ts';
import { HostCopy } from '../../../src/core/replication/hostCopy.ts';
import { MemoryReplicatedLog } from '../../../src/core/replication/memoryReplicatedLog.ts';
import { findShared, proposeOrphans } from '../../../src/core/replication/reconciliation.ts';
import { RelayedLog } from '../../../src/core/replication/relayedLog.ts';
import { TransactionManager } from '../../../src/core/replication/transactionManager.ts';
import { authorOf, changesIn, createOf, deleteOf, editOf, hashOf, peerInfo, renameOf } from './fakes.ts';
import { connectTo, greet, HEARTBEAT_MS, LIBRARY, startLeader, TIMEOUT_MS } from './wire.ts';
import type { LeaderWorld } from './wire.ts';

const spec = 'doc-1' as DocId;
const WHOLE = { count: 10_000, units: Infinity };
const EVERYTHING = { olderThan: Infinity, keepUnits: Infinity };

/** A host with a log of its own that follows the leader of the world. */
async function startHost(world: LeaderWorld, log = new MemoryReplicatedLog(), name = 'host-b') {
  const { ambient } = world;
  const copy = await TransactionManager.openCopy({ log, leaderId: name as PeerId, ambient });
  const rewinds: string[] = [];
  const follower: Follower = new Follower({
    libraryId: LIBRARY,
    peer: peerInfo(name),
    sink: new HostCopy({
      log: copy,
      hashText: hashOf,
      leadership: () => follower.term,
      onRewind: (why) => rewinds.push(why),
    }),
    ambient,
    heartbeatMs: HEARTBEAT_MS,
    timeoutMs: TIMEOUT_MS,
    ownPeers: () => [peerInfo('carol')],
    newestTerm: copy.term,
  });
  follower.attach(connectTo(world));
  await world.time.advance(200);
  return { log, copy, follower, rewinds };
}

/** A log that a leader of this name has written. */
async function logOf(leader: string, texts: readonly string[], above = 0): Promise<MemoryReplicatedLog> {
  const log = new MemoryReplicatedLog();
  const { transactions } = await startLeaderOn(log, leader, above);
  await write(transactions, texts);
  return log;
}

async function startLeaderOn(log: MemoryReplicatedLog, leader: string, above: number) {
  const world = await startLeader();
  const leaderId = leader as PeerId;
  return { transactions: await TransactionManager.open({ log, leaderId, ambient: world.ambient, aboveTerm: above }) };
}

/** Each text is a revision of the one document; the first creates it where it is not there. */
async function write(transactions: TransactionManager, texts: readonly string[], author = 'writer'): Promise<void> {
  for (const text of texts) {
    const head = transactions.heads().find(({ docId }) => docId === spec);
    const before = head?.hash === undefined ? undefined : await transactions.revisionText(spec, head.hash);
    const proposal =
      before === undefined ? createOf(author, spec, 'openapi.yaml', text) : editOf(author, spec, before, text);
    const result = await transactions.append(proposal, authorOf(author), transactions.term);
    assert.equal(result.kind, 'committed');
  }
}

/** A second log with the same first entries, byte for byte. */
async function branchOf(log: MemoryReplicatedLog, upTo: number): Promise<MemoryReplicatedLog> {
  const branch = new MemoryReplicatedLog();
  const world = await startLeader();
  const { term } = await log.state();
  const copy = await TransactionManager.openCopy({ log: branch, leaderId: 'copy' as PeerId, ambient: world.ambient });
  await copy.adoptTerm(term as Term);
  for (const { entry } of (await log.entries(0 as LogIndex, WHOLE)).entries.slice(0, upTo))
    if (entry !== undefined) await copy.take(entry);
  return branch;
}

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `text ${String(from + at)}\n`);

test('[REC-01] [REP-27] a host keeps a copy of the log: the same entries, and a running hash of its own computing', async () => {
  const world = await startLeader();
  await write(world.transactions, texts(1, 5));
  const { copy, log, follower } = await startHost(world);
  await write(world.transactions, texts(6, 7));
  await world.time.advance(200);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.deepEqual(copy.heads(), world.transactions.heads());
  assert.deepEqual(await log.entries(0 as LogIndex, WHOLE), await world.log.entries(0 as LogIndex, WHOLE));
  assert.deepEqual((await log.state()).term, world.transactions.term, '[ELE-09] the term is durable here too');
  assert.equal(follower.isCaughtUp, true);
});

test('[REC-07] where two logs part is found with few questions, however long they are', async () => {
  const world = await startLeader();
  const shared = 1_500;
  const first = await logOf('a', texts(1, shared));
  const ours = await branchOf(first, shared);
  const theirs = await branchOf(first, shared);
  const mine = (await startLeaderOn(ours, 'b', 1)).transactions;
  await write(mine, texts(2_001, 2_100));
  const other = (await startLeaderOn(theirs, 'c', 1)).transactions;
  await write(other, texts(3_001, 3_300));
  let questions = 0;
  const source = {
    fetchHashes: (indexes: readonly LogIndex[]) => {
      questions += 1;
      return Promise.all(indexes.map(async (index) => (await other.runningHashAt(index)) ?? null));
    },
  };
  assert.equal(await findShared(mine, source as never), shared);
  assert.ok(questions <= 3, `${String(questions)} questions`);
  assert.equal(await findShared(other, { fetchHashes: () => Promise.resolve(undefined) } as never), undefined);
  world.leader.dispose();
});

test('[REC-09] a host that has entries which the new leader lacks goes back to the last that both have, and sets the others aside', async () => {
  const first = await logOf('a', texts(1, 4));
  const world = await startLeader(await branchOf(first, 3));
  await write(world.transactions, ['theirs\n']);
  const { copy, log, rewinds } = await startHost(world, first);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.deepEqual(rewinds, ['unknown']);
  const orphans = await log.orphans(10);
  assert.deepEqual(
    orphans.flatMap(documentEntries).map(({ index, hash }) => [index, hash]),
    [[4, hashOf('text 4\n')]],
  );
  assert.equal(
    await copy.revisionText(spec, hashOf('text 3\n')),
    'text 3\n',
    'the base of every merge that is to come',
  );
});

test('[REC-08] what was set aside is proposed again, in order, under its own id and author', async () => {
  const first = await logOf('a', texts(1, 3));
  const losing = await branchOf(first, 3);
  const before = (await startLeaderOn(losing, 'b', 1)).transactions;
  await write(before, texts(4, 6), 'carol');
  const world = await startLeader(first);
  await world.append(createOf('writer', 'doc-2', 'other.yaml', 'other\n'));
  const { copy, follower } = await startHost(world, losing);
  const done = proposeOrphans(copy, (proposal, author) => follower.proposeOnce(proposal, author));
  await world.time.advance(500);
  assert.equal(await done, true);
  const { entries } = await world.log.entries(4 as LogIndex, WHOLE);
  assert.deepEqual(
    entries.flatMap(({ entry }) => changesIn(entry)).map(({ hash, author }) => [hash, author.name]),
    texts(4, 6).map((text) => [hashOf(text), 'carol']),
  );
  assert.deepEqual(await copy.orphans(10), []);
  assert.deepEqual(copy.position, world.transactions.position);
});

test('[REC-08] a document that the leader has touched since is left to the replicas, also where a revert makes the old base fit again', async () => {
  const first = await logOf('a', ['base\n']);
  const losing = await branchOf(first, 1);
  await write((await startLeaderOn(losing, 'b', 1)).transactions, ['mine\n']);
  const world = await startLeader(first);
  // Somebody has had the change by another way, and a person took it back.
  await write(world.transactions, ['mine\n', 'base\n']);
  const { copy, follower } = await startHost(world, losing);
  const done = proposeOrphans(copy, (proposal, author) => follower.proposeOnce(proposal, author));
  await world.time.advance(500);
  assert.equal(await done, true);
  assert.equal(world.transactions.heads()[0]?.hash, hashOf('base\n'));
  assert.equal(world.transactions.position.index, 3);
});

test('[REC-08] [REP-05] an entry that two hosts have set aside is committed once', async () => {
  const first = await logOf('a', ['base\n']);
  const losing = await branchOf(first, 1);
  await write((await startLeaderOn(losing, 'b', 1)).transactions, texts(1, 2));
  const world = await startLeader(first);
  const hosts = [await startHost(world, await branchOf(losing, 3)), await startHost(world, losing, 'host-c')];
  for (const { copy, follower } of hosts) {
    const done = proposeOrphans(copy, (proposal, author) => follower.proposeOnce(proposal, author));
    await world.time.advance(500);
    assert.equal(await done, true);
    if (follower !== hosts[0]?.follower) continue;
    assert.equal(world.transactions.position.index, 3);
    // A person takes it back: the old base fits again, and who brings it now brings it a second time.
    await write(world.transactions, ['base\n']);
  }
  const ids = (await world.log.entries(0 as LogIndex, WHOLE)).entries.map(({ entry }) => entry?.proposalId);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(world.transactions.position.index, 4);
  assert.equal(world.transactions.heads()[0]?.hash, hashOf('base\n'));
});

test('[REC-08] [REC-09] a host whose log is still being brought to where another leader’s stood is not in step before that has ended', async () => {
  const first = await logOf('a', texts(1, 4));
  const world = await startLeader(await branchOf(first, 4));
  // The same log, through a host that is a little behind.
  const late = await startLeader(await branchOf(first, 3));
  const log = await branchOf(first, 4);
  const gate = Promise.withResolvers<undefined>();
  const rewind = log.rewind.bind(log);
  log.rewind = async (to) => {
    await gate.promise;
    await rewind(to);
  };
  const { copy, follower } = await startHost(late, log);
  const pass = async (): Promise<void> => {
    for (const { time } of [late, world]) await time.advance(200);
  };
  const attach = async (): Promise<void> => {
    follower.attach(connectTo(world));
    await pass();
  };
  await attach();
  assert.deepEqual([follower.isConnected, follower.isCaughtUp], [true, false]);
  gate.resolve(undefined);
  await pass();
  if (!follower.isConnected) await attach();
  assert.equal(follower.isCaughtUp, true);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.equal((await copy.orphans(10)).length, 1, 'to be dealt with before the peers are served');
});

test('[REC-09] renames, deletions and new documents are undone with the rest', async () => {
  const first = await logOf('a', ['base\n']);
  const losing = await branchOf(first, 1);
  const { transactions } = await startLeaderOn(losing, 'b', 1);
  const append = (proposal: Proposal) => transactions.append(proposal, authorOf('carol'), transactions.term);
  await append(renameOf('carol', spec, 'openapi.yaml', 'moved.yaml', 'base\n'));
  await append(createOf('carol', 'doc-2', 'openapi.yaml', 'new\n'));
  await append(deleteOf('carol', spec, 'moved.yaml', 'base\n'));
  const before = await first.heads();
  await transactions.retire();
  await transactions.rewind(1 as LogIndex);
  assert.deepEqual(transactions.heads(), before);
  assert.equal((await transactions.orphans(10)).length, 3);
});

test('[REC-10] behind the horizon a host takes over heads, texts and the decided proposals, and fetches no text that it has', async () => {
  const world = await startLeader();
  await write(world.transactions, texts(1, 3));
  const { log } = await startHost(world);
  await world.append(createOf('writer', 'doc-2', 'other.yaml', 'other\n'));
  const late = await branchOf(log, 3);
  const proposal = editOf('carol', spec, 'text 3\n', 'text 4\n');
  await world.append(proposal);
  await write(world.transactions, ['text 3\n']);
  await world.transactions.compact(EVERYTHING);
  const asked: RevisionHash[] = [];
  const revisionText = world.transactions.revisionText.bind(world.transactions);
  world.transactions.revisionText = (docId, hash) => {
    asked.push(hash);
    return revisionText(docId, hash);
  };
  const { copy, rewinds } = await startHost(world, late);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.deepEqual(copy.heads(), world.transactions.heads());
  assert.deepEqual(rewinds, ['compacted']);
  assert.deepEqual(asked, [hashOf('other\n')], 'text 3 was here already');
  // The answer to that proposal was lost, its change was reverted since, and this host leads now.
  await copy.lead(0);
  const again = await copy.append(proposal, authorOf('carol'), copy.term);
  assert.deepEqual(again, { kind: 'committed', index: 5 });
  assert.equal(copy.heads().find(({ docId }) => docId === spec)?.hash, hashOf('text 3\n'));
});

test('[REC-10] [REP-17] a text that the leader has lost keeps a new host from nothing but its document, and comes with the next whole edit', async () => {
  const world = await startLeader();
  await write(world.transactions, texts(1, 2));
  await world.append(createOf('writer', 'doc-2', 'other.yaml', 'other\n'));
  await world.transactions.compact(EVERYTHING);
  const revisionText = world.transactions.revisionText.bind(world.transactions);
  world.transactions.revisionText = (docId, hash) =>
    docId === 'doc-2' ? Promise.resolve(undefined) : revisionText(docId, hash);
  const { copy, follower } = await startHost(world);
  assert.equal(follower.isCaughtUp, true);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.deepEqual(copy.heads(), world.transactions.heads());
  assert.equal(await copy.revisionText(spec, hashOf('text 2\n')), 'text 2\n');
  assert.equal(await copy.revisionText('doc-2' as DocId, hashOf('other\n')), undefined);
  const whole = editOf('writer', 'doc-2', 'other\n', 'mended\n');
  await world.append({ ...whole, patch: [{ offset: 0, deleteCount: 'other\n'.length, insert: 'mended\n' }] });
  await write(world.transactions, texts(3, 3));
  await world.time.advance(200);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.equal(await copy.revisionText('doc-2' as DocId, hashOf('mended\n')), 'mended\n');
});

test('[REC-10] an entry that this host cannot take stands in the way of nothing: it takes the state instead', async () => {
  const world = await startLeader();
  await write(world.transactions, texts(1, 2));
  const entries = world.transactions.entries.bind(world.transactions);
  world.transactions.entries = async (since, limit) => {
    const page = await entries(since, limit);
    return { ...page, entries: page.entries.map((stored) => ({ ...stored, entry: undefined })) };
  };
  const { copy } = await startHost(world);
  assert.deepEqual(copy.position, world.transactions.position);
  assert.equal((await copy.revisionText(spec, hashOf('text 2\n'))) ?? '', 'text 2\n');
});

test('[REP-22] a host names the authors of its peers; nobody else does', async () => {
  const world = await startLeader();
  const { follower } = await startHost(world);
  const result = follower.proposeOnce(createOf('carol', spec, 'openapi.yaml', 'text\n'), authorOf('carol'));
  await world.time.advance(200);
  assert.equal((await result)?.kind, 'committed');
  assert.equal(world.transactions.heads()[0]?.author.name, 'carol');
  const mallory = world.connectByHand('mallory');
  await greet(world, mallory);
  const proposal = editOf('mallory', spec, 'text\n', 'forged\n');
  mallory.send({ kind: 'propose', requestId: 1, proposal, author: authorOf('alice') });
  await world.time.advance(200);
  assert.equal(mallory.last('bye').reason, 'invalidMessage');
  assert.equal(world.transactions.heads()[0]?.hash, hashOf('text\n'));
});

test('[REP-27] a relay answers only when the entry is in its copy, and says nothing where the leader went away before', async () => {
  const world = await startLeader();
  const { copy, follower } = await startHost(world);
  const relay = new RelayedLog({ log: copy, follower, onHigherTerm: () => undefined });
  const append = relay.append(createOf('carol', spec, 'openapi.yaml', 'text\n'), authorOf('carol'));
  let indexThen: number | undefined;
  void append.then(() => (indexThen = copy.position.index));
  await world.time.advance(200);
  assert.deepEqual([await append, indexThen], [{ kind: 'committed', index: 1 }, 1]);
  const lost = relay.append(editOf('carol', spec, 'text\n', 'more\n'), authorOf('carol'));
  follower.detach();
  await assert.rejects(lost, { code: 'connection-failed' });
});

test('[REP-27] everybody sees everybody: the peers of a host are named to the leader', async () => {
  const world = await startLeader();
  await startHost(world);
  await world.time.advance(HEARTBEAT_MS);
  assert.deepEqual(
    world.leader.peersHere.map(({ name }) => name),
    ['host-b', 'carol'],
  );
});
