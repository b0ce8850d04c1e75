import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isErrorWithCode } from '../files/diskFiles.ts';
import { GitCommand } from './gitCommand.ts';

/** After git wrote its index, files and HEAD may still be about to change. */
export const INDEX_QUIET_MS = 500;
/** Whoever has taken a folder away (a drive, a network share) tells nobody when it is back. */
const GONE_RETRY_MS = 2_000;
/** The folder is not there, or nothing in it is. */
export const FOLDER_GONE = { reason: 'this folder is not there at the moment', settlesInMs: GONE_RETRY_MS };
/** What stands in HEAD where references are kept in another form (git help init, `--ref-format=reftable`). */
const REFTABLE_HEAD = 'refs/heads/.invalid';

/** Where the git files of a checkout lie (gitrepository-layout): a worktree has its own HEAD and index, and shares config. */
export interface GitCheckout {
  /** The checkout's root folder. */
  readonly root: string;
  readonly gitDirectory: string;
  readonly commonDirectory: string;
}

/** What git is in the middle of, as a person would say it; undefined where it is at rest. */
export interface GitActivity {
  readonly what: string;
  /** When it is worth looking again although no file of git's changes, in milliseconds from now. */
  readonly settlesInMs: number | undefined;
  /** The checkout is not there. */
  readonly isGone?: boolean;
}

/** Finds the checkout that `folder` lies in; undefined where there is none. Reads files only: git need not be installed. */
export async function findGitCheckout(folder: string): Promise<GitCheckout | undefined> {
  for (let root = resolve(folder); ; root = dirname(root)) {
    const dotGit = join(root, '.git');
    const kind = await stat(dotGit).catch(() => undefined);
    if (kind !== undefined) {
      const gitDirectory = kind.isDirectory() ? dotGit : await followGitFile(root, dotGit);
      if (gitDirectory !== undefined && (await readText(join(gitDirectory, 'HEAD'))) !== undefined) {
        const common = (await readText(join(gitDirectory, 'commondir')))?.trim();
        return {
          root,
          gitDirectory,
          commonDirectory: common === undefined ? gitDirectory : resolve(gitDirectory, common),
        };
      }
    }
    if (dirname(root) === root) return undefined;
  }
}

async function followGitFile(root: string, dotGit: string): Promise<string | undefined> {
  const target = /^gitdir: (.+)$/m.exec((await readText(dotGit)) ?? '')?.[1]?.trim();
  if (target === undefined) return undefined;
  return isAbsolute(target) ? target : join(root, target);
}

/**
 * What names the line of work that is checked out: `refs/heads/<branch>`; a detached HEAD or a linked worktree is one
 * of its own (DESIGN §5).
 */
export async function readBranch(checkout: GitCheckout): Promise<string> {
  const head = (await readText(join(checkout.gitDirectory, 'HEAD')))?.trim() ?? '';
  const inFile = /^ref: (.+)$/.exec(head)?.[1];
  if (inFile === undefined) return `detached:${head}`;
  const ref = inFile === REFTABLE_HEAD ? await askForBranch(checkout) : inFile;
  if (isDetached(ref)) return ref;
  return checkout.gitDirectory === checkout.commonDirectory ? ref : `${ref} @ ${checkout.root}`;
}

/** What only git can read. Where it cannot be asked, each change of a reference is another line of work: that mixes nothing up. */
async function askForBranch({ root, gitDirectory }: GitCheckout): Promise<string> {
  const git = new GitCommand(root, () => 'git');
  const ref = await git.line(['symbolic-ref', '--quiet', 'HEAD']);
  if (ref !== undefined) return ref;
  const commit = await git.line(['rev-parse', '--quiet', '--verify', 'HEAD']);
  return `detached:${commit ?? (await readText(join(gitDirectory, 'reftable', 'tables.list'))) ?? ''}`;
}

/** Whether no branch is checked out, but a commit. @param branch as `readBranch` names it. */
export function isDetached(branch: string): boolean {
  return branch.startsWith('detached:');
}

