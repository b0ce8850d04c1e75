import type { Clock } from '../../core/ports.ts';
import { MAX_MESSAGE_BYTES } from '../../core/replication/limits.ts';

/** A save is one frame; a generator that rewrites a thousand files at once stays below this. Per second. */
const FRAMES_PER_SECOND = 2_000;
const FRAME_BURST = 10_000;
const BYTES_PER_SECOND = 64 * 1024 * 1024;
const BYTE_BURST = 2 * MAX_MESSAGE_BYTES;
const MS_PER_SECOND = 1_000;

/** Two token buckets: a peer that floods us is cut off, however small its frames are (I10). */
export class RateLimit {
  readonly #clock: Clock;
  #frames = FRAME_BURST;
  #bytes = BYTE_BURST;
  #refilledAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#refilledAt = clock.monotonicNow();
  }

  allows(byteLength: number): boolean {
    const now = this.#clock.monotonicNow();
    const seconds = (now - this.#refilledAt) / MS_PER_SECOND;
    this.#refilledAt = now;
    this.#frames = Math.min(FRAME_BURST, this.#frames + seconds * FRAMES_PER_SECOND) - 1;
    this.#bytes = Math.min(BYTE_BURST, this.#bytes + seconds * BYTES_PER_SECOND) - byteLength;
    return this.#frames >= 0 && this.#bytes >= 0;
  }
}
