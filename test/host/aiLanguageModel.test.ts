import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { AdviceProgress, AdviceReply } from '../../src/core/ports.ts';
import { type AdvisorChoice, AiAdvisors } from '../../src/extension/aiAdvisors.ts';
import { createLanguageModelAdvisor } from '../../src/extension/aiLanguageModel.ts';
import { type ModelPlay, SECRET_DETAIL } from '../harness/modelPlay.ts';
import { goOnCommand, playCommand, requestsCommand, vendor } from '../harness/modelCommands.ts';

interface How {
  readonly model?: 'open' | 'guarded';
  readonly silenceMs?: number;
  readonly cancelAt?: AdviceProgress['kind'];
  readonly onProgress?: (progress: AdviceProgress) => void;
}

/** Asks a model that an extension has registered with VS Code. */
async function ask(play: ModelPlay, how: How = {}): Promise<AdviceReply> {
  await vscode.commands.executeCommand(playCommand, play);
  const [model] = await vscode.lm.selectChatModels({ vendor, id: how.model ?? 'open' });
  assert.ok(model !== undefined, 'the model is there');
  const cancel = new AbortController();
  return createLanguageModelAdvisor(model, how.silenceMs ?? 60_000).ask(
    [
      { role: 'system', text: 'Instructions' },
      { role: 'user', text: '{}' },
      { role: 'assistant', text: 'First' },
    ],
    { type: 'object' },
    {
      signal: cancel.signal,
      onProgress: (progress) => {
        how.onProgress?.(progress);
        if (progress.kind === how.cancelAt) cancel.abort();
      },
    },
  );
}

describe('[I11] the key for an AI service', () => {
  const { showInputBox } = vscode.window;
  const asked: string[] = [];
  const answers: (string | undefined)[] = [];
  const secrets = new Map<string, string>();
  const remembered = new Map<string, unknown>();
  const set = (name: string, value: unknown): Thenable<void> =>
    vscode.workspace.getConfiguration('apiLiveSync.ai').update(name, value, vscode.ConfigurationTarget.Global);

  before(async () => {
    Object.assign(vscode.window, {
      showInputBox: (options: vscode.InputBoxOptions) => {
        assert.equal(options.password, true);
        asked.push(options.title ?? '');
        return Promise.resolve(answers.shift());
      },
    });
    await set('provider', 'openai');
    await set('model', 'test-model');
  });
  after(async () => {
    Object.assign(vscode.window, { showInputBox });
    for (const name of ['provider', 'model', 'baseUrl']) await set(name, undefined);
  });

  function choose(): Promise<AdvisorChoice> {
    const note = (): void => undefined;
    const context = {
      secrets: {
        get: (name: string) => Promise.resolve(secrets.get(name)),
        store: (name: string, value: string) => Promise.resolve(void secrets.set(name, value)),
        delete: (name: string) => Promise.resolve(void secrets.delete(name)),
      },
      globalState: {
        get: (name: string) => remembered.get(name),
        update: (name: string, value: unknown) => Promise.resolve(void remembered.set(name, value)),
      },
    } as unknown as ConstructorParameters<typeof AiAdvisors>[0];
    return new AiAdvisors(context, { trace: note, debug: note, info: note, warn: note, error: note }).choose();
  }

  it('is asked for once for each origin, and nothing is asked without one', async () => {
    await set('baseUrl', 'https://one.invalid/v1');
    answers.push('sk-one');
    const first = await choose();
    assert.ok(first !== undefined && 'destination' in first);
    assert.equal(first.destination, 'openai https://one.invalid');
    assert.ok((await choose()) !== undefined);
    assert.deepEqual(asked, ['Key for one.invalid']);

    await set('baseUrl', 'https://two.invalid/v1');
    assert.equal(await choose(), undefined, 'the person entered none');
    assert.deepEqual(asked, ['Key for one.invalid', 'Key for two.invalid']);
    assert.deepEqual([...secrets], [['ai.key https://one.invalid', 'sk-one']]);

    await set('baseUrl', 'http://three.invalid/v1');
    const open = await choose();
    assert.ok(open !== undefined && 'problem' in open && open.problem.code === 'ai-address');
  });
});

describe('[I11] a model that an extension has registered with VS Code', () => {
  before(async () => {
    await vscode.extensions.getExtension('api-live-sync-tests.model')?.activate();
  });

  it('is asked in words for the form of its answer, and its stream is put together', async () => {
    const text = `{"proposals": [${' '.repeat(200)}]}`;
    const progress: AdviceProgress[] = [];
    const reply = await ask({ kind: 'says', text }, { onProgress: (one) => progress.push(one) });
    assert.deepEqual(reply, { kind: 'text', text });
    assert.ok(progress.length > 0 && progress.every(({ kind }) => kind === 'receiving'));
    const requests = await vscode.commands.executeCommand<string[]>(requestsCommand);
    assert.equal(requests.length, 1);
    const { User, Assistant } = vscode.LanguageModelChatMessageRole;
    const roles = (JSON.parse(requests[0] ?? '[]') as { role: number }[]).map(({ role }) => role);
    assert.deepEqual(roles, [User, User, Assistant]);
    assert.match(requests[0] ?? '', /one JSON object of this schema/);
  });

  it('may take its time', async () => {
    const reply = await ask(
      { kind: 'saysSlowly', text: '{"proposals": []}' },
      { onProgress: () => void vscode.commands.executeCommand(goOnCommand) },
    );
    assert.deepEqual(reply, { kind: 'text', text: '{"proposals": []}' });
  });

  it('that cannot answer is said to, in a plain sentence', async () => {
    for (const [play, code] of [
      [{ kind: 'fails', how: 'notAllowed' }, 'ai-no-permission'],
      [{ kind: 'fails', how: 'tooManyRequests' }, 'ai-blocked'],
      [{ kind: 'fails', how: 'broken' }, 'ai-model-failed'],
      [{ kind: 'breaksOff', text: '{"proposals": [' }, 'ai-answer-broken-off'],
      [{ kind: 'saysTooMuch' }, 'ai-answer-too-long'],
    ] as const) {
      const reply = await ask(play, { onProgress: () => void vscode.commands.executeCommand(goOnCommand) });
      assert.ok(reply.kind === 'problem', code);
      assert.equal(reply.problem.code, code);
      assert.ok(!JSON.stringify(reply).includes(SECRET_DETAIL));
      assert.match(reply.problem.remedy ?? '', /^Nothing was changed\./);
    }
  });

  it('that the person does not let us use is said so, and is sent nothing', async () => {
    // VS Code refuses its own questions while it runs tests, as a person does who says no.
    const reply = await ask({ kind: 'says', text: '{"proposals": []}' }, { model: 'guarded' });
    assert.ok(reply.kind === 'problem' && reply.problem.code === 'ai-no-permission', JSON.stringify(reply));
    assert.deepEqual(await vscode.commands.executeCommand(requestsCommand), []);
  });

  it('that falls silent is given up, and the person can cancel', async () => {
    const silent = await ask({ kind: 'fallsSilent', text: '{' }, { silenceMs: 200 });
    assert.ok(silent.kind === 'problem' && silent.problem.code === 'ai-silent');
    assert.deepEqual(await ask({ kind: 'fallsSilent', text: '{' }, { cancelAt: 'receiving' }), { kind: 'cancelled' });
  });
});
