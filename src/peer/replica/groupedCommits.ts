import type { DocId, LogIndex, ReplicaId, RevisionHash } from '../../core/ids.ts';
import { LOG_START } from '../../core/replication/replicatedLog.ts';
import { inOrder } from '../../core/replication/replicaChange.ts';
import type { ReplicaChange, ReplicaState, ReplicaStore } from '../../core/replication/replicaStore.ts';

/** Nobody waits for what is committed later: so many changes are brought to disk together… */
const GATHERED_CHANGES = 1_000;
/** … or fewer, where their texts are so long together: until then they take memory. In UTF-16 units. */
const GATHERED_UNITS = 4 * 1024 * 1024;

interface Waiting {
  readonly change: ReplicaChange;
  /** Undefined where nobody waits for it. */
  readonly ended: PromiseWithResolvers<undefined> | undefined;
}

/**
 * A replica's store that brings changes to disk in their order, and together those that come while it is writing or that
 * nobody waits for: what thousands of entries change, one after the other, is some ten transactions. On disk is always all
 * that was committed up to some moment, and nothing after it.
 */
export class GroupedCommits implements ReplicaStore {
  readonly #store: ReplicaStore;
  #waiting: Waiting[] = [];
  #waitingUnits = 0;
  /** Whether what waits is to be brought to disk, however little it is. */
  #isDue = false;
  #durableIndex = LOG_START;
  #writing: Promise<void> | undefined;

  constructor(store: ReplicaStore) {
    this.#store = store;
  }

  get replicaId(): ReplicaId {
    return this.#store.replicaId;
  }

  async load(): Promise<ReplicaState> {
    const state = await this.#store.load();
    this.#durableIndex = state.synced.index;
    return state;
  }

  formerShadows(docId: DocId): Promise<readonly RevisionHash[]> {
    return this.#store.formerShadows(docId);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** The newest entry that is on disk as taken in. */
  get durableIndex(): LogIndex {
    return this.#durableIndex;
  }

  /** Resolves when nothing waits any more, or could not be brought to disk, and no transaction is under way. */
  flush(): Promise<void> {
    if (this.#waiting.length > 0) {
      this.#isDue = true;
      this.#write();
    }
    return this.#writing ?? Promise.resolve();
  }

  /** Resolves when this change and everything before it is on disk; rejects where this change is not, and will not be. */
  commit(change: ReplicaChange): Promise<void> {
    const ended = Promise.withResolvers<undefined>();
    this.#waiting.push({ change, ended });
    void this.flush();
    return ended.promise;
  }

  /**
   * For what a crash may take, together with all that comes after it. It comes to disk with the next change that somebody
   * waits for, at `flush`, or when much has gathered. Where it cannot be written, the next change brings it: the next one
   * never comes to disk without it.
   */
  commitLater(change: ReplicaChange): void {
    this.#waiting.push({ change, ended: undefined });
    this.#waitingUnits += unitsOf(change);
    if (this.#waiting.length >= GATHERED_CHANGES || this.#waitingUnits >= GATHERED_UNITS) void this.flush();
  }

  #write(): void {
    this.#writing ??= (async () => {
      let isWritten = true;
      while (isWritten && this.#isDue && this.#waiting.length > 0) isWritten = await this.#writeNext();
      this.#writing = undefined;
    })();
  }

  /** One transaction; false where it failed. */
  async #writeNext(): Promise<boolean> {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingUnits = 0;
    this.#isDue = false;
    try {
      await this.#store.commit(inOrder(batch.map(({ change }) => change)));
    } catch (error) {
      const isMoreToCome = this.#waiting.length > 0;
      // Who waits hears of it; for the rest it is tried with whatever comes next.
      const rest = batch.flatMap(({ change, ended }) => (ended === undefined ? [change] : []));
      if (rest.length > 0) {
        const change = inOrder(rest);
        this.#waiting.unshift({ change, ended: undefined });
        this.#waitingUnits += unitsOf(change);
      }
      for (const { ended } of batch) ended?.reject(error);
      return isMoreToCome;
    }
    this.#durableIndex =
      batch.findLast(({ change }) => change.synced !== undefined)?.change.synced?.index ?? this.#durableIndex;
    for (const { ended } of batch) ended?.resolve(undefined);
    return true;
  }
}

/** How long the texts are that are kept in memory for a change alone. */
function unitsOf({ putDocuments = [] }: ReplicaChange): number {
  return putDocuments.reduce((sum, { head }) => sum + (head?.text.length ?? 0), 0);
}
