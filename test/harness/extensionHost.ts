import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import type * as vscode from 'vscode';
import { waitFor } from './waitFor.ts';

/** What a function that runs inside the extension host is given. It sees nothing else of the test. */
export interface HostContext<A> {
  readonly vscode: typeof vscode;
  readonly argument: A;
}

/** A window's extension host, as the companion extension shows it. */
export class ExtensionHost {
  readonly pid: number;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #pending = '';
  #lastId = 0;
  #lost: Error | undefined;

  constructor(pid: number, socket: Socket) {
    this.pid = pid;
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      this.#receive(String(chunk));
    });
    socket.on('error', (error) => {
      this.#lose(error);
    });
    socket.on('close', () => {
      this.#lose(new Error('The extension host is gone.'));
    });
    // A test that ends must not hang on this.
    socket.unref();
  }

  /** Runs a function in the extension host and returns what it returns, as JSON carries it. */
  async evaluate<T>(code: (context: HostContext<undefined>) => T | PromiseLike<T>): Promise<T>;
  async evaluate<T, A>(code: (context: HostContext<A>) => T | PromiseLike<T>, argument: A): Promise<T>;
  async evaluate(code: (context: never) => unknown, argument?: unknown): Promise<unknown> {
    if (this.#lost !== undefined) throw this.#lost;
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // While an answer is awaited, the socket is what keeps the test alive.
      this.#socket.ref();
      this.#socket.write(`${JSON.stringify({ id, code: code.toString(), argument })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    const lines = (this.#pending + chunk).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) {
      const reply = JSON.parse(line) as { id: number; value?: unknown; error?: string };
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) this.#socket.unref();
      if (reply.error === undefined) waiting?.resolve(reply.value);
      else waiting?.reject(new Error(`In the extension host: ${reply.error}`));
    }
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Waits for an extension host of a folder that nobody has claimed yet, and connects to it. */
export async function nextExtensionHost(
  companionDir: string,
  folder: string,
  claimed: Set<number>,
): Promise<ExtensionHost> {
  const pid = await waitFor(`an extension host for ${folder}`, () =>
    readdirSync(companionDir)
      .filter((name) => name.endsWith('.json'))
      .map(
        (name) => JSON.parse(readFileSync(path.join(companionDir, name), 'utf8')) as { pid: number; folders: string[] },
      )
      .filter((host) => host.folders.includes(folder) && !claimed.has(host.pid))
      .map((host) => host.pid)
      .at(0),
  );
  claimed.add(pid);
  const socket = connect(path.join(companionDir, `${String(pid)}.sock`));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new ExtensionHost(pid, socket);
}
