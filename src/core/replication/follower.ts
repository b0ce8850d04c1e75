import { Emitter } from '../event.ts';
import type { Event } from '../event.ts';
import { compareTerms } from '../ids.ts';
import type { DocId, LibraryId, LogIndex, RevisionHash, Term } from '../ids.ts';
import type { Ambient, Disposable } from '../ports.ts';
import type { Connection } from './connection.ts';
import { bulkEdits } from './bulkEntry.ts';
import type { Author, BulkProposal, DocumentEntry, DocumentHead, Proposal, ProposeResult } from './entry.ts';
import { checkBulkShape, checkProposalShape, parseLogEntry } from './entrySchema.ts';
import { EntryPump } from './entryPump.ts';
import type { QuarantinedEntry } from './entryPump.ts';
import { FollowerSession } from './followerSession.ts';
import type { AnswerMessage, RequestBody } from './followerSession.ts';
import { LinkClosedError } from './libraryLink.ts';
import type { EntrySink, LinkMetrics, PeerInfo, Purpose } from './libraryLink.ts';
import { MAX_HISTORY } from './limits.ts';
import { retryDelay } from './retryDelay.ts';
import { describeError } from './syncError.ts';

export interface FollowerOptions {
  readonly libraryId: LibraryId;
  readonly peer: PeerInfo;
  readonly sink: EntrySink;
  readonly ambient: Ambient;
  /** How often a sign of life is sent, in milliseconds. */
  readonly heartbeatMs: number;
  /** Silence after which the leader counts as gone, and how long an answer is waited for, in milliseconds. */
  readonly timeoutMs: number;
  /** A host that keeps a copy of the log speaks for these peers; undefined for a single peer. */
  readonly ownPeers?: () => readonly PeerInfo[];
  /** The newest leadership that is known already; what is older changes nothing. */
  readonly newestTerm?: Term;
}

/** Why a follower is without a leader. */
export interface Disconnection {
  readonly reason: string;
  readonly wasWelcomed: boolean;
  /** The replica refused what it was given: connecting again at once would only repeat it. */
  readonly didSinkFail: boolean;
}

/** Nothing is wrong with the replica: it begins anew with the heads of the next leader. */
class HeadsGiverGoneError extends Error {
  override readonly name = 'HeadsGiverGoneError';
}

/**
 * A replica's end of the replication: takes entries in, in order, and proposes. It outlives connections; whoever owns
 * it connects it (`attach`) again after `onDidDisconnect`. What is asked while there is no leader waits (I8).
 */
