import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import fastifySwagger from '@fastify/swagger';
import express from 'express';
import Fastify, { type FastifyInstance } from 'fastify';
import swaggerJsdoc from 'swagger-jsdoc';
import { SourceWorld } from './sourceWorld.ts';

const TARGET = 'api/openapi.yaml';
let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

/** A Fastify application as people write one; each start is a new one, as after a change of its code. */
async function startFastify(port: number, summary: string, withDelete: boolean): Promise<FastifyInstance> {
  const app = Fastify();
  await app.register(fastifySwagger, { openapi: { info: { title: 'Pets', version: '1.0.0' } } });
  const params = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] };
  app.get('/pets/:id', { schema: { summary, params } }, () => ({}));
  if (withDelete) app.delete('/pets/:id', { schema: { summary: 'Delete a pet', params } }, () => ({}));
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.listen({ port, host: '127.0.0.1' });
  return app;
}

test('[SRC] Fastify with @fastify/swagger: a route that changes and one that comes, what was written by hand stays', async () => {
  let app = await startFastify(0, 'A pet', false);
  close.push(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const world = await SourceWorld.open();
  close.push(() => world.close());
  await world.add({ url: `http://127.0.0.1:${port}/openapi.json`, target: TARGET });
  await world.untilState('inStep');
  const generated = await world.read(TARGET);
  assert.match(generated, /\/pets\/\{id\}:\n {4}get:\n {6}summary: A pet\n/);
  await world.write(
    TARGET,
    generated.replace('summary: A pet\n', 'summary: A pet # short\n      description: By hand.\n'),
  );
  await app.close();
  app = await startFastify(port, 'One pet', true);
  await world.until(
    'the change',
    ([status]) => status?.changes.some(({ label }) => label === 'DELETE /pets/{id}') === true,
  );
  const text = await world.read(TARGET);
  assert.match(text, /summary: One pet # short\n {6}description: By hand\.\n/);
  assert.match(text, / {4}delete:\n {6}summary: Delete a pet\n/);
});

test('[SRC] Express with swagger-jsdoc, its comments as the source', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'als-jsdoc-'));
  close.push(() => rm(folder, { recursive: true }));
  const describe = async (summary: string): Promise<object> => {
    const comment = `/**\n * @openapi\n * /pets:\n *   get:\n *     summary: ${summary}\n *     responses:\n *       200:\n *         description: OK\n */\n`;
    await writeFile(join(folder, 'routes.js'), comment);
    const definition = { openapi: '3.0.0', info: { title: 'Pets', version: '1.0.0' } };
    return swaggerJsdoc({ definition, apis: [join(folder, '*.js')] });
  };
  let spec = await describe('List pets');
  const app = express();
  app.get('/api-docs.json', (_request, response) => {
    response.json(spec);
  });
  const server = app.listen(0, '127.0.0.1');
  close.push(() => new Promise((resolve) => server.close(resolve)));
  await new Promise((resolve) => server.once('listening', resolve));
  const world = await SourceWorld.open();
  close.push(() => world.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api-docs.json`;
  await world.add({ url, target: TARGET });
  await world.untilState('inStep');
  // Express gives each answer an ETag of its own accord.
  const asked = world.events.length;
  await world.until('asked again', () => world.events.length > asked + 4);
  spec = await describe('All pets');
  await world.until(
    'the change',
    ([status]) => status?.lastChangeAt !== undefined && status.changes[0]?.kind === 'changed',
  );
  assert.match(await world.read(TARGET), /summary: All pets/);
});

test('[SRC] in a library the change of a source goes to the others as any other change', async () => {
  const app = await startFastify(0, 'A pet', false);
  close.push(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const world = await SourceWorld.open();
  close.push(() => world.close());
  await world.write(TARGET, 'openapi: 3.0.3\ninfo: { title: Pets, version: 1.0.0 }\npaths: {}\n');
  assert.deepEqual(await world.peer.session.keepInStep(), { isDone: true });
  await world.peer.untilInStep(1);
  await world.add({ url: `http://127.0.0.1:${port}/openapi.json`, target: TARGET });
  await world.until('the change', ([status]) => status?.lastChangeAt !== undefined);
  const text = await world.read(TARGET);
  assert.match(text, /summary: A pet/);
  await world.peer.until('sent', ({ documents }) => documents[0]?.state === 'inStep');
  const syncs = await world.peer.session.syncNow();
  assert.deepEqual(syncs, { isDone: true });
  assert.equal(await world.read(TARGET), text);
});
