import type { WebSocket } from 'ws';
import type { Clock } from '../../core/ports.ts';
import type { CloseReason, Connection } from '../../core/replication/connection.ts';
import { MAX_MESSAGE_BYTES } from '../../core/replication/limits.ts';
import { FrameJoiner, splitIntoFrames } from './frames.ts';
import { MessageInbox } from './messageInbox.ts';
import { RateLimit } from './rateLimit.ts';

/** Above this many bytes waiting to be sent, announcements wait too. */
const CONGESTED_BYTES = 4 * 1024 * 1024;
/** One answer of the largest size may wait beside some smaller ones; whoever lets more gather does not read. */
const MAX_WAITING_BYTES = 2 * MAX_MESSAGE_BYTES;
/** How long a closed connection may take to say goodbye before it is cut, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;

/** A connection over an open WebSocket whose handshake is done. */
export class WebSocketConnection implements Connection {
  readonly #socket: WebSocket;
  readonly #inbox = new MessageInbox();
  readonly #joiner = new FrameJoiner();
  readonly #rate: RateLimit;
  #isClosed = false;

  readonly onMessage = this.#inbox.onMessage;
  readonly onClose = this.#inbox.onClose;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#rate = new RateLimit(clock);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.#receive(data, isBinary);
    });
    socket.on('close', () => {
      this.#finish('lost');
    });
    // It may have closed between the handshake's last line and now; no event will tell us any more.
    if (socket.readyState !== socket.OPEN) this.#isClosed = true;
    socket.on('error', () => {
      // `close` follows with whatever remains to be done; without a listener the error would end the process.
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isCongested(): boolean {
    return this.#socket.bufferedAmount > CONGESTED_BYTES;
  }

  send(text: string): void {
    if (this.#isClosed) return;
    for (const frame of splitIntoFrames(text)) this.#socket.send(frame);
    if (this.#socket.bufferedAmount > MAX_WAITING_BYTES) this.#cut('congested');
  }

  close(): void {
    if (this.#isClosed) return;
    this.#finish('closed');
    this.#socket.close();
    // The other side may be frozen; the socket must not outlive us for that.
    const timer = setTimeout(() => {
      this.#socket.terminate();
    }, CLOSE_TIMEOUT_MS);
    this.#socket.once('close', () => {
      clearTimeout(timer);
    });
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#isClosed) return;
    if (!isBinary || !this.#rate.allows(data.byteLength)) {
      this.#cut('refused');
      return;
    }
    let text: string | undefined;
    try {
      text = this.#joiner.add(data);
    } catch {
      // Broken frames or broken UTF-8: nothing that follows can be understood. The close says so.
      this.#cut('refused');
      return;
    }
    if (text !== undefined) this.#inbox.push(text);
  }

  #cut(reason: CloseReason): void {
    this.#finish(reason);
    this.#socket.terminate();
  }

  #finish(reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbox.close(reason);
  }
}
