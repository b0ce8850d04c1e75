import type { LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import type { SpecAnswer, SpecFetcher } from '../../core/sources/specFetcher.ts';
import { readFileSource } from '../../node/sources/fileSource.ts';

/** The secret that a person keeps under a name for an origin; undefined where there is none. */
export type ReadSecret = (origin: string, name: string) => Promise<string | undefined>;

/** What is known of a source's last answer. */
export interface KnownAnswer {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export interface SourceReaderOptions {
  /** The workspace folder's real path. */
  readonly folder: string;
  readonly fetch: SpecFetcher;
  readonly readSecret: ReadSecret;
}

const BYTES_PER_MEGABYTE = 1024 * 1024;
const SECRET = /\$\{secret:([A-Za-z0-9_.-]{1,100})\}/g;

/** Asks a source for its text, wherever it comes from. Rejects only when it is aborted. */
export async function readSource(
  options: SourceReaderOptions,
  config: LiveSourceConfig,
  known: KnownAnswer,
  signal: AbortSignal,
): Promise<SpecAnswer> {
  const maxBytes = config.maxMegabytes * BYTES_PER_MEGABYTE;
  if (config.url === undefined) return await readFileSource(options.folder, config.file ?? '', known, maxBytes);
  const headers: Record<string, string> = {};
  const { origin } = new URL(config.url);
  for (const [name, value] of Object.entries(config.headers)) {
    const filled = await fillSecrets(value, origin, options.readSecret);
    if (filled.missing !== undefined) return secretMissing(filled.missing, origin);
    headers[name] = filled.value;
  }
  const { etag, lastModified } = known;
  return await options.fetch(
    {
      url: config.url,
      headers,
      etag,
      lastModified,
      timeoutMs: config.timeoutSeconds * 1000,
      maxBytes,
      acceptSelfSigned: config.acceptSelfSigned,
    },
    signal,
  );
}

async function fillSecrets(
  value: string,
  origin: string,
  readSecret: ReadSecret,
): Promise<{ readonly value: string; readonly missing?: string }> {
  const secrets = new Map<string, string>();
  for (const [, name = ''] of value.matchAll(SECRET)) {
    const secret = await readSecret(origin, name);
    // A line break in it would begin a header of its own.
    if (secret === undefined || /[^\t\x20-\x7e\x80-\xff]/.test(secret)) return { value, missing: name };
    secrets.set(name, secret);
  }
  return { value: value.replace(SECRET, (_match, name: string) => secrets.get(name) ?? '') };
}

function secretMissing(name: string, origin: string): SpecAnswer {
  return {
    kind: 'failed',
    problem: {
      code: 'secret-missing',
      message: `The secret "${name}" for ${origin} is not kept on this machine.`,
      remedy: 'Choose "Set Secret of a Live Source".',
    },
    canRetry: false,
    isServerDown: false,
  };
}
