import { Emitter } from '../core/event.ts';
import type { Event } from '../core/event.ts';
import type { DocId, LibraryId, LogIndex, RevisionHash } from '../core/ids.ts';
import type { Ambient, Disposable } from '../core/ports.ts';
import { namedIndex } from '../core/replication/entry.ts';
import type { BulkProposal, DocumentEntry, DocumentHead, Proposal, ProposeResult } from '../core/replication/entry.ts';
import { Follower } from '../core/replication/follower.ts';
import type { Disconnection } from '../core/replication/follower.ts';
import type { FollowerState } from '../core/replication/leader.ts';
import type {
  EntrySink,
  LibraryLink,
  LinkMetrics,
  LinkStatus,
  PeerInfo,
  Purpose,
  SyncRole,
} from '../core/replication/libraryLink.ts';
import {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_RETENTION_MS,
  DEFAULT_RETENTION_UNITS,
  DEFAULT_TIMEOUT_MS,
} from '../core/replication/limits.ts';
import { retryDelay } from '../core/replication/retryDelay.ts';
import { describeError } from '../core/replication/syncError.ts';
import type { HostLinkSettings, SyncHost } from './syncHost.ts';
import { ConnectionDeadline } from './connectionDeadline.ts';
import { HostMember } from './hosts/hostMember.ts';
import type { Retention } from './logCompaction.ts';
import { SyncLeadership } from './syncLeadership.ts';
import type { LeadershipOptions, LockTenure } from './syncLeadership.ts';
import { createLocalSyncHost } from './syncLocalHost.ts';
import { isHopeless, linkProblem, protocolProblem } from './syncProblems.ts';

/** After losing a leader each peer waits up to this long before it reaches for the lock, so that not all do in the same instant. */
const TAKEOVER_JITTER_MS = 20;
/** A connection that lasted shorter says that something is wrong with one of us, and trying at once again would be a storm. */
const USEFUL_CONNECTION_MS = 1_000;

/** What a service is whatever machine it runs on. */
export interface SyncServiceBasics {
  readonly libraryId: LibraryId;
  readonly peer: PeerInfo;
  readonly sink: EntrySink;
  readonly ambient: Ambient;
  /** How often a sign of life is sent, in milliseconds. Default 5,000. */
  readonly heartbeatMs?: number;
  /** Silence after which the other side counts as gone, in milliseconds. Default 15,000. */
  readonly timeoutMs?: number;
  /** How much history the library keeps while this peer leads. Default: 30 days, 50 MB. */
  readonly retention?: Retention;
}

export interface SyncServiceOptions extends SyncServiceBasics {
  /** The folder that holds the library's log, lock and token. */
  readonly libraryDirectory: string;
  /** The log worker's program; default: beside the running bundle or source. */
  readonly logWorkerPath?: string;
  /** The library's log was damaged, and a new one was begun ([REC-11]); called with where it was put aside. */
  readonly onLogPutAside?: (file: string) => void;
  /** Other hosts that keep the library too; undefined: this machine keeps it alone. */
  readonly links?: HostLinkSettings | undefined;
}

/** Whoever waits in `start` for the first role. */
interface FirstRole {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What became of one attempt to lead or to follow. */
type Outcome =
  /** It worked for a while: try again at once. */
  | 'ended'
  /** It did not: wait longer each time. */
  | 'failed';

/**
 * Keeps a replica connected to its library on this machine, in whatever role: takes the library's lock and leads, or
 * follows who holds it, and changes over when the leader is gone. One loop runs from `start` to `dispose`.
 */
export class SyncService implements LibraryLink {
  readonly #options: SyncServiceBasics;
  readonly #host: SyncHost;
  readonly #heartbeatMs: number;
  readonly #timeoutMs: number;
  readonly #follower: Follower;
  readonly #deadline: ConnectionDeadline;
  readonly #onDidChangeStatus: Emitter<LinkStatus>;
  #leadership: LockTenure | undefined;
  #role: SyncRole | undefined;
  #problem: LinkStatus['problem'];
  #isDisposed = false;
  #shownStatus = '';
  /** Ends whatever the loop waits for. */
  #wake: () => void = () => undefined;
  #wasHinted = false;
  #hints: Disposable | undefined;
  #reconnects = 0;
  #elections = 0;

