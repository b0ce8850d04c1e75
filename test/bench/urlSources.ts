import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { checkLiveSource } from '../../src/core/sources/liveSourceConfig.ts';
import { LocalPeer } from '../integration/support/localPeer.ts';

/**
 * What 50 url sources at 5 s cost: `node test/bench/urlSources.ts [seconds]`. One server of the bench answers with
 * descriptions of 60 kB and ETags; one of them changes each second.
 */
const SOURCES = 50;
const INTERVAL_SECONDS = 5;
const OPERATIONS = 300;
const seconds = Number(process.argv[2] ?? 60);

let version = 0;
let full = 0;
let notModified = 0;

function specOf(source: number): string {
  const revision = Math.floor((version + SOURCES - 1 - source) / SOURCES);
  const paths = Object.fromEntries(
    Array.from({ length: OPERATIONS }, (_, operation) => [
      `/things-${operation}/{id}`,
      {
        get: {
          summary: operation === 0 ? `Revision ${revision}` : `Thing ${operation}`,
          parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'integer' } }],
          responses: { 200: { description: 'OK' } },
        },
      },
    ]),
  );
  return JSON.stringify({ openapi: '3.0.3', info: { title: `Bench ${source}`, version: '1.0.0' }, paths });
}

const server = createServer((request, response) => {
  const text = specOf(Number((request.url ?? '').slice(1)));
  const etag = `"${createHash('sha1').update(text).digest('hex')}"`;
  response.setHeader('etag', etag);
  if (request.headers['if-none-match'] === etag) {
    notModified += 1;
    response.writeHead(304).end();
  } else {
    full += 1;
    response.end(text);
  }
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const root = await realpath(await mkdtemp(join(tmpdir(), 'als-bench-')));
const peer = await LocalPeer.openAt(join(root, 'state'), root);
const { sources } = peer.session;
for (let one = 0; one < SOURCES; one += 1) {
  const url = `http://127.0.0.1:${port}/${one}`;
  const { value } = checkLiveSource({ url, target: `api/${one}.yaml`, intervalSeconds: INTERVAL_SECONDS });
  if (value !== undefined) await sources.addSource(value);
}
const isInStep = (): boolean => sources.getAllSourceStatuses().every(({ state }) => state === 'inStep');
while (!isInStep()) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(`${SOURCES} sources of ${Math.round(specOf(0).length / 1000)} kB in step.`);

full = 0;
notModified = 0;
const changes = setInterval(() => {
  version += 1;
}, 1_000);
const before = process.cpuUsage();
const begunAt = performance.now();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const { user, system } = process.cpuUsage(before);
const elapsedMs = performance.now() - begunAt;
clearInterval(changes);
const { metrics } = sources.engineStatus;
console.log(
  `${full + notModified} requests in ${Math.round(elapsedMs / 1000)} s: ${notModified} × 304, ${full} × 200.`,
);
console.log(
  `CPU ${(((user + system) / 1000 / elapsedMs) * 100).toFixed(1)} % of one core, server and all worker threads of the process included.`,
);
console.log(
  `${metrics.totalSyncs} syncs, ${metrics.failedSyncs} failed, mean ${metrics.averageSyncTime.toFixed(1)} ms; heap ${(process.memoryUsage().heapUsed / 1e6).toFixed(0)} MB.`,
);
await peer.close();
server.closeAllConnections();
server.close();
await rm(root, { recursive: true, force: true });
