import { DisposableStore } from '../disposableStore.ts';
import type { LibraryId, LogIndex } from '../ids.ts';
import type { Ambient, Disposable } from '../ports.ts';
import type { Connection } from './connection.ts';
import { withoutBulkPatches } from './bulkEntry.ts';
import type { LogEntry } from './entry.ts';
import { LeaderSession } from './leaderSession.ts';
import type { FollowerMetrics, PeerInfo } from './libraryLink.ts';
import { ANNOUNCE_WINDOW_MS, MAX_ENTRIES_PER_PAGE, MAX_INLINE_UNITS, MAX_PEERS } from './limits.ts';
import { encodeMessage } from './messages.ts';
import { nextIndex } from './replicatedLog.ts';
import type { LogGate } from './logGate.ts';

export interface LeaderOptions {
  readonly libraryId: LibraryId;
  readonly transactions: LogGate;
  readonly ambient: Ambient;
  /** How often silent followers are looked for, in milliseconds. */
  readonly heartbeatMs: number;
  /** Silence after which a follower counts as gone, in milliseconds. */
  readonly timeoutMs: number;
  /** Peers that this leader learns of from another host. */
  readonly peersElsewhere?: () => readonly PeerInfo[];
  /** Somebody has come or gone here. */
  readonly onPeersChanged?: () => void;
}

/** A follower as the leader knows it. */
export interface FollowerState extends FollowerMetrics {
  readonly peer: PeerInfo;
  /** The newest index that the follower has made durable. */
  readonly acknowledged: LogIndex;
}

/** A guess at an entry's size on the wire that does not need to write it out: fields and ids, and this much per splice. */
const ENTRY_UNITS = 600;
const SPLICE_UNITS = 48;
/** Two hashes, two ids and what stands between them. */
const BULK_DOCUMENT_UNITS = 320;

interface RecentEntry {
  readonly entry: LogEntry;
  readonly units: number;
}

/**
 * Orders a library's entries and tells its followers. It takes any number of connections, answers what they ask, and
 * announces commits: the first at once, those that follow within 100 ms together (DESIGN §5 step 5). It never merges.
 */
