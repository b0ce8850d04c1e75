import type { WebSocket } from 'ws';
import type * as z from 'zod';
import type { HandshakeMessage } from './handshake.ts';

const MAX_HANDSHAKE_BYTES = 1_024;

/** The first lines over a socket, one at a time and each within what is left of one timeout; what does not fit ends it. */
export class HandshakeChannel {
  readonly #socket: WebSocket;
  readonly #timer: NodeJS.Timeout;
  readonly #received: Buffer[] = [];
  #wanted: { readonly resolve: (data: Buffer) => void; readonly reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  constructor(socket: WebSocket, timeoutMs: number) {
    this.#socket = socket;
    this.#timer = setTimeout(() => {
      this.#fail(new Error('It took too long.'));
    }, timeoutMs);
    socket.on('message', this.#onMessage);
    socket.on('close', this.#onClose);
    socket.on('error', this.#onError);
  }

  send(message: HandshakeMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  async receive<T>(schema: z.ZodType<T>): Promise<T> {
    const data = await this.#next();
    if (data.byteLength > MAX_HANDSHAKE_BYTES) throw new Error('It sent too much.');
    const parsed = schema.safeParse(JSON.parse(data.toString('utf8')));
    if (parsed.data === undefined) throw new Error('It does not speak our handshake.');
    return parsed.data;
  }

  /** Stops listening; from here on the socket is somebody else's. */
  release(): void {
    clearTimeout(this.#timer);
    this.#socket.off('message', this.#onMessage);
    this.#socket.off('close', this.#onClose);
    // A released socket that is thrown away may still fail; without a listener that would end the process.
    this.#failure ??= new Error('The handshake is over.');
  }

  #next(): Promise<Buffer> {
    const received = this.#received.shift();
    if (received !== undefined) return Promise.resolve(received);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject };
    });
  }

  readonly #onMessage = (data: Buffer, isBinary: boolean): void => {
    if (isBinary || this.#received.length > 0) {
      this.#fail(new Error('It does not speak our handshake.'));
      return;
    }
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) this.#received.push(data);
    else wanted.resolve(data);
  };

  readonly #onClose = (): void => {
    this.#fail(new Error('It went away.'));
  };

  readonly #onError = (error: Error): void => {
    this.#fail(error);
  };

  #fail(error: Error): void {
    this.#failure ??= error;
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted?.reject(error);
  }
}
