import type { Ambient } from '../core/ports.ts';
import { mayMoveTo } from '../node/git/commitReach.ts';
import { GitCommand } from '../node/git/gitCommand.ts';
import type { FolderDecisions } from './folderDecisions.ts';
import type { FolderServing } from './folderServing.ts';
import type { PullRequest, PullResult } from './folderSession.ts';
import type { Neighbourhood } from './neighbourhood.ts';
import { pull } from './pull.ts';
import { notDone } from './replica/documentProblems.ts';

/** Files that are not in step by then are looked at as they are. */
const SETTLE_TIMEOUT_MS = 15_000;

export interface FolderPullsOptions {
  readonly neighbourhood: Neighbourhood;
  readonly decisions: FolderDecisions;
  readonly serving: FolderServing;
  readonly gitPath: () => string;
  readonly ambient: Ambient;
}

/** Brings the checkout of a folder to commits whose content its files hold already, one pull at a time. See `FolderSession`. */
export class FolderPulls {
  readonly #options: FolderPullsOptions;
  #isUnderWay = false;

  constructor(options: FolderPullsOptions) {
    this.#options = options;
  }

  /** Whether this window pulls at the moment. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  async pull(request: PullRequest): Promise<PullResult> {
    const { neighbourhood, serving, gitPath, ambient } = this.#options;
    const { checkout, branch } = await neighbourhood.place();
    if (checkout === undefined) return notDone('no-git', 'This folder is not in a git checkout.');
    if (request.commit !== undefined && !this.#servesBranch(branch))
      return notDone('other-branch', 'Another branch is checked out by now.', 'Nothing has been changed.');
    if (this.#isUnderWay) return notDone('pulling', 'A pull is under way already.');
    this.#isUnderWay = true;
    try {
      const holds = async (file: string, text: string): Promise<boolean> =>
        (await serving.replica?.holdsRevision(file, text)) ?? false;
      const syncNow = async (): Promise<void> => {
        await serving.replica?.syncNow(SETTLE_TIMEOUT_MS);
      };
      return await pull({ ...request, checkout, gitPath, ambient, syncNow, holds });
    } finally {
      this.#isUnderWay = false;
    }
  }

  async canMoveTo(commit: string): Promise<boolean> {
    const { checkout, branch } = await this.#options.neighbourhood.place();
    if (checkout === undefined || !this.#servesBranch(branch)) return false;
    return mayMoveTo(new GitCommand(checkout.root, this.#options.gitPath), commit);
  }

  #servesBranch(branch: string): boolean {
    const { replicaId } = this.#options.serving;
    return replicaId !== undefined && this.#options.decisions.replicaOn(branch)?.replicaId === replicaId;
  }
}
