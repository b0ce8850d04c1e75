import { compareTerms } from '../../core/ids.ts';
import type { Term } from '../../core/ids.ts';
import type { Disposable } from '../../core/ports.ts';
import type { Connection } from '../../core/replication/connection.ts';
import { Follower } from '../../core/replication/follower.ts';
import type { Disconnection } from '../../core/replication/follower.ts';
import { HostCopy } from '../../core/replication/hostCopy.ts';
import type { FollowerState } from '../../core/replication/leader.ts';
import type { SyncRole } from '../../core/replication/libraryLink.ts';
import { parseMessage } from '../../core/replication/messages.ts';
import { proposeOrphans } from '../../core/replication/reconciliation.ts';
import type { ProposeOnce } from '../../core/replication/reconciliation.ts';
import { LOG_START } from '../../core/replication/replicatedLog.ts';
import { RelayedLog } from '../../core/replication/relayedLog.ts';
import { retryDelay } from '../../core/replication/retryDelay.ts';
import { Succession } from '../../core/replication/succession.ts';
import type { Decision, HostRole, HostState } from '../../core/replication/succession.ts';
import { describeError } from '../../core/replication/syncError.ts';
import { TransactionManager } from '../../core/replication/transactionManager.ts';
import { LogCompaction } from '../logCompaction.ts';
import type { HostedLog, HostLinks, LeaderListener } from '../syncHost.ts';
import type { LeadershipOptions, LockTenure } from '../syncLeadership.ts';
import { HostMesh } from './hostMesh.ts';
import { HostPeers } from './hostPeers.ts';
import { OpenedConnection } from './openedConnection.ts';

export interface HostMemberOptions extends Omit<LeadershipOptions, 'aboveTerm'> {
  readonly links: HostLinks;
  readonly name: string;
  readonly folderName: string;
  /** Called whenever this host begins to lead or to follow. */
  readonly onRole: (role: SyncRole) => void;
}

/** A connection that lasted shorter says that something is wrong with one of us, and trying at once again would be a storm. */
const USEFUL_CONNECTION_MS = 1_000;

/** The host that this one follows, or tries to. */
type Target = Extract<Decision, { readonly kind: 'follow' }>;

/**
 * Holds the library's lock on a machine that keeps the library together with others: leads where the hosts agree on it,
 * else keeps a copy of the leader's log and relays for the peers of this machine. Whoever makes one holds the lock.
 */
export class HostMember implements LockTenure {
  readonly #options: HostMemberOptions;
  readonly #log: TransactionManager;
  readonly #succession: Succession;
  readonly #follower: Follower;
  readonly #mesh: HostMesh;
  readonly #compaction: LogCompaction;
  readonly #peers: HostPeers;
  readonly #listener: Promise<LeaderListener>;
  #isLeading = false;
  #target: Target | undefined;
  #isUnable = false;
  #failures = 0;
  #triedAddress: string | undefined;
  #connectedAt = 0;
  #hasOrphans = false;
  #peersTold = '';
  #tick: Disposable | undefined;
  #retry: Disposable | undefined;
  #isRunning = false;
  #isAsked = false;
  #stopped: Promise<void> | undefined;

