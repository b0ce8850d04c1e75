import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { SpecAnswer, SpecFetcher, SpecRequest } from '../../core/sources/specFetcher.ts';

const MAX_REDIRECTS = 5;
const ACCEPT = 'application/json, application/yaml;q=0.9, application/vnd.oai.openapi, text/yaml;q=0.9, */*;q=0.5';
/** What a server may say about itself in headers. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * Asks over HTTP, with the modules that an editor sets its proxy into. Redirects are followed to http and https only,
 * and what the request carries of its own goes to the origin that it was meant for and to nobody else.
 */
export const fetchSpec: SpecFetcher = async (request, signal) => {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  try {
    return await follow(request, AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (signal.aborted) throw error;
    return describeFailure(error, request, deadline.aborted);
  }
};

/** An answer that is of no use, in words. */
class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly answer: SpecAnswer;

  constructor(code: string, message: string, remedy: string, canRetry = false) {
    super(message);
    this.answer = { kind: 'failed', problem: { code, message, remedy }, canRetry, isServerDown: false };
  }
}

async function follow(request: SpecRequest, signal: AbortSignal): Promise<SpecAnswer> {
  const first = new URL(request.url);
  let url = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await send(url, request, url.origin === first.origin, signal);
    const { statusCode: status = 0, headers } = response;
    const isRedirect = [301, 302, 303, 307, 308].includes(status) && headers.location !== undefined;
    if (!isRedirect) return await answerOf(response, request, status, first.host);
    response.destroy();
    const next = URL.parse(headers.location ?? '', url.href);
    if (next === null || !/^https?:$/.test(next.protocol))
      throw new AnswerError(
        'redirect-refused',
        `${first.host} sends on to an address that is neither http nor https.`,
        'Set the address at which the description really is.',
      );
    if (request.staysOnOrigin === true && next.origin !== first.origin)
      throw new AnswerError(
        'redirect-refused',
        `${first.host} sends on to another server.`,
        'Set the address at which the description really is.',
      );
    if (url.protocol === 'https:' && next.protocol === 'http:')
      throw new AnswerError(
        'redirect-refused',
        `${first.host} sends on from https to http, where anybody on the way could change the answer.`,
        'Set the https address at which the description really is.',
      );
    // A name and password in an address would be credentials that nobody gave.
    next.username = '';
    next.password = '';
    url = next;
  }
  throw new AnswerError(
    'redirect-loop',
    `${first.host} sends on from address to address without end.`,
    'Open the address in a browser to see where it leads, and set the right one.',
  );
}

function send(url: URL, request: SpecRequest, isOwnOrigin: boolean, signal: AbortSignal): Promise<IncomingMessage> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const validators: Record<string, string> = {};
  if (request.etag !== undefined) validators['if-none-match'] = request.etag;
  if (request.lastModified !== undefined) validators['if-modified-since'] = request.lastModified;
  return new Promise((resolve, reject) => {
    const sent = send(
      url,
      {
        method: 'GET',
        signal,
        maxHeaderSize: MAX_HEADER_BYTES,
        headers: {
          accept: ACCEPT,
          'accept-encoding': 'br, gzip, deflate',
          'user-agent': 'api-live-sync',
          // A kept connection would be dead when a development server is started anew, and look like a failure.
          connection: 'close',
          ...validators,
          ...(isOwnOrigin ? request.headers : {}),
        },
        ...(request.acceptSelfSigned && isOwnOrigin ? { rejectUnauthorized: false } : {}),
      },
      resolve,
    );
    sent.on('error', reject);
    sent.end();
  });
}

