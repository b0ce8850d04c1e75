import type { PeerId } from '../../core/ids.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import { sourceAddress } from '../../core/sources/liveSourceConfig.ts';
import { SharedSourcePlace } from '../../node/sources/sharedSourcePlace.ts';
import type { SourceEntry, SourceTurn } from './sourceEntry.ts';
import type { JoinedLibrary, SourceLibrary } from './sourceLibrary.ts';

/** How soon a window notices that the one that ran a source is gone or has it no more, without hearing of it. */
const LOOK_INTERVAL_MS = 2_000;
/** So often a window looks before it runs what the leader does not have: a leader that has just begun leaves word first. */
const LOOKS_BEFORE_STANDING_IN = 2;

export interface SharedSourcesOptions {
  readonly ambient: Ambient;
  readonly library: () => Promise<SourceLibrary>;
  readonly entries: ReadonlyMap<string, SourceEntry>;
  /** Whether this window is the one that runs the sources of its folder. */
  readonly isServing: () => boolean;
  /** It is another one's turn from now on, or this window's. */
  readonly begin: (entry: SourceEntry) => Promise<void>;
  /** It is not this window's turn any more: resolves when nothing of it is under way. */
  readonly end: (entry: SourceEntry) => Promise<void>;
  /** Runs a step when no source is being added or removed; nobody waits for it. */
  readonly changeInBackground: (step: () => Promise<void>) => void;
}

interface Standing {
  readonly key: string;
  readonly place: SharedSourcePlace;
  /** The leader that this window has left word as. */
  claimedAs: PeerId | undefined;
  /** How often in a row it was found that the leader does not have the source. */
  looks: number;
}

/**
 * Of the windows that have a shared source the leader of their library runs it, and nobody else; where the leader does
 * not have it, one of the others stands in. A lock beside the library's log keeps it to one in every moment.
 */
export class SharedSources implements Disposable {
  readonly #options: SharedSourcesOptions;
  readonly #standings = new Map<SourceEntry, Standing>();
  #timer: Disposable | undefined;
  #isLookPending = false;
  #isDisposed = false;

  constructor(options: SharedSourcesOptions) {
    this.#options = options;
  }

  /** Something may be otherwise: who leads, which sources there are, what the library has. */
  follow(): void {
    if (this.#isLookPending || this.#isDisposed || !this.#hasShared) return;
    this.#isLookPending = true;
    this.#options.changeInBackground(async () => {
      this.#isLookPending = false;
      await this.#look();
    });
  }

  /** The source is removed or the window closed: whoever comes next may run it at once. */
  async letGo(entry: SourceEntry): Promise<void> {
    const standing = this.#standings.get(entry);
    this.#standings.delete(entry);
    if (standing === undefined) return;
    standing.place.lock.release();
    if (standing.claimedAs !== undefined) await standing.place.withdraw(standing.claimedAs);
  }

  async letGoOfAll(): Promise<void> {
    for (const entry of [...this.#standings.keys()]) await this.letGo(entry);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
  }

  get #hasShared(): boolean {
    return [...this.#options.entries.values()].some(({ sync }) => sync.config.shared);
  }

  async #look(): Promise<void> {
    this.#timer?.dispose();
    if (this.#isDisposed || !this.#hasShared) return;
    const library = await this.#options.library();
    for (const entry of this.#options.entries.values())
      if (entry.sync.config.shared) await this.#lookAt(entry, library);
    this.#timer = this.#options.ambient.scheduler.after(LOOK_INTERVAL_MS, () => this.follow());
  }

  async #lookAt(entry: SourceEntry, library: SourceLibrary): Promise<void> {
    if (!this.#options.isServing() || library.kind === 'starting') {
      await this.#setTurn(entry, { kind: 'undecided' });
      await this.letGo(entry);
      return;
    }
    const path = library.kind === 'joined' ? library.libraryPathOf(entry.sync.config.target) : undefined;
    if (library.kind !== 'joined' || path === undefined) {
      // What is in no library has nobody to be shared with.
      await this.#setTurn(entry, { kind: 'here', place: undefined });
      await this.letGo(entry);
    } else {
      const standing = await this.#standing(entry, library, path);
      const isOurs = await this.#isOurs(standing, library);
      if (isOurs && entry.turn.kind !== 'here' && !library.isCaughtUp(entry.sync.config.target)) {
        // What the one before has merged is on its way into the file; without it, it would look as if taken back.
        await this.#setTurn(entry, { kind: 'undecided' });
      } else if (isOurs) {
        await this.#setTurn(entry, { kind: 'here', place: standing.place });
        this.#confirm(entry, library);
      } else {
        await this.#setTurn(entry, { kind: 'leader', leaderName: library.leaderName });
        standing.place.lock.release();
      }
    }
  }

  async #standing(entry: SourceEntry, { directory }: JoinedLibrary, path: string): Promise<Standing> {
    const address = sourceAddress(entry.sync.config);
    const key = JSON.stringify([directory, path, address]);
    const known = this.#standings.get(entry);
    if (known?.key === key) return known;
    await this.#setTurn(entry, { kind: 'undecided' });
    await this.letGo(entry);
    const place = new SharedSourcePlace(directory, path, address);
    const standing: Standing = { key, place, claimedAs: undefined, looks: 0 };
    this.#standings.set(entry, standing);
    return standing;
  }

  async #isOurs(standing: Standing, library: JoinedLibrary): Promise<boolean> {
    const { place } = standing;
    const { leaderId, peerId } = library;
    if (leaderId === undefined) return false;
    if (leaderId === peerId) {
      if (standing.claimedAs !== peerId) await place.claim(peerId);
      standing.claimedAs = peerId;
      // One that stood in gives it back when it next looks.
      return place.lock.tryAcquire();
    }
    standing.claimedAs = undefined;
    standing.looks = (await place.claimant()) === leaderId ? 0 : standing.looks + 1;
    return standing.looks > LOOKS_BEFORE_STANDING_IN && place.lock.tryAcquire();
  }

  /** What is under way here ends before it is anybody else's turn. */
  async #setTurn(entry: SourceEntry, turn: SourceTurn): Promise<void> {
    if (isSameTurn(entry.turn, turn)) return;
    if (entry.turn.kind === 'here') await this.#options.end(entry);
    entry.turn = turn;
    await this.#options.begin(entry);
  }

  /** In the source's own turn: nothing is merged meanwhile. */
  #confirm(entry: SourceEntry, library: JoinedLibrary): void {
    if (entry.memories?.isUnconfirmed !== true) return;
    const { sync, memories } = entry;
    entry.queue.post(async () => {
      const agreed = library.agreedHash(sync.config.target);
      if (agreed !== undefined && (await sync.targetHash()) === agreed) await memories.confirm();
    });
  }
}

function isSameTurn(a: SourceTurn, b: SourceTurn): boolean {
  if (a.kind === 'here') return b.kind === 'here' && a.place === b.place;
  return a.kind === 'leader' ? b.kind === 'leader' && a.leaderName === b.leaderName : b.kind === 'undecided';
}
