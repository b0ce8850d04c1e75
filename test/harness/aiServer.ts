import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ModelPlay, piecesOf, SECRET_DETAIL, TOO_MUCH_CHARACTERS } from './modelPlay.ts';

/** What a request to the server said. */
export interface AiRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: {
    readonly messages: readonly { role: string; content: string }[];
    readonly response_format?: unknown;
  };
}

/** How the server answers one request. */
export type AiPlay = (request: AiRequest, response: ServerResponse) => void | Promise<void>;

/** A server on this machine that speaks OpenAI's chat completions, and plays what a test tells it to: one play per request, the last for all further ones. */
export class AiServer {
  readonly requests: AiRequest[] = [];
  readonly #server = createServer((request, response) => {
    void this.#handle(request, response);
  });
  #plays: AiPlay[] = [];
  #goOn: () => void = () => undefined;

  static async start(): Promise<AiServer> {
    const server = new AiServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  get baseUrl(): string {
    return `${this.origin}/v1`;
  }

  play(...plays: AiPlay[]): void {
    this.requests.length = 0;
    this.#plays = plays;
  }

  /** Behaves as models of other providers do in the same case. */
  playAs(...plays: ModelPlay[]): void {
    const goOn = Promise.withResolvers<undefined>();
    this.#goOn = () => goOn.resolve(undefined);
    this.play(...plays.map((play) => toAiPlay(play, goOn.promise)));
  }

  /** Lets a model that waits say the rest, or break off. */
  goOn(): void {
    this.#goOn();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString() || '{}') as AiRequest['body'];
    const received = { path: request.url ?? '', headers: request.headers, body };
    this.requests.push(received);
    const play = this.#plays.length > 1 ? this.#plays.shift() : this.#plays[0];
    await play?.(received, response);
  }
}

function toAiPlay(play: ModelPlay, goOn: Promise<undefined>): AiPlay {
  switch (play.kind) {
    case 'says':
      return streams(play.text);
    case 'saysSlowly':
      return async (_, response) => {
        const half = Math.floor(play.text.length / 2);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(chunk({ content: play.text.slice(0, half) }));
        await goOn;
        response.write(chunk({ content: play.text.slice(half) }));
        response.write(chunk({}, 'stop'));
        response.end('data: [DONE]\n\n');
      };
    case 'refuses':
      return refuses(play.words);
    case 'saysTooMuch':
      return streams('again and again '.repeat(TOO_MUCH_CHARACTERS / 16), 'stop', 4000);
    case 'breaksOff':
      return async (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(chunk({ content: play.text }));
        await goOn;
        response.destroy();
      };
    case 'fallsSilent':
      return fallsSilent(play.text);
    case 'fails':
      if (play.how === 'notAllowed') return fails(401);
      return play.how === 'broken' ? fails(500) : fails(429, {}, { 'retry-after': '3600' });
  }
}

/** Streams a text as a model does, in small pieces, and ends well. */
export function streams(text: string | ((request: AiRequest) => string), finish = 'stop', size = 40): AiPlay {
  return (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const whole = typeof text === 'string' ? text : text(request);
    for (const content of piecesOf(whole, size)) response.write(chunk({ content }));
    response.write(chunk({}, finish));
    response.end('data: [DONE]\n\n');
  };
}

/** Refuses in words, as models with structured output do. */
export function refuses(words: string): AiPlay {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ refusal: words }));
    response.write(chunk({}, 'stop'));
    response.end('data: [DONE]\n\n');
  };
}

/** Begins to answer and goes away. */
export function breaksOff(text: string): AiPlay {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ content: text }), () => response.destroy());
  };
}

/** Begins to answer and says no more, until the other side has enough. */
export function fallsSilent(text: string): AiPlay {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ content: text }));
  };
}

/** Answers for ever. */
export function neverEnds(): AiPlay {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = (): void => {
      while (!response.destroyed && response.write(chunk({ content: 'again and again '.repeat(200) })));
    };
    response.on('drain', more);
    more();
  };
}

/** Answers with an error, in OpenAI's form. */
export function fails(
  status: number,
  error: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): AiPlay {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { message: SECRET_DETAIL, ...error } }));
  };
}

/** The answer of a model that has one proposal for each conflict that it was asked about. */
export function proposes(propose: (conflict: AskedConflict) => Record<string, unknown>): AiPlay {
  return streams((request) => {
    const data = JSON.parse(request.body.messages.find(({ role }) => role === 'user')?.content ?? '{}') as {
      conflicts: AskedConflict[];
    };
    const proposals = data.conflicts.map((conflict) => ({
      conflict: conflict.conflict,
      decision: 'yours',
      text: '',
      reason: 'Yours says more.',
      confidence: 'high',
      ...propose(conflict),
    }));
    return JSON.stringify({ proposals });
  });
}

/** A conflict as it stands in a request. */
export interface AskedConflict {
  readonly conflict: string;
  readonly element: string;
  readonly yours: string | null;
  readonly theirs: string | null;
}

function chunk(delta: Record<string, unknown>, finish: string | null = null): string {
  const data = {
    id: 'answer',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'test',
    choices: [{ index: 0, delta, finish_reason: finish }],
  };
  return `data: ${JSON.stringify(data)}\n\n`;
}
