import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { until } from '../support/headlessPeer.ts';
import { SourceWorld } from './sourceWorld.ts';
import { json, SpecServer, specOf, type Handler } from './specServer.ts';

const TARGET = 'openapi.yaml';
const FILE = `openapi: 3.0.3
info: { title: Pets, version: 1.0.0 }
paths:
  /pets:
    get:
      summary: List pets
      description: by hand
      responses: { '200': { description: OK } }
`;
const SPEC = specOf({ 'get /pets': 'List pets' });
const NEXT = specOf({ 'get /pets': 'All pets' });

let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

async function open(handler: Handler): Promise<{ world: SourceWorld; server: SpecServer }> {
  const server = await new SpecServer(handler).start();
  close.push(() => server.stop());
  const world = await SourceWorld.open();
  close.push(() => world.close());
  await world.write(TARGET, FILE);
  return { world, server };
}

const answers: readonly {
  readonly what: string;
  readonly code: string;
  readonly words: RegExp;
  readonly handler: Handler;
}[] = [
  {
    what: 'a page with status 200',
    code: 'answer-is-a-page',
    words: /answered with a web page instead of an API description/,
    handler: (_, response) => response.end('<!doctype html><html><body>Not found</body></html>'),
  },
  {
    what: 'JSON that ends in the middle',
    code: 'answer-cut-off',
    words: /ends in the middle/,
    handler: (_, response) => response.end(JSON.stringify(NEXT).slice(0, 90)),
  },
  {
    what: 'JSON that ends in the middle of its connection',
    code: 'answer-broke-off',
    words: /broke off in the middle/,
    handler: (_, response) => {
      response.setHeader('content-length', '1000');
      response.write(JSON.stringify(NEXT).slice(0, 90));
      setImmediate(() => response.destroy());
    },
  },
  {
    what: 'compressed JSON that ends in the middle',
    code: 'answer-broke-off',
    words: /cannot be unpacked|broke off/,
    handler: (_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(JSON.stringify(NEXT)).subarray(0, 40));
    },
  },
  {
    what: 'something else',
    code: 'answer-is-no-spec',
    words: /neither "openapi" nor "swagger"/,
    handler: json({ status: 'ok' }),
  },
  { what: 'nothing', code: 'answer-empty', words: /answered with nothing/, handler: (_, response) => response.end() },
  {
    what: 'bytes',
    code: 'answer-is-no-text',
    words: /no text/,
    handler: (_, response) => response.end(Buffer.from([0x80, 0x81, 0x82])),
  },
  {
    what: 'an error',
    code: 'server-error',
    words: /answered with an error \(500\)/,
    handler: (_, response) => {
      response.statusCode = 500;
      response.end(JSON.stringify(NEXT));
    },
  },
  {
    what: 'a refusal',
    code: 'access-refused',
    words: /refuses access \(401\)/,
    handler: (_, response) => {
      response.statusCode = 401;
      response.end();
    },
  },
  {
    what: '30 MB',
    code: 'answer-too-large',
    words: /more than 20 MB/,
    handler: (_, response) => {
      response.on('error', () => undefined);
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      let left = 30;
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          left -= 1;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end(JSON.stringify(NEXT));
      };
      more();
    },
  },
  {
    what: 'a small answer that unpacks to 30 MB',
    code: 'answer-too-large',
    words: /more than 20 MB/,
    handler: (_, response) => {
      response.setHeader('content-encoding', 'br');
      response.end(brotliCompressSync(Buffer.alloc(30 * 1024 * 1024, ' ')));
    },
  },
  {
    what: 'a redirect loop',
    code: 'redirect-loop',
    words: /without end/,
    handler: (_, response) => {
      response.writeHead(302, { location: '/openapi.json' });
      response.end();
    },
  },
  {
    what: 'a redirect to a file',
    code: 'redirect-refused',
    words: /neither http nor https/,
    handler: (_, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' });
      response.end();
    },
  },
  {
    what: 'an alias bomb',
    code: 'not-translated',
    words: /too large/,
    handler: (_, response) => {
      const levels = Array.from({ length: 12 }, (_one, level) => {
        const refs = Array.from({ length: 10 }, () => (level === 0 ? 'lol' : `*a${level - 1}`)).join(', ');
        return `x-${level}: &a${level} [${refs}]`;
      });
      response.end(['openapi: 3.0.3', 'paths: {}', ...levels, ''].join('\n'));
    },
  },
];

