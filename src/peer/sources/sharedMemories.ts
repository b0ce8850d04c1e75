import type { RevisionHash } from '../../core/ids.ts';
import type { SourceMemory, SourceMemoryKey, SourceMemoryStore } from '../../core/sources/sourceMemory.ts';
import type { SharedSourcePlace } from '../../node/sources/sharedSourcePlace.ts';

export interface SharedMemoriesOptions {
  /** What the folder remembers for itself. */
  readonly own: SourceMemoryStore;
  /** Where the library remembers, while this window is the one that runs the source. */
  readonly place: () => SharedSourcePlace | undefined;
  /** Whether the library has, or had, the target as a text with this hash. */
  readonly hasRevision: (target: string, hash: RevisionHash) => Promise<boolean>;
}

/**
 * The memory of a source that one window after another runs, each with its own copy of the target. What a folder
 * remembers never runs ahead of its own file; what another window may go on from never runs ahead of the log: so whoever
 * comes next has in its file what the memory says was merged (docs/decisions/0011).
 */
export class SharedMemories implements SourceMemoryStore {
  readonly #options: SharedMemoriesOptions;
  #isUnconfirmed = false;

  constructor(options: SharedMemoriesOptions) {
    this.#options = options;
  }

  /** Whether something was merged into the file of which it is not written down yet that the library has it. */
  get isUnconfirmed(): boolean {
    return this.#isUnconfirmed;
  }

  async load(key: SourceMemoryKey): Promise<SourceMemory | undefined> {
    const own = await this.#options.own.load(key);
    const shared = await this.#options.place()?.memory();
    this.#isUnconfirmed = shared?.latest !== undefined;
    // Nobody has run it since.
    if (shared === undefined || own?.basedOn === shared.count) return own;
    const { latest, agreed } = shared;
    if (latest !== undefined && (await this.#options.hasRevision(key.target, latest.resultHash as RevisionHash)))
      return latest;
    this.#isUnconfirmed = false;
    return agreed ?? own;
  }

  loadOthers(key: SourceMemoryKey): Promise<readonly SourceMemory[]> {
    return this.#options.own.loadOthers(key);
  }

  async save(key: SourceMemoryKey, memory: SourceMemory): Promise<void> {
    const place = this.#options.place();
    const shared = await place?.memory();
    const basedOn = (shared?.count ?? 0) + 1;
    await place?.remember({ count: basedOn, latest: memory, agreed: shared?.agreed });
    await this.#options.own.save(key, place === undefined ? memory : { ...memory, basedOn });
    this.#isUnconfirmed = place !== undefined;
  }

  sweep(keep: readonly string[], olderThan: number): Promise<void> {
    return this.#options.own.sweep(keep, olderThan);
  }

  /** The library has all that the file has, and so what was merged into it last. */
  async confirm(): Promise<void> {
    const place = this.#options.place();
    const shared = await place?.memory();
    if (shared?.latest !== undefined)
      await place?.remember({ count: shared.count, latest: undefined, agreed: shared.latest });
    this.#isUnconfirmed = false;
  }
}
