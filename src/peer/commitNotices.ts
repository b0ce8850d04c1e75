import { Emitter, type Event } from '../core/event.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { PreparedCommits } from '../node/git/preparedCommit.ts';
import type { CommitNotice } from './folderSession.ts';

export interface CommitNoticesOptions {
  readonly prepared: PreparedCommits;
  /** Whose changes a document's text holds that no commit before it has; undefined where the file is no document. */
  readonly foreignAuthors: (
    file: string,
    text: () => Promise<string | undefined>,
    after: string,
  ) => Promise<readonly string[] | undefined>;
  /** The path to show. */
  readonly pathOf: (file: string) => string;
  /** We are at the index ourselves: what is in it now is not the person's. */
  readonly isPulling: () => boolean;
  /** Git may have done something. */
  readonly onMayHaveChanged: Event<void>;
  readonly logger: Logger;
}

/** Says once, when a person puts files into a commit, whose changes go along that they did not make themselves (DESIGN §5). */
export class CommitNotices implements Disposable {
  readonly #options: CommitNoticesOptions;
  readonly #noticed: Emitter<CommitNotice>;
  readonly #subscription: Disposable;
  #looking: Promise<void> = Promise.resolve();
  #isLookWanted = false;
  #isDisposed = false;
  /** What was said since the commit that it is about. */
  #said: { readonly after: string; readonly notices: Set<string> } = { after: '', notices: new Set() };

  constructor(options: CommitNoticesOptions) {
    this.#options = options;
    this.#noticed = new Emitter((error) =>
      options.logger.error('A listener of commits failed.', { error: String(error) }),
    );
    this.#subscription = options.onMayHaveChanged(() => this.#look());
    // What is in the index already was there before anybody could be told.
    this.#look();
  }

  get onDidNotice(): Event<CommitNotice> {
    return this.#noticed.event;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#subscription.dispose();
    this.#noticed.dispose();
  }

  /** One look at a time; whatever happens during one is seen by the next. */
  #look(): void {
    if (this.#isLookWanted) return;
    this.#isLookWanted = true;
    this.#looking = this.#looking.then(async () => {
      this.#isLookWanted = false;
      if (this.#isDisposed) return;
      try {
        await this.#lookNow();
      } catch (error) {
        // Only a notice is missed; the log says why.
        this.#options.logger.warn('What is being committed could not be looked at.', { error: String(error) });
      }
    });
  }

  async #lookNow(): Promise<void> {
    const { prepared, foreignAuthors, pathOf, isPulling } = this.#options;
    const wasPulling = isPulling();
    const commit = await prepared.look();
    if (wasPulling || isPulling()) prepared.forgetIndex();
    if (commit === undefined || wasPulling || isPulling()) return;
    const { after, isMade } = commit;
    const paths: string[] = [];
    const names = new Set<string>();
    for (const one of commit.files) {
      const { file } = one;
      const authors = await foreignAuthors(file, () => one.read(), after);
      if (authors === undefined || authors.length === 0) continue;
      paths.push(pathOf(file));
      for (const name of authors) names.add(name);
    }
    if (paths.length === 0 || this.#isDisposed) return;
    const authorNames = [...names].sort();
    if (this.#said.after !== after) this.#said = { after, notices: new Set() };
    const key = JSON.stringify([paths, authorNames]);
    if (this.#said.notices.has(key)) return;
    this.#said.notices.add(key);
    this.#noticed.fire({ paths, authorNames, isMade });
  }
}
