import * as z from 'zod/mini';
import type { Problem } from '../problem.ts';
import { checkLibraryPath } from '../replication/libraryPath.ts';

/** What of a spec a source brings; nothing set: all of it. Globs know `*` (within one segment), `**` and `?`. */
export interface SourceSelection {
  /** Path templates such as `/pets/**`. */
  readonly paths?: readonly string[] | undefined;
  /** `get`, `post` and so on. */
  readonly methods?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** `schemas/Pet*`, `parameters/**`. */
  readonly components?: readonly string[] | undefined;
}

/** `auto`: changes are merged into the file; `review`: a person looks and applies; `notify`: a person is told. */
export type SourceMode = 'auto' | 'review' | 'notify';

/** One source: where a document comes from besides people. Exactly one of `url` and `file` is set. */
export interface LiveSourceConfig {
  /** Unique in its folder. */
  readonly id: string;
  readonly url?: string | undefined;
  /** A path or glob, relative to the workspace folder or absolute. */
  readonly file?: string | undefined;
  /** The document it keeps in step, relative to the workspace folder, with `/`. */
  readonly target: string;
  readonly mode: SourceMode;
  readonly intervalSeconds: number;
  /** Globs, relative to the folder: a change of one of these files asks the source at once. */
  readonly triggers: readonly string[];
  /** `${secret:NAME}` in a value is replaced by the secret that is kept for the URL's origin under that name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly maxMegabytes: number;
  readonly acceptSelfSigned: boolean;
  /** In a library, of the windows that have it only the leader's asks it, and the others get what it changes from there. */
  readonly shared: boolean;
  readonly include: SourceSelection;
  readonly exclude: SourceSelection;
}

const MAX_SOURCES = 200;
const MAX_GLOBS = 200;
const MAX_GLOB_LENGTH = 500;
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'] as const;

const globs = z.array(z.string().check(z.minLength(1), z.maxLength(MAX_GLOB_LENGTH))).check(z.maxLength(MAX_GLOBS));
const selection = z._default(
  z.strictObject({
    paths: z.optional(globs),
    methods: z.optional(z.array(z.enum(METHODS))),
    tags: z.optional(globs),
    components: z.optional(globs),
  }),
  {},
);

const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};
const isHeaderName = (name: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name);
const isTarget = (path: string): boolean => checkLibraryPath(path) === undefined && /\.(ya?ml|json)$/i.test(path);
/** Those that the transport sets itself: a wrong one would cut or smuggle messages. */
const isOwnHeader = (name: string): boolean =>
  /^(host|content-length|transfer-encoding|connection|upgrade|te|trailer|expect|keep-alive|proxy-.*)$/i.test(name);

const between = (low: number, high: number): z.ZodMiniNumber => z.number().check(z.gte(low), z.lte(high));
const headerName = z.string().check(z.refine((name) => isHeaderName(name) && !isOwnHeader(name)));
// A line break would begin a header of its own.
const headerValue = z.string().check(z.maxLength(8_000), z.regex(/^[\t\x20-\x7e\x80-\xff]*$/));

const sourceSchema = z
  .strictObject({
    id: z.optional(z.string().check(z.regex(/^[^\p{Cc}]{1,200}$/u))),
    url: z.optional(z.string().check(z.maxLength(2_000), z.refine(isHttpUrl))),
    file: z.optional(z.string().check(z.minLength(1), z.maxLength(1_000))),
    target: z.string().check(z.refine(isTarget)),
    mode: z._default(z.enum(['auto', 'review', 'notify']), 'auto'),
    intervalSeconds: z._default(between(0.5, 86_400), 5),
    triggers: z._default(globs, []),
    headers: z._default(z.record(headerName, headerValue), {}),
    timeoutSeconds: z._default(between(0.1, 300), 10),
    maxMegabytes: z._default(between(0.01, 40), 20),
    acceptSelfSigned: z._default(z.boolean(), false),
    shared: z._default(z.boolean(), false),
    include: selection,
    exclude: selection,
  })
  .check(z.refine(({ url, file }) => (url === undefined) !== (file === undefined)));

/** What a person is told to put there instead. */
const EXPECTED: Readonly<Record<string, string>> = {
  id: 'should be a text of at most 200 characters',
  url: 'should be an http or https address without a password in it',
  file: 'should be the path or pattern of a file',
  target: 'should be the path of a .yaml, .yml or .json file inside the folder, such as api/openapi.yaml',
  mode: 'should be "auto", "review" or "notify"',
  intervalSeconds: 'should be a number from 0.5 to 86400',
  triggers: 'should be a list of file patterns',
  headers: 'should have names of headers that may be set, each with one line of text',
  timeoutSeconds: 'should be a number from 0.1 to 300',
  maxMegabytes: 'should be a number from 0.01 to 40',
  acceptSelfSigned: 'should be true or false',
  shared: 'should be true or false',
  include: 'should have "paths", "methods", "tags" or "components", each with a list of texts',
  exclude: 'should have "paths", "methods", "tags" or "components", each with a list of texts',
};

/** Checks one source, whoever gives it. A problem's message says which value should be what. */
export function checkLiveSource(value: unknown): {
  readonly value?: LiveSourceConfig;
  readonly problems: readonly Problem[];
} {
  const result = sourceSchema.safeParse(value);
  if (result.success) return { value: { ...result.data, id: result.data.id ?? result.data.target }, problems: [] };
  const messages = result.error.issues.map((issue) => {
    const [key] = issue.path;
    if (key !== undefined) return `"${String(key)}" ${EXPECTED[String(key)] ?? 'is wrong'}.`;
    if (issue.code === 'unrecognized_keys') return `It has "${issue.keys.join('", "')}", which no source knows.`;
    return 'It should have a "target", and either a "url" or a "file".';
  });
  return { problems: [...new Set(messages)].map((message) => ({ code: 'wrong-source', message, severity: 'error' })) };
}

/** Checks a list of sources as it stands in settings. One wrong source makes none of them usable: nothing runs half. */
export function checkLiveSources(value: unknown): {
  readonly value?: readonly LiveSourceConfig[];
  readonly problems: readonly Problem[];
} {
  const problem = (message: string): Problem => ({ code: 'wrong-sources', message, severity: 'error' });
  if (!Array.isArray(value)) return { problems: [problem('It should be a list of sources.')] };
  if (value.length > MAX_SOURCES) return { problems: [problem(`It has more than ${MAX_SOURCES} sources.`)] };
  const checked = value.map((one: unknown) => checkLiveSource(one));
  const problems = checked.flatMap((one, index) =>
    one.problems.map(({ message }) => problem(`Source ${index + 1}: ${message}`)),
  );
  const sources = checked.flatMap((one) => (one.value === undefined ? [] : [one.value]));
  for (const [id, same] of Map.groupBy(sources, (one) => one.id))
    if (same.length > 1) problems.push(problem(`Two sources have the id "${id}"; give each an "id" of its own.`));
  return problems.length > 0 ? { problems } : { value: sources, problems };
}

/** Where a source comes from, as a person knows it. */
export function sourceAddress({ url, file }: LiveSourceConfig): string {
  return url ?? file ?? '';
}

/** How conflicts name the source as a side: "localhost:8000". */
export function sourceName({ url, file }: LiveSourceConfig): string {
  return url === undefined ? (file?.split(/[\\/]/).pop() ?? '') : new URL(url).host;
}
