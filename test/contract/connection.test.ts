import { afterEach } from 'node:test';
import type { LibraryId } from '../../src/core/ids.ts';
import type { Connection } from '../../src/core/replication/connection.ts';
import { createAmbient } from '../../src/node/ambient.ts';
import { createConnectionPair } from '../../src/node/transport/memoryConnection.ts';
import { connectToLeader } from '../../src/node/transport/webSocketClient.ts';
import { TransportServer } from '../../src/node/transport/webSocketServer.ts';
import { silentLogger } from '../unit/replication/fakes.ts';
import { testConnection } from './connectionContract.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

testConnection('in memory', () => Promise.resolve(createConnectionPair()));

testConnection('WebSocket', async () => {
  const options = { libraryId: 'library-1' as LibraryId, token: 'secret', ambient: createAmbient(silentLogger) };
  const accepted = Promise.withResolvers<Connection>();
  const server = await TransportServer.listen({ ...options, onConnection: accepted.resolve });
  cleanups.push(() => {
    server.dispose();
  });
  const client = await connectToLeader({ ...options, port: server.port });
  cleanups.push(() => {
    client.close();
  });
  return [client, await accepted.promise];
});
