import type { Ambient, Logger } from '../../src/core/ports.ts';
import { hashOf, silentLogger } from '../unit/replication/fakes.ts';
import type { SeededRandom } from './seededRandom.ts';
import type { EventOwner, VirtualTime } from './virtualTime.ts';

/** A process: when it dies, whatever it was about to do never happens. */
export class SimulatedProcess implements EventOwner {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  isAlive = true;
  frozenUntil = 0;
  /** Its wall clock is off by this much. */
  wallOffset = 0;
  readonly ambient: Ambient;

  constructor(name: string, time: VirtualTime, random: SeededRandom, logger: Logger = silentLogger) {
    this.name = name;
    this.time = time;
    this.random = random;
    this.ambient = {
      clock: { wallNow: () => Math.round(time.now + this.wallOffset), monotonicNow: () => time.now },
      scheduler: { after: (delayMs, run) => time.after(delayMs, this, run) },
      random: { uuid: () => `${name}-${String(random.below(2 ** 31))}`, fraction: () => random.fraction() },
      hashText: hashOf,
      logger,
    };
  }

  /** Resolves later, or never, should the process die before. */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.after(ms, this, resolve));
  }
}
