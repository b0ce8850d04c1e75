import { dirname, join, relative, sep } from 'node:path';
import * as z from 'zod';
import { DisposableStore } from '../../core/disposableStore.ts';
import { Emitter, type Event } from '../../core/event.ts';
import type { Clock, Disposable, Logger } from '../../core/ports.ts';
import { writeFileAtomic } from '../atomicFile.ts';
import { readJsonFile } from '../readJsonFile.ts';
import { PRIVATE_FILE_MODE } from '../stateDirectory.ts';
import { findGitCheckout, isDetached, readBranch, type GitCheckout } from './gitCheckout.ts';
import { GitWorkGuard, notJoinedWords, type GitHindrance } from './gitWorkGuard.ts';

const schema = z.object({ version: z.literal(1), branches: z.record(z.string().min(1), z.string()) });

export interface InnerCheckoutsOptions {
  /** The workspace folder's real path. */
  readonly folder: string;
  /** The checkout that the folder itself lies in. */
  readonly outer: GitCheckout | undefined;
  /** Where the branches that have joined are kept. */
  readonly memoryFile: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Inner {
  readonly checkout: GitCheckout;
  readonly guard: GitWorkGuard;
}

/**
 * The repositories inside a workspace folder in which documents of it lie: submodules, or those of a folder that is in no
 * repository itself. What git does there, and which branch is checked out, counts as it does in the folder's own
 * ([BRA-05]). A branch has joined when the first document is found there, and when a person says so.
 */
export class InnerCheckouts implements Disposable {
  readonly #options: InnerCheckoutsOptions;
  readonly #branches: Map<string, string>;
  /** By the checkout's place in the folder, with `/`. */
  readonly #inner = new Map<string, Inner>();
  /** By folder that documents lie in. */
  readonly #checkouts = new Map<string, GitCheckout | undefined>();
  readonly #disposables = new DisposableStore();
  readonly #changed: Emitter<void>;
  #otherBranch: string | undefined;
  #saving: Promise<void> = Promise.resolve();

  private constructor(options: InnerCheckoutsOptions, branches: Map<string, string>) {
    this.#options = options;
    this.#branches = branches;
    this.#changed = this.#disposables.add(
      new Emitter<void>((error) =>
        options.logger.error('A listener of the inner checkouts failed.', { error: String(error) }),
      ),
    );
  }

  /** Those that are known from before are watched from the beginning. Rejects where what is known cannot be read. */
  static async open(options: InnerCheckoutsOptions): Promise<InnerCheckouts> {
    const known = schema.safeParse(await readJsonFile(options.memoryFile)).data?.branches ?? {};
    const opened = new InnerCheckouts(options, new Map(Object.entries(known)));
    await opened.cover(Object.keys(known).map((place) => join(options.folder, ...place.split('/'), 'any file')));
    return opened;
  }

  /** Git did something in one of them. */
  get onMayHaveChanged(): Event<void> {
    return this.#changed.event;
  }

  /** The branch that is checked out in one of them in place of the joined one, as people say it. */
  get otherBranch(): string | undefined {
    return this.#otherBranch;
  }

  /** The checkout that a file lies in, where it is an inner one and the file was told of. */
  checkoutOf(file: string): GitCheckout | undefined {
    return this.#checkouts.get(dirname(file));
  }

  get all(): readonly GitCheckout[] {
    return [...this.#inner.values()].map(({ checkout }) => checkout);
  }

  /** These are documents: resolves when the checkouts that they lie in are known. */
  async cover(files: readonly string[]): Promise<void> {
    const isKnown = this.#branches.size;
    for (const directory of new Set(files.map((file) => dirname(file)))) {
      if (this.#checkouts.has(directory)) continue;
      const checkout = await this.#innerOf(directory);
      this.#checkouts.set(directory, checkout);
      if (checkout !== undefined) await this.#watch(checkout);
    }
    if (this.#branches.size !== isKnown) await this.#save();
  }

  async check(): Promise<GitHindrance | undefined> {
    for (const [place, { checkout, guard }] of this.#inner) {
      // Of a repository that is gone nothing is left to be mixed up.
      if ((await findGitCheckout(checkout.root))?.root !== checkout.root) continue;
      const hindrance = await guard.check();
      if (hindrance === undefined) continue;
      if (guard.otherBranch === undefined) return { ...hindrance, reason: `${hindrance.reason} in ${place}` };
      this.#otherBranch = `${guard.otherBranch} of ${place}`;
      return { ...hindrance, reason: notJoinedWords(this.#otherBranch) };
    }
    this.#otherBranch = undefined;
    return undefined;
  }

  /** A person wants the branches that are checked out now. */
  async join(): Promise<void> {
    for (const [place, { checkout, guard }] of [...this.#inner]) {
      guard.dispose();
      this.#inner.delete(place);
      this.#branches.delete(place);
      await this.#watch(checkout);
    }
    await this.#save();
    this.#changed.fire();
  }

  dispose(): void {
    for (const { guard } of this.#inner.values()) guard.dispose();
    this.#disposables.dispose();
  }

  async #innerOf(directory: string): Promise<GitCheckout | undefined> {
    const checkout = await findGitCheckout(directory);
    if (checkout === undefined || checkout.root === this.#options.outer?.root) return undefined;
    const place = relative(this.#options.folder, checkout.root);
    return place === '' || place.split(sep)[0] === '..' ? undefined : checkout;
  }

  async #watch(checkout: GitCheckout): Promise<void> {
    const { folder, clock, logger } = this.#options;
    const place = relative(folder, checkout.root).split(sep).join('/');
    if (this.#inner.has(place) || this.#disposables.isDisposed) return;
    const branchOf = (one: GitCheckout): Promise<string> => this.#branchOf(one);
    const branch = this.#branches.get(place) ?? (await branchOf(checkout));
    this.#branches.set(place, branch);
    const guard = new GitWorkGuard(checkout, branch, clock, logger, branchOf);
    guard.onMayHaveChanged(() => this.#changed.fire());
    this.#inner.set(place, { checkout, guard });
  }

  /** Which commit a submodule is at is told by the repository around it, whose branch is looked after already. */
  async #branchOf(checkout: GitCheckout): Promise<string> {
    const branch = await readBranch(checkout);
    return isDetached(branch) && this.#options.outer !== undefined ? ANY_COMMIT : branch;
  }

  /** One after the other: the newest state is written last. */
  #save(): Promise<void> {
    const { memoryFile } = this.#options;
    const text = JSON.stringify({ version: 1, branches: Object.fromEntries(this.#branches) });
    const saved = this.#saving.then(async () => {
      await writeFileAtomic(memoryFile, text, { mode: PRIVATE_FILE_MODE });
    });
    // Whoever asked hears of it; the next one is written all the same.
    this.#saving = saved.catch(() => undefined);
    return saved;
  }
}

const ANY_COMMIT = 'detached';
