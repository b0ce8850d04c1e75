import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { type HeadlessPeer, Machine, until } from '../support/headlessPeer.ts';
import { json, SpecServer, specOf } from './specServer.ts';

const TARGET = 'openapi.yaml';
const FIRST = { 'get /pets': 'List pets', 'get /old': 'Old' };
let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

interface World {
  readonly machine: Machine;
  readonly server: SpecServer;
  /** Who asked, by the header that each peer's secret fills. */
  readonly askedBy: () => readonly string[];
  /** Opens the folder of that name, again where it was open before. */
  readonly serve: (name: string, hasSource?: boolean) => Promise<HeadlessPeer>;
}

async function open(): Promise<World> {
  const server = await new SpecServer(json(specOf(FIRST))).start();
  close.push(() => server.stop());
  const machine = await Machine.create();
  close.push(() => machine.dispose());
  const folders = new Map<string, string>();
  const sources = join(machine.root, 'sources.json');
  const headers = { 'x-peer': '${secret:PEER}' };
  await writeFile(
    sources,
    JSON.stringify([{ url: server.url, target: TARGET, shared: true, intervalSeconds: 0.5, headers }]),
  );
  return {
    machine,
    server,
    askedBy: () => server.requests.map((request) => String(request.headers['x-peer'])),
    serve: async (name, hasSource = true) => {
      const folder =
        folders.get(name) ??
        (await machine.workspace(name, {
          [TARGET]: 'openapi: 3.0.3\ninfo: { title: Pets, version: 1.0.0 }\npaths: {}\n',
        }));
      folders.set(name, folder);
      const args = ['--keep-in-step', ...(hasSource ? ['--sources', sources] : [])];
      return machine.serve(folder, { name, args, env: { API_LIVE_SYNC_SECRET_PEER: name } });
    },
  };
}

async function untilRead(peers: readonly HeadlessPeer[], pattern: RegExp): Promise<void> {
  await until(`all read ${String(pattern)}`, async () =>
    (await Promise.all(peers.map((peer) => peer.read(TARGET)))).every((text) => pattern.test(text)),
  );
}

test('[SRC] a shared source is run by the leader, and after kill -9 by the next one from the same base; its change is told in its own name', async () => {
  const { server, askedBy, serve } = await open();
  const backend = await serve('backend');
  await backend.untilSource(TARGET, 'in step', ({ state }) => state === 'inStep');
  const frontend = await serve('frontend');
  await frontend.untilSource(TARGET, 'with the leader', ({ state }) => state === 'atLeader');
  await frontend.untilSource(TARGET, 'the name', ({ leaderName }) => leaderName === 'backend');
  await untilRead([frontend], /summary: List pets/);
  await frontend.untilInStep(1);
  server.handler = json(specOf({ ...FIRST, 'get /pets': 'All pets' }));
  await untilRead([backend, frontend], /summary: All pets/);
  await frontend.untilApplied('the author', ({ authorName }) => authorName === `${new URL(server.url).host} (backend)`);
  assert.ok(!askedBy().includes('frontend'), 'a follower has asked');
  // Taken out by hand in one window, it stays out whoever leads.
  await frontend.edit(TARGET, (text) => text.replace(/ {2}\/old:[^]*$/, ''));
  await until('taken out everywhere', async () => !(await backend.read(TARGET)).includes('/old'));
  await backend.untilInStep(1);

  await backend.end('SIGKILL');
  server.handler = json(specOf({ ...FIRST, 'get /pets': 'Every pet', 'post /pets': 'Add a pet' }));
  await frontend.untilSource(TARGET, 'the next leader asks', ({ state, changes }) => {
    return state === 'inStep' && changes.includes('added POST /pets');
  });
  const text = await frontend.read(TARGET);
  assert.match(text, /summary: Every pet/);
  assert.ok(!text.includes('/old'), 'the base of the one that was killed is lost');
  assert.deepEqual(frontend.sources.get(TARGET)?.conflictCount, 0);

  const again = await serve('backend');
  await again.untilSource(TARGET, 'with the leader', ({ state }) => state === 'atLeader');
  await untilRead([again], /summary: Every pet/);
});

test('[SRC] where the leader does not have a shared source, one of those that have it stands in; a leader that has it takes over', async () => {
  const { server, askedBy, serve } = await open();
  const leader = await serve('leader', false);
  await leader.untilInStep(1);
  const standIn = await serve('stand-in');
  await standIn.untilSource(TARGET, 'in step', ({ state }) => state === 'inStep');
  await untilRead([leader], /summary: List pets/);
  const third = await serve('third');
  await third.untilSource(TARGET, 'not here', ({ state }) => state === 'atLeader');
  assert.deepEqual([...new Set(askedBy())], ['stand-in']);
  // The next leader is one of the two, and both have it.
  await leader.end('SIGKILL');
  server.handler = json(specOf({ ...FIRST, 'get /pets': 'All pets' }));
  await untilRead([standIn, third], /summary: All pets/);
  const next = standIn.status?.role === 'leader' ? standIn : third;
  const other = next === standIn ? third : standIn;
  await next.untilSource(TARGET, 'the leader runs it', ({ state }) => state === 'inStep');
  await other.untilSource(TARGET, 'the other does not', ({ state }) => state === 'atLeader');
});