async function answerOf(
  response: IncomingMessage,
  request: SpecRequest,
  status: number,
  host: string,
): Promise<SpecAnswer> {
  if (status === 304) {
    response.resume();
    return { kind: 'notModified' };
  }
  if (status !== 200) {
    response.destroy();
    throw statusError(status, host);
  }
  const bytes = await readAll(response, request, host);
  const { headers } = response;
  let text: string;
  try {
    text = new TextDecoder(bytes[0] === 0xff || bytes[0] === 0xfe ? 'utf-16' : 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AnswerError('answer-is-no-text', `${host} answered with something that is no text.`, openIt);
  }
  return {
    kind: 'text',
    text,
    contentType: headers['content-type'] ?? '',
    etag: headers.etag,
    lastModified: headers['last-modified'],
  };
}

async function readAll(response: IncomingMessage, request: SpecRequest, host: string): Promise<Uint8Array> {
  const { maxBytes } = request;
  const tooLarge = (): AnswerError =>
    new AnswerError(
      'answer-too-large',
      `${host} answered with more than ${(maxBytes / 1024 / 1024).toLocaleString('en-US')} MB.`,
      'Raise "maxMegabytes" of this source if it is meant to be so large.',
    );
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) {
    response.destroy();
    throw tooLarge();
  }
  const body = decoded(response, host);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) continue;
      length += chunk.length;
      // Counted after decompression: a small answer can unpack to an endless one.
      if (length > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks);
}

function decoded(response: IncomingMessage, host: string): Readable {
  const encoding = (response.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return response;
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip()
      : encoding === 'br'
        ? createBrotliDecompress()
        : encoding === 'deflate'
          ? createInflate()
          : undefined;
  if (decoder === undefined) {
    response.destroy();
    throw new AnswerError(
      'answer-encoding',
      `${host} answered in an encoding that nobody asked for (${encoding.slice(0, 30)}).`,
      openIt,
    );
  }
  // A connection that breaks off must end the decoder too.
  response.on('error', (error) => decoder.destroy(error));
  response.on('aborted', () => decoder.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })));
  return response.pipe(decoder);
}

const openIt = 'Open the address in a browser to see what it answers.';

function statusError(status: number, host: string): AnswerError {
  if (status === 401 || status === 403)
    return new AnswerError(
      'access-refused',
      `${host} refuses access (${status}).`,
      'Set the "headers" of this source; keep what is secret with the command "Set Secret of a Live Source".',
    );
  if (status === 404 || status === 410)
    return new AnswerError(
      'not-found',
      `${host} has nothing at this address (${status}).`,
      'Check the address of the source.',
      true,
    );
  if (status === 429 || status >= 500)
    return new AnswerError(
      'server-error',
      `${host} answered with an error (${status}).`,
      'It is asked again; look at the output of the server.',
      true,
    );
  return new AnswerError('unexpected-status', `${host} answered with the status ${status}.`, openIt);
}

/** Names of the errors that mean that a certificate is not trusted. */
const CERTIFICATE_CODES =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)$/;

function describeFailure(error: unknown, request: SpecRequest, isTimeout: boolean): SpecAnswer {
  if (error instanceof AnswerError) return error.answer;
  const { host } = new URL(request.url);
  const failed = (code: string, message: string, remedy: string, isServerDown: boolean): SpecAnswer => ({
    kind: 'failed',
    problem: { code, message, remedy },
    canRetry: true,
    isServerDown,
  });
  if (isTimeout)
    return failed(
      'no-answer-in-time',
      `${host} did not answer within ${(request.timeoutMs / 1000).toLocaleString('en-US')} seconds.`,
      'It is asked again; raise "timeoutSeconds" of this source if it needs longer.',
      true,
    );
  const code = codeOf(error);
  if (CERTIFICATE_CODES.test(code))
    return new AnswerError(
      'certificate-not-trusted',
      `The certificate of ${host} is not trusted (${code}).`,
      'If it is your own development server, set "acceptSelfSigned" of this source.',
    ).answer;
  if (code === 'ECONNRESET' || code === 'HPE_INVALID_EOF_STATE' || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return failed('answer-broke-off', `The answer of ${host} broke off in the middle.`, 'It is asked again.', true);
  if (/^Z_|^ERR__ERROR|^ERR_BROTLI|^ERR_PADDING/.test(code))
    return failed(
      'answer-broke-off',
      `The compressed answer of ${host} cannot be unpacked.`,
      'It is asked again.',
      false,
    );
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return failed('host-unknown', `No server is known by the name ${host}.`, 'Check the address of the source.', true);
  return failed(
    'server-not-reachable',
    `${host} is not reachable${code === '' ? '' : ` (${code})`}.`,
    'Is the server started? It is asked again by itself, and CORS does not matter here.',
    true,
  );
}

/** A name with several addresses (localhost) fails with all of their errors at once. */
function codeOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error && 'code' in first && typeof first.code === 'string' ? first.code : '';
}
