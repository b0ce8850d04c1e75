import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FolderStatus } from '../../src/peer/folderSession.ts';

/**
 * How long a peer needs until its folder is in step: `node test/bench/startup.ts`, after `npm run build`. Beside it, from
 * the same run, the floor: Node's own start and one look at every file name.
 */
const FILES = 100_000;
const DOCUMENTS = 3_000;

const root = await mkdtemp(join(tmpdir(), 'startup-'));
try {
  const large = await folder('large');
  for (let at = 0; at < FILES / 200; at++) {
    const sub = join(large, `module${at}`);
    await mkdir(sub);
    // A tenth each of JSON and YAML, as in a workspace full of configuration.
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        writeFile(join(sub, `file${n}.${['json', 'yaml'][n % 10] ?? 'ts'}`), 'a: 1\n'),
      ),
    );
  }
  await writeFile(join(large, 'openapi.yaml'), spec('Large'));
  const many = await folder('many');
  for (let at = 0; at < DOCUMENTS; at++) {
    await mkdir(join(many, `service${at % 100}`), { recursive: true });
    await writeFile(join(many, `service${at % 100}`, `api${at}.yaml`), spec(`Service ${at}`));
  }
  await report(`${FILES.toLocaleString('en')} files, 1 document`, large, 1);
  await report(`${DOCUMENTS.toLocaleString('en')} documents`, many, DOCUMENTS);
} finally {
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

async function report(what: string, path: string, documents: number): Promise<void> {
  const floor = await floorMs(path);
  for (const run of ['created', 'started again']) {
    const ms = await startMs(path, documents);
    console.log(
      `${what.padEnd(28)} ${run.padEnd(14)} ${ms.toFixed(0).padStart(6)} ms   floor ${floor.toFixed(0)} ms   ratio ${(ms / floor).toFixed(1)}`,
    );
  }
}

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  await mkdir(join(path, '.git'), { recursive: true });
  await writeFile(join(path, '.git', 'HEAD'), 'ref: refs/heads/main\n');
  return path;
}

function spec(title: string): string {
  const paths = Array.from(
    { length: 20 },
    (_, at) => `  /things${at}:\n    get:\n      responses:\n        '200': { description: OK }\n`,
  );
  return `openapi: 3.1.0\ninfo:\n  title: ${title}\n  version: 1.0.0\npaths:\n${paths.join('')}`;
}

async function floorMs(path: string): Promise<number> {
  const start = performance.now();
  await once(spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' }), 'exit');
  await readdir(path, { recursive: true });
  return performance.now() - start;
}

async function startMs(path: string, documents: number): Promise<number> {
  const start = performance.now();
  const child = spawn(
    process.execPath,
    ['dist/cli.js', 'serve', path, '--keep-in-step', '--state-dir', join(root, 'state')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const status = JSON.parse(line) as FolderStatus & { event: string };
    const isHere =
      status.event === 'status' && status.connection === 'connected' && status.documents.length === documents;
    if (!isHere || status.documents.some((document) => document.state !== 'inStep')) continue;
    const ms = performance.now() - start;
    child.kill('SIGTERM');
    await exited;
    return ms;
  }
  throw new Error('The peer ended before it was in step.');
}
