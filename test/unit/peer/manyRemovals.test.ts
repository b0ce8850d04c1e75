import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocId } from '../../../src/core/ids.ts';
import { ManyRemovals } from '../../../src/peer/replica/manyRemovals.ts';

const ids = ['a', 'b', 'c', 'd', 'e'] as DocId[];

function world(documentCount: number): { readonly removals: ManyRemovals; readonly pass: (ms: number) => void } {
  let now = 1_000;
  const clock = { wallNow: () => now, monotonicNow: () => now };
  return { removals: new ManyRemovals(clock, () => documentCount), pass: (ms) => (now += ms) };
}

function verdicts(removals: ManyRemovals, count: number): string[] {
  return ids.slice(0, count).map((id) => removals.verdict(id).kind);
}

test('[DEL-02] a file that is gone is deleted after two seconds without another one going', () => {
  const { removals, pass } = world(10);
  removals.missed(ids[0] as DocId);
  assert.deepEqual(removals.verdict(ids[0] as DocId), { kind: 'wait', waitMs: 2_000 });
  pass(1_500);
  removals.missed(ids[1] as DocId);
  assert.deepEqual(removals.verdict(ids[0] as DocId), { kind: 'wait', waitMs: 2_000 });
  pass(2_000);
  assert.deepEqual(verdicts(removals, 2), ['send', 'send']);
});

test('[DEL-02] a file that the watcher tells of once more was there in between: two seconds count from then', () => {
  const { removals, pass } = world(10);
  removals.missed(ids[0] as DocId);
  pass(1_500);
  removals.toldAgain(ids[0] as DocId);
  removals.toldAgain(ids[1] as DocId);
  assert.deepEqual(removals.verdict(ids[0] as DocId), { kind: 'wait', waitMs: 2_000 });
  pass(2_000);
  assert.deepEqual(verdicts(removals, 1), ['send']);
});

test('[DEL-02] a file that came back is forgotten', () => {
  const { removals, pass } = world(10);
  removals.missed(ids[0] as DocId);
  pass(3_000);
  removals.settled(ids[0] as DocId);
  assert.equal(removals.verdict(ids[0] as DocId).kind, 'wait');
});

test('[DEL-03] more than three at once are asked about, each of them', () => {
  const { removals, pass } = world(10);
  for (const id of ids.slice(0, 4)) removals.missed(id);
  pass(2_000);
  assert.deepEqual(verdicts(removals, 4), ['ask', 'ask', 'ask', 'ask']);
});

test('[DEL-03] so are more than three that go one after the other', () => {
  const { removals, pass } = world(10);
  const told: string[] = [];
  for (const id of ids) {
    removals.missed(id);
    pass(2_500);
    const { kind } = removals.verdict(id);
    told.push(kind);
    if (kind === 'send') removals.settled(id);
  }
  assert.deepEqual(told, ['send', 'send', 'send', 'ask', 'ask']);
});

test('[DEL-03] all documents at once are asked about, a single one is not', () => {
  const two = world(2);
  for (const id of ids.slice(0, 2)) two.removals.missed(id);
  two.pass(2_000);
  assert.deepEqual(verdicts(two.removals, 2), ['ask', 'ask']);
  const one = world(1);
  one.removals.missed(ids[0] as DocId);
  one.pass(2_000);
  assert.deepEqual(verdicts(one.removals, 1), ['send']);
});
