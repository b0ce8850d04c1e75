import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { LibraryId } from '../../../src/core/ids.ts';
import type { Connection } from '../../../src/core/replication/connection.ts';
import { createAmbient } from '../../../src/node/ambient.ts';
import { encodeFrame, splitIntoFrames } from '../../../src/node/transport/frames.ts';
import { makeNonce, makeProof } from '../../../src/node/transport/handshake.ts';
import { connectToLeader } from '../../../src/node/transport/webSocketClient.ts';
import { TransportServer } from '../../../src/node/transport/webSocketServer.ts';
import { createRecordingLogger, until } from './fakes.ts';

const libraryId = 'library-1' as LibraryId;
const token = 'a'.repeat(64);
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function listen() {
  const logger = createRecordingLogger();
  const ambient = createAmbient(logger);
  const connections: Connection[] = [];
  const server = await TransportServer.listen({
    libraryId,
    token,
    ambient,
    onConnection: (connection) => connections.push(connection),
  });
  cleanups.push(() => {
    server.dispose();
  });
  return { server, connections, ambient, logger };
}

async function openSocket(
  port: number,
  options: { readonly headers?: Record<string, string> } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/`, { perMessageDeflate: false, ...options });
  cleanups.push(() => {
    socket.terminate();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function nextLine(socket: WebSocket): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    socket.once('message', (data: Buffer) => {
      resolve(JSON.parse(data.toString('utf8')) as Record<string, string>);
    });
    socket.once('close', () => {
      reject(new Error('closed'));
    });
  });
}

function closed(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === socket.CLOSED) resolve();
    else
      socket.once('close', () => {
        resolve();
      });
  });
}

/** The handshake as somebody does it who knows the token. */
async function joinByHand(port: number): Promise<WebSocket> {
  const socket = await openSocket(port);
  const follower = makeNonce();
  socket.send(JSON.stringify({ kind: 'greeting', libraryId, nonce: follower }));
  const { nonce: leader = '' } = await nextLine(socket);
  socket.send(
    JSON.stringify({ kind: 'response', proof: makeProof(token, 'follower', libraryId, { follower, leader }) }),
  );
  assert.equal((await nextLine(socket))['kind'], 'accepted');
  return socket;
}

test('[I10] who knows the token gets in, who does not is refused before anything else is read', async () => {
  const { server, connections, ambient } = await listen();
  await assert.rejects(connectToLeader({ port: server.port, libraryId, token: 'b'.repeat(64), ambient }), {
    code: 'not-authorized',
  });
  await assert.rejects(connectToLeader({ port: server.port, libraryId: 'library-2' as LibraryId, token, ambient }), {
    code: 'connection-failed',
  });
  assert.equal(connections.length, 0);
  const connection = await connectToLeader({ port: server.port, libraryId, token, ambient });
  cleanups.push(() => {
    connection.close();
  });
  assert.equal(connections.length, 1);
});

test('[I10] a wrong proof ends the socket, also one that was right in an earlier connection or for the other role', async () => {
  const { server, connections } = await listen();
  const follower = makeNonce();
  const proofs = [
    () => 'f'.repeat(64),
    (leader: string) => makeProof(token, 'leader', libraryId, { follower, leader }),
    () => makeProof(token, 'follower', libraryId, { follower, leader: makeNonce() }),
    (leader: string) => makeProof(token, 'follower', 'library-2' as LibraryId, { follower, leader }),
  ];
  for (const proofOf of proofs) {
    const socket = await openSocket(server.port);
    socket.send(JSON.stringify({ kind: 'greeting', libraryId, nonce: follower }));
    const { nonce = '' } = await nextLine(socket);
    socket.send(JSON.stringify({ kind: 'response', proof: proofOf(nonce) }));
    await closed(socket);
  }
  assert.equal(connections.length, 0);
});

test('[I10] the follower goes away from a listener that cannot prove itself, and tells it nothing but a nonce', async () => {
  const { ambient } = await listen();
  const heard: string[] = [];
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      heard.push(data.toString('utf8'));
      socket.send(JSON.stringify({ kind: 'challenge', nonce: makeNonce(), proof: makeNonce() }));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    http.closeAllConnections();
    sockets.close();
    http.close();
  });
  const { port } = http.address() as AddressInfo;
  await assert.rejects(connectToLeader({ port, libraryId, token, ambient }), { code: 'not-authorized' });
  assert.equal(heard.length, 1);
  assert.ok(!heard.join('').includes(token));
});

test('[I10] a web page gets nowhere: any Origin, any other Host', async () => {
  const { server } = await listen();
  const hostile: IncomingHttpHeaders[] = [
    { origin: 'https://example.com' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${String(server.port)}` },
    { host: 'attacker.example' },
    { host: `localhost.attacker.example:${String(server.port)}` },
  ];
  for (const headers of hostile)
    await assert.rejects(openSocket(server.port, { headers: headers as Record<string, string> }), /403/);
  await openSocket(server.port);
});

