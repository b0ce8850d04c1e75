import { WebSocket } from 'ws';
import type { LibraryId } from '../../core/ids.ts';
import type { Ambient } from '../../core/ports.ts';
import type { Connection } from '../../core/replication/connection.ts';
import { describeError, SyncError } from '../../core/replication/syncError.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import { acceptedSchema, challengeSchema, isProof, makeNonce, makeProof } from './handshake.ts';
import { HandshakeChannel } from './handshakeChannel.ts';
import { WebSocketConnection } from './webSocketConnection.ts';

/** A listener on this machine answers in a few milliseconds; one that is frozen does not answer at all. In milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;

export interface ConnectOptions {
  readonly port: number;
  readonly libraryId: LibraryId;
  readonly token: string;
  readonly ambient: Ambient;
}

/**
 * Connects to the leader that listens on this port of the loopback. Rejects with `not-authorized` where whoever listens
 * there does not prove that it knows the token, and with `connection-failed` where nobody does.
 */
export async function connectToLeader(options: ConnectOptions): Promise<Connection> {
  const { port, libraryId, token, ambient } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    followRedirects: false,
  });
  const channel = new HandshakeChannel(socket, CONNECT_TIMEOUT_MS);
  try {
    await opened(socket);
    const nonce = makeNonce();
    channel.send({ kind: 'greeting', libraryId, nonce });
    const challenge = await channel.receive(challengeSchema);
    const nonces = { follower: nonce, leader: challenge.nonce };
    // Whoever listens proves itself first: another program that got the port learns nothing but a nonce.
    if (!isProof(challenge.proof, makeProof(token, 'leader', libraryId, nonces))) {
      throw new SyncError('not-authorized', 'Another program listens at the address of the leader.');
    }
    channel.send({ kind: 'response', proof: makeProof(token, 'follower', libraryId, nonces) });
    await channel.receive(acceptedSchema);
    channel.release();
    return new WebSocketConnection(socket, ambient.clock);
  } catch (error) {
    channel.release();
    socket.terminate();
    if (error instanceof SyncError) throw error;
    throw new SyncError('connection-failed', `The leader cannot be reached: ${describeError(error)}`, { cause: error });
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('It went away.'));
    });
  });
}
