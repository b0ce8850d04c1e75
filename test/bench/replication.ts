// `node test/bench/replication.ts`: what replication costs on this machine, with real SQLite and real sockets: one save,
// coming back after 10,000 entries, 50 followers under a burst beside Yjs under the same one, taking over from a killed
// leader, and a minute in which nobody types.
import { performance } from 'node:perf_hooks';
import { existsSync } from 'node:fs';
import { PeerGroup } from '../integration/replication/peerProcesses.ts';
import { TestLibrary } from '../integration/replication/library.ts';
import type { TestPeer } from '../integration/replication/library.ts';
import { createOf, editOf, until } from '../unit/replication/fakes.ts';
import { YjsRoom } from './yjsRoom.ts';
import type { YjsClient } from './yjsRoom.ts';

const PATIENT = { heartbeatMs: 5_000, timeoutMs: 60_000 };
const SAVES = 200;
const AWAY_ENTRIES = 10_000;
const FOLLOWERS = 50;
const BURST_SAVES = 1_000;
const BURST_MS = 10_000;
const WRITERS = 20;
const TAKEOVERS = 5;
const IDLE_MS = 60_000;
const BULK_DOCUMENTS = 300;
/** Lines of each document beside its head: about 4 kB. */
const BULK_LINES = 400;
const KIB = 1024;
const MIB = 1024 * KIB;
const LONG_WAIT_MS = 120_000;
const BUNDLED_WORKER = new URL('../../dist/logWorker.cjs', import.meta.url).pathname;

function percentile(values: readonly number[], part: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2);
}

/** One document that is saved over and over, through one peer. */
class Writer {
  readonly #peer: TestPeer;
  readonly #docId: string;
  #step = 0;

  constructor(peer: TestPeer, docId: string) {
    this.#peer = peer;
    this.#docId = docId;
  }

