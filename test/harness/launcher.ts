#!/usr/bin/env node
/**
 * Stands in for the desktop VS Code's executable where that cannot be downloaded: understands the flags with which
 * `@vscode/test-electron` starts a test run, opens the folder in a window of the VS Code from npm, runs the suite in its extension host
 * and exits with the suite's code.
 */
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { format, parseArgs } from 'node:util';
import { launchBrowser } from './browser.ts';
import { consoleMark, consoleMarkVariable, trustVariable } from './launcherVariables.ts';
import { startServer } from './vscodeServer.ts';

/** Longer than any suite takes; mocha has its own limits for each test. */
const limitMinutes = 10;

interface LaunchOptions {
  readonly extensionDevelopmentPaths: readonly string[];
  readonly extensionTestsPath: string | undefined;
  readonly folder: string | undefined;
  readonly userDataDir: string | undefined;
  readonly extensionsDir: string | undefined;
  readonly workspaceTrust: boolean;
}

function readOptions(args: readonly string[]): LaunchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    // Whatever else a desktop VS Code understands is of no consequence here.
    strict: false,
    allowPositionals: true,
    options: {
      extensionDevelopmentPath: { type: 'string', multiple: true },
      extensionTestsPath: { type: 'string' },
      'folder-uri': { type: 'string' },
      'user-data-dir': { type: 'string' },
      'extensions-dir': { type: 'string' },
      'disable-workspace-trust': { type: 'boolean' },
    },
  });
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const all = (value: unknown): string[] =>
    Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  const folderUri = text(values['folder-uri']);
  return {
    extensionDevelopmentPaths: all(values['extensionDevelopmentPath']),
    extensionTestsPath: text(values['extensionTestsPath']),
    folder:
      positionals.findLast((item) => existsSync(item) && statSync(item).isDirectory()) ??
      (folderUri === undefined ? undefined : new URL(folderUri).pathname),
    userDataDir: text(values['user-data-dir']),
    extensionsDir: text(values['extensions-dir']),
    workspaceTrust: values['disable-workspace-trust'] !== true || process.env[trustVariable] === 'ask',
  };
}

/** Runs one suite; the answer is the code that the suite ended with. */
async function launch(options: LaunchOptions, aborted: AbortSignal): Promise<number> {
  const dir = await mkdtemp(path.join(tmpdir(), 'als-launch-'));
  const progress = (line: string): void => void process.stdout.write(`${line}\n`);
  const starting = launchBrowser(progress);
  starting.catch(() => undefined);
  const server = await startServer({
    serverDataDir: path.join(dir, 'server'),
    userDataDir: options.userDataDir,
    extensionsDir: options.extensionsDir,
    workspaceTrust: options.workspaceTrust,
    temporaryDir: dir,
    testDriver: true,
    env: { [consoleMarkVariable]: consoleMark },
    progress,
  });
  try {
    const browser = await starting;
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      const outcome = Promise.withResolvers<number>();
      aborted.addEventListener('abort', () => {
        outcome.resolve(130);
      });
      await page.exposeFunction('codeAutomationLog', (level: string, args: unknown[]) => {
        forwardLog(level, args);
      });
      await page.exposeFunction('codeAutomationExit', (code: number) => {
        outcome.resolve(code);
      });
      page.on('crash', () => {
        outcome.reject(new Error('The page of VS Code crashed.'));
      });
      page.on('close', () => {
        outcome.reject(new Error('The page of VS Code was closed.'));
      });
      void server.stopped.then(() => {
        outcome.reject(new Error(`VS Code's server ended:\n${server.output().slice(-2000)}`));
      });
      const limit = setTimeout(() => {
        outcome.reject(new Error(`The suite did not end within ${limitMinutes} minutes.`));
      }, limitMinutes * 60_000);
      limit.unref();
      await page.goto(server.address(queryFor(server.authority, options)));
      return await outcome.promise;
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function queryFor(authority: string, options: LaunchOptions): Record<string, string> {
  const remote = (file: string): string => `vscode-remote://${authority}${path.resolve(file)}`;
  const payload: [string, string][] = options.extensionDevelopmentPaths.map((dir) => [
    'extensionDevelopmentPath',
    remote(dir),
  ]);
  if (options.extensionTestsPath !== undefined)
    payload.push(['extensionTestsPath', remote(options.extensionTestsPath)]);
  return {
    payload: JSON.stringify(payload),
    ...(options.folder === undefined ? { ew: 'true' } : { folder: path.resolve(options.folder) }),
  };
}

/** Prints what the suite and the extension print; what VS Code says to itself only with `API_LIVE_SYNC_VERBOSE=1`. */
function forwardLog(level: string, args: readonly unknown[]): void {
  const line = format(...args);
  if (line.startsWith(consoleMark)) process.stdout.write(`${line.slice(consoleMark.length)}\n`);
  else if (process.env['API_LIVE_SYNC_VERBOSE'] === '1') process.stdout.write(`[VS Code ${level}] ${line}\n`);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}

process.exitCode = await launch(readOptions(process.argv.slice(2)), interrupted.signal);
