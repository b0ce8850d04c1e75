import { join } from 'node:path';
import type { Ambient } from '../core/ports.ts';
import { gitActivity, type GitActivity, type GitCheckout } from '../node/git/gitCheckout.ts';
import { GitCommand } from '../node/git/gitCommand.ts';
import { pullSyncedChanges, type PullOutcome } from '../node/git/pullSynced.ts';
import type { PullRequest, PullResult } from './folderSession.ts';
import { notDone } from './replica/documentProblems.ts';

export interface FolderPullOptions extends PullRequest {
  readonly checkout: GitCheckout;
  readonly gitPath: () => string;
  readonly ambient: Ambient;
  /** Reads all files and comes to rest, as far as nothing stands in the way. */
  readonly syncNow: () => Promise<void>;
  /** Whether the file (absolute) has taken this text in, and what came after it. */
  readonly holds: (file: string, text: string) => Promise<boolean>;
}

/** Pulls in the checkout of a workspace folder, and says in words what stood in the way. */
export async function pull({
  checkout,
  gitPath,
  ambient,
  syncNow,
  holds,
  ...request
}: FolderPullOptions): Promise<PullResult> {
  const lookAtGit = (): Promise<GitActivity | undefined> => gitActivity(checkout, ambient.clock.wallNow());
  const activity = await lookAtGit();
  if (activity !== undefined && activity.settlesInMs === undefined) return refusal('git-at-work', []);
  const outcome = await pullSyncedChanges({
    git: new GitCommand(checkout.root, gitPath),
    logger: ambient.logger,
    ...request,
    settle: async () => {
      // What git has just done to a file is known when it is at rest.
      const settlesInMs = (await lookAtGit())?.settlesInMs;
      if (settlesInMs !== undefined)
        await new Promise<void>((resolve) => ambient.scheduler.after(settlesInMs, resolve));
      await syncNow();
    },
    holds: (path, text) => holds(join(checkout.root, ...path.split('/')), text),
  });
  if (outcome.kind === 'upToDate') return { isDone: true, commitCount: 0, held: [], changedSince: [] };
  if (outcome.kind === 'refused') return refusal(outcome.code, outcome.paths);
  const { commitCount, held, changedSince } = outcome;
  return { isDone: true, commitCount, held, changedSince };
}

type Code = Extract<PullOutcome, { kind: 'refused' }>['code'];

function refusal(code: Code, paths: readonly string[]): PullResult {
  switch (code) {
    case 'no-branch':
      return notDone(code, 'No branch is checked out.', 'Check out a branch, then pull.');
    case 'git-at-work':
      return notDone(code, 'Git is in the middle of something.', 'Finish or abort it, then pull.');
    case 'no-upstream':
      return notDone(code, 'This branch follows no branch of a remote.', 'Set its upstream branch, then pull.');
    case 'not-fetched':
      return notDone(code, 'The remote could not be asked for its commits.', 'See the log; nothing has been changed.');
    case 'cancelled':
      return notDone(code, 'The pull was cancelled.', 'Nothing has been changed.');
    case 'diverged':
      return notDone(
        code,
        'This branch has commits that its upstream does not have.',
        'Commit your changes, then merge or rebase with git.',
      );
    case 'not-in-upstream':
      return notDone(
        code,
        'The branch that this one follows does not have that commit.',
        'It was not pushed yet, or is on another branch; nothing has been changed.',
      );
    case 'not-held': {
      const [first, ...more] = paths;
      const which = more.length === 0 ? `${first ?? ''} has` : `${first ?? ''} and ${more.length} more files have`;
      const message = `${which} changes of your own, and the incoming commits change the same.`;
      return notDone(code, message, 'Commit or stash them, then pull; nothing has been changed.');
    }
    case 'not-forwarded':
      return notDone(code, 'Git did not move the branch forward.', 'See the log; your files are as they were.');
  }
}
