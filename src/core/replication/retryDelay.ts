import type { Random } from '../ports.ts';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;
/** 250 ms doubled seven times is beyond the maximum; counting on would only overflow. */
const MAX_DOUBLINGS = 7;

/**
 * How long to wait before the next attempt, in milliseconds: 0.25 s doubled with each failure up to 30 s, with the upper
 * half of it left to chance, so that peers that lost the same leader do not come back in step.
 */
export function retryDelay(attempt: number, random: Random): number {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, MAX_DOUBLINGS));
  return longest * (0.5 + random.fraction() / 2);
}