  async save(): Promise<void> {
    const text = (step: number): string => `paths:\n  /pets:\n    get:\n      summary: step ${String(step)}\n`;
    const proposal =
      this.#step === 0
        ? createOf('bench', this.#docId, `${this.#docId}.yaml`, text(0))
        : editOf('bench', this.#docId, text(this.#step - 1), text(this.#step));
    this.#step += 1;
    const result = await this.#peer.service.propose(proposal);
    if (result.kind !== 'committed') throw new Error(`Not committed: ${result.kind}`);
  }
}

async function measureSaves(): Promise<void> {
  const library = await TestLibrary.create();
  const leader = await library.start('leader', PATIENT);
  const follower = await library.start('follower', PATIENT);
  await until(() => follower.service.status.connection === 'connected', 'connected');
  const writer = new Writer(follower, 'doc');
  const commits: number[] = [];
  const arrivals: number[] = [];
  for (let save = 0; save < SAVES; save += 1) {
    const arrived = Promise.withResolvers<undefined>();
    leader.sink.beforeApply = () => {
      arrived.resolve(undefined);
    };
    // Apart by more than the announcement's window, so that each save stands for itself.
    await new Promise((resolve) => setTimeout(resolve, 110));
    const begun = performance.now();
    void arrived.promise.then(() => arrivals.push(performance.now() - begun));
    await writer.save();
    commits.push(performance.now() - begun);
    await arrived.promise;
  }
  console.log(
    `one save, follower → leader: committed p50 ${percentile(commits, 0.5)} ms, p95 ${percentile(commits, 0.95)} ms`,
  );
  console.log(
    `one save, at another replica: p50 ${percentile(arrivals, 0.5)} ms, p95 ${percentile(arrivals, 0.95)} ms`,
  );
  await library.dispose();
}

async function measureReturn(): Promise<void> {
  const library = await TestLibrary.create();
  const leader = await library.start('leader', PATIENT);
  const writers = Array.from({ length: 100 }, (_, number) => new Writer(leader, `doc-${String(number)}`));
  const begun = performance.now();
  for (let round = 0; round < AWAY_ENTRIES / writers.length; round += 1)
    await Promise.all(writers.map((writer) => writer.save()));
  const written = performance.now();
  console.log(`${String(AWAY_ENTRIES)} saves of 100 documents: ${((written - begun) / 1_000).toFixed(2)} s`);
  const follower = await library.start('follower', PATIENT);
  await until(() => follower.sink.index === AWAY_ENTRIES, 'back in step', LONG_WAIT_MS);
  console.log(
    `back in step after ${String(AWAY_ENTRIES)} entries: ${((performance.now() - written) / 1_000).toFixed(2)} s (target 2 s)`,
  );
  await library.dispose();
}

/** What a generator costs that rewrites many documents: once as one entry, once as an entry each, in the same run. */
async function measureBulk(): Promise<void> {
  for (const isBulk of [true, false]) {
    const library = await TestLibrary.create();
    const leader = await library.start('leader', PATIENT);
    const follower = await library.start('follower', PATIENT);
    await until(() => follower.service.status.connection === 'connected', 'connected');
    const text = (at: number, release: number): string =>
      `info:\n  title: Service ${String(at)}\n  version: ${String(release)}.0.0\n${'paths: {}\n'.repeat(BULK_LINES)}`;
    const documents = Array.from({ length: BULK_DOCUMENTS }, (_, at) => at);
    for (const at of documents)
      await follower.service.propose(createOf('bench', `doc-${String(at)}`, `${String(at)}.yaml`, text(at, 1)));
    await until(() => leader.sink.index === BULK_DOCUMENTS, 'created', LONG_WAIT_MS);
    const edits = documents.map((at) => editOf('bench', `doc-${String(at)}`, text(at, 1), text(at, 2)));
    const { sentUnits, receivedUnits } = follower.service.metrics;
    const begun = performance.now();
    const parts = edits.flatMap(({ proposalId, docId, baseHash, hash, patch }) =>
      baseHash === undefined || hash === undefined ? [] : [{ proposalId, docId, baseHash, hash, patch }],
    );
    const results = isBulk
      ? await follower.service.proposeBulk({ reason: 'generator', documents: parts })
      : await Promise.all(edits.map((edit) => follower.service.propose(edit)));
    const committed = performance.now() - begun;
    const last = Math.max(...results.map((result) => (result.kind === 'committed' ? result.index : Infinity)));
    await until(() => [leader, follower].every(({ sink }) => sink.index >= last), 'told', LONG_WAIT_MS);
    const told = performance.now() - begun;
    const { metrics } = follower.service;
    const kib = (units: number): string => `${(units / KIB).toFixed(0)} KiB`;
    console.log(
      `${String(BULK_DOCUMENTS)} documents as ${isBulk ? 'one bulk' : 'edits  '}: ${String(leader.sink.index - BULK_DOCUMENTS)} entries, ` +
        `sent ${kib(metrics.sentUnits - sentUnits)}, received ${kib(metrics.receivedUnits - receivedUnits)}, ` +
        `committed in ${committed.toFixed(0)} ms, everybody told in ${told.toFixed(0)} ms`,
    );
    await library.dispose();
  }
}

/** Every writer saves at its own pace, all together `BURST_SAVES` times within `BURST_MS`; resolves after the last. */
async function saveInABurst(saves: readonly (() => Promise<void>)[]): Promise<number> {
  const begun = performance.now();
  const perWriter = BURST_SAVES / saves.length;
  await Promise.all(
    saves.map(async (save) => {
      for (let count = 1; count <= perWriter; count += 1) {
        await save();
        const due = begun + (count * BURST_MS) / perWriter;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      }
    }),
  );
  return performance.now() - begun;
}

interface Burst {
  readonly name: string;
  readonly durationMs: number;
  /** From the last save until everybody has all of them. */
  readonly settledMs: number;
  readonly cpuMs: number;
  readonly memoryMiB: number;
  readonly bytesPerFollower: number;
}

/** Runs a burst and looks at what it costs the process, in which everybody is. */
async function observeBurst(
  name: string,
  saves: readonly (() => Promise<void>)[],
  isSettled: () => boolean,
  bytes: () => readonly number[],
): Promise<Burst> {
  const memoryBefore = process.memoryUsage().rss;
  const bytesBefore = sum(bytes());
  const cpuBefore = process.cpuUsage();
  const durationMs = await saveInABurst(saves);
  const saved = performance.now();
  await until(isSettled, `${name}: all are in step`, LONG_WAIT_MS);
  const settledMs = performance.now() - saved;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    name,
    durationMs,
    settledMs,
    cpuMs: (user + system) / 1_000,
    memoryMiB: (process.memoryUsage().rss - memoryBefore) / MIB,
    bytesPerFollower: (sum(bytes()) - bytesBefore) / FOLLOWERS,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function printBurst({ name, durationMs, settledMs, cpuMs, memoryMiB, bytesPerFollower }: Burst): void {
  console.log(
    `${name}: ${String(BURST_SAVES)} saves of ${String(WRITERS)} documents in ${(durationMs / 1_000).toFixed(1)} s to ${String(FOLLOWERS)} followers: all in step ${settledMs.toFixed(0)} ms after the last; CPU of everybody together ${(cpuMs / 1_000).toFixed(2)} s, memory +${memoryMiB.toFixed(0)} MiB, ${(bytesPerFollower / KIB).toFixed(0)} KiB received per follower`,
  );
}

async function measureBurst(): Promise<void> {
  const library = await TestLibrary.create();
  const leader = await library.start('leader', PATIENT);
  const followers: TestPeer[] = [];
  for (let number = 0; number < FOLLOWERS; number += 1)
    followers.push(await library.start(`f${String(number)}`, PATIENT));
  await until(() => leader.service.followers.length === FOLLOWERS + 1, 'all are connected', LONG_WAIT_MS);
  const writers = followers.slice(0, WRITERS).map((follower, number) => new Writer(follower, `doc-${String(number)}`));
  printBurst(
    await observeBurst(
      'this protocol (each save durable before it is answered)',
      writers.map((writer) => () => writer.save()),
      () => followers.every(({ sink }) => sink.index === BURST_SAVES),
      // The texts of the messages; nearly all of it is ASCII, so units are bytes.
      () => followers.map(({ service }) => service.metrics.receivedUnits),
    ),
  );
  await library.dispose();
}

/** The same saves as edits of shared text: Yjs over y-websocket's protocol, which keeps nothing on disk. */
async function measureYjsBurst(): Promise<void> {
  const room = await YjsRoom.open();
  const clients: YjsClient[] = [];
  for (let number = 0; number <= FOLLOWERS; number += 1) clients.push(await room.join());
  const names = Array.from({ length: WRITERS }, (_, number) => `doc-${String(number)}`);
  const saves = names.map((name, number) => {
    const client = clients[number];
    if (client === undefined) throw new Error('There are fewer clients than documents.');
    const begins = 'paths:\n  /pets:\n    get:\n      summary: ';
    let step = 0;
    return (): Promise<void> => {
      const text = client.text(name);
      client.change(() => {
        if (step === 0) text.insert(0, `${begins}step 0\n`);
        else {
          text.delete(begins.length, `step ${String(step - 1)}`.length);
          text.insert(begins.length, `step ${String(step)}`);
        }
      });
      step += 1;
      return Promise.resolve();
    };
  });
  const last = `summary: step ${String(BURST_SAVES / WRITERS - 1)}\n`;
  printBurst(
    await observeBurst(
      'Yjs over y-websocket (in memory only)',
      saves,
      () => clients.every((client) => names.every((name) => client.text(name).toJSON().endsWith(last))),
      () => clients.slice(1).map((client) => client.receivedBytes()),
    ),
  );
  room.close();
}

async function measureTakeover(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < TAKEOVERS; round += 1) {
    const group = await PeerGroup.create();
    for (const name of ['alice', 'bob', 'carol']) await group.start(name);
    const leader = group.leader();
    if (leader === undefined) throw new Error('Nobody leads.');
    const killedAt = performance.now();
    await leader.kill();
    await until(() => group.leader() !== undefined, 'another leads');
    times.push((group.leader()?.leadsSince ?? 0) - killedAt);
    await group.dispose();
  }
  console.log(
    `kill -9 of the leader → another leads: ${times.map((time) => time.toFixed(0)).join(', ')} ms (from source; the bundle starts faster)`,
  );
}

/** What peers cost while nobody types. */
async function measureIdle(): Promise<void> {
  const library = await TestLibrary.create();
  const peers = [await library.start('leader', PATIENT), await library.start('follower', PATIENT)];
  await until(() => peers.every(({ service }) => service.status.connection === 'connected'), 'connected');
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1_000;
  console.log(
    `idle for ${String(IDLE_MS / 1_000)} s, a leader and a follower in one process: ${cpuMs.toFixed(0)} ms of CPU, ${((100 * cpuMs) / IDLE_MS / peers.length).toFixed(2)} % of a core each`,
  );
  await library.dispose();
}

console.log(existsSync(BUNDLED_WORKER) ? 'log worker: from source (a bundle is there too)' : 'log worker: from source');
await measureSaves();
await measureReturn();
await measureBulk();
await measureBurst();
await measureYjsBurst();
await measureTakeover();
await measureIdle();
