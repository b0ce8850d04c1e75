import { randomBytes, randomUUID } from 'node:crypto';
import type { Ambient, Logger } from '../core/ports.ts';
import { hashText, rememberHashes } from './hashText.ts';

const FRACTION_BYTES = 6;

/**
 * The real clock, timers and chance. Timers keep the process alive: a peer that only waits to reconnect is at work.
 * Each has an owner that cancels it when disposed, so a process whose peers are disposed ends.
 */
export function createAmbient(logger: Logger): Ambient {
  return {
    clock: { wallNow: () => Date.now(), monotonicNow: () => performance.now() },
    scheduler: {
      after: (delayMs, run) => {
        const timer = setTimeout(run, delayMs);
        return {
          dispose: () => {
            clearTimeout(timer);
          },
        };
      },
    },
    random: {
      uuid: () => randomUUID(),
      fraction: () => randomBytes(FRACTION_BYTES).readUIntBE(0, FRACTION_BYTES) / 2 ** (8 * FRACTION_BYTES),
    },
    hashText: rememberHashes(hashText),
    logger,
  };
}
