import type { CloseReason, Connection } from '../../core/replication/connection.ts';
import { MessageInbox } from './messageInbox.ts';

/** Two ends of a connection within one process: what one sends the other receives, in order, never within the same call. */
export function createConnectionPair(): readonly [Connection, Connection] {
  const left = new MemoryConnection();
  const right = new MemoryConnection();
  left.connectTo(right);
  right.connectTo(left);
  return [left, right];
}

class MemoryConnection implements Connection {
  readonly #inbox = new MessageInbox();
  #other: MemoryConnection | undefined;
  #isClosed = false;

  readonly onMessage = this.#inbox.onMessage;
  readonly onClose = this.#inbox.onClose;
  readonly isCongested = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  connectTo(other: MemoryConnection): void {
    this.#other = other;
  }

  send(text: string): void {
    if (this.#isClosed) return;
    const other = this.#other;
    queueMicrotask(() => {
      other?.receive(text);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    const other = this.#other;
    this.#finish('closed');
    queueMicrotask(() => {
      other?.finish('lost');
    });
  }

  receive(text: string): void {
    if (!this.#isClosed) this.#inbox.push(text);
  }

  finish(reason: CloseReason): void {
    this.#finish(reason);
  }

  #finish(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.close(reason);
  }
}
