import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { ConflictAdvisor, Logger } from '../core/ports.ts';
import type { UserProblem } from '../peer/folderSession.ts';
import { readAiAddress } from './aiAddress.ts';
import { AiKeys } from './aiKeys.ts';
import { createLanguageModelAdvisor } from './aiLanguageModel.ts';
import { loadOpenAiAdvisor } from './loadOpenAiAdvisor.ts';
import { readSettings } from './readSettings.ts';
import type { AiProvider, Settings } from './settings.ts';
import { settingIds } from './settings.ts';

/** An advisor with the name under which the person's consent is kept. */
export interface ChosenAdvisor {
  readonly advisor: ConflictAdvisor;
  /** Where texts go: another origin, or another vendor's model, is asked about anew. */
  readonly destination: string;
}

/** Undefined: the person stopped. */
export type AdvisorChoice = ChosenAdvisor | { readonly problem: UserProblem } | undefined;

const MODEL_KEY = 'aiLanguageModel';

/** Finds out whom to ask: by the settings, or by asking the person. */
export class AiAdvisors {
  readonly #keys: AiKeys;
  readonly #memento: vscode.Memento;
  readonly #logger: Logger;

  constructor(context: Pick<vscode.ExtensionContext, 'secrets' | 'globalState'>, logger: Logger) {
    this.#keys = new AiKeys(context.secrets);
    this.#memento = context.globalState;
    this.#logger = logger;
  }

  async choose(): Promise<AdvisorChoice> {
    const { settings } = readSettings();
    const provider = settings.aiProvider === 'ask' ? await askForProvider() : settings.aiProvider;
    switch (provider) {
      case undefined:
        return undefined;
      case 'off':
        return { problem: switchedOff };
      case 'vscode':
        return this.#chooseLanguageModel(settings);
      case 'openai':
        return this.#chooseOpenAi(settings);
    }
  }

  /** The command: asks for the key of the address that is set. True where one was entered or taken away. */
  async askForKey(): Promise<boolean | UserProblem> {
    const address = readAiAddress(readSettings().settings.aiBaseUrl);
    if ('code' in address) return address;
    return (await this.#enterKey(address.origin, address.host)) !== undefined;
  }

  async #chooseOpenAi({ aiBaseUrl, aiModel, aiTimeoutSeconds }: Settings): Promise<AdvisorChoice> {
    const address = readAiAddress(aiBaseUrl);
    if ('code' in address) return { problem: address };
    if (aiModel === '') return { problem: noModel };
    let key = await this.#keys.get(address.origin);
    // Models on this machine mostly want none; if one does, it says so.
    if (key === undefined && !address.isThisMachine) {
      key = await this.#enterKey(address.origin, address.host);
      if (key === undefined || key === '') return undefined;
    }
    const { createOpenAiAdvisor } = await loadOpenAiAdvisor();
    const advisor = createOpenAiAdvisor({
      baseUrl: address.baseUrl,
      model: aiModel,
      key,
      silenceMs: aiTimeoutSeconds * 1000,
      logger: this.#logger,
      wait: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
    });
    return { advisor, destination: `openai ${address.origin}` };
  }

  async #enterKey(origin: string, host: string): Promise<string | undefined> {
    const key = await vscode.window.showInputBox({
      title: `Key for ${host}`,
      prompt: `It is kept in VS Code's secret storage and sent to ${origin} only. Leave it empty to take it away.`,
      password: true,
      ignoreFocusOut: true,
    });
    if (key !== undefined) await this.#keys.set(origin, key);
    return key;
  }

  async #chooseLanguageModel({ aiTimeoutSeconds }: Settings): Promise<AdvisorChoice> {
    const models = await vscode.lm.selectChatModels();
    if (models.length === 0) return { problem: noLanguageModel };
    const last = this.#memento.get<string>(MODEL_KEY);
    const model = models.find(({ id }) => id === last) ?? (await pickModel(models));
    if (model === undefined) return undefined;
    if (model.id !== last) await this.#memento.update(MODEL_KEY, model.id);
    return {
      advisor: createLanguageModelAdvisor(model, aiTimeoutSeconds * 1000),
      destination: `vscode ${model.vendor}`,
    };
  }
}

async function askForProvider(): Promise<AiProvider | undefined> {
  const items: readonly (vscode.QuickPickItem & { readonly provider: AiProvider })[] = [
    { label: 'A Model in VS Code', detail: 'Uses the models that you have signed in to here.', provider: 'vscode' },
    {
      label: 'OpenAI or Compatible',
      detail: `At ${readSettings().settings.aiBaseUrl}. Azure, Ollama, vLLM and others work, too; see the settings.`,
      provider: 'openai',
    },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'Who should propose how to settle conflicts?',
    placeHolder: 'You see what is sent before anything is. You can change this in the settings.',
  });
  if (chosen === undefined) return undefined;
  const { Global } = vscode.ConfigurationTarget;
  await vscode.workspace.getConfiguration().update(settingIds.aiProvider, chosen.provider, Global);
  return chosen.provider;
}

async function pickModel(models: readonly vscode.LanguageModelChat[]): Promise<vscode.LanguageModelChat | undefined> {
  if (models.length === 1) return models[0];
  const items = models.map((model) => ({ label: model.name, description: model.vendor, model }));
  return (await vscode.window.showQuickPick(items, { title: 'Which model should propose?' }))?.model;
}

const switchedOff: UserProblem = {
  code: 'ai-off',
  message: 'AI proposals are switched off.',
  remedy: `Change ${settingIds.aiProvider} in the settings to use them.`,
};

const noModel: UserProblem = {
  code: 'ai-no-model',
  message: 'No model is chosen yet.',
  remedy: `Enter the name of one in ${settingIds.aiModel} in the settings.`,
};

const noLanguageModel: UserProblem = {
  code: 'ai-no-language-model',
  message: 'VS Code has no model to ask.',
  remedy: `Sign in to one in VS Code, or change ${settingIds.aiProvider} in the settings.`,
};
