// `node test/bench/replication.ts`: what replication costs on this machine, with real SQLite and real sockets: one save,
// coming back after 10,000 entries, 50 followers under a burst, and taking over from a killed leader.
import { performance } from 'node:perf_hooks';
import { existsSync } from 'node:fs';
import { PeerGroup } from '../integration/replication/peerProcesses.ts';
import { TestLibrary } from '../integration/replication/library.ts';
import type { TestPeer } from '../integration/replication/library.ts';
import { createOf, editOf, until } from '../unit/replication/fakes.ts';

const PATIENT = { heartbeatMs: 5_000, timeoutMs: 60_000 };
const SAVES = 200;
const AWAY_ENTRIES = 10_000;
const FOLLOWERS = 50;
const BURST_SAVES = 1_000;
const BURST_MS = 10_000;
const TAKEOVERS = 5;
const MIB = 1024 * 1024;
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

async function measureBurst(): Promise<void> {
  const library = await TestLibrary.create();
  const leader = await library.start('leader', PATIENT);
  const followers: TestPeer[] = [];
  for (let number = 0; number < FOLLOWERS; number += 1)
    followers.push(await library.start(`f${String(number)}`, PATIENT));
  await until(() => leader.service.followers.length === FOLLOWERS + 1, 'all are connected', LONG_WAIT_MS);
  const memoryBefore = process.memoryUsage().rss;
  const writers = followers.slice(0, 20).map((follower, number) => new Writer(follower, `doc-${String(number)}`));
  const begun = performance.now();
  const pending: Promise<void>[] = [];
  const perWriter = BURST_SAVES / writers.length;
  for (const writer of writers) {
    pending.push(
      (async () => {
        for (let save = 0; save < perWriter; save += 1) {
          await writer.save();
          const due = begun + ((save + 1) * BURST_MS) / perWriter;
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        }
      })(),
    );
  }
  await Promise.all(pending);
  const saved = performance.now();
  await until(() => followers.every(({ sink }) => sink.index === BURST_SAVES), 'all are in step', LONG_WAIT_MS);
  const converged = performance.now();
  const memory = (process.memoryUsage().rss - memoryBefore) / MIB;
  console.log(
    `${String(BURST_SAVES)} saves in ${((saved - begun) / 1_000).toFixed(1)} s to ${String(FOLLOWERS)} followers: all in step ${(converged - saved).toFixed(0)} ms after the last; memory of leader and all followers together +${memory.toFixed(0)} MiB`,
  );
  await library.dispose();
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

/** What one peer costs that only follows while nobody types. */
async function measureIdle(): Promise<void> {
  const library = await TestLibrary.create();
  const peers = [await library.start('leader', PATIENT), await library.start('follower', PATIENT)];
  await until(() => peers.every(({ service }) => service.status.connection === 'connected'), 'connected');
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  const { user, system } = process.cpuUsage(before);
  console.log(
    `idle for 20 s, a leader and a follower in one process: ${((user + system) / 1_000).toFixed(0)} ms of CPU`,
  );
  await library.dispose();
}

console.log(existsSync(BUNDLED_WORKER) ? 'log worker: from source (a bundle is there too)' : 'log worker: from source');
await measureSaves();
await measureReturn();
await measureBurst();
await measureTakeover();
await measureIdle();
