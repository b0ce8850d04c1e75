import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastingHindrance } from '../../../src/peer/lastingHindrance.ts';

interface Timer {
  readonly delayMs: number;
  readonly run: () => void;
}

function makeWorld(): {
  hindrance: LastingHindrance;
  timers: Set<Timer>;
  told: () => number;
} {
  let told = 0;
  const timers = new Set<Timer>();
  const scheduler = {
    after: (delayMs: number, run: () => void) => {
      const timer = { delayMs, run };
      timers.add(timer);
      return { dispose: () => void timers.delete(timer) };
    },
  };
  const hindrance = new LastingHindrance(scheduler, () => told++);
  return { hindrance, timers, told: () => told };
}

test('what is over within a second is never shown', () => {
  const { hindrance, timers } = makeWorld();
  hindrance.update('git has just changed files', false);
  assert.equal(hindrance.isLasting, false);
  hindrance.update(undefined, false);
  assert.equal(hindrance.isLasting, false);
  assert.equal(timers.size, 0);
});

test('what lasts a second is shown then, however often it is reported', () => {
  const { hindrance, timers, told } = makeWorld();
  hindrance.update('a git rebase is under way', false);
  hindrance.update('git is changing files', false);
  assert.equal(timers.size, 1);
  // The timer may run a fraction of a millisecond early by the clock, and it runs once.
  for (const timer of timers) timer.run();
  assert.equal(told(), 1);
  assert.equal(hindrance.isLasting, true);
});

test('a branch that has not joined is shown at once', () => {
  const { hindrance } = makeWorld();
  hindrance.update('branch other has not joined', true);
  assert.equal(hindrance.isLasting, true);
});