test('[I10] plain HTTP is answered with 404 and nothing else', async () => {
  const { server } = await listen();
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/`);
  assert.equal(response.status, 404);
  assert.equal(await response.text(), '');
});

test('[I10] what is no handshake ends the socket: junk, a binary frame, too much, two lines at once', async () => {
  const { server, connections } = await listen();
  const greeting = JSON.stringify({ kind: 'greeting', libraryId, nonce: makeNonce() });
  const junk: (string | Buffer)[][] = [
    ['hello?'],
    ['{}'],
    ['null'],
    [Buffer.from(greeting)],
    [JSON.stringify({ kind: 'greeting', libraryId, nonce: 'x'.repeat(5_000) })],
    [JSON.stringify({ kind: 'greeting', libraryId, nonce: makeNonce(), more: 1 })],
    [greeting, greeting, greeting, greeting],
    ['x'.repeat(300_000)],
  ];
  for (const lines of junk) {
    const socket = await openSocket(server.port);
    socket.on('error', () => undefined);
    const gone = closed(socket);
    for (const line of lines) socket.send(line);
    await gone;
  }
  assert.equal(connections.length, 0);
});

test('[I10] sockets that prove nothing are bounded in number', async () => {
  const { server, ambient } = await listen();
  const sockets = await Promise.allSettled(Array.from({ length: 80 }, () => openSocket(server.port)));
  assert.equal(sockets.filter(({ status }) => status === 'fulfilled').length, 64);
  for (const socket of sockets) if (socket.status === 'fulfilled') socket.value.terminate();
  const until64Gone = async (): Promise<Connection> => {
    try {
      return await connectToLeader({ port: server.port, libraryId, token, ambient });
    } catch {
      return await until64Gone();
    }
  };
  (await until64Gone()).close();
});

test('[I10] after the handshake a broken, endless or flooding stream costs the connection and nothing more', async () => {
  const { server, connections } = await listen();
  const endless = function* () {
    for (let count = 0; count < 400; count += 1) yield encodeFrame(Buffer.alloc(255 * 1024, 120), false);
  };
  const flood = function* () {
    for (let count = 0; count < 20_000; count += 1) yield* splitIntoFrames('x');
  };
  const streams: (() => Iterable<string | Buffer>)[] = [
    () => ['a text frame'],
    () => [Buffer.of(7, 1, 2)],
    () => [Buffer.alloc(0)],
    () => [Buffer.of(1, 0, 0)],
    () => [encodeFrame(Buffer.alloc(0), false)],
    () => [encodeFrame(Buffer.of(0xff, 0xfe), true)],
    () => [encodeFrame(Buffer.alloc(300 * 1024), true)],
    () => [encodeFrame(Buffer.from('garbled'), true).fill('G', 5, 6)],
    endless,
    flood,
  ];
  for (const stream of streams) {
    const socket = await joinByHand(server.port);
    socket.on('error', () => undefined);
    const gone = closed(socket);
    for (const frame of stream()) {
      if (socket.readyState !== socket.OPEN) break;
      socket.send(frame);
    }
    await gone;
  }
  await until(() => connections.every(({ isClosed }) => isClosed), 'all are closed');
  assert.equal(connections.length, streams.length);
});

test('[I10] a peer that does not read is cut off before what waits for it fills the memory', async () => {
  const { server, connections } = await listen();
  const socket = await joinByHand(server.port);
  socket.pause();
  const [connection] = connections;
  assert.ok(connection !== undefined);
  const text = 'x'.repeat(8 * 1024 * 1024);
  let sent = 0;
  while (!connection.isClosed && sent < 100) {
    connection.send(text);
    sent += 1;
    if (sent === 2) assert.equal(connection.isCongested, true);
  }
  assert.ok(sent < 30, `cut after ${String(sent)} × 8 MiB`);
});

test('[I10] the token is in no log line', async () => {
  const { server, ambient, logger } = await listen();
  await assert.rejects(connectToLeader({ port: server.port, libraryId, token: 'b'.repeat(64), ambient }));
  await assert.rejects(openSocket(server.port, { headers: { origin: 'https://example.com' } }));
  assert.ok(logger.lines.length >= 1);
  assert.ok(!logger.lines.join('\n').includes(token));
});

test('[I10] a raw socket that says nothing is dropped when the server closes', async () => {
  const { server } = await listen();
  const socket = connect(server.port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const gone = new Promise<void>((resolve) =>
    socket.once('close', () => {
      resolve();
    }),
  );
  socket.on('error', () => undefined);
  server.dispose();
  await gone;
});
