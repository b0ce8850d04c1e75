import type { UserProblem } from '../peer/folderSession.ts';

/** Where an AI service is, checked. */
export interface AiAddress {
  readonly baseUrl: string;
  /** What a key is bound to. */
  readonly origin: string;
  readonly host: string;
  readonly isThisMachine: boolean;
}

/** Reads the address of an AI service; a problem where it cannot be one, or where a key would travel in the open. */
export function readAiAddress(baseUrl: string): AiAddress | UserProblem {
  let url: URL;
  try {
    url = new URL(baseUrl.trim());
  } catch {
    // It is what a person typed; what is wrong is said below.
    return badAddress('is no web address');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return badAddress('does not begin with https://');
  if (url.username !== '' || url.password !== '')
    return badAddress('has a name or password in it; keys have a place of their own');
  const isThisMachine = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !isThisMachine) return badAddress('is not encrypted, and leads to another machine');
  return { baseUrl: url.href, origin: url.origin, host: url.host, isThisMachine };
}

function badAddress(why: string): UserProblem {
  return {
    code: 'ai-address',
    message: `The address in apiLiveSync.ai.baseUrl ${why}.`,
    remedy: 'Enter one like https://api.openai.com/v1, or http://localhost:11434/v1 for a model on this machine.',
  };
}
