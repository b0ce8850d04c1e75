import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fsyncSync, openSync, readFileSync, watch, writeFileSync, writeSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { parseDocument } from 'yaml';

/**
 * How long a save takes to be on the other peer's disk: `node test/bench/latency.ts [--saves N]`. Beside it, from the same
 * run, the floor of this machine: what any such program has to do at least, one after the other.
 */
const SAVES = Number(process.argv[process.argv.indexOf('--saves') + 1]) || 200;
const WARM_UP = 20;
/** A file that was not saved in this window is looked at twice before it counts as whole. */
const STABILITY_WAIT_MS = 50;
/** Entries that follow a first one within this window are announced together; saves here keep out of it. */
const BATCH_WINDOW_MS = 100;
const SAMPLE = 'test/fixtures/workspaces/harbor-tours';

const root = await mkdtemp(join(tmpdir(), 'latency-'));
const peers: ChildProcess[] = [];
try {
  const folders = { a: await workspace('a'), b: await workspace('b') };
  const a = await startPeer(folders.a);
  await startPeer(folders.b);
  const text = await readFile(join(folders.a, 'openapi.yaml'), 'utf8');

  const floor = await measureFloor(text);
  const bySave = await measure(folders, text, 'save', (file, next) => a.send({ file, text: next, isAutoSave: false }));
  const byWatcher = await measure(folders, text, 'watcher', () => undefined);

  console.log(
    `Save in A → bytes on disk in B, ${SAVES} saves, ${(text.length / 1024).toFixed(0)} kB document, two processes\n`,
  );
  console.log('                                             p50 ms   p95 ms   ratio to floor (p50)');
  row('floor: write, inotify, ws round trip, fsync, 2 parses', floor, floor);
  row('saved in the editor', bySave, floor);
  row(
    `changed on disk, without the ${STABILITY_WAIT_MS} ms wait for a whole file`,
    byWatcher.map((ms) => ms - STABILITY_WAIT_MS),
    floor,
  );
  console.log(
    `\nWaits on purpose, apart: ${STABILITY_WAIT_MS} ms until a file that another program wrote counts as whole, and up to`,
  );
  console.log(
    `${BATCH_WINDOW_MS} ms of batching for what follows a first change (none here: saves are further apart).`,
  );
} finally {
  for (const peer of peers) peer.kill('SIGKILL');
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

function row(what: string, measured: readonly number[], floor: readonly number[]): void {
  const p50 = percentile(measured, 50);
  console.log(
    `${what.padEnd(44)} ${p50.toFixed(2).padStart(7)}  ${percentile(measured, 95).toFixed(2).padStart(7)}   ${(p50 / percentile(floor, 50)).toFixed(2)}`,
  );
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

async function workspace(name: string): Promise<string> {
  const folder = join(root, name);
  await cp(SAMPLE, folder, { recursive: true });
  await mkdir(join(folder, '.git'));
  await writeFile(join(folder, '.git', 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(folder, '.git', 'config'), '[remote "origin"]\n\turl = https://example.test/bench.git\n');
  return folder;
}

async function startPeer(folder: string): Promise<ChildProcess> {
  const peer = fork('test/bench/latencyPeer.ts', [folder, join(root, 'state')], {
    execPath: process.execPath,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  peers.push(peer);
  for (;;) {
    const [message] = (await once(peer, 'message')) as [{ isInStep: boolean }];
    if (message.isInStep) return peer;
  }
}

async function measure(
  folders: { a: string; b: string },
  text: string,
  name: string,
  afterWrite: (file: string, next: string) => void,
): Promise<number[]> {
  const [from, to] = [join(folders.a, 'openapi.yaml'), join(folders.b, 'openapi.yaml')];
  const samples: number[] = [];
  for (let save = 0; save < SAVES + WARM_UP; save++) {
    const next = text.replace(/^ {2}title: .*$/m, `  title: ${name} ${save}`);
    const arrived = arrival(folders.b, () => readFileSync(to, 'utf8') === next);
    const start = performance.now();
    writeFileSync(from, next);
    afterWrite(from, next);
    const at = await arrived;
    if (save >= WARM_UP) samples.push(at - start);
    await pause(BATCH_WINDOW_MS + 20);
  }
  return samples;
}

/** When the condition held first, looked at whenever something happens in the folder. */
function arrival(folder: string, condition: () => boolean): Promise<number> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      try {
        if (!condition()) return;
      } catch {
        // The file is being replaced; the next event comes when it is there.
        return;
      }
      watcher.close();
      resolve(performance.now());
    });
  });
}

async function measureFloor(text: string): Promise<number[]> {
  const folder = join(root, 'floor');
  await mkdir(folder);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer)));
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The echo server has no port.');
  const socket = new WebSocket(`ws://127.0.0.1:${address.port}`);
  await once(socket, 'open');
  const samples: number[] = [];
  for (let round = 0; round < SAVES + WARM_UP; round++) {
    const file = join(folder, 'openapi.yaml');
    const next = text.replace(/^ {2}title: .*$/m, `  title: floor ${round}`);
    const noticed = arrival(folder, () => readFileSync(file, 'utf8') === next);
    const start = performance.now();
    writeFileSync(file, next);
    await noticed;
    parseDocument(next, { uniqueKeys: false });
    const echoed = once(socket, 'message');
    socket.send('x'.repeat(300));
    await echoed;
    const log = openSync(join(folder, 'log'), 'a');
    writeSync(log, 'x'.repeat(300));
    fsyncSync(log);
    closeSync(log);
    parseDocument(next, { uniqueKeys: false });
    if (round >= WARM_UP) samples.push(performance.now() - start);
  }
  socket.close();
  server.close();
  return samples;
}
