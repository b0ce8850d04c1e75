import { join } from 'node:path';
import type { Ambient, Disposable } from '../core/ports.ts';
import type { ReplicaRecord } from '../node/folders/folderRecord.ts';
import { FolderPresence } from '../node/files/folderPresence.ts';
import { FolderGuard } from '../node/git/folderGuard.ts';
import { branchName, isDetached } from '../node/git/gitCheckout.ts';
import { GitWorkGuard, notJoinedWords } from '../node/git/gitWorkGuard.ts';
import { InnerCheckouts } from '../node/git/innerCheckouts.ts';
import { replicaDirectory } from './folderDecisions.ts';
import type { Neighbourhood, Place } from './neighbourhood.ts';

export interface CheckedOutBranchOptions {
  readonly folder: string;
  readonly stateDir: string;
  readonly neighbourhood: Neighbourhood;
  readonly ambient: Ambient;
  /** Between two looks whether the folder is still there. */
  readonly heartbeatMs: number;
}

/** The branch that a folder has checked out: who guards it, whether it has joined, and what the other windows were told of it. */
export class CheckedOutBranch implements Disposable {
  readonly #options: CheckedOutBranchOptions;
  /** Where the folder has joined on others only; '' outside of git. */
  #unjoined: string | undefined;
  #announced: string | undefined;
  /** Of the replica that is served, or is waited for. */
  #guard: FolderGuard | undefined;
  #isDisposed = false;

  constructor(options: CheckedOutBranchOptions) {
    this.#options = options;
  }

  /** Nothing is told any more. */
  dispose(): void {
    this.#isDisposed = true;
  }

  /** The branch's name as people say it, where it has not joined. */
  get notJoined(): string | undefined {
    return this.#unjoined ?? this.#guard?.otherBranch;
  }

  /** What that means for what is sent and written. */
  get notJoinedWords(): string | undefined {
    return this.notJoined === undefined ? undefined : notJoinedWords(this.notJoined);
  }

  /**
   * What keeps everything back while git is at work or another branch is checked out than the replica's.
   * @param record of the replica; undefined where the folder has joined on other branches only. The caller disposes of the guard.
   */
  async guard(place: Place, record: ReplicaRecord | undefined): Promise<FolderGuard> {
    const { folder, stateDir, ambient } = this.#options;
    const { clock, logger, scheduler } = ambient;
    const { checkout: outer } = place;
    const memory = record === undefined ? undefined : join(replicaDirectory(stateDir, record.replicaId), 'inner.json');
    const inner =
      memory === undefined
        ? undefined
        : await InnerCheckouts.open({ folder, outer, memoryFile: memory, clock, logger });
    const own = new GitWorkGuard(outer, record?.branch ?? '', clock, logger);
    const witness = outer === undefined ? undefined : join(outer.gitDirectory, 'HEAD');
    const presence = new FolderPresence({ folder, witness, scheduler, everyMs: this.#options.heartbeatMs, logger });
    this.#guard = new FolderGuard(own, inner, presence, logger);
    return this.#guard;
  }

  /** A person wants what is checked out in the repositories inside of the folder. */
  async joinInner(): Promise<void> {
    if (this.#guard?.inner?.otherBranch !== undefined) await this.#guard.inner.join();
  }

  /** Nothing is served on the branch: the folder has joined on others. */
  setNotJoined(place: Place): void {
    this.#unjoined = branchName(place.branch);
  }

  /** Tells the other windows where this folder is. */
  announce(place: Place): void {
    const { neighbourhood, ambient } = this.#options;
    this.#announced = place.branch;
    neighbourhood.announce(place).catch((error: unknown) => {
      if (!this.#isDisposed)
        ambient.logger.error('The other windows could not be told of this folder.', { error: String(error) });
    });
  }

  /** Who is on that branch, too, may want to be in step there. In the middle of a rebase nobody is. */
  announceIfNew(place: Place): void {
    if (place.branch !== this.#announced && !isDetached(place.branch)) this.announce(place);
  }

  /** The start that the guard was for is over. */
  letGo(): void {
    this.#unjoined = undefined;
    this.#guard = undefined;
  }
}