export class Follower implements Disposable {
  readonly #options: FollowerOptions;
  readonly #pump: EntryPump;
  readonly #onDidChange: Emitter<void>;
  readonly #onDidDisconnect: Emitter<Disconnection>;
  readonly #onDidQuarantine: Emitter<QuarantinedEntry>;
  readonly #waitingForLeader = new Set<() => void>();
  readonly #retryTimers = new Set<Disposable>();
  #session: FollowerSession | undefined;
  #term: Term;
  #peers: readonly PeerInfo[] = [];
  #sentUnits = 0;
  #receivedUnits = 0;
  #isDisposed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#term = options.newestTerm ?? { number: 0, leaderId: options.peer.peerId };
    const report = (error: unknown): void => {
      options.ambient.logger.error('A listener of the follower failed', { error: describeError(error) });
    };
    this.#onDidChange = new Emitter(report);
    this.#onDidDisconnect = new Emitter(report);
    this.#onDidQuarantine = new Emitter(report);
    this.#pump = new EntryPump({
      sink: options.sink,
      ambient: options.ambient,
      onMoved: () => {
        this.#endSession('moved', false);
      },
      onQuarantined: (entry) => {
        this.#onDidQuarantine.fire(entry);
      },
      onSinkFailed: (error) => {
        if (!(error instanceof HeadsGiverGoneError))
          options.ambient.logger.error('The replica could not take an entry in', { error: describeError(error) });
        this.#endSession('sinkFailed', true);
      },
    });
  }

  /** Fires when something of what the getters below say has changed. */
  get onDidChange(): Event<void> {
    return this.#onDidChange.event;
  }

  get onDidDisconnect(): Event<Disconnection> {
    return this.#onDidDisconnect.event;
  }

  get onDidQuarantine(): Event<QuarantinedEntry> {
    return this.#onDidQuarantine.event;
  }

  get isConnected(): boolean {
    return this.#session?.isWelcomed ?? false;
  }

  /** The newest leadership that this peer has heard of; number 0 where none. */
  get term(): Term {
    return this.#term;
  }

  /** The other peers, this one not among them. */
  get peers(): readonly PeerInfo[] {
    return this.#peers;
  }

  /** Everything that the leader has told of has been taken in. */
  get isCaughtUp(): boolean {
    return this.isConnected && !this.#pump.isTakingHeads && this.#options.sink.lastSyncedIndex() >= this.#pump.target;
  }

  get lastIndex(): LogIndex {
    const applied = this.#options.sink.lastSyncedIndex();
    return this.#pump.target > applied ? this.#pump.target : applied;
  }

  get metrics(): Omit<LinkMetrics, 'reconnects' | 'elections' | 'followers'> {
    return {
      lag: this.lastIndex - this.#options.sink.lastSyncedIndex(),
      ...this.#pump.counts,
      sentUnits: this.#sentUnits,
      receivedUnits: this.#receivedUnits,
    };
  }

  /** Follows whoever is on the other side, in place of the one before. */
  attach(connection: Connection): void {
    if (this.#isDisposed) {
      connection.close();
      return;
    }
    this.#endSession('replaced', false);
    const { libraryId, peer, ambient, heartbeatMs, timeoutMs } = this.#options;
    const said = this.#pump.position;
    const session: FollowerSession = new FollowerSession(
      {
        libraryId,
        peer,
        ambient,
        heartbeatMs,
        timeoutMs,
        newestTerm: this.#term,
        ownPeers: this.#options.ownPeers,
        position: () => this.#pump.position,
        onTerm: (term) => {
          this.#noteTerm(term);
        },
        onTraffic: (direction, units) => {
          if (direction === 'sent') this.#sentUnits += units;
          else this.#receivedUnits += units;
        },
        onWelcome: (welcome) => {
          this.#notePeers(welcome.peers);
          this.#pump.connect(session, welcome, welcome.standing, said);
          for (const wake of [...this.#waitingForLeader]) wake();
          this.#onDidChange.fire();
        },
        onNewEntries: (from, to, entries) => {
          this.#pump.announce(from, to, entries);
          this.#onDidChange.fire();
        },
        onHeartbeat: (heartbeat) => {
          if (heartbeat.peers !== undefined) this.#notePeers(heartbeat.peers);
          this.#pump.announce(heartbeat.index, heartbeat.index, []);
          this.#onDidChange.fire();
        },
        onSyncRequired: (why) => {
          this.#pump.requireHeads(why);
        },
        onEnded: (reason) => {
          this.#noteEnd(session, reason, false);
        },
      },
      connection,
    );
    this.#session = session;
    session.start();
  }

  /** Leaves the leader without looking for another. */
  detach(): void {
    this.#endSession('detached', false);
  }

  /** See `LibraryLink.propose`. */
  async propose(proposal: Proposal, source?: string, purpose?: Purpose): Promise<ProposeResult> {
    const fault = checkProposalShape(proposal);
    // The leader would refuse it too, but as a message that no peer of ours sends.
    if (fault !== undefined)
      return { kind: 'rejected', code: 'invalid-proposal', message: `The change cannot be sent: ${fault}` };
    const body = { kind: 'propose', proposal, ...(source === undefined ? {} : { source }) } as const;
    return toResult(await this.#ask(body, purpose));
  }

  /** See `LibraryLink.proposeBulk`. A leader of an older release is proposed one edit after the other ([BLK-06]). */
  async proposeBulk(bulk: BulkProposal, source?: string): Promise<readonly ProposeResult[]> {
    const fault = checkBulkShape(bulk);
    if (fault !== undefined) {
      const message = `The changes cannot be sent together: ${fault}`;
      return bulk.documents.map(() => ({ kind: 'rejected', code: 'invalid-proposal', message }));
    }
    const body = { kind: 'proposeBulk', bulk, ...(source === undefined ? {} : { source }) } as const;
    const answer = await this.#untilDecided((session) => (session.knowsBulks ? session.request(body) : 'unknown'));
    if (answer !== 'unknown') return toResults(answer, bulk);
    return await Promise.all(bulkEdits(bulk).map((edit) => this.propose(edit, source)));
  }

  /** The same for one of this host's peers, like `proposeOnce`. */
  async proposeBulkOnce(bulk: BulkProposal, author: Author): Promise<readonly ProposeResult[] | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    if (!session.knowsBulks) {
      const results = await Promise.all(bulkEdits(bulk).map((edit) => this.proposeOnce(edit, author)));
      return results.every((result) => result !== undefined) ? results : undefined;
    }
    const answer = await session.request({ kind: 'proposeBulk', bulk, author });
    return answer === undefined || (answer.kind === 'error' && !answer.isFinal) ? undefined : toResults(answer, bulk);
  }

  /** Proposes for one of this host's peers, to the present leader and only once; undefined where it has not decided. */
  async proposeOnce(proposal: Proposal, author: Author): Promise<ProposeResult | undefined> {
    const answer = await this.#session?.request({ kind: 'propose', proposal, author });
    return answer === undefined || (answer.kind === 'error' && !answer.isFinal) ? undefined : toResult(answer);
  }

  /** True once the sink has taken the entry in; false where the connection ends before. */
  async untilApplied(index: LogIndex): Promise<boolean> {
    const session = this.#session;
    while (session !== undefined && this.#session === session) {
      // While heads are wanted, the sink stands on another log, and its index says nothing about this one.
      if (!this.#pump.isTakingHeads && this.#options.sink.lastSyncedIndex() >= index) return true;
      await this.#pump.untilNextStep();
    }
    return false;
  }

  async fetchHeads(): Promise<readonly DocumentHead[]> {
    const answer = await this.#ask({ kind: 'fetchHeads' });
    return answer.kind === 'heads' ? answer.heads : [];
  }

  async fetchRevision(docId: DocId, hash: RevisionHash, purpose?: Purpose): Promise<string | undefined> {
    const answer = await this.#ask({ kind: 'fetchRevision', docId, hash }, purpose);
    if (answer.kind !== 'revision' || answer.text === undefined) return undefined;
    // A revision is named by its hash, so a wrong one is none.
    return this.#options.ambient.hashText(answer.text) === hash ? answer.text : undefined;
  }

  /** The same from the present leader only: undefined also where it is gone before it answers. */
  async fetchRevisionOnce(docId: DocId, hash: RevisionHash): Promise<string | undefined> {
    const text = await this.#session?.fetchRevision(docId, hash);
    return typeof text === 'string' && this.#options.ambient.hashText(text) === hash ? text : undefined;
  }

  /** A leadership that was heard of elsewhere: whoever is older is not listened to any more. */
  noteTerm(term: Term): void {
    this.#noteTerm(term);
  }

  /** Tells the leader at once what it would hear with the next heartbeat. */
  sendHeartbeat(): void {
    this.#session?.sendHeartbeat();
  }

  async fetchHistory(docId: DocId, limit: number, purpose?: Purpose): Promise<readonly DocumentEntry[]> {
    const body = { kind: 'fetchHistory', docId, limit: Math.max(1, Math.min(limit, MAX_HISTORY)) } as const;
    const answer = await this.#ask(body, purpose);
    if (answer.kind !== 'history') return [];
    const entries = answer.entries.flatMap((entry) => parseLogEntry(entry) ?? []);
    return entries.flatMap((entry) => (entry.kind === 'bulk' ? [] : entry));
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#endSession('closed', false);
    this.#pump.dispose();
    for (const timer of this.#retryTimers) timer.dispose();
    for (const wake of [...this.#waitingForLeader]) wake();
    this.#onDidChange.dispose();
    this.#onDidDisconnect.dispose();
    this.#onDidQuarantine.dispose();
  }

  /** Asks until somebody answers for good: over lost connections, new leaders and a leader whose disk is full. */
  async #ask(body: RequestBody, purpose?: Purpose): Promise<AnswerMessage> {
    if (purpose === 'heads') return await this.#askGiver(body);
    return await this.#untilDecided<never>((session) => session.request(body));
  }

  async #untilDecided<Unasked extends 'unknown'>(
    ask: (session: FollowerSession) => Promise<AnswerMessage | undefined> | Unasked,
  ): Promise<AnswerMessage | Unasked> {
    for (let attempt = 0; ; attempt += 1) {
      const session = await this.#leader();
      const answer = await ask(session);
      if (answer === 'unknown' || (answer !== undefined && (answer.kind !== 'error' || answer.isFinal))) return answer;
      if (answer?.kind === 'error') await this.#pause(retryDelay(attempt, this.#options.ambient.random));
    }
  }

  /** Asks the leader that gave the heads that are being taken in, once: another one's log may be another ([REC-04]). */
  async #askGiver(body: RequestBody): Promise<AnswerMessage> {
    const session = this.#session;
    const answer = session !== undefined && session === this.#pump.headsGiver ? await session.request(body) : undefined;
    if (answer === undefined || (answer.kind === 'error' && !answer.isFinal))
      throw new HeadsGiverGoneError('The leader that gave the heads is gone.');
    return answer;
  }

  async #leader(): Promise<FollowerSession> {
    for (;;) {
      if (this.#isDisposed) throw new LinkClosedError('The link to the library was closed.');
      if (this.#session?.isWelcomed === true) return this.#session;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waitingForLeader.delete(wake);
          resolve();
        };
        this.#waitingForLeader.add(wake);
      });
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      // Also woken by `dispose` and by a new leader, which makes waiting pointless.
      const wake = (): void => {
        timer.dispose();
        this.#retryTimers.delete(timer);
        this.#waitingForLeader.delete(wake);
        resolve();
      };
      const timer = this.#options.ambient.scheduler.after(delayMs, wake);
      this.#retryTimers.add(timer);
      this.#waitingForLeader.add(wake);
    });
  }

  #endSession(reason: string, didSinkFail: boolean): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#noteEnd(session, reason, didSinkFail);
    session.dispose();
  }

  #noteEnd(session: FollowerSession, reason: string, didSinkFail: boolean): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    this.#pump.disconnect();
    this.#peers = [];
    if (this.#isDisposed) return;
    this.#onDidChange.fire();
    this.#onDidDisconnect.fire({ reason, wasWelcomed: session.wasWelcomed, didSinkFail });
  }

  #noteTerm(term: Term): void {
    if (compareTerms(term, this.#term) > 0) this.#term = term;
  }

  #notePeers(peers: readonly PeerInfo[]): void {
    this.#peers = peers.filter(({ peerId }) => peerId !== this.#options.peer.peerId);
  }
}

function toResult(answer: AnswerMessage): ProposeResult {
  switch (answer.kind) {
    case 'committed':
      return { kind: 'committed', index: answer.index };
    case 'stale':
      return { kind: 'stale', head: answer.head };
    case 'error':
      return { kind: 'rejected', code: answer.code, message: answer.message };
    case 'entriesResponse':
    case 'bulkResult':
    case 'heads':
    case 'revision':
    case 'history':
    case 'hashes':
    case 'skeleton':
    case 'syncRequired':
      return unexpectedAnswer;
  }
}

/** One result for each document; an answer that does not fit them is none of them's. */
function toResults(answer: AnswerMessage, { documents }: BulkProposal): readonly ProposeResult[] {
  if (answer.kind === 'bulkResult' && answer.results.length === documents.length) return answer.results;
  const result = answer.kind === 'error' ? toResult(answer) : unexpectedAnswer;
  return documents.map(() => result);
}

const unexpectedAnswer: ProposeResult = {
  kind: 'rejected',
  code: 'unexpected-answer',
  message: 'The leader gave an answer that does not fit the question.',
};