  /** Resolves when everything is let go of, after `dispose`. */
  readonly closed: Promise<void>;
  readonly #resolveClosed: () => void;

  private constructor(options: SyncServiceBasics, host: SyncHost) {
    this.#options = options;
    this.#host = host;
    this.#heartbeatMs = options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const { libraryId, peer, sink, ambient } = options;
    this.#follower = new Follower({
      libraryId,
      peer,
      sink,
      ambient,
      heartbeatMs: this.#heartbeatMs,
      timeoutMs: this.#timeoutMs,
    });
    this.#deadline = new ConnectionDeadline(ambient.scheduler, this.#timeoutMs, () => this.#showStatus());
    this.#onDidChangeStatus = new Emitter((error) => {
      ambient.logger.error('A listener of the status failed', { error: describeError(error) });
    });
    this.#follower.onDidChange(() => {
      this.#showStatus();
    });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.closed = promise.then(() => undefined);
    this.#resolveClosed = () => {
      resolve(undefined);
    };
  }

  /**
   * Resolves when the role is known: the log is open and this peer leads, or another one does and is being connected
   * to. Rejects with a `SyncError` where this machine cannot serve the library at all: `sqlite-missing`,
   * `log-schema-newer`, `library-missing`, `library-damaged`. Everything else is tried again for ever (`status`).
   */
  static async start(options: SyncServiceOptions): Promise<SyncService> {
    const { libraryId, libraryDirectory, ambient, logWorkerPath, links, onLogPutAside = () => undefined } = options;
    return await SyncService.startOn(
      await createLocalSyncHost({ libraryId, libraryDirectory, ambient, logWorkerPath, links, onLogPutAside }),
      options,
    );
  }

  /** The same on any machine, also a simulated one. */
  static startOn(host: SyncHost, options: SyncServiceBasics): Promise<SyncService> {
    const service = new SyncService(options, host);
    return new Promise((resolve, reject) => {
      void service.#run({
        resolve: () => {
          resolve(service);
        },
        reject,
      });
    });
  }

  get status(): LinkStatus {
    const isConnected = this.#follower.isConnected;
    const { term, peers, lastIndex } = this.#follower;
    return {
      connection: isConnected ? 'connected' : this.#deadline.isOverdue ? 'offline' : 'connecting',
      role: this.#role,
      term: term.number === 0 ? undefined : term,
      peers,
      lastIndex,
      ...(this.#problem === undefined || isConnected ? {} : { problem: this.#problem }),
    };
  }

  get onDidChangeStatus(): Event<LinkStatus> {
    return this.#onDidChangeStatus.event;
  }

  /** While this peer leads: who follows, and how far behind each is. For diagnostics. */
  get followers(): readonly FollowerState[] {
    return this.#leadership?.followers ?? [];
  }

  get metrics(): LinkMetrics {
    return {
      ...this.#follower.metrics,
      reconnects: this.#reconnects,
      elections: this.#elections,
      followers: this.followers.map(({ lag, sentUnits, receivedUnits }) => ({ lag, sentUnits, receivedUnits })),
    };
  }

  /** See `LibraryLink.propose`. Where hosts are linked, the next leader may lack the entry that an answer names, until it has come in here ([REP-26]). */
  async propose(proposal: Proposal, source?: string, purpose?: Purpose): Promise<ProposeResult> {
    for (;;) {
      const result = await this.#follower.propose(proposal, source, purpose);
      const isCertain = purpose === 'heads' || this.#host.links === undefined;
      if (isCertain || (await this.#follower.untilApplied(namedIndex(result)))) return result;
    }
  }

  /** See `LibraryLink.proposeBulk`, and `propose` for hosts that are linked. */
  async proposeBulk(bulk: BulkProposal, source?: string): Promise<readonly ProposeResult[]> {
    for (;;) {
      const results = await this.#follower.proposeBulk(bulk, source);
      const newest = Math.max(0, ...results.map(namedIndex)) as LogIndex;
      if (this.#host.links === undefined || (await this.#follower.untilApplied(newest))) return results;
    }
  }

  fetchHeads(): Promise<readonly DocumentHead[]> {
    return this.#follower.fetchHeads();
  }

  fetchRevision(docId: DocId, hash: RevisionHash, purpose?: Purpose): Promise<string | undefined> {
    return this.#follower.fetchRevision(docId, hash, purpose);
  }

  fetchHistory(docId: DocId, limit: number, purpose?: Purpose): Promise<readonly DocumentEntry[]> {
    return this.#follower.fetchHistory(docId, limit, purpose);
  }

  /** Begins the shutdown; `closed` says when it is done. A leader hands over: its followers need not wait for a timeout. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#deadline.dispose();
    this.#follower.dispose();
    this.#wake();
  }

  /** Tries each role in turn until disposed. */
  async #run(firstRole: FirstRole): Promise<void> {
    const { ambient } = this.#options;
    let failures = 0;
    this.#expectConnection();
    while (!this.#isDisposed) {
      this.#wasHinted = false;
      this.#hints ??= this.#host.watch(() => {
        this.#wasHinted = true;
        this.#wake();
      });
      const outcome = await this.#attempt(firstRole);
      if (this.#isLost()) break;
      this.#reconnects += 1;
      failures = outcome === 'ended' ? 0 : failures + 1;
      this.#expectConnection();
      const delay =
        failures === 0 ? ambient.random.fraction() * TAKEOVER_JITTER_MS : retryDelay(failures - 1, ambient.random);
      await this.#wait(delay);
    }
    this.#hints?.dispose();
    this.#onDidChangeStatus.dispose();
    firstRole.resolve();
    this.#resolveClosed();
  }

  async #attempt(firstRole: FirstRole): Promise<Outcome> {
    try {
      if (this.#host.tryLock()) return await this.#lead(firstRole.resolve);
      this.transitionRole('follower');
      firstRole.resolve();
      return await this.#follow();
    } catch (error) {
      this.#options.ambient.logger.warn('The library cannot be reached', { error: describeError(error) });
      this.#problem = linkProblem(error);
      if (isHopeless(error)) {
        firstRole.reject(error);
        if (this.#role === undefined) this.dispose();
      }
      firstRole.resolve();
      return 'failed';
    }
  }

  /** Called with the lock held; returns when it has been given back. */
  async #lead(onLeading: () => void): Promise<Outcome> {
    const failed = Promise.withResolvers<undefined>();
    let leadership: LockTenure;
    try {
      leadership = await this.#takeOffice({
        libraryId: this.#options.libraryId,
        host: this.#host,
        peerId: this.#options.peer.peerId,
        ambient: this.#options.ambient,
        heartbeatMs: this.#heartbeatMs,
        timeoutMs: this.#timeoutMs,
        aboveTerm: this.#follower.term.number,
        retention: this.#options.retention ?? { ageMs: DEFAULT_RETENTION_MS, units: DEFAULT_RETENTION_UNITS },
        onFailed: () => {
          failed.resolve(undefined);
        },
      });
    } catch (error) {
      this.#host.releaseLock();
      throw error;
    }
    this.#leadership = leadership;
    this.#problem = undefined;
    onLeading();
    let didFail = false;
    void failed.promise.then(() => {
      didFail = true;
      this.#follower.detach();
      this.#wake();
    });
    const hasFailed = (): boolean => didFail;
    await this.#serveOwnReplica(leadership, hasFailed);
    this.#leadership = undefined;
    await leadership.stop();
    return hasFailed() ? 'failed' : 'ended';
  }

  /** Leads; or, where other hosts keep the library too, leads or follows as they agree. */
  async #takeOffice(options: LeadershipOptions): Promise<LockTenure> {
    const { links } = this.#host;
    if (links !== undefined) {
      const { name, folderName } = this.#options.peer;
      const onRole = (role: SyncRole): void => {
        if (role === 'leader') this.#elections += 1;
        this.transitionRole(role);
      };
      return await HostMember.begin({ ...options, links, name, folderName, onRole });
    }
    const leadership = await SyncLeadership.begin(options);
    this.#elections += 1;
    this.transitionRole('leader');
    return leadership;
  }

  /** Connects this peer's replica to its own leader, again where the replica refused an entry, until the leadership is over. */
  async #serveOwnReplica(leadership: LockTenure, hasFailed: () => boolean): Promise<void> {
    for (let failures = 0; !this.#isDisposed && !hasFailed(); failures += 1) {
      const lost = this.#nextDisconnection();
      this.#follower.attach(leadership.connect());
      const { didSinkFail } = await lost;
      if (!didSinkFail) failures = 0;
      if (!this.#isLost() && !hasFailed()) await this.#wait(retryDelay(failures, this.#options.ambient.random));
    }
  }

  async #follow(): Promise<Outcome> {
    const connection = await this.#host.connect();
    if (connection === undefined) return 'failed';
    const { clock, logger } = this.#options.ambient;
    const lost = this.#nextDisconnection();
    const begun = clock.monotonicNow();
    this.#follower.attach(connection);
    const { wasWelcomed, didSinkFail, reason } = await lost;
    logger.info('The connection to the leader is over', { reason });
    this.#problem = protocolProblem(reason);
    const wasUseful = wasWelcomed && !didSinkFail && clock.monotonicNow() - begun >= USEFUL_CONNECTION_MS;
    return wasUseful ? 'ended' : 'failed';
  }

  /** Another role, or the same one in a new leadership. */
  transitionRole(role: SyncRole): void {
    if (this.#role !== role)
      this.#options.ambient.logger.info('This peer has a new role', { role, peerId: this.#options.peer.peerId });
    this.#role = role;
    this.#showStatus();
  }

  #nextDisconnection(): Promise<Disconnection> {
    return new Promise((resolve) => {
      const subscription = this.#follower.onDidDisconnect((disconnection) => {
        subscription.dispose();
        resolve(disconnection);
      });
      // A follower that is disposed fires nothing any more.
      this.#wake = () => {
        if (!this.#isDisposed) return;
        subscription.dispose();
        resolve({ reason: 'closed', wasWelcomed: true, didSinkFail: false });
      };
      this.#wake();
    });
  }

  /** Waits, but not for longer than until a hint that another leader may have come. */
  async #wait(delayMs: number): Promise<void> {
    if (this.#isDisposed || this.#wasHinted) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.ambient.scheduler.after(delayMs, resolve);
      this.#wake = () => {
        timer.dispose();
        resolve();
      };
    });
  }

  /** `dispose` may have been called while the loop waited; asked through a method so that the compiler does not believe otherwise. */
  #isLost(): boolean {
    return this.#isDisposed;
  }

  /** From now on the status says `connecting`, and after the timeout `offline`. */
  #expectConnection(): void {
    if (!this.#isDisposed && this.#deadline.expect()) this.#showStatus();
  }

  #showStatus(): void {
    if (this.#isDisposed) return;
    if (this.#follower.isConnected) {
      this.#deadline.met();
      // The library's folder changes with every commit, and nobody but a peer without a leader wants to hear of that.
      this.#hints?.dispose();
      this.#hints = undefined;
      this.#problem = undefined;
    }
    const { status } = this;
    const shown = JSON.stringify(status);
    if (shown === this.#shownStatus) return;
    this.#shownStatus = shown;
    this.#onDidChangeStatus.fire(status);
  }
}
