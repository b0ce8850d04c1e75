import type { HostSuite } from '../harness/hostSuite.ts';

/**
 * What a suite of this folder runs on, where the default (a fresh copy of `harbor-tours`, quiet settings, a trusted folder) does not fit.
 * Every suite, that is every `*.test.ts`, has a VS Code, a workspace and a state directory of its own.
 */
export const hostSuites: Readonly<Record<string, HostSuite>> = {
  'aiLanguageModel.test.ts': { models: true, settings: { 'chat.disableAIFeatures': false } },
  'largeFolder.test.ts': { workspace: 'empty' },
  'restricted.test.ts': { untrusted: true },
};
