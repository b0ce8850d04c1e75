import * as vscode from 'vscode';
import type { AdviceMessage, AdviceReply, ConflictAdvisor } from '../core/ports.ts';
import type { UserProblem } from '../peer/folderSession.ts';

/** Longer answers are none that was asked for. In UTF-16 units. */
const MAX_ANSWER_CHARACTERS = 200_000;

/**
 * Asks a model that the editor has. Only ever on a person's action: the editor asks them for consent, and answers for what
 * the model may be used for. The form of the answer is asked for in words, there is no schema.
 */
export function createLanguageModelAdvisor(model: vscode.LanguageModelChat, silenceMs: number): ConflictAdvisor {
  return {
    name: `${model.name} in VS Code`,
    ask: async (messages, schema, { signal, onProgress }) => {
      const source = new vscode.CancellationTokenSource();
      const cancel = (): void => source.cancel();
      signal.addEventListener('abort', cancel);
      const silence = new AbortController();
      const startTimer = (): NodeJS.Timeout =>
        setTimeout(() => {
          silence.abort();
          source.cancel();
        }, silenceMs);
      let timer = startTimer();
      let text = '';
      try {
        const response = await model.sendRequest(
          toChat(messages, schema),
          { justification: 'To propose how the conflicts that you chose could be settled.' },
          source.token,
        );
        for await (const part of response.text) {
          clearTimeout(timer);
          timer = startTimer();
          text += part;
          if (text.length > MAX_ANSWER_CHARACTERS) return { kind: 'problem', problem: tooLong };
          onProgress({ kind: 'receiving', characters: text.length });
        }
        if (signal.aborted) return { kind: 'cancelled' };
        return silence.signal.aborted ? { kind: 'problem', problem: silent } : { kind: 'text', text };
      } catch (error) {
        if (signal.aborted) return { kind: 'cancelled' };
        return silence.signal.aborted ? { kind: 'problem', problem: silent } : replyFor(error, model.name, text !== '');
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        source.cancel();
        source.dispose();
      }
    },
  };
}

/** The editor's models know no system message. */
function toChat(
  messages: readonly AdviceMessage[],
  schema: Readonly<Record<string, unknown>>,
): vscode.LanguageModelChatMessage[] {
  return messages.map(({ role, text }) => {
    if (role === 'assistant') return vscode.LanguageModelChatMessage.Assistant(text);
    const form =
      role === 'system'
        ? `\n\nAnswer with one JSON object of this schema and nothing else:\n${JSON.stringify(schema)}`
        : '';
    return vscode.LanguageModelChatMessage.User(text + form);
  });
}

function replyFor(error: unknown, name: string, hasBegun: boolean): AdviceReply {
  const code = error instanceof vscode.LanguageModelError ? error.code : '';
  if (code === vscode.LanguageModelError.NoPermissions.name)
    return problem(
      'ai-no-permission',
      `VS Code does not let ${name} be used here.`,
      'Allow it when VS Code asks, or choose another model.',
    );
  if (code === vscode.LanguageModelError.Blocked.name)
    return problem('ai-blocked', `${name} takes no more requests at the moment.`, 'Ask again a little later.');
  if (code === vscode.LanguageModelError.NotFound.name)
    return problem('ai-model-gone', `${name} is not there any more.`, 'Ask again and choose another model.');
  if (hasBegun) return problem('ai-answer-broken-off', `${name} broke off in the middle of its answer.`, 'Ask again.');
  return problem('ai-model-failed', `${name} could not answer.`, 'Ask again a little later.');
}

function problem(code: string, message: string, remedy: string): AdviceReply {
  return { kind: 'problem', problem: { code, message, remedy: `Nothing was changed. ${remedy}` } };
}

const tooLong: UserProblem = {
  code: 'ai-answer-too-long',
  message: 'The AI wrote more than it was asked for and was stopped.',
  remedy: 'Nothing was changed. Ask again, or about fewer conflicts.',
};

const silent: UserProblem = {
  code: 'ai-silent',
  message: 'The model said nothing for too long.',
  remedy: 'Nothing was changed. Ask again, or raise apiLiveSync.ai.timeoutSeconds.',
};