for (const { what, code, words, handler } of answers) {
  test(`[SRC] [I10] a server that answers with ${what}: said in words, and the file stays as it is`, async () => {
    const { world, server } = await open(json(SPEC));
    // An alias bomb is only a bomb where it has to be written out.
    await world.add({
      url: server.url,
      target: TARGET,
      ...(code === 'not-translated' ? { exclude: { paths: ['/none'] } } : {}),
    });
    await world.untilState('inStep');
    assert.equal(await world.read(TARGET), FILE);
    server.handler = handler;
    const result = await world.sources.syncSource(TARGET);
    assert.equal(result.problem?.code, code);
    assert.match(result.problem.message, words);
    assert.equal(world.sources.getSourceStatus(TARGET).state, 'failed');
    assert.equal(await world.read(TARGET), FILE);
    // Nothing of it is remembered: the next good answer is merged as if the bad one had never been.
    server.handler = json(NEXT);
    // Who brings it, this call or the interval's own one just before, is not the point.
    assert.equal((await world.sources.syncSource(TARGET)).problem, undefined);
    assert.equal(await world.read(TARGET), FILE.replace('List pets', 'All pets'));
  });
}

test('[SRC] [I10] what is secret goes to the origin that it is for, and not along with a redirect', async () => {
  const other = await new SpecServer(json(SPEC)).start();
  close.push(() => other.stop());
  const server = await new SpecServer((_, response) => {
    response.writeHead(307, { location: other.url.replace('http://', 'http://user:password@') });
    response.end();
  }).start();
  close.push(() => server.stop());
  const asked: string[] = [];
  const world = await SourceWorld.open({
    readSecret: (origin, name) => {
      asked.push(`${origin} ${name}`);
      return Promise.resolve('s3cret');
    },
  });
  close.push(() => world.close());
  const headers = { authorization: 'Bearer ${secret:token}', cookie: 'session=1', 'x-key': 'k' };
  await world.add({ url: server.url, target: TARGET, headers });
  await world.untilState('inStep');
  assert.deepEqual(asked.slice(0, 1), [`${server.origin} token`]);
  assert.equal(server.requests[0]?.headers.authorization, 'Bearer s3cret');
  const sent = other.requests[0]?.headers ?? {};
  assert.deepEqual([sent.authorization, sent.cookie, sent['x-key']], [undefined, undefined, undefined]);
});

test('[SRC] a secret that nobody has set is asked for by its name, and nothing is sent', async () => {
  const { world, server } = await open(json(SPEC));
  await world.add({ url: server.url, target: TARGET, headers: { authorization: 'Bearer ${secret:token}' } });
  await world.untilState('failed');
  assert.match(world.sources.getSourceStatus(TARGET).problem?.message ?? '', /"token"/);
  assert.equal(server.requests.length, 0);
});

test('[SRC] gzip, br, YAML and a redirect on the same origin are followed', async () => {
  const yaml = FILE.replace('List pets', 'From YAML').replace('      description: by hand\n', '');
  const { world, server } = await open(json(SPEC));
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('inStep');
  const bodies: readonly [string, Handler][] = [
    [
      'From gzip',
      (_, response) => {
        response.setHeader('content-encoding', 'gzip');
        response.end(gzipSync(JSON.stringify(specOf({ 'get /pets': 'From gzip' }))));
      },
    ],
    [
      'From br',
      (_, response) => {
        response.setHeader('content-encoding', 'br');
        response.end(brotliCompressSync(JSON.stringify(specOf({ 'get /pets': 'From br' }))));
      },
    ],
    [
      'From elsewhere',
      (request, response) => {
        if (request.url === '/other') json(specOf({ 'get /pets': 'From elsewhere' }))(request, response);
        else response.writeHead(308, { location: '/other' }).end();
      },
    ],
    ['From YAML', (_, response) => response.end(yaml)],
  ];
  for (const [summary, handler] of bodies) {
    server.handler = handler;
    assert.equal((await world.sources.syncSource(TARGET)).kind, 'changed', summary);
    assert.equal(await world.read(TARGET), FILE.replace('List pets', summary));
  }
});

