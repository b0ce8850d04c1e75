import assert from 'node:assert/strict';
import { cp, mkdir, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { LogIndex } from '../../../src/core/ids.ts';
import { SqliteLogStore } from '../../../src/node/log/sqliteLogStore.ts';
import { SeededRandom } from '../../simulation/seededRandom.ts';
import { HostileProxy } from '../replication/hostileProxy.ts';
import { Machine, until, type HeadlessPeer } from '../support/headlessPeer.ts';
import { SHOP_WITH_ITEMS as SPEC } from '../support/shop.ts';

const PATH = 'api/openapi.yaml';
const NAMES = ['alice', 'bob', 'carol'] as const;
type Name = (typeof NAMES)[number];

/** A state directory of its own, the peer that serves it, and what stands between it and the others. */
interface Host {
  readonly name: Name;
  readonly machine: Machine;
  readonly folder: string;
  readonly port: number;
  readonly proxy: HostileProxy;
  peer: HeadlessPeer | undefined;
}

const hosts: Host[] = [];
after(async () => {
  await Promise.all(hosts.map(({ machine }) => machine.dispose()));
  for (const { proxy } of hosts) proxy.dispose();
});

test('[ELE-11] [REC-08] [I1] [I2] three hosts with a log each: kill -9 of the leader, a partition with saves on both sides, and nothing is lost', async () => {
  for (const name of NAMES) hosts.push(await createHost(name));
  const [alice, bob, carol] = hosts as [Host, Host, Host];
  const first = start(alice);
  await first.untilInStep(1);
  // An invitation would bring no more than this: what the library is called, and its secret.
  const [libraryId = ''] = await readdir(join(alice.machine.stateDir, 'libraries'));
  for (const { machine } of [bob, carol]) await shareLibrary(alice.machine, machine, libraryId);
  await Promise.all([start(bob).untilInStep(1), start(carol).untilInStep(1)]);
  await edit(bob, 'List orders', 'List all orders');
  await everybodyHas(hosts, 'List all orders');

  // Whoever leads dies; the others agree on the next, and it comes back.
  await alice.peer?.end('SIGKILL');
  await edit(carol, 'List items', 'List all items');
  await everybodyHas([bob, carol], 'List all items');
  await start(alice).untilInStep(1);
  await everybodyHas(hosts, 'List all items');

  // Nobody reaches anybody: each leads for itself, and takes saves.
  for (const { proxy } of hosts) proxy.isCut = true;
  await Promise.all(hosts.map((host) => peerOf(host).until('alone', ({ role }) => role === 'leader')));
  await edit(alice, 'title: Shop', 'title: The shop');
  await edit(bob, 'List all orders', 'List every order');
  await edit(carol, 'List all items', 'List every item');
  await Promise.all(hosts.map((host) => peerOf(host).untilInStep(1)));
  const acknowledged = hosts.map(({ machine }) => readHostLog(machine, libraryId).proposals.at(-1));
  for (const { proxy } of hosts) proxy.isCut = false;
  for (const words of ['title: The shop', 'List every order', 'List every item']) await everybodyHas(hosts, words);
  await Promise.all(hosts.map((host) => peerOf(host).untilInStep(1)));
  await until('all three logs are one', () => {
    const ends = hosts.map(({ machine }) => readHostLog(machine, libraryId).end);
    return Promise.resolve(new Set(ends).size === 1);
  });
  const texts = await Promise.all(hosts.map((host) => peerOf(host).read(PATH)));
  assert.equal(new Set(texts).size, 1);
  assert.deepEqual(
    hosts.map(({ peer }) => peer?.status?.conflictCount),
    [0, 0, 0],
  );
  const { proposals } = readHostLog(alice.machine, libraryId);
  assert.equal(new Set(proposals).size, proposals.length, 'each proposal is in the log once');
  // One of the three logs was the one that counted; its own save is in it as it was made.
  assert.ok(acknowledged.some((proposal) => proposal !== undefined && proposals.includes(proposal)));
});

async function createHost(name: Name): Promise<Host> {
  const machine = await Machine.create();
  const port = await freePort();
  const proxy = await HostileProxy.listen(port, new SeededRandom(1));
  proxy.isHostile = false;
  const folder = await machine.workspace(name, { [PATH]: SPEC });
  return { name, machine, folder, port, proxy, peer: undefined };
}

/** Each knows the addresses of the others, which are those of the proxies before them. */
function start(host: Host): HeadlessPeer {
  const others = hosts.filter((other) => other !== host).map(({ proxy }) => `127.0.0.1:${String(proxy.port)}`);
  const links = others.flatMap((address) => ['--linked-to', address]);
  const own = ['--host-port', String(host.port), '--host-address', `127.0.0.1:${String(host.proxy.port)}`];
  host.peer = host.machine.serve(host.folder, {
    name: host.name,
    args: ['--keep-in-step', '--heartbeat', '0.5', '--timeout', '2', ...own, ...links],
  });
  return host.peer;
}

function peerOf({ name, peer }: Host): HeadlessPeer {
  if (peer === undefined) throw new Error(`${name} was not started.`);
  return peer;
}

async function shareLibrary(from: Machine, to: Machine, libraryId: string): Promise<void> {
  const [source, target] = [from, to].map(({ stateDir }) => join(stateDir, 'libraries', libraryId)) as [string, string];
  await mkdir(target, { recursive: true, mode: 0o700 });
  for (const file of ['library.json', 'token']) await cp(join(source, file), join(target, file));
}

async function edit(host: Host, before: string, after: string): Promise<void> {
  await peerOf(host).edit(PATH, (text) => text.replace(before, after));
}

async function everybodyHas(some: readonly Host[], words: string): Promise<void> {
  await until(`everybody has ${words}`, async () => {
    const texts = await Promise.all(some.map((host) => peerOf(host).read(PATH)));
    return texts.every((text) => text.includes(words));
  });
}

function readHostLog(
  machine: Machine,
  libraryId: string,
): { readonly end: string; readonly proposals: readonly string[] } {
  const store = new SqliteLogStore(join(machine.stateDir, 'libraries', libraryId, 'log.sqlite'));
  try {
    const { last } = store.state();
    const { entries } = store.entries(0 as LogIndex, { count: 1_000, units: Infinity });
    const proposals = entries.flatMap(({ entry }) => entry?.proposalId ?? []);
    return { end: `${String(last.index)} ${last.runningHash}`, proposals };
  } finally {
    store.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