  private constructor(options: HostMemberOptions, log: TransactionManager) {
    const { libraryId, peerId, ambient, heartbeatMs, timeoutMs, links, name, folderName, host } = options;
    this.#options = options;
    this.#log = log;
    this.#peers = new HostPeers({
      libraryId,
      ambient,
      heartbeatMs,
      timeoutMs,
      peersElsewhere: () => (this.#isLeading ? [] : this.#follower.peers),
      onPeersChanged: () => {
        this.#follower.sendHeartbeat();
      },
    });
    this.#succession = new Succession({ hostId: peerId, heartbeatMs, timeoutMs });
    this.#follower = new Follower({
      libraryId,
      peer: { peerId, name, folderName },
      sink: new HostCopy({
        log,
        hashText: ambient.hashText,
        leadership: () => this.#follower.term,
        onRewind: (why) => {
          ambient.logger.info("This host's log is brought to where the leader's entries lead on", { why });
          // What they have been told is not what the log says any more.
          this.#peers.stopServing();
        },
      }),
      ambient,
      heartbeatMs,
      timeoutMs,
      newestTerm: log.term,
      ownPeers: () => this.#peers.here,
    });
    this.#follower.onDidChange(() => {
      const peers = JSON.stringify(this.#follower.peers);
      if (peers !== this.#peersTold) this.#peers.notePeersElsewhere();
      this.#peersTold = peers;
      this.#kick();
    });
    this.#follower.onDidDisconnect((disconnection) => {
      this.#noteDisconnection(disconnection);
    });
    this.#mesh = new HostMesh({
      libraryId,
      hostId: peerId,
      links,
      ambient,
      heartbeatMs,
      timeoutMs,
      ownState: () => this.#state(),
      knownAddresses: () => this.#succession.known.map(({ address }) => address),
      onState: (state) => {
        this.#succession.note(state, ambient.clock.monotonicNow());
        this.#mesh.reach();
        this.#kick();
      },
      onVisit: (state) => {
        this.#succession.noteVisit(state);
        this.#mesh.reach();
        this.#kick();
      },
      onGoodbye: (hostId) => {
        this.#succession.forget(hostId);
        this.#kick();
      },
      onLookedAround: () => {
        this.#succession.noteLookedAround();
        this.#kick();
      },
    });
    this.#compaction = new LogCompaction(log, options.retention, ambient);
    this.#listener = host.listen(log.term, (connection) => {
      this.#open(connection);
    });
  }

  /** Rejects with a `SyncError` where the log or the address cannot be had; nothing is left open then. */
  static async begin(options: HostMemberOptions): Promise<HostMember> {
    const { host, peerId, ambient } = options;
    const log = await host.openLog();
    let member: HostMember | undefined;
    try {
      const transactions = await TransactionManager.openCopy({ log, leaderId: peerId, ambient });
      member = new HostMember(options, transactions);
      await member.#listener;
      member.#begin(log);
      return member;
    } catch (error) {
      if (member !== undefined) {
        member.#letGo();
        member.#mesh.dispose();
      }
      await log.close();
      throw error;
    }
  }

  get followers(): readonly FollowerState[] {
    return this.#peers.followers;
  }

  connect(): Connection {
    const [mine, others] = this.#options.host.connectWithin();
    this.#peers.admit(others);
    return mine;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  #begin(log: HostedLog): void {
    const { onFailed, onRole } = this.#options;
    this.#log.onDidLoseLog(() => {
      onFailed();
    });
    void log.whenStopped().then(() => {
      if (this.#stopped === undefined) onFailed();
    });
    onRole('follower');
    this.#mesh.reach();
    this.#beat();
  }

  async #stop(): Promise<void> {
    const { ambient, host } = this.#options;
    const listener = await this.#listener;
    this.#letGo();
    try {
      await this.#log.retire();
      await this.#log.close();
      await listener.withdraw();
    } catch (error) {
      // The lock goes either way, and the next holder opens the log as a crash would have left it.
      ambient.logger.warn('The log was not closed cleanly', { error: describeError(error) });
    }
    host.releaseLock();
    this.#mesh.dispose();
    this.#peers.dispose();
    listener.dispose();
  }

  #letGo(): void {
    this.#tick?.dispose();
    this.#retry?.dispose();
    this.#compaction.dispose();
    this.#follower.dispose();
  }

  #state(): HostState {
    const { peerId, links, ambient } = this.#options;
    const own = { hostId: peerId, address: links.ownAddress, role: this.#role(), term: this.#log.term };
    const highestTerm = this.#succession.highestTerm(own);
    const line = this.#succession.line(own, ambient.clock.monotonicNow());
    return { ...own, highestTerm, index: this.#log.position.index, line };
  }

  #role(): HostRole {
    if (this.#isLeading) return 'leading';
    if (this.#target !== undefined && this.#peers.isServed && this.#follower.isConnected)
      return this.#target.isLeader ? 'following' : 'relayed';
    return this.#isUnable ? 'unable' : 'looking';
  }

  #beat(): void {
    const { ambient, heartbeatMs } = this.#options;
    this.#kick();
    this.#tick = ambient.scheduler.after(heartbeatMs, () => {
      this.#isUnable = false;
      this.#beat();
    });
  }

  /** Hosts talk to the mesh, peers to whoever serves them. */
  #open(connection: Connection): void {
    OpenedConnection.open(connection, (opened, text) => {
      if (parseMessage(text).value?.kind === 'hostState') this.#mesh.accept(opened);
      else this.#peers.admit(opened);
    });
  }

  // What to do.

  /** Looks at the situation again; one step at a time, and once more when something came up meanwhile. */
  #kick(): void {
    this.#isAsked = true;
    if (this.#isRunning || this.#stopped !== undefined) return;
    this.#isRunning = true;
    void (async () => {
      try {
        while (this.#isAsked && this.#stopped === undefined) {
          this.#isAsked = false;
          await this.#step();
        }
      } finally {
        this.#isRunning = false;
      }
    })();
  }

  async #step(): Promise<void> {
    const { ambient } = this.#options;
    const before = this.#role();
    const state = this.#state();
    const decision = this.#succession.decide(state, ambient.clock.monotonicNow());
    try {
      if (decision.kind === 'lead') await this.#lead(decision.above);
      else if (decision.kind === 'follow') await this.#follow(decision, state.term);
      // Two that went on following through each other would follow nobody.
      else if (!this.#isLeading) this.#follower.detach();
      else if (this.#hasOrphans) await this.#proposeOwnOrphans();
    } catch (error) {
      ambient.logger.warn('This host could not do its part', { error: describeError(error), decision: decision.kind });
      this.#isUnable ||= decision.kind === 'lead';
      this.#failures += 1;
      await this.#giveUp();
      this.#tryLater();
    }
    if (this.#role() !== before && this.#stopped === undefined) this.#mesh.announce();
  }

  #tryLater(): void {
    const { ambient } = this.#options;
    this.#retry ??= ambient.scheduler.after(retryDelay(this.#failures, ambient.random), () => {
      this.#retry = undefined;
      this.#kick();
    });
  }

  /** Begins to lead, or goes above a term that was met. */
  async #lead(above: number): Promise<void> {
    const { ambient } = this.#options;
    if (this.#isLeading) {
      this.#follower.noteTerm(await this.#log.raiseTerm(above));
      return;
    }
    this.#follower.detach();
    this.#peers.stopServing();
    const term = await this.#log.lead(above);
    this.#isLeading = true;
    ambient.logger.info('This host leads', { term: term.number, index: this.#log.position.index });
    this.#follower.noteTerm(term);
    await this.#proposeOwnOrphans();
    this.#peers.serve(this.#log);
    this.#options.onRole('leader');
  }

  /** What this host had set aside when it meant to follow somebody. */
  async #proposeOwnOrphans(): Promise<void> {
    const propose: ProposeOnce = (proposal, author) =>
      // A full disk decides nothing; the next heartbeat tries again.
      this.#log.append(proposal, author, this.#log.term).catch(() => undefined);
    this.#hasOrphans = !(await proposeOrphans(this.#log, propose));
  }

  /** @param decidedIn the newest term that was known when it was decided. */
  async #follow(target: Target, decidedIn: Term): Promise<void> {
    await this.#abdicate();
    // It was about to go above what a peer had heard of, and so perhaps above that leader, who is not to be followed then ([ELE-09]).
    if (compareTerms(this.#log.term, decidedIn) !== 0) {
      this.#kick();
      return;
    }
    const isThere = this.#target?.address === target.address;
    if (!isThere) await this.#connect(target);
    else if (this.#follower.isCaughtUp) await this.#settle();
  }

  /** Leads no more: what is under way is finished, what waits behind it is asked again elsewhere. */
  async #abdicate(): Promise<void> {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#peers.stopServing();
    await this.#log.retire();
    this.#options.onRole('follower');
  }

  /** After a failure nobody knows what is on disk: leads no more, and reads it again. */
  async #giveUp(): Promise<void> {
    try {
      await this.#abdicate();
      await this.#log.retire();
    } catch (error) {
      // Read again before the next change, whatever that is.
      this.#options.ambient.logger.warn('The log cannot be read', { error: describeError(error) });
    }
  }

  async #connect(target: Target): Promise<void> {
    const { links, ambient } = this.#options;
    if (this.#triedAddress !== target.address) {
      this.#retry?.dispose();
      this.#retry = undefined;
      this.#failures = 0;
    }
    if (this.#retry !== undefined) return;
    this.#triedAddress = target.address;
    this.#follower.detach();
    // Whose log the answers of another host come from is not known before it has welcomed us.
    if (!this.#peers.isServedInNameOf(target.hostId)) this.#peers.stopServing();
    // What is on disk decides where we say that we stand.
    await this.#log.retire();
    const connection = await links.connect(target.address);
    if (this.#stopped !== undefined) {
      connection.close();
      return;
    }
    this.#target = target;
    this.#connectedAt = ambient.clock.monotonicNow();
    this.#follower.attach(connection);
  }

  #noteDisconnection({ reason, wasWelcomed, didSinkFail }: Disconnection): void {
    this.#target = undefined;
    // Of our own doing: another host is better, or this one leads.
    if (reason === 'detached' || reason === 'replaced') return;
    const lasted = this.#options.ambient.clock.monotonicNow() - this.#connectedAt;
    const wasUseful = wasWelcomed && !didSinkFail && lasted >= USEFUL_CONNECTION_MS;
    this.#failures = wasUseful ? 0 : this.#failures + 1;
    this.#tryLater();
  }

  /** Everything that the leader has is here: what only this host had is proposed, and then its peers are served. */
  async #settle(): Promise<void> {
    const { ambient } = this.#options;
    const { term } = this.#follower;
    await this.#log.adoptTerm(term);
    // Peers listen to the leader that welcomed them; of another one they hear when they say hello again.
    if (this.#peers.isServedInNameOf(term.leaderId)) return;
    this.#peers.stopServing();
    let newest = LOG_START;
    const isDone = await proposeOrphans(this.#log, async (proposal, author) => {
      const result = await this.#follower.proposeOnce(proposal, author);
      if (result?.kind === 'committed' && result.index > newest) newest = result.index;
      return result;
    });
    if (!isDone || !(await this.#follower.untilApplied(newest))) {
      this.#tryLater();
      return;
    }
    this.#failures = 0;
    const { index } = this.#log.position;
    ambient.logger.info('This host follows', { leader: term.leaderId, term: term.number, index });
    this.#peers.serve(
      new RelayedLog({
        log: this.#log,
        follower: this.#follower,
        onHigherTerm: (number) => {
          this.#succession.noteTerm(number);
          this.#mesh.announce();
        },
      }),
    );
  }
}
