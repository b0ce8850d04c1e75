import type { GitCommand } from './gitCommand.ts';

/** The newest commit of the branch that the checked out one follows, as far as it was fetched; undefined where it follows none. */
export async function upstream(git: GitCommand): Promise<string | undefined> {
  return git.line(['rev-parse', '--quiet', '--verify', '@{upstream}^{commit}']);
}

/** Whether one commit is another one's ancestor, or is the same; false too where this clone does not have both. */
export async function isAncestor(git: GitCommand, ancestor: string, of: string): Promise<boolean> {
  return (await git.run(['merge-base', '--is-ancestor', ancestor, of])).code === 0;
}

/**
 * Whether the branch may be moved forward to a commit that somebody else is at: the branch that it follows has it, or may
 * have it once that is fetched, which is not done here. The branch itself has it not.
 * @param commit the full name of a commit.
 */
export async function mayMoveTo(git: GitCommand, commit: string): Promise<boolean> {
  const newest = await upstream(git);
  if (newest === undefined) return false;
  const known = await git.run(['cat-file', '-e', `${commit}^{commit}`], { isOffline: true });
  if (known.code === undefined) return false;
  if (known.code !== 0) return true;
  if (await isAncestor(git, commit, 'HEAD')) return false;
  return (await isAncestor(git, 'HEAD', commit)) && (await isAncestor(git, commit, newest));
}
