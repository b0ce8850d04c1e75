import { CommittedTexts } from './committedTexts.ts';
import type { GitCheckout } from './gitCheckout.ts';
import { GitCommand } from './gitCommand.ts';
import type { InnerCheckouts } from './innerCheckouts.ts';

/** What git has committed of a workspace folder's files, of each in the repository that it lies in. */
export class FolderTexts {
  readonly #own: CommittedTexts | undefined;
  readonly #inner: InnerCheckouts | undefined;
  readonly #gitPath: () => string;
  readonly #texts = new Map<string, CommittedTexts>();

  /** @param own the checkout that the folder itself lies in. */
  constructor(own: GitCheckout | undefined, inner: InnerCheckouts | undefined, gitPath: () => string) {
    this.#gitPath = gitPath;
    this.#inner = inner;
    this.#own = own === undefined ? undefined : this.#textsOf(own);
  }

  /** Another one whenever git has written an index or moved a HEAD. */
  async stamp(): Promise<string> {
    const all = (this.#inner?.all ?? []).map((checkout) => this.#textsOf(checkout));
    const stamps = [this.#own, ...all].map(async (texts) => texts?.stamp());
    return (await Promise.all(stamps)).join(' ');
  }

  /** See `CommittedTexts`. @param file the one that is asked about. */
  async head(file: string): Promise<string | undefined> {
    return this.#of(file)?.head();
  }

  async committedText(file: string): Promise<string | undefined> {
    return this.#of(file)?.committedText(file);
  }

  async lastSeen(file: string): Promise<{ readonly text: string; readonly modifiedAt: number } | undefined> {
    return this.#of(file)?.lastSeen(file);
  }

  async *versions(file: string, commit?: string): AsyncGenerator<string> {
    yield* this.#of(file)?.versions(file, commit) ?? [];
  }

  async textsAt(commit: string, files: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const byTexts = Map.groupBy(files, (file) => this.#of(file));
    const found = await Promise.all([...byTexts].map(async ([texts, its]) => texts?.textsAt(commit, its)));
    return new Map(found.flatMap((texts) => [...(texts ?? [])]));
  }

  async textAtMergeBase(file: string, commit: string): Promise<string | undefined> {
    return this.#of(file)?.textAtMergeBase(file, commit);
  }

  #of(file: string): CommittedTexts | undefined {
    const inner = this.#inner?.checkoutOf(file);
    return inner === undefined ? this.#own : this.#textsOf(inner);
  }

  #textsOf(checkout: GitCheckout): CommittedTexts {
    const known = this.#texts.get(checkout.root);
    if (known !== undefined) return known;
    const texts = new CommittedTexts(checkout, new GitCommand(checkout.root, this.#gitPath));
    this.#texts.set(checkout.root, texts);
    return texts;
  }
}
