import type { Scheduler } from '../../core/ports.ts';
import type { ExclusiveLock } from './exclusiveLock.ts';

/** Who holds the lock works for some tens of milliseconds. */
const ASK_AGAIN_MS = 20;

/**
 * Runs a short step while no other process (or other caller in this one) runs one under the same lock. It waits for its
 * turn as long as somebody holds the lock, which ends with that one's process at the latest. Rejects like the step, where
 * the lock's file cannot be used at all, or with the signal's reason where the wait is given up: a process can be frozen.
 */
export async function runUnderLock<T>(
  lock: ExclusiveLock,
  scheduler: Scheduler,
  signal: AbortSignal,
  step: () => Promise<T>,
): Promise<T> {
  while (!lock.tryAcquire()) {
    await new Promise<void>((resolve) => scheduler.after(ASK_AGAIN_MS, resolve));
    signal.throwIfAborted();
  }
  try {
    return await step();
  } finally {
    lock.release();
  }
}
