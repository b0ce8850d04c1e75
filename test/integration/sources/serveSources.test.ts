import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { Machine } from '../support/headlessPeer.ts';
import { json, SpecServer, specOf } from './specServer.ts';

const TARGET = 'openapi.yaml';
let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

test('[SRC] the headless peer runs sources without a library: what it is given as settings, with a secret of its environment, at once when a file triggers it', async () => {
  const server = await new SpecServer(json(specOf({ 'get /pets': 'List pets' }))).start();
  close.push(() => server.stop());
  const machine = await Machine.create();
  close.push(() => machine.dispose());
  const folder = await machine.workspace('frontend', { 'src/routes.ts': 'first' });
  const settings = join(machine.root, 'settings.json');
  const source = {
    url: server.url,
    target: TARGET,
    // So rarely that only the trigger can tell in time.
    intervalSeconds: 86_400,
    triggers: ['src/**/*.ts'],
    headers: { authorization: 'Bearer ${secret:TOKEN}' },
  };
  await writeFile(settings, `// What an editor keeps.\n${JSON.stringify({ 'apiLiveSync.sources': [source] })}`);
  const peer = machine.serve(folder, {
    name: 'build',
    args: ['--sources', settings],
    env: { API_LIVE_SYNC_SECRET_TOKEN: 's3cret' },
  });
  await peer.untilSource(TARGET, 'in step', ({ state }) => state === 'inStep');
  assert.match(await peer.read(TARGET), /summary: List pets/);
  assert.equal(server.requests[0]?.headers.authorization, 'Bearer s3cret');
  server.handler = json(specOf({ 'get /pets': 'All pets' }));
  await writeFile(join(folder, 'src/routes.ts'), 'second');
  await peer.untilSource(TARGET, 'the change', ({ changes }) => changes.includes('changed GET /pets (summary)'));
  assert.match(await readFile(join(folder, TARGET), 'utf8'), /summary: All pets/);
});

test('[SRC] the headless peer says what is wrong with its sources, and runs none of them', async () => {
  const machine = await Machine.create();
  close.push(() => machine.dispose());
  const folder = await machine.workspace('frontend', {});
  const file = join(machine.root, 'sources.json');
  await writeFile(file, JSON.stringify([{ url: 'http://127.0.0.1:1/', target: '../outside.yaml' }]));
  const peer = machine.serve(folder, { name: 'build', args: ['--sources', file] });
  const [code] = (await once(peer.process, 'close')) as [number];
  assert.equal(code, 1);
  assert.match(peer.problem?.message ?? '', /sources\.json cannot be used: Source 1: "target" should be/);
});
