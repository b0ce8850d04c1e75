import type { Event } from '../../core/event.ts';
import type { CloseReason } from '../../core/replication/connection.ts';

/** What a connection has received: kept for the first listener, then handed on as it comes; and whether it is over. */
export class MessageInbox {
  readonly #messageListeners = new Set<(text: string) => void>();
  readonly #closeListeners = new Set<(reason: CloseReason) => void>();
  #early: string[] = [];

  readonly onMessage: Event<string> = (listener) => {
    this.#messageListeners.add(listener);
    const early = this.#early;
    this.#early = [];
    for (const text of early) listener(text);
    return { dispose: () => this.#messageListeners.delete(listener) };
  };

  readonly onClose: Event<CloseReason> = (listener) => {
    this.#closeListeners.add(listener);
    return { dispose: () => this.#closeListeners.delete(listener) };
  };

  push(text: string): void {
    if (this.#messageListeners.size === 0) {
      this.#early.push(text);
      return;
    }
    for (const listener of [...this.#messageListeners]) listener(text);
  }

  close(reason: CloseReason): void {
    for (const listener of [...this.#closeListeners]) listener(reason);
    this.#closeListeners.clear();
    this.#messageListeners.clear();
    this.#early = [];
  }
}
