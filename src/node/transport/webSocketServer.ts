import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { LibraryId } from '../../core/ids.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import type { Connection } from '../../core/replication/connection.ts';
import { MAX_PEERS } from '../../core/replication/limits.ts';
import { describeError } from '../../core/replication/syncError.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import { greetingSchema, isProof, makeNonce, makeProof, responseSchema } from './handshake.ts';
import { HandshakeChannel } from './handshakeChannel.ts';
import { WebSocketConnection } from './webSocketConnection.ts';

const LOOPBACK = '127.0.0.1';
/** Sockets that have not proven anything yet; a program that only opens sockets must not fill our memory. */
const MAX_UNPROVEN_SOCKETS = 64;
/** How long a socket may take to prove that it knows the token, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/** A handshake is four lines; nobody who has proven nothing may send more at once. */
const MAX_HEADER_BYTES = 8 * 1024;

export interface TransportServerOptions {
  readonly libraryId: LibraryId;
  readonly token: string;
  readonly ambient: Ambient;
  /** Where to listen; absent: at any port that is free. */
  readonly port?: number | undefined;
  /** Called for each connection whose other side has proven that it knows the token. */
  readonly onConnection: (connection: Connection) => void;
}

/** Listens on this machine's loopback for peers that know the library's token. Closing it closes its connections. */
export class TransportServer implements Disposable {
  readonly #options: TransportServerOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #unproven = new Set<Duplex>();
  readonly #connections = new Set<Connection>();
  #isClosed = false;

  private constructor(options: TransportServerOptions) {
    this.#options = options;
    this.#http = createServer(
      { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HANDSHAKE_TIMEOUT_MS, keepAlive: false },
      (_request, response) => {
        // Nothing is served to browsers and other strangers, not even a word about what this is.
        response.writeHead(404).end();
      },
    );
    this.#http.maxConnections = MAX_PEERS + MAX_UNPROVEN_SOCKETS;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
    });
    this.#http.on('upgrade', (request, socket, head) => {
      this.#upgrade(request, socket, head);
    });
  }

  /** Rejects where no port can be had. */
  static async listen(options: TransportServerOptions): Promise<TransportServer> {
    const server = new TransportServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#http.once('error', reject);
      server.#http.listen(options.port ?? 0, LOOPBACK, () => {
        server.#http.off('error', reject);
        resolve();
      });
    });
    server.#http.on('error', (error) => {
      options.ambient.logger.error('The server has failed', { error: describeError(error) });
    });
    return server;
  }

  get port(): number {
    // A listening TCP server has an address with a port.
    return (this.#http.address() as AddressInfo).port;
  }

  dispose(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.close();
    for (const socket of this.#unproven) socket.destroy();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const isAllowed =
      !this.#isClosed && this.#unproven.size < MAX_UNPROVEN_SOCKETS && comesFromProgram(request, this.port);
    if (!isAllowed) {
      this.#options.ambient.logger.warn('A connection was refused', {
        hasOrigin: request.headers.origin !== undefined,
      });
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#unproven.add(socket);
    socket.once('close', () => {
      this.#unproven.delete(socket);
    });
    socket.on('error', () => {
      // `close` follows; a reset by the other side is nothing to report.
    });
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      void this.#prove(webSocket, socket);
    });
  }

  async #prove(webSocket: WebSocket, socket: Duplex): Promise<void> {
    const channel = new HandshakeChannel(webSocket, HANDSHAKE_TIMEOUT_MS);
    try {
      const greeting = await channel.receive(greetingSchema);
      const { libraryId, token, ambient } = this.#options;
      if (greeting.libraryId !== libraryId) throw new Error('It asks for another library.');
      const nonces = { follower: greeting.nonce, leader: makeNonce() };
      channel.send({ kind: 'challenge', nonce: nonces.leader, proof: makeProof(token, 'leader', libraryId, nonces) });
      const response = await channel.receive(responseSchema);
      if (!isProof(response.proof, makeProof(token, 'follower', libraryId, nonces)))
        throw new Error('It does not know the token.');
      channel.send({ kind: 'accepted' });
      channel.release();
      this.#unproven.delete(socket);
      this.#accept(new WebSocketConnection(webSocket, ambient.clock));
    } catch (error) {
      this.#options.ambient.logger.warn('A connection was refused', { error: describeError(error) });
      channel.release();
      webSocket.terminate();
    }
  }

  #accept(connection: Connection): void {
    if (this.#isClosed) {
      connection.close();
      return;
    }
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
    this.#options.onConnection(connection);
  }
}

/**
 * A browser always sends `Origin` with a WebSocket, our peers never do: no web page may talk to us. A `Host` that is not
 * the loopback address means that a page has made its own name point here (DNS rebinding).
 */
function comesFromProgram(request: IncomingMessage, port: number): boolean {
  return request.headers.origin === undefined && request.headers.host === `${LOOPBACK}:${port}`;
}
