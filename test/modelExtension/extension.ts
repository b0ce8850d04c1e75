import * as vscode from 'vscode';
import { type ModelPlay, piecesOf, SECRET_DETAIL, TOO_MUCH_CHARACTERS } from '../harness/modelPlay.ts';
import { goOnCommand, type ModelInfo, models, playCommand, requestsCommand, vendor } from '../harness/modelCommands.ts';

/** Of VS Code's API for providers (1.104 and newer), what is used here; the types that the product is built with are older. */
interface ChatProvider {
  provideLanguageModelChatInformation(): readonly ModelInfo[];
  provideLanguageModelChatResponse(
    model: ModelInfo,
    messages: readonly unknown[],
    options: unknown,
    progress: vscode.Progress<vscode.LanguageModelTextPart>,
    token: vscode.CancellationToken,
  ): Promise<void>;
  provideTokenCount(model: ModelInfo, text: unknown): Promise<number>;
}

interface ChatProviders {
  registerLanguageModelChatProvider(vendor: string, provider: ChatProvider): vscode.Disposable;
}

export function activate({ subscriptions }: vscode.ExtensionContext): void {
  let plays: readonly ModelPlay[] = [];
  let requests: string[] = [];
  let goOn = Promise.withResolvers<undefined>();
  const provider: ChatProvider = {
    provideLanguageModelChatInformation: () => models,
    provideLanguageModelChatResponse: async (_model, messages, _options, progress, token) => {
      requests.push(JSON.stringify(messages));
      // One play for each request, the last for all further ones.
      const play = plays[Math.min(requests.length, plays.length) - 1];
      const say = (text: string): void => progress.report(new vscode.LanguageModelTextPart(text));
      if (play !== undefined) await perform(play, say, goOn.promise, token);
    },
    provideTokenCount: (_model, text) => Promise.resolve(Math.ceil(String(text).length / 4)),
  };
  const lm = vscode.lm as unknown as ChatProviders;
  subscriptions.push(
    lm.registerLanguageModelChatProvider(vendor, provider),
    vscode.commands.registerCommand(playCommand, (...told: ModelPlay[]) => {
      plays = told;
      requests = [];
      goOn = Promise.withResolvers();
    }),
    vscode.commands.registerCommand(goOnCommand, () => goOn.resolve(undefined)),
    vscode.commands.registerCommand(requestsCommand, () => requests),
  );
}

async function perform(
  play: ModelPlay,
  say: (text: string) => void,
  goOn: Promise<undefined>,
  token: vscode.CancellationToken,
): Promise<void> {
  switch (play.kind) {
    case 'says':
      for (const piece of piecesOf(play.text)) say(piece);
      break;
    case 'saysSlowly': {
      const half = Math.floor(play.text.length / 2);
      say(play.text.slice(0, half));
      await goOn;
      say(play.text.slice(half));
      break;
    }
    case 'refuses':
      say(play.words);
      break;
    case 'saysTooMuch':
      for (const piece of piecesOf('again and again '.repeat(TOO_MUCH_CHARACTERS / 16), 4000)) say(piece);
      break;
    case 'breaksOff':
      say(play.text);
      // What is said in the same moment as the end does not reach the other side.
      await goOn;
      throw new Error(SECRET_DETAIL);
    case 'fallsSilent':
      say(play.text);
      await new Promise<void>((resolve) => token.onCancellationRequested(() => resolve()));
      break;
    case 'fails':
      if (play.how === 'notAllowed') throw vscode.LanguageModelError.NoPermissions(SECRET_DETAIL);
      if (play.how === 'tooManyRequests') throw vscode.LanguageModelError.Blocked(SECRET_DETAIL);
      throw new Error(SECRET_DETAIL);
  }
}
