import type { DocId } from '../../core/ids.ts';
import type { Clock } from '../../core/ports.ts';
import type { Removals } from './replicaPorts.ts';

/** A file has to be gone for so long: an atomic save, a checkout, a generator take it away for a moment. Counted from the newest one. */
const QUIET_MS = 2_000;
/** More than these in one go are asked about: a folder was removed, a disk went away. */
const MAX_AT_ONCE = 3;
/** Removals that are further apart than this are not one go. */
const ONE_GO_MS = 30_000;

/** Tells the files that a person deletes one by one from many that vanish at once ([DEL-02], [DEL-03]). */
export class ManyRemovals implements Removals {
  readonly #clock: Clock;
  readonly #documentCount: () => number;
  /** Those that are missing, with what was found about them. */
  readonly #missing = new Map<DocId, 'open' | 'send' | 'ask'>();
  /** When those went that were found to be a person's doing. */
  #sentAt: number[] = [];
  #newestAt = 0;

  /** @param documentCount how many documents have a copy here. */
  constructor(clock: Clock, documentCount: () => number) {
    this.#clock = clock;
    this.#documentCount = documentCount;
  }

  missed(docId: DocId): void {
    if (this.#missing.has(docId)) return;
    this.#missing.set(docId, 'open');
    this.#newestAt = this.#clock.monotonicNow();
  }

  toldAgain(docId: DocId): void {
    if (this.#missing.get(docId) === 'open') this.#newestAt = this.#clock.monotonicNow();
  }

  settled(docId: DocId): void {
    this.#missing.delete(docId);
  }

  verdict(docId: DocId): ReturnType<Removals['verdict']> {
    this.missed(docId);
    const known = this.#missing.get(docId);
    if (known === 'send' || known === 'ask') return { kind: known };
    const now = this.#clock.monotonicNow();
    const waitMs = this.#newestAt + QUIET_MS - now;
    if (waitMs > 0) return { kind: 'wait', waitMs };
    this.#sentAt = this.#sentAt.filter((at) => now - at < ONE_GO_MS);
    const open = [...this.#missing].filter(([, state]) => state === 'open').map(([id]) => id);
    const asked = [...this.#missing.values()].filter((state) => state === 'ask').length;
    const inOneGo = open.length + asked + this.#sentAt.length;
    const isEverything = inOneGo > 1 && this.#missing.size >= this.#documentCount();
    const kind = inOneGo > MAX_AT_ONCE || isEverything ? 'ask' : 'send';
    for (const id of open) {
      this.#missing.set(id, kind);
      if (kind === 'send') this.#sentAt.push(now);
    }
    return { kind };
  }
}
