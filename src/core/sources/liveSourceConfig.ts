import * as z from 'zod';
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
  readonly include: SourceSelection;
  readonly exclude: SourceSelection;
}

const MAX_SOURCES = 200;
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query'] as const;

const globs = z.array(z.string().min(1).max(500)).max(200);
const selection = z
  .strictObject({
    paths: globs.optional(),
    methods: z.array(z.enum(METHODS)).optional(),
    tags: z.array(z.string().min(1).max(200)).max(200).optional(),
    components: globs.optional(),
  })
  .default({});

const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};
const isHeaderName = (name: string): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name);
/** Those that the transport sets itself: a wrong one would cut or smuggle messages. */
const isOwnHeader = (name: string): boolean =>
  /^(host|content-length|transfer-encoding|connection|upgrade|te|trailer|expect|keep-alive|proxy-.*)$/i.test(name);

const sourceSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[^\p{Cc}]{1,200}$/u, 'should be a short text')
      .optional(),
    url: z
      .string()
      .max(2_000)
      .refine(isHttpUrl, 'should be an http or https address without a password in it')
      .optional(),
    file: z.string().min(1).max(1_000).optional(),
    target: z
      .string()
      .refine(
        (path) => checkLibraryPath(path) === undefined && /\.(ya?ml|json)$/i.test(path),
        'should be the path of a .yaml, .yml or .json file inside the folder, such as api/openapi.yaml',
      ),
    mode: z.enum(['auto', 'review', 'notify']).default('auto'),
    intervalSeconds: z.number().min(0.5).max(86_400).default(5),
    triggers: globs.default([]),
    headers: z
      .record(
        z.string().refine((name) => isHeaderName(name) && !isOwnHeader(name), 'holds a header name that cannot be set'),
        // A line break would begin a header of its own.
        z
          .string()
          .max(8_000)
          .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'should be one line of text'),
      )
      .default({}),
    timeoutSeconds: z.number().min(0.1).max(300).default(10),
    maxMegabytes: z.number().min(0.01).max(40).default(20),
    acceptSelfSigned: z.boolean().default(false),
    include: selection,
    exclude: selection,
  })
  .refine(({ url, file }) => (url === undefined) !== (file === undefined), 'needs either "url" or "file"')
  .transform((source): LiveSourceConfig => ({ ...source, id: source.id ?? source.target }));

/** Checks one source, whoever gives it. A problem's message says which value should be what. */
export function checkLiveSource(value: unknown): {
  readonly value?: LiveSourceConfig;
  readonly problems: readonly Problem[];
} {
  const result = sourceSchema.safeParse(value);
  if (result.success) return { value: result.data, problems: [] };
  const problems = result.error.issues.map(({ path, message }): Problem => {
    const place = path.length === 0 ? 'It' : `"${path.join('.')}"`;
    return {
      code: 'wrong-source',
      message: `${place} ${/^(should|holds|needs)/.test(message) ? message : `is wrong: ${message}`}.`,
      severity: 'error',
    };
  });
  return { problems };
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
