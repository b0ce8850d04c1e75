import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import fastifySwagger from '@fastify/swagger';
import { serve } from '@hono/node-server';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { Controller, Get, type INestApplication, Logger, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ApiCreatedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProperty,
  DocumentBuilder,
  SwaggerModule,
} from '@nestjs/swagger';
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

/** A NestJS application; its decorators are called by hand, because a test is run with its types stripped and nothing else. */
async function startNest(port: number, summary: string, withCreate: boolean): Promise<INestApplication> {
  class Cat {
    name = '';
  }
  ApiProperty({ type: String })(Cat.prototype, 'name');
  class CatsController {
    list(): Cat[] {
      return [];
    }
    create(): Cat {
      return new Cat();
    }
  }
  const decorate = (name: 'list' | 'create', decorators: readonly MethodDecorator[]): void => {
    const descriptor = Object.getOwnPropertyDescriptor(CatsController.prototype, name);
    for (const one of decorators) if (descriptor !== undefined) one(CatsController.prototype, name, descriptor);
  };
  decorate('list', [Get(), ApiOperation({ summary }), ApiOkResponse({ type: Cat, isArray: true })]);
  if (withCreate) decorate('create', [Post(), ApiCreatedResponse({ type: Cat })]);
  Controller('cats')(CatsController);
  class AppModule {
    readonly name = 'cats';
  }
  Module({ controllers: [CatsController] })(AppModule);
  Logger.overrideLogger(false);
  const app = await NestFactory.create(AppModule);
  const config = new DocumentBuilder().setTitle('Cats').setVersion('1.0').build();
  SwaggerModule.setup('api', app, () => SwaggerModule.createDocument(app, config));
  await app.listen(port, '127.0.0.1');
  return app;
}

function honoApp(types: z.ZodObject): OpenAPIHono {
  const app = new OpenAPIHono();
  const content = { 'application/json': { schema: types.openapi('Item') } };
  app.openapi(
    createRoute({ method: 'get', path: '/items', responses: { 200: { description: 'OK', content } } }),
    (context) => context.json({}),
  );
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'Items', version: '1.0.0' } });
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

test('[SRC] NestJS with @nestjs/swagger, restarted with another route: what was written by hand stays', async () => {
  let app = await startNest(0, 'All cats', false);
  close.push(() => app.close());
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const world = await SourceWorld.open();
  close.push(() => world.close());
  await world.add({ url: `http://127.0.0.1:${port}/api-json`, target: TARGET });
  await world.untilState('inStep');
  const generated = await world.read(TARGET);
  assert.match(generated, /\/cats:\n {4}get:\n/);
  assert.match(generated, / {4}Cat:\n {6}type: object\n/);
  await world.write(
    TARGET,
    generated.replace('summary: All cats\n', 'summary: All cats\n      description: By hand.\n'),
  );
  await app.close();
  app = await startNest(port, 'Every cat', true);
  await world.until('the change', ([status]) => status?.changes.some(({ label }) => label === 'POST /cats') === true);
  const text = await world.read(TARGET);
  assert.match(text, /summary: Every cat\n {6}description: By hand\.\n/);
  assert.match(text, /post:\n {6}operationId: CatsController_create\n/);
});

test('[SRC] types that are served as OpenAPI 3.1, as FastAPI does it (Hono with zod): a field that comes, one that may be null, one that goes', async () => {
  let types: z.ZodObject = z.object({ name: z.string(), age: z.int() });
  const server = serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => honoApp(types).fetch(request) });
  close.push(() => new Promise((resolve) => server.close(resolve)));
  await once(server, 'listening');
  const world = await SourceWorld.open();
  close.push(() => world.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi.json`;
  await world.add({ url, target: TARGET });
  await world.untilState('inStep');
  const generated = await world.read(TARGET);
  assert.match(generated, /^openapi: '3\.1\.0'\n/);
  await world.write(TARGET, generated.replace(/( +)name:\n/, '$1# What it is called by\n$1name:\n'));
  types = z.object({ name: z.string().nullable(), tag: z.string() });
  await world.until('the change', ([status]) => status?.changes.some(({ kind }) => kind === 'changed') === true);
  const text = await world.read(TARGET);
  assert.match(text, /# What it is called by\n +name:\n +type:\n +- string\n +- 'null'\n/);
  assert.ok(text.includes('tag:') && !text.includes('age:'));
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
