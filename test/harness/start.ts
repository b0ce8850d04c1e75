/**
 * `npm start`: builds the extension and opens it in two real VS Code windows on two copies of a sample API.
 * With `--check` it ends as soon as both windows could be opened.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openOnDesktop } from './desktopWindow.ts';
import { findDesktopVsCode } from './desktopVsCode.ts';
import { installExtension } from './installExtension.ts';
import { openAddress } from './openAddress.ts';
import { projectRoot } from './paths.ts';
import { makeRepository } from './sampleRepository.ts';
import { baseSettings } from './settings.ts';
import { startServer } from './vscodeServer.ts';
import { copyWorkspace } from './workspaces.ts';

/** Ends what was started; the first call does it, later ones wait for it. */
type Stop = () => Promise<void>;

function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

async function main(checkOnly: boolean): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
  await build();

  const dir = await realpath(await mkdtemp(path.join(tmpdir(), 'api-live-sync-')));
  try {
    const folders = await makeFolders(dir);
    const desktop = await findDesktopVsCode(say);
    const stop = desktop === undefined ? await openInBrowser(dir, folders) : await openOnDesktop(desktop, dir, folders);
    try {
      say(
        '',
        'Two checkouts of one sample API, each in a VS Code window of its own:',
        '  1. In one window, answer "Keep in Step" to the question at the lower right.',
        '  2. Change openapi.yaml in one window and save it (Ctrl+S): the other window has it at once.',
        '  3. Change the same line in both before saving either: a conflict to settle in the later one.',
        'Ctrl-C ends both windows and deletes the copies.',
      );
      if (!checkOnly) await interrupted;
    } finally {
      say('', 'Ending VS Code.');
      await stop();
    }
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function build(): Promise<void> {
  const script = path.join(projectRoot, 'esbuild.mjs');
  if (!existsSync(script)) return;
  say('Building the extension.');
  const child = spawn(process.execPath, [script], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`The build failed:\n${output}`);
}

/** Two clones of one repository, as a backend and a frontend team would have them side by side. */
async function makeFolders(dir: string): Promise<string[]> {
  return Promise.all(
    ['backend', 'frontend'].map(async (name) => {
      const folder = await copyWorkspace('harbor-tours', path.join(dir, name));
      await makeRepository(folder, { remoteUrl: 'https://git.example.com/harbor-tours/api.git', branch: 'main' });
      return folder;
    }),
  );
}

async function openInBrowser(dir: string, folders: readonly string[]): Promise<Stop> {
  const userDataDir = path.join(dir, '.vscode', 'user-data');
  await mkdir(path.join(userDataDir, 'User'), { recursive: true });
  await writeFile(path.join(userDataDir, 'User', 'settings.json'), JSON.stringify(baseSettings, null, 2));
  const extensionsDir = path.join(dir, '.vscode', 'extensions');
  await installExtension(extensionsDir);
  const server = await startServer({
    serverDataDir: path.join(dir, '.vscode', 'server'),
    userDataDir,
    extensionsDir,
    temporaryDir: dir,
    gallery: true,
    env: { API_LIVE_SYNC_STATE_DIR: path.join(dir, '.state') },
    progress: say,
  });
  try {
    const addresses = folders.map((folder) => server.address({ folder }));
    for (const address of addresses) await answers(address);
    say(
      '',
      `VS Code ${server.version} is running. Open these two addresses side by side:`,
      ...addresses.map((address) => `  ${address}`),
    );
    for (const address of addresses) openAddress(address);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server.stop;
}

/** Follows an address as a browser does: the token in it becomes a cookie and VS Code's page is answered. */
async function answers(address: string): Promise<void> {
  const first = await fetch(address, { redirect: 'manual' });
  const target = first.headers.get('location');
  const cookie = first.headers.getSetCookie().map((line) => line.split(';', 1)[0]);
  const page =
    target === null ? first : await fetch(new URL(target, address), { headers: { cookie: cookie.join('; ') } });
  if (!page.ok) throw new Error(`${address} answered ${page.status}.`);
  await page.arrayBuffer();
}

await main(process.argv.includes('--check'));
