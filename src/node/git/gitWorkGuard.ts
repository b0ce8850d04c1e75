import { watch, type FSWatcher } from 'node:fs';
import { Emitter, type Event } from '../../core/event.ts';
import type { Clock, Disposable, Logger } from '../../core/ports.ts';
import { branchName, gitActivity, readBranch, type GitCheckout } from './gitCheckout.ts';

/** Git touches several files at once. */
const EVENT_WINDOW_MS = 50;

/** Why nothing is sent or written. @param branch as people say it. */
export function notJoinedWords(branch: string): string {
  return `branch ${branch} has not joined`;
}

/** Why nothing may be sent or written, as a person would say it, and when it is worth asking again, in milliseconds. */
export interface GitHindrance {
  readonly reason: string;
  readonly settlesInMs: number | undefined;
}

/** Lets a replica work only while its own branch is checked out and git is at rest. */
export class GitWorkGuard implements Disposable {
  readonly #checkout: GitCheckout | undefined;
  readonly #branch: string;
  readonly #branchOf: (checkout: GitCheckout) => Promise<string>;
  readonly #clock: Clock;
  readonly #changed: Emitter<void>;
  readonly #logger: Logger;
  #watcher: FSWatcher | undefined;
  #isGone = false;
  #isDisposed = false;
  #timer: NodeJS.Timeout | undefined;
  #otherBranch: string | undefined;

  /** @param branch the one that the replica has joined on, as `branchOf` names it. */
  constructor(
    checkout: GitCheckout | undefined,
    branch: string,
    clock: Clock,
    logger: Logger,
    branchOf: (checkout: GitCheckout) => Promise<string> = readBranch,
  ) {
    this.#checkout = checkout;
    this.#branchOf = branchOf;
    this.#branch = branch;
    this.#clock = clock;
    this.#changed = new Emitter<void>((error) =>
      logger.error('A listener of the git guard failed.', { error: String(error) }),
    );
    this.#logger = logger;
    if (checkout !== undefined) this.#watch(checkout);
  }

  #watch(checkout: GitCheckout): void {
    const onError = (error: unknown): void =>
      this.#logger.warn("Git's folder is not watched; it is looked at before each change.", { error: String(error) });
    try {
      this.#watcher = watch(checkout.gitDirectory, { persistent: false }, (_, name) => this.#gitChanged(name));
      this.#watcher.on('error', onError);
    } catch (error) {
      // The system has no watches left. `check` reads git's files anew each time, so nothing goes wrong without one.
      onError(error);
    }
  }

  /** Git did something, so the answer of `check` may be another one. */
  get onMayHaveChanged(): Event<void> {
    return this.#changed.event;
  }

  /** The branch that was checked out in place of the joined one, as people say it, when `check` last found git at rest. */
  get otherBranch(): string | undefined {
    return this.#otherBranch;
  }

  async check(): Promise<GitHindrance | undefined> {
    if (this.#checkout === undefined) return undefined;
    // The activity first: git moves HEAD last, so a HEAD that is read after git came to rest is the one that holds.
    const activity = await gitActivity(this.#checkout, this.#clock.wallNow());
    this.#watchAgain(activity?.isGone === true);
    if (activity !== undefined) return { reason: activity.what, settlesInMs: activity.settlesInMs };
    const branch = await this.#branchOf(this.#checkout);
    this.#otherBranch = branch === this.#branch ? undefined : branchName(branch);
    if (this.#otherBranch === undefined) return undefined;
    return { reason: notJoinedWords(this.#otherBranch), settlesInMs: undefined };
  }

  /** A folder that is back is another one to the operating system, which goes on watching the old one. */
  #watchAgain(isGone: boolean): void {
    if (this.#isGone && !isGone && this.#checkout !== undefined && !this.#isDisposed) {
      this.#watcher?.close();
      this.#watch(this.#checkout);
    }
    this.#isGone = isGone;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#watcher?.close();
    clearTimeout(this.#timer);
    this.#changed.dispose();
  }

  #gitChanged(name: string | null): void {
    if (
      name !== null &&
      !/^(HEAD|index|MERGE_HEAD|CHERRY_PICK_HEAD|REVERT_HEAD|BISECT_LOG|rebase-\w+)(\.lock)?$/.test(name)
    )
      return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#changed.fire();
    }, EVENT_WINDOW_MS);
  }
}
