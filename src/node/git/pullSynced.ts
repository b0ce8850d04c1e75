import { randomUUID } from 'node:crypto';
import { lstat, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../core/ports.ts';
import { isAncestor, upstream } from './commitReach.ts';
import type { GitCommand, GitResult, GitRunOptions } from './gitCommand.ts';

const FETCH_TIMEOUT_MS = 10 * 60_000;
/** An editor's own git holds the index for moments. */
const LOCK_ATTEMPTS = 20;
const LOCK_PAUSE_MS = 100;
const REGULAR_MODES = new Set(['100644', '100755']);
const ABSENT_MODE = '000000';

export type PullOutcome =
  | {
      readonly kind: 'pulled';
      readonly commitCount: number;
      /** Files, relative to the checkout with `/`, that held what came in already. */
      readonly held: readonly string[];
      /** Those of them that hold more than that: it is left in the file, uncommitted. */
      readonly changedSince: readonly string[];
    }
  | { readonly kind: 'upToDate' }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'cancelled'
        | 'no-branch'
        | 'git-at-work'
        | 'no-upstream'
        | 'not-fetched'
        | 'diverged'
        | 'not-in-upstream'
        | 'not-held'
        | 'not-forwarded';
      /** For `not-held`: files with changes that the incoming commits do not have. */
      readonly paths: readonly string[];
    };

export interface PullOptions {
  readonly git: GitCommand;
  readonly logger: Logger;
  /** The commit to come to, by its full name; absent: the newest of the upstream branch, which has to have it in any case. */
  readonly commit?: string | undefined;
  /** Brings the remote's commits; false where that failed. Undefined: `git fetch`. */
  readonly fetch?: (() => Promise<boolean>) | undefined;
  /** Heard until git begins to write. */
  readonly signal?: AbortSignal;
  /** Looks at all files, so that `holds` knows of them. */
  readonly settle: () => Promise<void>;
  /** Whether a file that reads otherwise has taken this incoming text in, and what came after it. */
  readonly holds: (path: string, incoming: string) => Promise<boolean>;
}

/** One file that the incoming commits change. */
interface Incoming {
  readonly path: string;
  readonly oldName: string;
  readonly mode: string;
  readonly name: string;
}

/** One file of those with changes here: what the index has of it, undefined where it has nothing. */
interface Changed extends Incoming {
  readonly staged: { readonly mode: string; readonly name: string } | undefined;
}

/**
 * Fast-forwards to the upstream branch, or to a commit of it, although files hold the incoming content already, uncommitted, because peers have
 * sent it: the one thing for which `git pull` refuses (DESIGN §5). What is held is put into the index as the incoming
 * commit has it, and git then leaves those files alone: none is ever written, so what anybody changes meanwhile stays
 * (docs/decisions/0015). Where one file holds changes of its own instead, nothing happens at all.
 */
export async function pullSyncedChanges(options: PullOptions): Promise<PullOutcome> {
  const { git, logger, holds } = options;
  const isCancelled = (): boolean => options.signal?.aborted === true;
  const branch = await checkedOutBranch(git);
  if (branch === undefined) return refused('no-branch');
  if ((await git.line(['config', '--get', `branch.${branch}.merge`])) === undefined) return refused('no-upstream');
  const isFetched = (await isFetchedAlready(options)) || (await fetchOrAbort(options));
  if (isCancelled()) return refused('cancelled');
  if (!isFetched) return refused('not-fetched');
  await options.settle();
  const head = await git.line(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}']);
  const newest = await upstream(git);
  if (newest === undefined || head === undefined) return refused('no-upstream');
  // All this takes its time; another branch is not the one that was meant.
  if ((await checkedOutBranch(git)) !== branch) return refused('git-at-work');
  const target = options.commit ?? newest;
  if (!(await isAncestor(git, target, newest))) return refused('not-in-upstream');
  if (await isAncestor(git, target, head)) return { kind: 'upToDate' };
  if (!(await isAncestor(git, head, target))) return refused('diverged');
  const changed = await findChanged(git, head, target);
  if (changed === 'unmerged') return refused('git-at-work');
  const differing = await findDiffering(git, changed);
  const notHeld = new Set<string>();
  for (const one of changed) {
    const isStagedOtherwise =
      one.staged !== undefined && one.staged.name !== one.oldName && one.staged.name !== one.name;
    const isHeld = !differing.has(one.path) || (await hasTakenIn(git, one, holds));
    if (isStagedOtherwise || !isHeld) notHeld.add(one.path);
  }
  if (notHeld.size > 0) return refused('not-held', [...notHeld].sort());
  if (isCancelled()) return refused('cancelled');
  return forward(git, logger, head, target, changed, differing);
}

