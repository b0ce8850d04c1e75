import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { AdviceProgress, AdviceReply, Logger } from '../../src/core/ports.ts';
import { createOpenAiAdvisor, keyHeaders } from '../../src/node/advice/openAiAdvisor.ts';
import { AiServer, breaksOff, fails, fallsSilent, neverEnds, refuses, streams } from '../harness/aiServer.ts';

const KEY = 'sk-test-0123456789';
let server: AiServer;
before(async () => {
  server = await AiServer.start();
});
after(async () => server.close());

interface Asked {
  readonly reply: AdviceReply;
  readonly progress: readonly AdviceProgress[];
  readonly waits: readonly number[];
  readonly log: string;
}

interface How {
  readonly baseUrl?: string;
  readonly key?: string | undefined;
  readonly silenceMs?: number;
  readonly cancelAt?: (progress: AdviceProgress) => boolean;
}

async function ask({ baseUrl = server.baseUrl, silenceMs = 60_000, cancelAt, ...how }: How = {}): Promise<Asked> {
  const lines: string[] = [];
  const note = (message: string, fields: unknown): void => void lines.push(message + JSON.stringify(fields));
  const logger: Logger = { trace: note, debug: note, info: note, warn: note, error: note };
  const waits: number[] = [];
  const advisor = createOpenAiAdvisor({
    baseUrl,
    model: 'test-model',
    key: 'key' in how ? how.key : KEY,
    silenceMs,
    logger,
    wait: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  });
  const progress: AdviceProgress[] = [];
  const cancel = new AbortController();
  const reply = await advisor.ask(
    [
      { role: 'system', text: 'Instructions' },
      { role: 'user', text: '{}' },
    ],
    { type: 'object' },
    {
      signal: cancel.signal,
      onProgress: (one) => {
        progress.push(one);
        if (cancelAt?.(one) === true) cancel.abort();
      },
    },
  );
  return { reply, progress, waits, log: lines.join('\n') };
}

/** The sentence that a person sees, and that nothing of the provider's own words is in it. */
function sentence({ reply }: Asked): string {
  assert.ok(reply.kind === 'problem', JSON.stringify(reply));
  assert.match(reply.problem.message, /^[^{}]+\.$/);
  assert.doesNotMatch(JSON.stringify(reply), /secret detail/);
  assert.ok((reply.problem.remedy ?? '').startsWith('Nothing was changed.'));
  return `${reply.problem.message} ${reply.problem.remedy ?? ''}`;
}

describe('an AI service that speaks OpenAI', () => {
  it('is asked for structured output, streams, and says how far it is', async () => {
    server.play(streams('x'.repeat(200)));
    const { reply, progress } = await ask();
    assert.deepEqual(reply, { kind: 'text', text: 'x'.repeat(200) });
    assert.ok(progress.filter(({ kind }) => kind === 'receiving').length > 3);
    const [request] = server.requests;
    assert.equal(request?.path, '/v1/chat/completions');
    assert.deepEqual(request.body.messages, [
      { role: 'system', content: 'Instructions' },
      { role: 'user', content: '{}' },
    ]);
    assert.match(JSON.stringify(request.body.response_format), /json_schema.*"strict":true/);
  });

  it('is asked in words alone where it does not know structured output', async () => {
    server.play(
      fails(400, { message: "Unknown parameter: 'response_format'", param: 'response_format' }),
      streams('yes'),
    );
    const { reply, waits } = await ask();
    assert.deepEqual(reply, { kind: 'text', text: 'yes' });
    assert.equal(server.requests.length, 2);
    assert.equal(server.requests[1]?.body.response_format, undefined);
    assert.deepEqual(waits, []);
  });

  it('may refuse', async () => {
    server.play(refuses('I would rather not.'));
    assert.deepEqual((await ask()).reply, { kind: 'refused', reason: 'I would rather not.' });
    server.play(streams('', 'content_filter'));
    assert.equal((await ask()).reply.kind, 'refused');
  });

  it('gets a plain sentence for every way to fail', async () => {
    const cases: readonly [AiServer['play'] extends (...plays: (infer P)[]) => void ? P : never, RegExp, number][] = [
      [fails(401), /did not accept the key\. .*Set AI Key/, 1],
      [fails(403), /did not accept the key/, 1],
      [fails(404), /does not know the model test-model/, 1],
      [fails(429, {}, { 'retry-after': '7200' }), /takes no more requests at the moment.*in 120 minutes/, 1],
      [fails(429, { code: 'insufficient_quota' }), /no budget left/, 1],
      [fails(429), /takes no more requests.*a little later/, 3],
      [fails(500), /has a problem of its own \(500\)/, 3],
      [fails(503), /\(503\)/, 3],
      [fails(400, { code: 'context_length_exceeded' }), /more text than test-model can take in/, 1],
      [fails(400), /did not take the request \(400\)/, 1],
      [breaksOff('{"proposals": ['), /broke off in the middle/, 1],
      [streams('half', 'length'), /wrote more than it was asked for/, 1],
      [neverEnds(), /wrote more than it was asked for/, 1],
    ];
    for (const [play, expected, requests] of cases) {
      server.play(play);
      const asked = await ask();
      assert.match(sentence(asked), expected);
      assert.equal(server.requests.length, requests, String(expected));
    }
  });

  it('gets one where nothing answers, what answers is no such service, or it says nothing more', async () => {
    assert.match(sentence(await ask({ baseUrl: 'http://127.0.0.1:1/v1' })), /127\.0\.0\.1:1 cannot be reached/);
    server.play((_, response) => void response.end('<html>Welcome</html>'));
    assert.match(sentence(await ask()), /broke off|no AI service/);
    server.play((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: <html>\n\n');
    });
    assert.match(sentence(await ask()), /no AI service/);
    server.play(fallsSilent('{'));
    assert.match(sentence(await ask({ silenceMs: 300 })), /said nothing for 1 second/);
    server.play(() => undefined);
    assert.match(sentence(await ask({ silenceMs: 300 })), /said nothing/);
  });

  it('is asked again after the time that it names, and the person is told', async () => {
    server.play(fails(429, {}, { 'retry-after': '7' }), fails(503), streams('there'));
    const { reply, waits, progress } = await ask();
    assert.deepEqual(reply, { kind: 'text', text: 'there' });
    assert.deepEqual(waits, [7000, 2000]);
    assert.deepEqual(
      progress.filter(({ kind }) => kind === 'waiting'),
      [
        { kind: 'waiting', seconds: 7 },
        { kind: 'waiting', seconds: 2 },
      ],
    );
  });

  it('can be cancelled in the middle of its answer and while it is waited for', async () => {
    server.play(fallsSilent('{'));
    assert.deepEqual((await ask({ cancelAt: ({ kind }) => kind === 'receiving' })).reply, { kind: 'cancelled' });
    server.play(fails(429, {}, { 'retry-after': '5' }), streams('too late'));
    assert.deepEqual((await ask({ cancelAt: ({ kind }) => kind === 'waiting' })).reply, { kind: 'cancelled' });
  });
});

