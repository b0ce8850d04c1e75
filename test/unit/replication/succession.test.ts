import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex, PeerId } from '../../../src/core/ids.ts';
import { Succession } from '../../../src/core/replication/succession.ts';
import type { HostRole, HostState } from '../../../src/core/replication/succession.ts';

const HEARTBEAT_MS = 5_000;
const TIMEOUT_MS = 15_000;

function stateOf(name: string, role: HostRole, number: number, index = 0, more: Partial<HostState> = {}): HostState {
  const term = { number, leaderId: (role === 'leading' ? name : 'leader') as PeerId };
  return {
    hostId: name as PeerId,
    address: `${name}:1`,
    role,
    term,
    highestTerm: number,
    index: index as LogIndex,
    line: [],
    ...more,
  };
}

/** A host that has looked around. */
function successionOf(name = 'me'): Succession {
  const succession = new Succession({
    hostId: name as PeerId,
    heartbeatMs: HEARTBEAT_MS,
    timeoutMs: TIMEOUT_MS,
  });
  succession.noteLookedAround();
  return succession;
}

test('[ELE-08] a host that has not looked around waits, and one that finds nobody leads at once', () => {
  const succession = new Succession({ hostId: 'me' as PeerId, heartbeatMs: HEARTBEAT_MS, timeoutMs: TIMEOUT_MS });
  const own = stateOf('me', 'looking', 4);
  assert.deepEqual(succession.decide(own, 0), { kind: 'wait' });
  succession.noteLookedAround();
  assert.deepEqual(succession.decide(own, 1), { kind: 'lead', above: 4 });
});

test('[ELE-09] a leader of an older term than the log knows is not followed', () => {
  const succession = successionOf();
  succession.note(stateOf('old', 'leading', 3, 99), 0);
  assert.deepEqual(succession.decide(stateOf('me', 'looking', 4), 0), { kind: 'lead', above: 4 });
  succession.note(stateOf('new', 'leading', 5), 0);
  assert.deepEqual(succession.decide(stateOf('me', 'looking', 4), 0), {
    kind: 'follow',
    hostId: 'new',
    address: 'new:1',
    isLeader: true,
  });
});

test('[ELE-10] a leader counts as gone after 15 s of silence, by the monotonic clock, and at once when it says goodbye', () => {
  const succession = successionOf();
  const own = stateOf('me', 'following', 1, 7);
  succession.note(stateOf('leader', 'leading', 1, 7), 0);
  for (const now of [5_000, 10_000, TIMEOUT_MS]) assert.equal(succession.decide(own, now).kind, 'follow', String(now));
  assert.deepEqual(succession.decide(own, TIMEOUT_MS + 1), { kind: 'lead', above: 1 });
  succession.note(stateOf('leader', 'leading', 1, 7), 16_000);
  assert.equal(succession.decide(own, 16_000).kind, 'follow');
  succession.forget('leader' as PeerId);
  assert.equal(succession.decide(own, 16_001).kind, 'lead');
});

test('[ELE-10] who slept itself does not count the others as gone before it has read what they said', () => {
  const succession = successionOf();
  const own = stateOf('me', 'following', 1, 7);
  succession.note(stateOf('leader', 'leading', 1, 7), 0);
  succession.decide(own, 1_000);
  const hour = 3_600_000;
  assert.equal(succession.decide(own, hour).kind, 'follow');
  assert.equal(succession.decide(own, hour + HEARTBEAT_MS).kind, 'follow');
  succession.decide(own, hour + 2 * HEARTBEAT_MS);
  succession.decide(own, hour + 3 * HEARTBEAT_MS);
  assert.equal(succession.decide(own, hour + TIMEOUT_MS + 1).kind, 'lead');
});

test('[ELE-10] a host that we cannot reach is not followed, however often it visits us', () => {
  const succession = successionOf();
  succession.noteVisit(stateOf('leader', 'leading', 6, 9));
  assert.deepEqual(succession.decide(stateOf('me', 'looking', 2), 0), { kind: 'lead', above: 6 });
  assert.deepEqual(succession.known, [{ hostId: 'leader', address: 'leader:1' }]);
});

