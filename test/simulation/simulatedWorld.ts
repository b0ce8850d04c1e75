import { SeededRandom } from './seededRandom.ts';
import { VirtualTime } from './virtualTime.ts';

/** What every simulation is made of: the chances of its seed, the only clock, and what was found wrong. */
export class SimulatedWorld {
  readonly random: SeededRandom;
  readonly time = new VirtualTime();
  readonly violations: string[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.random = new SeededRandom(seed);
  }

  fail(what: string): void {
    this.violations.push(`seed ${String(this.#seed)} at ${this.time.now.toFixed(1)} ms: ${what}`);
  }

  /** Whether nothing was found wrong; more events than these mean that the peers never come to rest. */
  isFine(maxEvents: number): boolean {
    if (this.time.events > maxEvents) this.fail('the peers never come to rest');
    return this.violations.length === 0;
  }

  /** At some moment between the two, in milliseconds from now. */
  later(lowMs: number, highMs: number, run: () => void): void {
    this.time.after(this.random.between(lowMs, highMs), undefined, run);
  }

  /** Again and again until `endMs`, at distances between the two. */
  repeat(lowMs: number, highMs: number, endMs: number, act: () => void): void {
    this.later(lowMs, highMs, () => {
      if (this.time.now >= endMs) return;
      act();
      this.repeat(lowMs, highMs, endMs, act);
    });
  }
}
