import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex, PeerId } from '../../../src/core/ids.ts';
import { parseMessage } from '../../../src/core/replication/messages.ts';
import type { MessageBody } from '../../../src/core/replication/messages.ts';
import { SyncError } from '../../../src/core/replication/syncError.ts';
import { createConnectionPair } from '../../../src/node/transport/memoryConnection.ts';
import type { HostLinks, SyncHost } from '../../../src/peer/syncHost.ts';
import { SyncService } from '../../../src/peer/syncService.ts';
import { authorOf, createFakeAmbient, createOf, FakeTime, peerInfo, RecordingSink } from './fakes.ts';
import { HandPeer, HEARTBEAT_MS, LIBRARY, TIMEOUT_MS } from './wire.ts';

const leaderId = 'peer-leader' as PeerId;
const welcome: MessageBody = {
  kind: 'welcome',
  requestId: 0,
  protocol: 1,
  index: 0 as never,
  runningHash: '',
  standing: 'onLog',
  peers: [],
};

/** A machine on which somebody else holds the lock, and whatever the test wants answers at its address. */
function createHost(answer: (leader: HandPeer) => void, links?: HostLinks) {
  const attempts: number[] = [];
  const time = new FakeTime();
  let hint: (() => void) | undefined;
  const host: SyncHost = {
    tryLock: () => false,
    releaseLock: () => undefined,
    openLog: () => Promise.reject(new SyncError('log-unavailable', 'Somebody else has it.')),
    listen: () => Promise.reject(new SyncError('log-unavailable', 'Somebody else listens.')),
    connect: () => {
      attempts.push(time.now);
      const [mine, leaders] = createConnectionPair();
      const leader = new HandPeer(leaders, leaderId, { number: 1, leaderId });
      leaders.onMessage((text) => {
        if (text.includes('"hello"')) answer(leader);
      });
      return Promise.resolve(mine);
    },
    connectWithin: createConnectionPair,
    links,
    watch: (onHint) => {
      hint = onHint;
      return { dispose: () => (hint = undefined) };
    },
  };
  const start = (): Promise<SyncService> =>
    SyncService.startOn(host, {
      libraryId: LIBRARY,
      peer: peerInfo('bob'),
      sink: new RecordingSink(),
      ambient: createFakeAmbient(time),
      heartbeatMs: HEARTBEAT_MS,
      timeoutMs: TIMEOUT_MS,
    });
  return { host, time, attempts, start, hint: () => hint };
}

test('[REP-25] a leader that ends every connection at once is not stormed', async () => {
  const { time, attempts, start } = createHost((leader) => {
    leader.send(welcome);
    leader.send({ kind: 'bye', reason: 'overloaded' });
  });
  const service = await start();
  await time.advance(60_000);
  assert.ok(attempts.length >= 5 && attempts.length <= 12, `${String(attempts.length)} attempts in a minute`);
  service.dispose();
  await service.closed;
});

test('[REP-25] a hint that a new leader is there ends the pause; while connected nobody listens for hints', async () => {
  let isThere = false;
  const { time, attempts, start, hint } = createHost((leader) => {
    if (isThere) leader.send(welcome);
    else leader.connection.close();
  });
  const service = await start();
  await time.advance(30_000);
  const count = attempts.length;
  isThere = true;
  hint()?.();
  await time.advance(0);
  assert.equal(attempts.length, count + 1);
  assert.equal(service.status.connection, 'connected');
  assert.equal(hint(), undefined);
  service.dispose();
  await service.closed;
  assert.equal(time.pendingTimers, 0);
});

test('[REP-03] a peer whose release is too old says so, and what to do', async () => {
  const { time, start } = createHost((leader) => {
    leader.send({ kind: 'bye', reason: 'protocolTooOld' });
  });
  const service = await start();
  await time.advance(1_000);
  assert.deepEqual([service.status.connection, service.status.problem?.code], ['connecting', 'protocol-too-old']);
  await time.advance(TIMEOUT_MS);
  assert.equal(service.status.connection, 'offline');
  service.dispose();
  await service.closed;
});

test('[REP-26] a commit that the next leader lacks is proposed again, and told only when its entry has come in', async () => {
  const proposed: string[] = [];
  const proposal = createOf('bob', 'doc-1', 'openapi.yaml', 'text\n');
  let leaderships = 0;
  const links = { ownAddress: 'me', addresses: [], connect: () => Promise.reject(new Error('Nobody is there.')) };
  const { time, start } = createHost((leader) => {
    leaderships += 1;
    const isFirst = leaderships === 1;
    leader.term = { number: leaderships, leaderId };
    leader.send(welcome);
    leader.connection.onMessage((text) => {
      const { value } = parseMessage(text);
      if (value?.kind !== 'propose') return;
      proposed.push(value.proposal.proposalId);
      leader.send({ kind: 'committed', requestId: value.requestId, index: 1 as LogIndex });
      // The first leader dies before anybody else has the entry.
      if (isFirst) leader.connection.close();
      else {
        const entry = { ...proposal, index: 1, term: leader.term, author: authorOf('bob'), at: 1 };
        leader.send({ kind: 'newEntries', from: 1 as LogIndex, to: 1 as LogIndex, count: 1, entries: [entry] });
      }
    });
  }, links);
  const service = await start();
  let toldAt: number | undefined;
  const told = service.propose(proposal).then((result) => {
    toldAt = leaderships;
    return result;
  });
  await time.advance(5_000);
  assert.deepEqual([await told, toldAt], [{ kind: 'committed', index: 1 }, 2]);
  assert.deepEqual(proposed, [proposal.proposalId, proposal.proposalId]);
  service.dispose();
  await service.closed;
});