test('[SRC] an unchanged description costs a 304, by ETag or by Last-Modified', async () => {
  for (const [header, validator, value] of [
    ['etag', 'if-none-match', '"v1"'],
    ['last-modified', 'if-modified-since', 'Sat, 21 Nov 2026 10:00:00 GMT'],
  ] as const) {
    let notModified = 0;
    const { world, server } = await open((request, response) => {
      response.setHeader(header, value);
      if (request.headers[validator] === value) {
        notModified += 1;
        response.writeHead(304).end();
      } else response.end(JSON.stringify(SPEC));
    });
    await world.add({ url: server.url, target: TARGET });
    await world.until('three times', () => notModified >= 3);
    assert.equal(server.requests.length - notModified, 1);
    await world.sources.removeSource(TARGET);
  }
});

test('[SRC] a server that starts slowly, goes and comes back is followed by itself', async () => {
  const { world, server } = await open(json(SPEC));
  await server.stop();
  await world.add({ url: server.url, target: TARGET });
  await world.untilState('failed');
  const { problem } = world.sources.getSourceStatus(TARGET);
  assert.equal(problem?.code, 'server-not-reachable');
  assert.match(problem.remedy ?? '', /Is the server started\?/);
  await server.start();
  await world.untilState('inStep');
  // In the middle of an answer.
  server.handler = (_, response) => {
    response.write('{"openapi":');
    setImmediate(() => void server.stop());
  };
  await world.untilState('failed');
  assert.equal(await world.read(TARGET), FILE);
  server.handler = json(NEXT);
  await server.stop();
  await server.start();
  await world.untilState('inStep');
  assert.equal(await world.read(TARGET), FILE.replace('List pets', 'All pets'));
});

test('[SRC] a server of this machine that refuses connections is followed again when it accepts one, also where nobody would ask it any more', async () => {
  const { world, server } = await open(json(SPEC));
  await world.add({ url: server.url, target: TARGET, intervalSeconds: 86_400 });
  await world.untilState('inStep');
  await server.stop();
  assert.equal((await world.sources.syncSource(TARGET)).problem?.code, 'server-not-reachable');
  const { metrics } = world.sources.engineStatus;
  await until('the last retry', () =>
    Promise.resolve(world.sources.engineStatus.metrics.failedSyncs > metrics.failedSyncs),
  );
  server.handler = json(NEXT);
  await server.start();
  await world.untilState('inStep');
  assert.equal(await world.read(TARGET), FILE.replace('List pets', 'All pets'));
});

test('[SRC] an answer that never comes ends after the time that the source gives it', async () => {
  const { world, server } = await open(() => undefined);
  await world.add({ url: server.url, target: TARGET, timeoutSeconds: 0.2 });
  await world.untilState('failed');
  assert.equal(world.sources.getSourceStatus(TARGET).problem?.code, 'no-answer-in-time');
});

test('[SRC] a sync that a person cancels ends at once and says nothing about the source', async () => {
  const { world, server } = await open(json(SPEC));
  await world.add({ url: server.url, target: TARGET, intervalSeconds: 3600 });
  await world.untilState('inStep');
  const asked = Promise.withResolvers<undefined>();
  server.handler = () => asked.resolve(undefined);
  const controller = new AbortController();
  const result = world.sources.syncSource(TARGET, controller.signal);
  await asked.promise;
  controller.abort();
  assert.equal((await result).problem?.code, 'cancelled');
  await world.untilState('inStep');
});
