import type { Disposable } from '../../src/core/ports.ts';

/** Whose doing an event is: it never happens when its owner is dead, and later when its owner is frozen. */
export interface EventOwner {
  readonly isAlive: boolean;
  /** Until then nothing of this owner runs (SIGSTOP, a suspended laptop). */
  readonly frozenUntil: number;
}

interface TimedEvent {
  at: number;
  readonly order: number;
  readonly owner: EventOwner | undefined;
  readonly run: () => void;
  isCancelled: boolean;
}

/** The only clock of a simulation. Nothing happens but what is scheduled here, one event after the other. */
export class VirtualTime {
  now = 0;
  events = 0;
  #order = 0;
  /** A binary heap, earliest first. */
  readonly #heap: TimedEvent[] = [];

  after(delayMs: number, owner: EventOwner | undefined, run: () => void): Disposable {
    this.#order += 1;
    const event = { at: this.now + Math.max(0, delayMs), order: this.#order, owner, run, isCancelled: false };
    this.#push(event);
    return { dispose: () => (event.isCancelled = true) };
  }

  /** Runs the next event and lets what comes of it settle; false where nothing is left before `end`. */
  async step(end: number): Promise<boolean> {
    for (;;) {
      const event = this.#heap[0];
      if (event === undefined || event.at > end) {
        this.now = Math.max(this.now, end);
        return false;
      }
      this.#pop();
      if (event.isCancelled || event.owner?.isAlive === false) continue;
      if (event.owner !== undefined && event.owner.frozenUntil > event.at) {
        event.at = event.owner.frozenUntil;
        this.#push(event);
        continue;
      }
      this.now = event.at;
      this.events += 1;
      event.run();
      // Everything below is promises that wait for other events, so one turn of the loop lets them all run out.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
  }

  #push(event: TimedEvent): void {
    const heap = this.#heap;
    let position = heap.push(event) - 1;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!isEarlier(event, heap[parent])) break;
      this.#swap(position, parent);
      position = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    let position = 0;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      const child = isEarlier(heap[right], heap[left]) ? right : left;
      if (!isEarlier(heap[child], heap[position])) return;
      this.#swap(position, child);
      position = child;
    }
  }

  #swap(left: number, right: number): void {
    const heap = this.#heap;
    const [a, b] = [heap[left], heap[right]];
    if (a === undefined || b === undefined) throw new Error('The heap has a hole.');
    heap[left] = b;
    heap[right] = a;
  }
}

function isEarlier(a: TimedEvent | undefined, b: TimedEvent | undefined): boolean {
  if (a === undefined) return false;
  if (b === undefined) return true;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
