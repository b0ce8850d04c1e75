import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of the test's own that answers as the test says, also badly; it can go and come back on the same port. */
export class SpecServer {
  readonly requests: IncomingMessage[] = [];
  handler: Handler;
  #server: Server | undefined;
  #port = 0;

  constructor(handler: Handler) {
    this.handler = handler;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/openapi.json`;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.requests.push(request);
      this.handler(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  }
}

/** The smallest spec with the given operations, as a generator would make it. */
export function specOf(
  operations: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, summary] of Object.entries(operations)) {
    const [method = 'get', path = '/'] = name.split(' ');
    paths[path] = { ...paths[path], [method]: { summary, responses: { 200: { description: 'OK' } } } };
  }
  return { openapi: '3.0.3', info: { title: 'Pets', version: '1.0.0' }, paths, ...more };
}

export function json(value: unknown): Handler {
  return (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  };
}