export class Leader implements Disposable {
  readonly #options: LeaderOptions;
  readonly #sessions = new Set<LeaderSession>();
  readonly #subscriptions = new DisposableStore();
  #recent: RecentEntry[] = [];
  #recentUnits = 0;
  #announcedAt = -Infinity;
  #announceTimer: Disposable | undefined;
  #checkTimer: Disposable | undefined;
  #isDisposed = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#subscriptions.add(
      options.transactions.onDidCommit((entries) => {
        this.onCommit(entries);
      }),
    );
    this.#scheduleCheck();
  }

  /** The followers that are connected now. */
  get followers(): readonly FollowerState[] {
    const last = this.#options.transactions.position.index;
    return [...this.#sessions].flatMap(({ peer, acknowledged, sentUnits, receivedUnits }) =>
      peer === undefined ? [] : [{ peer, acknowledged, lag: last - acknowledged, sentUnits, receivedUnits }],
    );
  }

  /** The peers that are connected here, and those that the hosts among them speak for. */
  get peersHere(): readonly PeerInfo[] {
    const peers = [...this.#sessions].flatMap(({ peer, namedPeers }) =>
      peer === undefined ? [] : [peer, ...namedPeers],
    );
    return distinct(peers);
  }

  /** Somebody has come or gone elsewhere. */
  notePeersElsewhere(): void {
    this.#sendPeers(undefined);
  }

  /** Serves a connection whose other side has proven that it belongs to the library. */
  accept(connection: Connection): void {
    if (this.#isDisposed || this.#sessions.size >= MAX_PEERS) {
      connection.close();
      return;
    }
    const { libraryId, transactions, ambient } = this.#options;
    const session = new LeaderSession(
      {
        libraryId,
        transactions,
        ambient,
        peers: () => this.#everybody(),
        onWelcomed: (welcomed) => {
          this.#noteArrival(welcomed);
        },
        onPeersNamed: (session) => {
          this.#tellPeers(session);
        },
        onEnded: (ended) => {
          this.#noteDeparture(ended);
        },
      },
      connection,
    );
    this.#sessions.add(session);
    if (connection.isClosed) this.#sessions.delete(session);
  }

  /** Called after each transaction: announces it at once, or together with what follows within 100 ms of the last announcement. */
  onCommit(entries: readonly LogEntry[]): void {
    for (const entry of entries) this.#remember(entry);
    if (this.#announceTimer !== undefined || this.#isDisposed) return;
    const sinceLast = this.#options.ambient.clock.monotonicNow() - this.#announcedAt;
    if (sinceLast >= ANNOUNCE_WINDOW_MS) this.notifyFollowers();
    // Counted from the last announcement and not from this commit: a constant stream must not push it ahead for ever.
    else this.#scheduleAnnouncement(ANNOUNCE_WINDOW_MS - sinceLast);
  }

  /**
   * Tells every follower of what it has not been told yet. One that does not read fast enough is passed over and told
   * later, of everything that gathered meanwhile: nothing that failed to be sent is dropped.
   */
  notifyFollowers(): void {
    this.#announceTimer?.dispose();
    this.#announceTimer = undefined;
    this.#announcedAt = this.#options.ambient.clock.monotonicNow();
    const to = this.#options.transactions.position.index;
    const texts = new Map<string, string>();
    let isSomebodyLeft = false;
    for (const session of this.#sessions) {
      if (session.peer === undefined || session.announced >= to) continue;
      if (session.isCongested) {
        isSomebodyLeft = true;
        continue;
      }
      const from = nextIndex(session.announced);
      const key = `${String(from)} ${String(session.takesBulksInline)}`;
      const text = texts.get(key) ?? this.#announcement(from, to, session.takesBulksInline);
      texts.set(key, text);
      session.announce(text, to);
    }
    if (isSomebodyLeft) this.#scheduleAnnouncement(ANNOUNCE_WINDOW_MS);
  }

  /** Says goodbye to every follower, which lets them look for the next leader at once. */
  dispose(): void {
    this.#isDisposed = true;
    this.#announceTimer?.dispose();
    this.#checkTimer?.dispose();
    this.#subscriptions.dispose();
    for (const session of [...this.#sessions]) session.dispose();
  }

  #announcement(from: LogIndex, to: LogIndex, withBulks: boolean): string {
    const { libraryId, transactions } = this.#options;
    const { term } = transactions;
    const count = to - from + 1;
    const inline = this.#recent.filter(({ entry }) => entry.index >= from && entry.index <= to);
    const carriesAll = inline.length === count && (withBulks || inline.every(({ entry }) => entry.kind !== 'bulk'));
    return encodeMessage({
      libraryId,
      term,
      sender: term.leaderId,
      kind: 'newEntries',
      from,
      to,
      count,
      ...(carriesAll ? { entries: inline.map(({ entry }) => entry) } : {}),
    });
  }

  /** Keeps the newest entries for announcements, as many as one may carry. */
  #remember(committed: LogEntry): void {
    const entry = withoutBulkPatches(committed);
    const units = estimateUnits(entry);
    this.#recent.push({ entry, units });
    this.#recentUnits += units;
    while (this.#recent.length > MAX_ENTRIES_PER_PAGE || this.#recentUnits > MAX_INLINE_UNITS) {
      const oldest = this.#recent.shift();
      if (oldest === undefined) break;
      this.#recentUnits -= oldest.units;
    }
  }

  #scheduleAnnouncement(delayMs: number): void {
    this.#announceTimer ??= this.#options.ambient.scheduler.after(delayMs, () => {
      this.#announceTimer = undefined;
      this.notifyFollowers();
    });
  }

  #noteArrival(session: LeaderSession): void {
    for (const other of [...this.#sessions]) {
      // The same peer again: it has lost the old connection, even if we have not noticed yet.
      if (other !== session && other.peer?.peerId === session.peer?.peerId) other.end('replaced');
    }
    this.#tellPeers(session);
  }

  #noteDeparture(session: LeaderSession): void {
    if (this.#sessions.delete(session) && session.peer !== undefined && !this.#isDisposed) this.#tellPeers(session);
  }

  #everybody(): readonly PeerInfo[] {
    return distinct([...this.peersHere, ...(this.#options.peersElsewhere?.() ?? [])]).slice(0, MAX_PEERS);
  }

  /** Everybody else learns at once who is there; the one that came is told by its welcome. */
  #tellPeers(except: LeaderSession): void {
    this.#options.onPeersChanged?.();
    this.#sendPeers(except);
  }

  #sendPeers(except: LeaderSession | undefined): void {
    for (const session of this.#sessions) {
      if (session !== except && session.peer !== undefined) session.sendHeartbeat();
    }
  }

  #scheduleCheck(): void {
    const { ambient, heartbeatMs, timeoutMs } = this.#options;
    const due = ambient.clock.monotonicNow() + heartbeatMs;
    this.#checkTimer = ambient.scheduler.after(heartbeatMs, () => {
      const now = ambient.clock.monotonicNow();
      // Who slept itself (a suspended laptop, a breakpoint) finds everybody silent: what they said has yet to be read.
      const hasSlept = now - due > heartbeatMs;
      for (const session of hasSlept ? [] : [...this.#sessions]) {
        if (session.silentFor(now) > timeoutMs) session.end('silent');
      }
      if (!this.#isDisposed) this.#scheduleCheck();
    });
  }
}

function distinct(peers: readonly PeerInfo[]): readonly PeerInfo[] {
  return [...new Map(peers.map((peer) => [peer.peerId, peer])).values()];
}

function estimateUnits(entry: LogEntry): number {
  if (entry.kind === 'bulk') return ENTRY_UNITS + entry.documents.length * BULK_DOCUMENT_UNITS;
  let units = ENTRY_UNITS;
  for (const { insert } of entry.patch) units += insert.length + SPLICE_UNITS;
  for (const change of entry.changes) units += change.length;
  return units;
}