/** The branch as people say it: `main`, `feature/x`, `detached at 1a2b3c4`. */
export function branchName(branch: string): string {
  if (isDetached(branch)) return `detached at ${branch.slice('detached:'.length, 'detached:'.length + 7)}`;
  return branch.replace(/^refs\/heads\//, '').replace(/ @ .*$/, '');
}

/** The URL of `origin` (else of the first remote), without credentials, in one form for ssh and https. */
export async function readRemote(checkout: GitCheckout): Promise<string | undefined> {
  const config = (await readText(join(checkout.commonDirectory, 'config'))) ?? '';
  let section = '';
  const urls = new Map<string, string>();
  for (const line of config.split('\n')) {
    section = /^\s*\[remote "(.+)"\]/.exec(line)?.[1] ?? (/^\s*\[/.test(line) ? '' : section);
    const url = /^\s*url\s*=\s*(.+?)\s*$/.exec(line)?.[1];
    if (section !== '' && url !== undefined && !urls.has(section)) urls.set(section, url);
  }
  const url = urls.get('origin') ?? [...urls.values()][0];
  return url === undefined ? undefined : normalizeRemote(url);
}

/** `git@host:a/b.git`, `ssh://git@host/a/b` and `https://user:token@host/a/b/` name the same: `host/a/b`. */
export function normalizeRemote(url: string): string {
  const scp = /^(?:[^@/]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(url);
  const bare =
    scp !== null && !/^[A-Za-z]$/.test(scp[1] ?? '')
      ? `${scp[1] ?? ''}/${scp[2] ?? ''}`
      : url.replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/i, '');
  const trimmed = bare.replace(/\/+$/, '').replace(/\.git$/, '');
  const slash = trimmed.indexOf('/');
  // Host names ignore case, paths may not.
  return slash === -1 ? trimmed : trimmed.slice(0, slash).toLowerCase() + trimmed.slice(slash);
}

const AT_WORK: readonly (readonly [file: string, what: string])[] = [
  ['index.lock', 'git is changing files'],
  ['HEAD.lock', 'git is switching branches'],
  ['MERGE_HEAD', 'a git merge is under way'],
  ['rebase-merge', 'a git rebase is under way'],
  ['rebase-apply', 'a git rebase is under way'],
  ['CHERRY_PICK_HEAD', 'a git cherry-pick is under way'],
  ['REVERT_HEAD', 'a git revert is under way'],
  ['BISECT_LOG', 'a git bisect is under way'],
];

/**
 * Whether git is at work in the checkout: it writes files before it moves HEAD, so what stands in them belongs to nobody
 * yet (DESIGN §5, "Git"). `wallNowMs` is compared with file times and so is the wall clock.
 */
export async function gitActivity(checkout: GitCheckout, wallNowMs: number): Promise<GitActivity | undefined> {
  const [head, index, ...found] = await Promise.all([
    stat(join(checkout.gitDirectory, 'HEAD')).catch(() => undefined),
    stat(join(checkout.gitDirectory, 'index')).catch(() => undefined),
    ...AT_WORK.map(([file]) => stat(join(checkout.gitDirectory, file)).catch(() => undefined)),
  ]);
  const at = found.findIndex((one) => one !== undefined);
  const what = AT_WORK[at]?.[1];
  if (what !== undefined) return { what, settlesInMs: undefined };
  if (head === undefined) return { what: FOLDER_GONE.reason, settlesInMs: FOLDER_GONE.settlesInMs, isGone: true };
  if (index === undefined) return undefined;
  const ageMs = wallNowMs - index.mtimeMs;
  // A time in the future (a clock set back) says nothing about now.
  if (ageMs < 0 || ageMs >= INDEX_QUIET_MS) return undefined;
  return { what: 'git has just changed files', settlesInMs: INDEX_QUIET_MS - ageMs + 5 };
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT') || isErrorWithCode(error, 'ENOTDIR') || isErrorWithCode(error, 'EISDIR'))
      return undefined;
    throw error;
  }
}
