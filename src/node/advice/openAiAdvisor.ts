import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import type { AdviceMessage, AdviceReply, ConflictAdvisor, Logger } from '../../core/ports.ts';
import { answeredBadly, brokenOff, cutOff, delayBeforeRetry, problemOfError, silentFor } from './openAiProblems.ts';

export interface OpenAiAdvisorOptions {
  /** As the person set it; a query (`?api-version=…`) goes with every request. */
  readonly baseUrl: string;
  readonly model: string;
  /** Undefined: none is sent. */
  readonly key: string | undefined;
  /** So long nothing may come before it counts as failed. */
  readonly silenceMs: number;
  readonly logger: Logger;
  /** Resolves after the time, or rejects when the signal fires. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Longer answers are none that was asked for. In UTF-16 units. */
const MAX_ANSWER_CHARACTERS = 200_000;
/** A server that drips one character a minute has to end at some time. */
const MAX_TOTAL_MS = 10 * 60_000;
const MAX_RETRIES = 2;

/** An address that takes keys in Azure's own way. */
const AZURE_HOST = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com$/i;

/**
 * Asks a model behind an address that speaks OpenAI's chat completions: OpenAI itself, Azure, Ollama, vLLM and others. The key
 * goes to that address only: redirects are refused, and no key is taken from the environment.
 */
export function createOpenAiAdvisor(options: OpenAiAdvisorOptions): ConflictAdvisor {
  const { baseUrl, model, logger } = options;
  const { host } = new URL(baseUrl);
  const client = createClient(options);
  return {
    name: `${model} at ${host}`,
    ask: async (messages, schema, { signal, onProgress }) => {
      let takesSchema = true;
      for (let attempt = 0; ; attempt++) {
        try {
          const text = await receive(
            client,
            options,
            messages,
            takesSchema ? schema : undefined,
            signal,
            (characters) => onProgress({ kind: 'receiving', characters }),
          );
          return text;
        } catch (error) {
          if (signal.aborted) return { kind: 'cancelled' };
          if (takesSchema && isAboutSchema(error)) {
            takesSchema = false;
            attempt--;
            continue;
          }
          const delayMs = attempt < MAX_RETRIES ? delayBeforeRetry(error, attempt) : undefined;
          logger.info('The AI service did not answer as it should.', { host, ...factsOf(error), attempt });
          if (delayMs === undefined) return { kind: 'problem', problem: problemOfError(error, host, model) };
          onProgress({ kind: 'waiting', seconds: Math.ceil(delayMs / 1000) });
          try {
            await options.wait(delayMs, signal);
          } catch {
            // Only the person's cancelling ends the wait early.
            return { kind: 'cancelled' };
          }
        }
      }
    },
  };
}

/** How a key goes with a request; null takes a header away that the client would add by itself. */
export function keyHeaders(url: URL, key: string | undefined): Record<string, string | null> {
  if (key === undefined) return { 'api-key': null, Authorization: null };
  return AZURE_HOST.test(url.hostname) ? { 'api-key': key, Authorization: null } : { 'api-key': null };
}

function createClient({ baseUrl, key }: OpenAiAdvisorOptions): OpenAI {
  const url = new URL(baseUrl);
  return new OpenAI({
    baseURL: `${url.origin}${url.pathname.replace(/\/$/, '')}`,
    defaultQuery: Object.fromEntries(url.searchParams),
    // All credentials that the client would take from the environment otherwise.
    apiKey: key ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: keyHeaders(url, key),
    logLevel: 'off',
    // Retries are told to the person who waits, so they are made here.
    maxRetries: 0,
    timeout: MAX_TOTAL_MS,
    // A redirect would carry the key, and the texts, to another address.
    fetchOptions: { redirect: 'error' },
  });
}

async function receive(
  client: OpenAI,
  { model, silenceMs }: OpenAiAdvisorOptions,
  messages: readonly AdviceMessage[],
  schema: Readonly<Record<string, unknown>> | undefined,
  signal: AbortSignal,
  onCharacters: (characters: number) => void,
): Promise<AdviceReply> {
  const silence = new SilenceWatch(silenceMs);
  const total = AbortSignal.timeout(MAX_TOTAL_MS);
  const any = AbortSignal.any([signal, silence.signal, total]);
  try {
    const stream = await client.chat.completions.create(
      {
        model,
        stream: true,
        messages: messages.map(({ role, text }) => ({ role, content: text })),
        ...(schema === undefined
          ? {}
          : { response_format: { type: 'json_schema', json_schema: { name: 'proposals', strict: true, schema } } }),
      },
      { signal: any },
    );
    let text = '';
    let refusal = '';
    let finish: string | null = null;
    for await (const chunk of stream) {
      silence.heard();
      const [choice] = chunk.choices;
      text += choice?.delta.content ?? '';
      refusal += choice?.delta.refusal ?? '';
      finish = choice?.finish_reason ?? finish;
      if (text.length + refusal.length > MAX_ANSWER_CHARACTERS) {
        stream.controller.abort();
        return { kind: 'problem', problem: cutOff };
      }
      onCharacters(text.length);
    }
    // A stream that is aborted ends as if it were whole.
    if (signal.aborted) return { kind: 'cancelled' };
    if (silence.signal.aborted || total.aborted) return { kind: 'problem', problem: silentFor(silenceMs) };
    if (refusal !== '') return { kind: 'refused', reason: refusal };
    if (finish === 'content_filter')
      return { kind: 'refused', reason: 'The AI service did not let the answer through.' };
    if (finish === 'length') return { kind: 'problem', problem: cutOff };
    if (finish === null) return { kind: 'problem', problem: brokenOff };
    return { kind: 'text', text };
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' };
    if (silence.signal.aborted || total.aborted) return { kind: 'problem', problem: silentFor(silenceMs) };
    if (error instanceof APIError && !(error instanceof APIUserAbortError)) throw error;
    // What is left came while the stream was read: the connection, or something that is no stream of this kind.
    return { kind: 'problem', problem: error instanceof SyntaxError ? answeredBadly : brokenOff };
  } finally {
    silence.dispose();
  }
}

/** Fires when nothing was heard for some time. */
class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #timer: NodeJS.Timeout;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#timer = this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  dispose(): void {
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(), this.#limitMs);
  }
}

/** Servers that do not know structured output say so in their own words; without it, the form is only asked for in words. */
function isAboutSchema(error: unknown): boolean {
  if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) return false;
  return /response_format|json_schema|structured/i.test(`${error.message} ${String(error.param)}`);
}

/** For the log: never what was sent or answered. */
function factsOf(error: unknown): { readonly status: number | undefined; readonly kind: string } {
  const status = error instanceof APIError ? (error.status as number | undefined) : undefined;
  const kind = error instanceof APIConnectionError ? 'connection' : error instanceof Error ? error.name : 'unknown';
  return { status, kind };
}