async function checkedOutBranch(git: GitCommand): Promise<string | undefined> {
  return git.line(['symbolic-ref', '--quiet', '--short', 'HEAD']);
}

/** Whether the commit to come to was fetched already. */
async function isFetchedAlready({ git, commit }: PullOptions): Promise<boolean> {
  const newest = commit === undefined ? undefined : await upstream(git);
  return commit !== undefined && newest !== undefined && (await isAncestor(git, commit, newest));
}

/** An editor's own fetch cannot be ended; whoever has cancelled does not wait for it. */
async function fetchOrAbort({ git, logger, fetch, signal }: PullOptions): Promise<boolean> {
  if (fetch === undefined) return plainFetch(git, logger, signal);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const abort = (): void => resolve(false);
  signal?.addEventListener('abort', abort);
  try {
    return await Promise.race([fetch(), promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

async function plainFetch(git: GitCommand, logger: Logger, signal: AbortSignal | undefined): Promise<boolean> {
  const options = { timeoutMs: FETCH_TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
  const { code, stderr } = await git.run(['fetch', '--quiet'], options);
  if (code !== 0) logger.warn('Git could not fetch.', { said: withoutCredentials(stderr) });
  return code === 0;
}

/** The files that the incoming commits change and that do not read as HEAD has them. */
async function findChanged(git: GitCommand, head: string, target: string): Promise<readonly Changed[] | 'unmerged'> {
  const incoming = await findIncoming(git, head, target);
  const here = new Map<string, Changed['staged']>();
  // 1 XY sub mH mI mW hH hI path
  const status = await git.run([
    'status',
    '--porcelain=v2',
    '-z',
    '--no-renames',
    '--untracked-files=no',
    '--ignore-submodules=all',
  ]);
  for (const line of status.stdout.split('\0')) {
    if (line.startsWith('u ')) return 'unmerged';
    const [kind, , , , mode, , , name, ...path] = line.split(' ');
    if (kind !== '1' || mode === undefined || name === undefined) continue;
    here.set(path.join(' '), mode === ABSENT_MODE ? undefined : { mode, name });
  }
  const changed: Changed[] = [];
  for (const one of incoming) {
    // A file that git does not track yet: a document that peers have created.
    const isNew = isAbsent(one.oldName) && !here.has(one.path) && (await exists(join(git.root, one.path)));
    if (isNew || here.has(one.path)) changed.push({ ...one, staged: here.get(one.path) });
  }
  return changed;
}

async function findIncoming(git: GitCommand, head: string, target: string): Promise<readonly Incoming[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', head, target];
  const parts = (await git.run(args)).stdout.split('\0');
  const incoming: Incoming[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    // :oldMode newMode oldName newName status
    const [, mode, oldName, name] = (parts[at] ?? '').split(' ');
    const path = parts[at + 1];
    if (mode !== undefined && oldName !== undefined && name !== undefined && path !== undefined)
      incoming.push({ path, oldName, mode, name });
  }
  return incoming;
}

/** Those that git would call changed if the incoming commits were checked out: git compares, with its own line ends and filters. */
async function findDiffering(git: GitCommand, changed: readonly Changed[]): Promise<ReadonlySet<string>> {
  const differing = new Set<string>();
  for (const one of changed) {
    const isHere = await exists(join(git.root, one.path));
    const isComparable = isAbsent(one.name) ? !isHere : isHere && REGULAR_MODES.has(one.mode);
    if (!isComparable) differing.add(one.path);
  }
  const compared = changed.filter((one) => !differing.has(one.path) && !isAbsent(one.name));
  if (compared.length === 0) return differing;
  const indexFile = join(tmpdir(), `api-live-sync-${randomUUID()}.index`);
  try {
    await git.run(['update-index', '-z', '--index-info'], { indexFile, input: compared.map(indexLine).join('') });
    await git.run(['update-index', '-q', '--refresh'], { indexFile });
    const { code, stdout } = await git.run(['diff-files', '--name-only', '-z'], { indexFile });
    // What could not be compared is not known to be equal.
    const found = code === 0 ? stdout.split('\0').filter((path) => path !== '') : compared.map(({ path }) => path);
    for (const path of found) differing.add(path);
  } finally {
    await rm(indexFile, { force: true });
  }
  return differing;
}

async function hasTakenIn(git: GitCommand, one: Changed, holds: PullOptions['holds']): Promise<boolean> {
  if (isAbsent(one.name) || !REGULAR_MODES.has(one.mode) || !(await exists(join(git.root, one.path)))) return false;
  const { code, stdout } = await git.run(['cat-file', 'blob', one.name]);
  return code === 0 && (await holds(one.path, stdout));
}

async function forward(
  git: GitCommand,
  logger: Logger,
  head: string,
  target: string,
  changed: readonly Changed[],
  differing: ReadonlySet<string>,
): Promise<PullOutcome> {
  const stage = (lines: readonly string[]): Promise<GitResult> =>
    lines.length === 0
      ? Promise.resolve({ code: 0, stdout: '', stderr: '' })
      : whenUnlocked(git, ['update-index', '-z', '--index-info'], { input: lines.join('') });
  const staged = await stage(changed.map(indexLine));
  // Stashing and popping by itself would set files back and forth; a merge or rebase is not what was asked for.
  const merge = ['-c', 'merge.autoStash=false', 'merge', '--ff-only', '--quiet', target];
  const merged = staged.code === 0 ? await whenUnlocked(git, merge) : staged;
  if ((await git.line(['rev-parse', '--quiet', '--verify', 'HEAD^{commit}'])) !== target) {
    logger.warn('Git did not fast-forward.', { said: withoutCredentials(merged.stderr) });
    await stage(changed.map((one) => entryLine(one, one.staged)));
    return refused('not-forwarded');
  }
  const count = await git.line(['rev-list', '--count', `${head}..${target}`]);
  const held = changed.map(({ path }) => path).sort();
  return { kind: 'pulled', commitCount: Number(count ?? 0), held, changedSince: [...differing].sort() };
}

/** Runs git again while another git has the index. */
async function whenUnlocked(git: GitCommand, args: readonly string[], options: GitRunOptions = {}): Promise<GitResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await git.run(args, options);
    if (result.code === 0 || attempt === LOCK_ATTEMPTS || !/\.lock\b/.test(result.stderr)) return result;
    await delay(LOCK_PAUSE_MS);
  }
}

function indexLine(one: Incoming): string {
  return entryLine(one, isAbsent(one.name) ? undefined : one);
}

/** A line for `update-index -z --index-info`; without an entry the path goes from the index. */
function entryLine({ path, name }: Incoming, entry: Changed['staged']): string {
  return entry === undefined ? `0 ${'0'.repeat(name.length)}\t${path}\0` : `${entry.mode} ${entry.name}\t${path}\0`;
}

/** Git names what is not there by zeros. */
function isAbsent(name: string): boolean {
  return /^0+$/.test(name);
}

async function exists(file: string): Promise<boolean> {
  // What cannot be looked at counts as absent; git says what it makes of it.
  return (await lstat(file).catch(() => undefined)) !== undefined;
}

function refused(code: Extract<PullOutcome, { kind: 'refused' }>['code'], paths: readonly string[] = []): PullOutcome {
  return { kind: 'refused', code, paths };
}

/** A remote's address may carry a password. */
function withoutCredentials(text: string): string {
  return text.trim().replaceAll(/\/\/[^/@\s]+@/g, '//');
}