test('[ELE-11] of the hosts that reach each other exactly one takes over: the one with the highest term, then index, then id', () => {
  const hosts = [
    stateOf('a', 'looking', 2, 90),
    stateOf('b', 'looking', 3, 10),
    stateOf('c', 'looking', 3, 12),
    stateOf('d', 'looking', 3, 12),
    stateOf('e', 'unable', 9, 99),
  ];
  const leading = hosts.filter((own) => {
    const succession = successionOf(own.hostId);
    for (const other of hosts) succession.note(other, 0);
    return succession.decide(own, 0).kind === 'lead';
  });
  assert.deepEqual(
    leading.map(({ hostId }) => hostId),
    ['d'],
  );
});

test('[ELE-11] the new term is above every term that anybody has told of, and none that cannot be meant', () => {
  const succession = successionOf();
  succession.note(stateOf('b', 'looking', 1, 0, { highestTerm: 41 }), 0);
  succession.noteVisit(stateOf('c', 'looking', 1, 0, { highestTerm: Number.MAX_SAFE_INTEGER }));
  assert.deepEqual(succession.decide(stateOf('me', 'looking', 3, 5), 0), { kind: 'lead', above: 41 });
});

test('[ELE-12] a leader that meets a higher term follows its leader', () => {
  const succession = successionOf();
  const own = stateOf('me', 'leading', 4, 50);
  succession.note(stateOf('other', 'leading', 3, 70), 0);
  assert.equal(succession.decide(own, 0).kind, 'wait', 'an older term changes nothing');
  succession.note(stateOf('other', 'leading', 5, 1), 1);
  assert.equal(succession.decide(own, 1).kind, 'follow');
});

test('[ELE-12] with nobody to follow it goes above the term that it met, once, and not before the timeout: two that outbid each other never end', () => {
  const succession = successionOf();
  const own = stateOf('me', 'leading', 4, 50);
  succession.noteVisit(stateOf('other', 'leading', 5, 1));
  for (let now = 0; now < TIMEOUT_MS; now += HEARTBEAT_MS) assert.equal(succession.decide(own, now).kind, 'wait');
  assert.deepEqual(succession.decide(own, TIMEOUT_MS), { kind: 'lead', above: 5 });
  assert.equal(succession.decide({ ...own, term: { ...own.term, number: 6 } }, TIMEOUT_MS + 1).kind, 'wait');
});

test('[ELE-12] a leader leaves it to a host that knows more', () => {
  const succession = successionOf();
  const own = stateOf('me', 'leading', 4, 50);
  for (let now = 0; now <= 2 * TIMEOUT_MS; now += HEARTBEAT_MS) {
    succession.note(stateOf('other', 'looking', 5, 1), now);
    assert.equal(succession.decide(own, now).kind, 'wait');
  }
});

test('[ELE-13] a leader out of reach is followed through a host that is connected to it, and through no longer a way', () => {
  const succession = successionOf();
  const own = stateOf('me', 'looking', 4, 50);
  succession.note(stateOf('chain', 'relayed', 4, 60), 0);
  assert.equal(succession.decide(own, 0).kind, 'lead', 'two that follow through each other would follow nobody');
  succession.note(stateOf('near', 'following', 4, 49), 0);
  assert.deepEqual(succession.decide(own, 0), { kind: 'follow', hostId: 'near', address: 'near:1', isLeader: false });
  succession.note(stateOf('leader', 'leading', 4, 60), 0);
  assert.equal((succession.decide(own, 0) as { hostId?: string }).hostId, 'leader');
});

test('[ELE-08] a process that took the place of another one is not waited for as the other', () => {
  const succession = successionOf();
  const own = stateOf('me', 'following', 1, 7);
  succession.note(stateOf('leader', 'leading', 1, 7), 0);
  succession.noteVisit({ ...stateOf('next', 'looking', 1, 5), address: 'leader:1' });
  assert.equal(succession.decide(own, 1).kind, 'lead');
});

test('[ELE-08] the leader hands out the line of succession, and everybody keeps the newest', () => {
  const leader = successionOf('leader');
  leader.note(stateOf('b', 'following', 1), 0);
  const line = leader.line(stateOf('leader', 'leading', 1), 0);
  assert.deepEqual(
    line.map(({ hostId }) => hostId),
    ['leader', 'b'],
  );
  const mine = successionOf();
  mine.note(stateOf('leader', 'leading', 1, 0, { line }), 0);
  assert.deepEqual(mine.known.map(({ address }) => address).sort(), ['b:1', 'leader:1']);
});
