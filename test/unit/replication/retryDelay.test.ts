import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelay } from '../../../src/core/replication/retryDelay.ts';

const withFraction = (fraction: number) => ({ uuid: () => '', fraction: () => fraction });

test('[REP-25] pauses double from 0.25 s to 30 s, with the upper half left to chance', () => {
  const longest = Array.from({ length: 12 }, (_, attempt) => retryDelay(attempt, withFraction(1)));
  assert.deepEqual(longest, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(
    [0, 3, 1_000].map((attempt) => retryDelay(attempt, withFraction(0))),
    [125, 1_000, 15_000],
  );
});
