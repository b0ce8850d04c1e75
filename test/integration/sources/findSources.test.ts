import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { recognizeFrameworks } from '../../../src/core/sources/frameworks.ts';
import type { SpecAnswer, SpecRequest } from '../../../src/core/sources/specFetcher.ts';
import { findSources, isListening } from '../../../src/node/sources/findSources.ts';
import { fetchSpec } from '../../../src/node/sources/httpFetcher.ts';

/** One of the ports that are always looked at. */
const PORT = 5000;
const SPEC = '{"openapi":"3.0.3","info":{"title":"Pets"},"paths":{}}';
let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of close.reverse()) await one();
  close = [];
});

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'als-find-'));
  close.push(() => rm(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

const isOpen = (port: number): Promise<boolean> => Promise.resolve(port === PORT);

function answering(pages: Readonly<Record<string, string>>): {
  readonly asked: string[];
  readonly fetch: (request: SpecRequest) => Promise<SpecAnswer>;
} {
  const asked: string[] = [];
  return {
    asked,
    fetch: ({ url }) => {
      asked.push(url);
      const { port, pathname } = new URL(url);
      const text = port === String(PORT) ? pages[pathname] : undefined;
      const missing: SpecAnswer = {
        kind: 'failed',
        problem: { code: 'not-found', message: 'Nothing.' },
        canRetry: false,
        isServerDown: false,
      };
      return Promise.resolve(
        text === undefined
          ? missing
          : { kind: 'text', text, contentType: '', etag: undefined, lastModified: undefined },
      );
    },
  };
}

const never = new AbortController().signal;

test('[SRC] frameworks are recognised by their manifests', () => {
  const names = (name: string, text: string): readonly string[] =>
    recognizeFrameworks([{ name, text }]).map((one) => one.name);
  assert.deepEqual(names('requirements.txt', 'fastapi==0.110\nuvicorn'), ['FastAPI']);
  assert.deepEqual(names('pyproject.toml', 'dependencies = ["drf-spectacular"]'), ['Django REST framework']);
  assert.deepEqual(names('package.json', '{"dependencies":{"@nestjs/swagger":"7"}}'), ['NestJS']);
  assert.deepEqual(names('package.json', '{"dependencies":{"@fastify/swagger":"9"}}'), ['Fastify']);
  assert.deepEqual(names('package.json', '{"dependencies":{"swagger-jsdoc":"6"}}'), ['Express']);
  assert.deepEqual(names('build.gradle.kts', 'implementation("org.springdoc:springdoc-openapi-starter-webmvc-ui")'), [
    'Spring',
  ]);
  assert.deepEqual(names('Api.csproj', '<PackageReference Include="Microsoft.AspNetCore.OpenApi" />'), ['ASP.NET']);
  assert.deepEqual(names('Gemfile', "gem 'rswag'"), ['Rails']);
  assert.deepEqual(names('composer.json', '{"require":{"dedoc/scramble":"*"}}'), ['Laravel']);
  assert.deepEqual(names('go.mod', 'require github.com/danielgtaylor/huma/v2 v2.0.0'), ['Go']);
  assert.deepEqual(names('Cargo.toml', 'utoipa = "5"'), ['Rust']);
  assert.deepEqual(names('README.md', 'fastapi'), []);
});

test('[SRC] a framework whose server does not run is offered with its usual address', async () => {
  const folder = await folderWith({ 'backend/requirements.txt': 'flask-smorest\nflask\n' });
  const { fetch } = answering({});
  assert.deepEqual(await findSources(folder, fetch, never, () => Promise.resolve(false)), [
    { url: 'http://localhost:5000/openapi.json', framework: 'Flask', title: undefined, isRunning: false },
  ]);
});

test('[SRC] a running server is offered by its title, found at the usual place of its framework', async () => {
  const folder = await folderWith({ 'pyproject.toml': 'dependencies = ["flask"]' });
  const { fetch, asked } = answering({ '/swagger.json': SPEC });
  assert.deepEqual(await findSources(folder, fetch, never, isOpen), [
    { url: 'http://localhost:5000/swagger.json', framework: 'Flask', title: 'Pets', isRunning: true },
  ]);
  assert.ok(asked.every((url) => new URL(url).hostname === 'localhost'));
});

test('[SRC] [I10] a Swagger UI page is read for the description that it points to, on its own origin only', async () => {
  const folder = await folderWith({});
  const { fetch, asked } = answering({
    '/swagger/':
      '<html><script src="./swagger-initializer.js"></script><script src="https://evil.test/init.js"></script>',
    '/swagger/swagger-initializer.js':
      'SwaggerUIBundle({ url: \'https://evil.test/openapi.json\', urls: [] }); SwaggerUIBundle({ url: "/v9/spec" })',
    '/v9/spec': SPEC,
  });
  assert.deepEqual(await findSources(folder, fetch, never, isOpen), [
    { url: 'http://localhost:5000/v9/spec', framework: undefined, title: 'Pets', isRunning: true },
  ]);
  assert.ok(asked.every((url) => new URL(url).hostname === 'localhost'));
});

test('[SRC] [I10] whoever looks around follows no redirect to another server', async () => {
  const server = createServer((_request, response) => response.writeHead(302, { location: 'http://evil.test/' }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const answer = await fetchSpec(
    {
      url: `http://127.0.0.1:${address.port}/`,
      headers: {},
      etag: undefined,
      lastModified: undefined,
      timeoutMs: 10_000,
      maxBytes: 1_000,
      acceptSelfSigned: false,
      staysOnOrigin: true,
    },
    never,
  );
  assert.equal(answer.kind === 'failed' ? answer.problem.code : '', 'redirect-refused');
});

test('[SRC] a port counts as open while somebody listens there', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  assert.equal(await isListening(address.port), true);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await isListening(address.port), false);
});
