import { setTimeout as delay } from 'node:timers/promises';

/** How long a test waits for something that should happen soon. Generous: it only costs time where the test fails anyway. */
export const defaultTimeoutMilliseconds = 30_000;

export interface WaitOptions {
  readonly timeout?: number;
}

/**
 * Asks again and again until the answer is neither `undefined` nor `false`, and returns it. An exception counts as "not yet";
 * the last one is the cause of the failure when the time is up.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeout = defaultTimeoutMilliseconds }: WaitOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + timeout;
  for (;;) {
    let last: unknown;
    try {
      const value = await probe();
      if (isAnswer(value)) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`Waited ${String(timeout / 1000)} s for ${what}.`, { cause: last });
    }
    await delay(25);
  }
}

function isAnswer<T>(value: T): value is Exclude<T, undefined | false> {
  return value !== undefined && value !== false;
}
