import { APIConnectionError, APIError } from 'openai';
import type { UserProblem } from '../../core/workingFiles.ts';

/** A provider that asks for more patience than this is told to the person instead. */
const MAX_WAIT_MS = 60_000;
const FIRST_RETRY_MS = 1000;

const noChange = 'Nothing was changed.';

/** How long to wait before asking again; undefined where asking again makes no sense. */
export function delayBeforeRetry(error: unknown, attempt: number): number | undefined {
  if (!(error instanceof APIError) || error.code === 'insufficient_quota') return undefined;
  const status = error.status as number | undefined;
  // A server that cannot be reached will not be reached a second later, either.
  if (status === undefined || !(status === 408 || status === 409 || status === 429 || status >= 500)) return undefined;
  const asked = retryAfterMs(error.headers as Headers | undefined);
  if (asked !== undefined) return asked <= MAX_WAIT_MS ? asked : undefined;
  return FIRST_RETRY_MS * 2 ** attempt;
}

/** What went wrong, for a person; texts of the provider are not shown, they may hold anything. */
export function problemOfError(error: unknown, host: string, model: string): UserProblem {
  if (!(error instanceof APIError) || error instanceof APIConnectionError) return notReached(host);
  const status = error.status as number | undefined;
  if (status === 401 || status === 403)
    return {
      code: 'ai-key-refused',
      message: `${host} did not accept the key.`,
      remedy: `${noChange} Choose "Set AI Key" to enter another one.`,
    };
  if (status === 404)
    return {
      code: 'ai-not-found',
      message: `${host} does not know the model ${model}, or the address is not complete.`,
      remedy: `${noChange} Look at apiLiveSync.ai.model and apiLiveSync.ai.baseUrl in the settings.`,
    };
  if (error.code === 'insufficient_quota')
    return {
      code: 'ai-no-budget',
      message: `Your account at ${host} has no budget left.`,
      remedy: `${noChange} Settle that with the provider, or choose sides yourself.`,
    };
  if (status === 429) {
    const asked = retryAfterMs(error.headers as Headers | undefined);
    const when = asked === undefined ? 'a little later' : `in ${waitText(asked)}`;
    return {
      code: 'ai-too-many-requests',
      message: `${host} takes no more requests at the moment.`,
      remedy: `${noChange} Ask again ${when}.`,
    };
  }
  if (error.code === 'context_length_exceeded' || status === 413)
    return {
      code: 'ai-too-much',
      message: `This is more text than ${model} can take in.`,
      remedy: `${noChange} Ask about fewer conflicts, or choose a model that takes more.`,
    };
  if (status !== undefined && status >= 500)
    return {
      code: 'ai-service-failed',
      message: `${host} has a problem of its own (${status}).`,
      remedy: `${noChange} Ask again a little later.`,
    };
  return {
    code: 'ai-request-refused',
    message: `${host} did not take the request${status === undefined ? '' : ` (${status})`}.`,
    remedy: `${noChange} Look at apiLiveSync.ai.model and apiLiveSync.ai.baseUrl in the settings.`,
  };
}

function notReached(host: string): UserProblem {
  return {
    code: 'ai-not-reached',
    message: `${host} cannot be reached.`,
    remedy: `${noChange} Look at your connection, and at apiLiveSync.ai.baseUrl in the settings.`,
  };
}

export function silentFor(silenceMs: number): UserProblem {
  return {
    code: 'ai-silent',
    message: `The AI service said nothing for ${waitText(silenceMs)}.`,
    remedy: `${noChange} Ask again, or raise apiLiveSync.ai.timeoutSeconds.`,
  };
}

export const cutOff: UserProblem = {
  code: 'ai-answer-too-long',
  message: 'The AI wrote more than it was asked for and was stopped.',
  remedy: `${noChange} Ask again, or about fewer conflicts.`,
};

export const brokenOff: UserProblem = {
  code: 'ai-answer-broken-off',
  message: 'The connection to the AI service broke off in the middle of its answer.',
  remedy: `${noChange} Ask again.`,
};

export const answeredBadly: UserProblem = {
  code: 'ai-not-understood',
  message: 'What answered is no AI service of the kind that was expected.',
  remedy: `${noChange} Look at apiLiveSync.ai.baseUrl in the settings.`,
};

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterMs(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

function waitText(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
