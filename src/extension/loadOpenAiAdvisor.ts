import type { createOpenAiAdvisor } from '../node/advice/openAiAdvisor.ts';

/** What the extension uses of the OpenAI client's bundle. */
export interface OpenAiAdvisorModule {
  readonly createOpenAiAdvisor: typeof createOpenAiAdvisor;
}

/** Loads the client from its own bundle, when somebody asks for a proposal and not before. */
export async function loadOpenAiAdvisor(): Promise<OpenAiAdvisorModule> {
  return await import('../node/advice/openAiAdvisor.ts');
}
