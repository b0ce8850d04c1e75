import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from './installOnce.ts';
import { runVariable, temporaryDirVariable } from './processTree.ts';
import { ensureVsCode } from './vscodeInstall.ts';

export interface ServerOptions {
  /** Extensions, logs and user settings of this server; a fresh folder is a fresh VS Code. */
  readonly serverDataDir: string;
  /** Where user settings and logs lie, if not in `serverDataDir`. */
  readonly userDataDir?: string | undefined;
  /** Where installed extensions lie, if not in `serverDataDir`. */
  readonly extensionsDir?: string | undefined;
  /** Added to the environment that extension hosts inherit. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Lets the person trust folders or not (Restricted Mode); off by default, then every folder is trusted. */
  readonly workspaceTrust?: boolean | undefined;
  /** Lets the person find further extensions; tests do without. */
  readonly gallery?: boolean | undefined;
  /** Deleted when the server has ended, however that came about. */
  readonly temporaryDir?: string | undefined;
  /** Lets the address of a window carry a `payload`. VS Code then shows no notifications by itself, so only suites in the host use it. */
  readonly testDriver?: boolean | undefined;
  readonly progress?: Progress | undefined;
}

/** A running VS Code server. */
export interface VsCodeServer {
  /** The address of a window: `{ folder }`, and what else VS Code's page takes. It holds the token without which the server answers nobody. */
  readonly address: (query: Readonly<Record<string, string>>) => string;
  /** `127.0.0.1:port`, as it stands in `vscode-remote://` addresses. */
  readonly authority: string;
  readonly version: string;
  /** Everything that the server and its extension hosts printed so far. */
  readonly output: () => string;
  /** Ends the server, its extension hosts and whatever they started; resolves when all are gone. */
  readonly stop: () => Promise<void>;
  /** Resolves when the server is gone, whoever ended it. */
  readonly stopped: Promise<void>;
}

const startTimeoutMilliseconds = 60_000;

/** Starts VS Code on a free loopback port and waits until it answers. Installs it first where needed. */
export async function startServer(options: ServerOptions): Promise<VsCodeServer> {
  const installation = await ensureVsCode(options.progress ?? (() => undefined));
  // Between finding a free port and taking it somebody else may take it; then another is tried.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnPort(await freePort(), installation, options);
    } catch (error) {
      if (attempt === 3 || !String(error).includes('EADDRINUSE')) throw error;
    }
  }
}

async function startOnPort(
  port: number,
  installation: { serverMain: string; version: string },
  options: ServerOptions,
): Promise<VsCodeServer> {
  // Anybody on this machine, and any page in its browsers, can reach the port; only who knows the token gets in.
  const token = randomUUID();
  const child = spawn(process.execPath, supervisedCommand(port, token, installation.serverMain, options), {
    env: serverEnvironment(options),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-200_000);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const stopped = new Promise<void>((resolve) => {
    // Not 'close': with an IPC channel that we close ourselves it does not always come.
    child.once('exit', () => {
      resolve();
    });
  });
  const authority = `127.0.0.1:${String(port)}`;
  const server: VsCodeServer = {
    // Slashes need no escape in a query, and people read these addresses.
    address: (query) =>
      `http://${authority}/?${new URLSearchParams({ tkn: token, ...query }).toString().replaceAll('%2F', '/')}`,
    authority,
    version: installation.version,
    output: () => output,
    stop: async () => {
      if (child.connected) child.disconnect();
      await stopped;
    },
    stopped,
  };
  await waitUntilItAnswers(server, child);
  return server;
}

function supervisedCommand(port: number, token: string, serverMain: string, options: ServerOptions): string[] {
  return [
    path.join(import.meta.dirname, 'supervisor.ts'),
    process.execPath,
    serverMain,
    ...['--host', '127.0.0.1', '--port', String(port)],
    ...['--connection-token', token],
    '--accept-server-license-terms',
    ...(options.testDriver === true ? ['--enable-smoke-test-driver'] : []),
    '--disable-telemetry',
    ...['--server-data-dir', options.serverDataDir],
    ...(options.userDataDir === undefined ? [] : ['--user-data-dir', options.userDataDir]),
    ...(options.extensionsDir === undefined ? [] : ['--extensions-dir', options.extensionsDir]),
    ...(options.workspaceTrust === true ? [] : ['--disable-workspace-trust']),
  ];
}

function serverEnvironment(options: ServerOptions): NodeJS.ProcessEnv {
  // NODE_* and VSCODE_* of the process that runs the tests (a test runner's context, a terminal inside VS Code) are not for the server.
  const inherited = Object.entries(process.env).filter(([key]) => !/^(NODE_|VSCODE_|ELECTRON_)/.test(key));
  return {
    ...Object.fromEntries(inherited),
    [runVariable]: randomUUID(),
    ...(options.temporaryDir === undefined ? {} : { [temporaryDirVariable]: options.temporaryDir }),
    // No gallery: tests ask nothing of the network, and find the same with and without it.
    ...(options.gallery === true ? {} : { EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: '' }) }),
    ...options.env,
  };
}

async function waitUntilItAnswers(server: VsCodeServer, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startTimeoutMilliseconds;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`VS Code's server ended while it started:\n${server.output().slice(-2000)}`);
    }
    try {
      const response = await fetch(`http://${server.authority}/version`, { signal: AbortSignal.timeout(5000) });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    if (Date.now() > deadline) {
      await server.stop();
      throw new Error(`VS Code's server did not answer within a minute:\n${server.output().slice(-2000)}`);
    }
    await delay(25);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.');
  return address.port;
}
