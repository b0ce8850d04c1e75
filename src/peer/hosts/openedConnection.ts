import type { CloseReason, Connection } from '../../core/replication/connection.ts';
import { MessageInbox } from '../../node/transport/messageInbox.ts';

/** A connection whose first message decides who serves it; whoever that is gets this message too. */
export class OpenedConnection implements Connection {
  readonly #inner: Connection;
  readonly #inbox = new MessageInbox();
  readonly onMessage = this.#inbox.onMessage;
  readonly onClose = this.#inbox.onClose;
  #isOpened = false;

  private constructor(inner: Connection) {
    this.#inner = inner;
  }

  /** Calls back once, with the first message; who listens then hears it too. */
  static open(inner: Connection, onFirst: (opened: Connection, text: string) => void): void {
    const opened = new OpenedConnection(inner);
    inner.onClose((reason: CloseReason) => {
      opened.#inbox.close(reason);
    });
    inner.onMessage((text) => {
      opened.#inbox.push(text);
      if (opened.#isOpened) return;
      opened.#isOpened = true;
      onFirst(opened, text);
    });
  }

  get isClosed(): boolean {
    return this.#inner.isClosed;
  }

  get isCongested(): boolean {
    return this.#inner.isCongested;
  }

  send(text: string): void {
    this.#inner.send(text);
  }

  close(): void {
    this.#inner.close();
  }
}
