import type { Event } from '../../core/event.ts';
import { Emitter } from '../../core/event.ts';
import type { Disposable, Logger } from '../../core/ports.ts';
import { DisposableStore } from '../../core/disposableStore.ts';
import type { FolderPresence } from '../files/folderPresence.ts';
import { FOLDER_GONE } from './gitCheckout.ts';
import type { GitHindrance, GitWorkGuard } from './gitWorkGuard.ts';
import type { InnerCheckouts } from './innerCheckouts.ts';

/** Lets a replica work only while its folder is there and git is at rest on the branches that have joined: of the folder, and of what lies in it. */
export class FolderGuard implements Disposable {
  readonly inner: InnerCheckouts | undefined;
  readonly #own: GitWorkGuard;
  readonly #presence: FolderPresence;
  readonly #disposables = new DisposableStore();
  readonly #changed: Emitter<void>;

  /** @param inner undefined where nothing is served. All three are disposed with this. */
  constructor(own: GitWorkGuard, inner: InnerCheckouts | undefined, presence: FolderPresence, logger: Logger) {
    this.#own = this.#disposables.add(own);
    this.#presence = this.#disposables.add(presence);
    this.inner = inner;
    this.#changed = this.#disposables.add(
      new Emitter<void>((error) => logger.error('A listener of the guard failed.', { error: String(error) })),
    );
    this.#disposables.add(own.onMayHaveChanged(() => this.#changed.fire()));
    this.#disposables.add(presence.onDidChange(() => this.#changed.fire()));
    if (inner !== undefined) {
      this.#disposables.add(inner);
      this.#disposables.add(inner.onMayHaveChanged(() => this.#changed.fire()));
    }
  }

  /** Git did something, or the folder is gone or back, so the answer of `check` may be another one. */
  get onMayHaveChanged(): Event<void> {
    return this.#changed.event;
  }

  /** The branch that is checked out in place of a joined one, as people say it, when `check` last found git at rest. */
  get otherBranch(): string | undefined {
    return this.#own.otherBranch ?? this.inner?.otherBranch;
  }

  async check(): Promise<GitHindrance | undefined> {
    const ofGit = (await this.#own.check()) ?? (await this.inner?.check());
    if (ofGit !== undefined) return ofGit;
    return (await this.#presence.isThere()) ? undefined : FOLDER_GONE;
  }

  dispose(): void {
    this.#disposables.dispose();
  }
}
