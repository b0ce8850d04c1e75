import type { Disposable } from './ports.ts';

/** Subscribe; dispose what comes back to stop listening. */
export type Event<T> = (listener: (value: T) => void) => Disposable;

/** The sending end of an `Event`. A listener that throws is reported to `onListenerError` and does not keep the others from hearing. */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<{ readonly call: (value: T) => void }>();
  readonly #onListenerError: (error: unknown) => void;
  #isDisposed = false;

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  readonly event: Event<T> = (listener) => {
    const entry = { call: listener };
    if (!this.#isDisposed) this.#listeners.add(entry);
    return { dispose: () => this.#listeners.delete(entry) };
  };

  fire(value: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener.call(value);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#listeners.clear();
  }
}
