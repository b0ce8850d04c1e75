import { execFile } from 'node:child_process';
import PQueue from 'p-queue';
import { isErrorWithCode } from '../errorCode.ts';

/** What git prints at most: the largest document that is kept in step. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** Reading git's own files; a fetch may take longer and says how long. */
const DEFAULT_TIMEOUT_MS = 60_000;

/** A folder of 3,000 documents must not start as many processes. */
const MAX_AT_ONCE = 4;

/** How a run of git ended; `code` is undefined where there is no git, or it did not end in time. */
export interface GitResult {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GitRunOptions {
  readonly input?: string;
  /** Another index than the checkout's. */
  readonly indexFile?: string;
  readonly timeoutMs?: number;
  /** Aborted: git is ended. */
  readonly signal?: AbortSignal;
  /** `stdout` is one character for each byte (`latin1`): it holds texts whose length in bytes counts. */
  readonly isBinary?: boolean;
  /** A clone that fetches objects when it misses them does not do so. */
  readonly isOffline?: boolean;
}

/** Of the surroundings of a hook or a rebase: they would name another checkout, index or object store than ours. */
const FOREIGN_VARIABLES = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
];

/** Runs the person's git in one checkout. It never asks for anything, and an exit code is an answer, not an error. */
export class GitCommand {
  /** The checkout's root folder. */
  readonly root: string;
  readonly #gitPath: () => string;
  readonly #queue = new PQueue({ concurrency: MAX_AT_ONCE });

  /** @param gitPath asked each time: an editor may learn it late. */
  constructor(root: string, gitPath: () => string) {
    this.root = root;
    this.#gitPath = gitPath;
  }

  run(args: readonly string[], options: GitRunOptions = {}): Promise<GitResult> {
    return this.#queue.add(() => this.#runNow(args, options));
  }

  #runNow(args: readonly string[], options: GitRunOptions): Promise<GitResult> {
    const env: NodeJS.ProcessEnv = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
    for (const name of FOREIGN_VARIABLES) Reflect.deleteProperty(env, name);
    if (options.indexFile !== undefined) env['GIT_INDEX_FILE'] = options.indexFile;
    if (options.isOffline === true) env['GIT_NO_LAZY_FETCH'] = '1';
    return new Promise((resolve) => {
      const child = execFile(
        this.#gitPath(),
        // Paths that a document has are names, never patterns.
        ['--literal-pathspecs', ...args],
        {
          cwd: this.root,
          env,
          encoding: options.isBinary === true ? 'latin1' : 'utf8',
          maxBuffer: MAX_OUTPUT_BYTES,
          timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
          windowsHide: true,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
          const isMissing = isErrorWithCode(error, 'ENOENT');
          resolve({ code, stdout, stderr: isMissing ? 'git was not found' : stderr });
        },
      );
      // A git that ends before it has read everything tells so by its exit code.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    });
  }

  /** What git printed, without the line end; undefined where it did not succeed. */
  async line(args: readonly string[], options: GitRunOptions = {}): Promise<string | undefined> {
    const { code, stdout } = await this.run(args, options);
    return code === 0 ? stdout.replace(/\r?\n$/, '') : undefined;
  }
}
