import type { SourceMemory, SourceMemoryKey, SourceMemoryStore } from '../../core/sources/sourceMemory.ts';

export interface BranchMemoryOptions {
  readonly sourceId: string;
  readonly target: string;
  readonly store: SourceMemoryStore;
  /** The branch that is checked out; '' outside of git. */
  readonly branch: () => Promise<string>;
  /** What was held in mind belongs to another branch. */
  readonly onOtherBranch: () => void;
}

/** What is remembered of a source on the branch that is checked out. */
export class BranchMemory {
  readonly #options: BranchMemoryOptions;
  #loaded: { readonly branch: string; readonly memory: SourceMemory | undefined } | undefined;

  constructor(options: BranchMemoryOptions) {
    this.#options = options;
  }

  /** As it was loaded or saved last. */
  get latest(): SourceMemory | undefined {
    return this.#loaded?.memory;
  }

  async load(): Promise<SourceMemory | undefined> {
    const branch = await this.#options.branch();
    if (this.#loaded?.branch !== branch) {
      this.#loaded = { branch, memory: await this.#options.store.load(this.#key(branch)) };
      this.#options.onOtherBranch();
    }
    return this.#loaded.memory;
  }

  /** A branch that was made here begins with what was remembered where it was made, if the file is as it was there. */
  async ofOtherBranch(textHash: string): Promise<SourceMemory | undefined> {
    const others = await this.#options.store.loadOthers(this.#key(this.#loaded?.branch ?? ''));
    return others.find((one) => one.resultHash === textHash);
  }

  /** Only what is on the disk already: see `SourceMemory`. */
  async save(memory: SourceMemory): Promise<void> {
    const branch = this.#loaded?.branch ?? (await this.#options.branch());
    await this.#options.store.save(this.#key(branch), memory);
    this.#loaded = { branch, memory };
  }

  /** A server may give each answer another validator; not worth a write to the disk. */
  keepInMind(validators: Pick<SourceMemory, 'etag' | 'lastModified'>): void {
    if (this.#loaded?.memory === undefined) return;
    const { etag, lastModified } = validators;
    this.#loaded = { ...this.#loaded, memory: { ...this.#loaded.memory, etag, lastModified } };
  }

  /** What is on the disk may be another window's by now. */
  forget(): void {
    this.#loaded = undefined;
  }

  #key(branch: string): SourceMemoryKey {
    const { sourceId, target } = this.#options;
    return { sourceId, target, branch };
  }
}