describe('the key for an AI service', () => {
  it('goes to Azure in its own header, and to nobody who is only called like it', () => {
    const headers = (address: string): unknown => keyHeaders(new URL(address), KEY);
    for (const host of ['a.openai.azure.com', 'a.cognitiveservices.azure.com', 'a.services.ai.azure.com'])
      assert.deepEqual(headers(`https://${host}/openai/v1`), { 'api-key': KEY, Authorization: null });
    assert.deepEqual(headers('https://openai.azure.com.evil.example/v1'), { 'api-key': null });
  });

  it('goes out as a bearer token, and not at all where there is none', async () => {
    server.play(streams('x'));
    await ask();
    const [withKey] = server.requests;
    assert.equal(withKey?.headers.authorization, `Bearer ${KEY}`);
    assert.equal(withKey.headers['api-key'], undefined);
    server.play(streams('x'));
    await ask({ key: undefined });
    assert.equal(server.requests[0]?.headers.authorization, undefined);
  });

  it('is never taken from the environment', async () => {
    process.env['OPENAI_API_KEY'] = 'sk-from-the-environment';
    process.env['OPENAI_ORG_ID'] = 'org-from-the-environment';
    try {
      server.play(streams('x'));
      await ask({ key: undefined });
      assert.doesNotMatch(JSON.stringify(server.requests[0]?.headers), /environment/);
    } finally {
      delete process.env['OPENAI_API_KEY'];
      delete process.env['OPENAI_ORG_ID'];
    }
  });

  it('does not follow a redirect to another address', async () => {
    const reached: string[] = [];
    const other = createServer((request, response) => {
      reached.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    server.play((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${port}/steal` });
      response.end();
    });
    try {
      assert.match(sentence(await ask()), /cannot be reached/);
      assert.deepEqual(reached, []);
    } finally {
      other.close();
    }
  });

  it('never appears in the log, and neither do the texts', async () => {
    for (const play of [fails(401), fails(500), breaksOff('spec text'), fails(429, {}, { 'retry-after': '9999' })]) {
      server.play(play);
      const { log, reply } = await ask();
      assert.doesNotMatch(log + JSON.stringify(reply), /sk-test|Bearer|Instructions|spec text|secret detail/);
    }
  });

  it('keeps the query of the address, as Azure wants it', async () => {
    server.play(streams('x'));
    await ask({ baseUrl: `${server.origin}/openai/deployments/pets?api-version=2024-10-21` });
    assert.equal(server.requests[0]?.path, '/openai/deployments/pets/chat/completions?api-version=2024-10-21');
  });
});
