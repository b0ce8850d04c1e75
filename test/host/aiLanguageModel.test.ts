import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { AdviceProgress, AdviceReply } from '../../src/core/ports.ts';
import { createLanguageModelAdvisor } from '../../src/extension/aiLanguageModel.ts';

type Send = vscode.LanguageModelChat['sendRequest'];

/** A model of the editor that answers as a test wants it. */
function model(send: Send): vscode.LanguageModelChat {
  return {
    name: 'Test Model',
    id: 'test',
    vendor: 'test',
    family: 'test',
    version: '1',
    maxInputTokens: 1000,
    sendRequest: send,
    countTokens: () => Promise.resolve(1),
  };
}

function streams(text: AsyncIterable<string>): Send {
  return () => Promise.resolve({ text, stream: text });
}

async function* parts(...texts: readonly string[]): AsyncGenerator<string> {
  for (const text of texts) {
    await Promise.resolve();
    yield text;
  }
}

async function* forever(): AsyncGenerator<string> {
  for (;;) {
    await Promise.resolve();
    yield 'again and again '.repeat(100);
  }
}

/** Says one thing, and no more until it is cancelled. */
function silentAfter(first: string): Send {
  return (_messages, _options, token) => {
    const text = (async function* (): AsyncGenerator<string> {
      yield first;
      await new Promise<void>((resolve) => token?.onCancellationRequested(() => resolve()));
    })();
    return Promise.resolve({ text, stream: text });
  };
}

async function ask(
  send: Send,
  how: { readonly silenceMs?: number; readonly cancelAt?: AdviceProgress['kind'] } = {},
): Promise<AdviceReply> {
  const cancel = new AbortController();
  return createLanguageModelAdvisor(model(send), how.silenceMs ?? 60_000).ask(
    [
      { role: 'system', text: 'Instructions' },
      { role: 'user', text: '{}' },
      { role: 'assistant', text: 'First' },
    ],
    { type: 'object' },
    {
      signal: cancel.signal,
      onProgress: ({ kind }) => {
        if (kind === how.cancelAt) cancel.abort();
      },
    },
  );
}

describe('[I11] a model of the editor', () => {
  it('is asked in words for the form of its answer, and its stream is put together', async () => {
    let sent: readonly vscode.LanguageModelChatMessage[] = [];
    const reply = await ask((messages) => {
      sent = messages;
      const text = parts('{"pro', 'posals": []}');
      return Promise.resolve({ text, stream: text });
    });
    assert.deepEqual(reply, { kind: 'text', text: '{"proposals": []}' });
    assert.deepEqual(
      sent.map(({ role }) => role),
      [
        vscode.LanguageModelChatMessageRole.User,
        vscode.LanguageModelChatMessageRole.User,
        vscode.LanguageModelChatMessageRole.Assistant,
      ],
    );
    assert.match(JSON.stringify(sent[0]), /one JSON object of this schema/);
  });

  it('that cannot answer is said to, in a plain sentence', async () => {
    const { LanguageModelError: failure } = vscode;
    for (const [error, code] of [
      [failure.NoPermissions('secret detail'), 'ai-no-permission'],
      [failure.Blocked('secret detail'), 'ai-blocked'],
      [failure.NotFound('secret detail'), 'ai-model-gone'],
      [new Error('secret detail'), 'ai-model-failed'],
    ] as const) {
      const reply = await ask(() => Promise.reject(error));
      assert.ok(reply.kind === 'problem', code);
      assert.equal(reply.problem.code, code);
      assert.doesNotMatch(JSON.stringify(reply), /secret detail/);
      assert.match(reply.problem.remedy ?? '', /^Nothing was changed\./);
    }
  });

  it('that does not end is stopped, one that falls silent is given up, and the person can cancel', async () => {
    const endless = await ask(streams(forever()));
    assert.ok(endless.kind === 'problem' && endless.problem.code === 'ai-answer-too-long');
    const silent = await ask(silentAfter('{'), { silenceMs: 200 });
    assert.ok(silent.kind === 'problem' && silent.problem.code === 'ai-silent');
    assert.deepEqual(await ask(silentAfter('{'), { cancelAt: 'receiving' }), { kind: 'cancelled' });
  });
});
