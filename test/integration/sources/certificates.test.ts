import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import { selfSigned } from '../../harness/selfSigned.ts';
import { SourceWorld } from './sourceWorld.ts';
import { type Handler, json, specOf } from './specServer.ts';

const TARGET = 'openapi.yaml';
let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

/** A server with a certificate that nobody trusts. Answers its origin. */
async function startTls(handler: Handler): Promise<string> {
  const server = createServer(selfSigned, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('[SRC] a self-signed certificate counts on request only, and only for the server that it was asked for', async () => {
  const spec = json(specOf({ 'get /pets': 'List pets' }));
  const other = await startTls(spec);
  const own = await startTls((request, response) => {
    if (request.url === '/elsewhere') response.writeHead(302, { location: `${other}/openapi.json` }).end();
    else spec(request, response);
  });
  const world = await SourceWorld.open();
  close.push(() => world.close());
  await world.add({ url: `${own}/openapi.json`, target: TARGET });
  await world.untilState('failed');
  const { problem, config } = world.sources.getSourceStatus(TARGET);
  assert.equal(problem?.code, 'certificate-not-trusted');
  assert.match(problem.remedy ?? '', /set "acceptSelfSigned"/);
  await world.sources.updateSource({ ...config, acceptSelfSigned: true });
  await world.untilState('inStep');
  assert.match(await world.read(TARGET), /summary: List pets/);
  await world.sources.updateSource({ ...config, url: `${own}/elsewhere`, acceptSelfSigned: true });
  await world.untilState('failed');
  assert.equal(world.sources.getSourceStatus(TARGET).problem?.code, 'certificate-not-trusted');
});
