import { createEncoder, length, toUint8Array, writeVarUint } from 'lib0/encoding';
import { createDecoder, readVarUint } from 'lib0/decoding';
import { WebSocket, WebSocketServer } from 'ws';
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync';
import * as Y from 'yjs';

/** The first number of a y-websocket message that is about the document. */
const MESSAGE_SYNC = 0;

/** One side of y-websocket's protocol: a document, and the connections that it is kept equal over. */
class SyncedDoc {
  readonly doc = new Y.Doc();
  receivedBytes = 0;
  readonly #sockets = new Set<WebSocket>();

  constructor() {
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      const encoder = createEncoder();
      writeVarUint(encoder, MESSAGE_SYNC);
      writeUpdate(encoder, update);
      const message = toUint8Array(encoder);
      for (const socket of this.#sockets) if (socket !== origin) socket.send(message);
    });
  }

  /** To be called when the socket is open. */
  add(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('message', (data) => {
      // ws gives what arrived in one piece as one Buffer unless it is told otherwise.
      this.#receive(socket, data as Buffer);
    });
    const encoder = createEncoder();
    writeVarUint(encoder, MESSAGE_SYNC);
    writeSyncStep1(encoder, this.doc);
    socket.send(toUint8Array(encoder));
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.doc.destroy();
  }

  #receive(socket: WebSocket, data: Buffer): void {
    this.receivedBytes += data.length;
    const decoder = createDecoder(data);
    if (readVarUint(decoder) !== MESSAGE_SYNC) return;
    const encoder = createEncoder();
    writeVarUint(encoder, MESSAGE_SYNC);
    const empty = length(encoder);
    readSyncMessage(decoder, encoder, this.doc, socket);
    if (length(encoder) > empty) socket.send(toUint8Array(encoder));
  }
}

/**
 * A y-websocket server with one room, and its clients, over real sockets on the loopback: sync steps and updates as
 * y-websocket sends them, without its awareness. The server keeps the document in memory only, as y-websocket's does by default.
 */
export class YjsRoom {
  readonly #server: WebSocketServer;
  readonly #room = new SyncedDoc();
  readonly #clients: SyncedDoc[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#room.add(socket);
    });
  }

  static async open(): Promise<YjsRoom> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.once('listening', resolve));
    return new YjsRoom(server);
  }

  /** A client that is connected. */
  async join(): Promise<YjsClient> {
    const { port } = this.#server.address() as { readonly port: number };
    const socket = new WebSocket(`ws://127.0.0.1:${String(port)}`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const client = new SyncedDoc();
    this.#clients.push(client);
    client.add(socket);
    return {
      text: (name) => client.doc.getText(name),
      change: (work) => {
        client.doc.transact(work);
      },
      receivedBytes: () => client.receivedBytes,
    };
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#room.close();
    this.#server.close();
  }
}

export interface YjsClient {
  text(name: string): Y.Text;
  /** What is done within goes over the wire as one update. */
  change(work: () => void): void;
  receivedBytes(): number;
}
