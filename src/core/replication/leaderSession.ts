import { compareTerms } from '../ids.ts';
import type { LibraryId, LogIndex, Term } from '../ids.ts';
import type { Ambient, Disposable } from '../ports.ts';
import { DisposableStore } from '../disposableStore.ts';
import type { Connection } from './connection.ts';
import { withoutBulkPatches } from './bulkEntry.ts';
import type { Author, LogEntry } from './entry.ts';
import type { PeerInfo } from './libraryLink.ts';
import type { LogGate } from './logGate.ts';
import {
  MAX_DOCUMENT_BYTES,
  MAX_ENTRIES_PER_PAGE,
  MAX_NAME_LENGTH,
  MAX_PAGE_UNITS,
  MAX_REQUESTS_IN_FLIGHT,
} from './limits.ts';
import { BULK_PROTOCOL, encodeMessage, parseMessage, PROTOCOL_MAX, PROTOCOL_MIN } from './messages.ts';
import type { ByeReason, MessageBody, MessageOf, SyncMessage } from './messages.ts';
import { LOG_START } from './replicatedLog.ts';
import type { SkeletonRow } from './replicatedLog.ts';
import { describeError, SyncError } from './syncError.ts';

/** Twice what an honest follower has under way: its timeouts may ask again before the first answer is out. */
const MAX_OUTSTANDING_REQUESTS = 2 * MAX_REQUESTS_IN_FLIGHT;
/** What the proposals of one follower may hold in our memory at once, in UTF-16 units. */
const MAX_OUTSTANDING_UNITS = 2 * MAX_DOCUMENT_BYTES;

/** Nobody has lived through more leaderships than this without us; a larger number would only use the numbers up. */
const MAX_TERM_STEP = 1_000_000;

/** What a session needs of its leader. */
export interface LeaderSessionHost {
  readonly libraryId: LibraryId;
  readonly transactions: LogGate;
  readonly ambient: Ambient;
  peers(): readonly PeerInfo[];
  /** A follower has said who it is and may be told of entries. */
  onWelcomed(session: LeaderSession): void;
  /** A host has named other peers than before. */
  onPeersNamed(session: LeaderSession): void;
  onEnded(session: LeaderSession): void;
}

/** The leader's side of one connection: answers one follower, and remembers where it stands. */
export class LeaderSession implements Disposable {
  readonly #host: LeaderSessionHost;
  readonly #connection: Connection;
  readonly #subscriptions = new DisposableStore();
  #peer: PeerInfo | undefined;
  #isHost = false;
  #knowsBulks = false;
  #namedPeers: readonly PeerInfo[] = [];
  #announced = LOG_START;
  #acknowledged = LOG_START;
  #lastHeardAt: number;
  #sentUnits = 0;
  #receivedUnits = 0;
  #outstandingRequests = 0;
  #outstandingUnits = 0;
  #hasEnded = false;

  constructor(host: LeaderSessionHost, connection: Connection) {
    this.#host = host;
    this.#connection = connection;
    this.#lastHeardAt = host.ambient.clock.monotonicNow();
    this.#subscriptions.add(
      connection.onClose(() => {
        this.#end();
      }),
    );
    this.#subscriptions.add(
      connection.onMessage((text) => {
        this.#receive(text);
      }),
    );
  }

  /** Undefined until the follower has been welcomed. */
  get peer(): PeerInfo | undefined {
    return this.#peer;
  }

  /** The peers that a host speaks for. */
  get namedPeers(): readonly PeerInfo[] {
    return this.#namedPeers;
  }

  /** Whether an announcement may bring bulk entries along: not to a host, which needs what is in them. */
  get takesBulksInline(): boolean {
    return this.#knowsBulks && !this.#isHost;
  }

  /** The newest index that the follower has been told of. */
  get announced(): LogIndex {
    return this.#announced;
  }

  /** The newest index that the follower has made durable. */
  get acknowledged(): LogIndex {
    return this.#acknowledged;
  }

  /** UTF-16 units of messages to the follower. */
  get sentUnits(): number {
    return this.#sentUnits;
  }

  /** UTF-16 units of messages from the follower. */
  get receivedUnits(): number {
    return this.#receivedUnits;
  }

  get isCongested(): boolean {
    return this.#connection.isCongested;
  }

  /** Milliseconds since anything came from the follower. */
  silentFor(now: number): number {
    return now - this.#lastHeardAt;
  }

  /** Sends an announcement that the leader has put together for everybody who stands at the same index. */
  announce(text: string, to: LogIndex): void {
    this.#sendText(text);
    this.#announced = to;
  }

  sendHeartbeat(): void {
    this.#send({ kind: 'heartbeat', index: this.#host.transactions.position.index, peers: this.#host.peers() });
  }

  end(reason: ByeReason): void {
    if (this.#hasEnded) return;
    this.#send({ kind: 'bye', reason });
    this.#connection.close();
    this.#end();
  }

  dispose(): void {
    this.end('shuttingDown');
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#subscriptions.dispose();
    this.#host.onEnded(this);
  }

  #receive(text: string): void {
    this.#lastHeardAt = this.#host.ambient.clock.monotonicNow();
    this.#receivedUnits += text.length;
    const { value: message, problems } = parseMessage(text);
    if (message === undefined) {
      const problem = problems[0];
      this.#host.ambient.logger.warn('A peer sent what is no message', {
        peer: this.#peer?.peerId,
        code: problem?.code,
        problem: problem?.message,
      });
      this.#send({
        kind: 'error',
        code: problem?.code ?? 'message-invalid',
        message: problem?.message ?? '',
        isFinal: true,
      });
      this.end('invalidMessage');
      return;
    }
    if (message.libraryId !== this.#host.libraryId) {
      this.end('wrongLibrary');
      return;
    }
    const isFirst = this.#peer === undefined && message.kind === 'hello';
    if (!isFirst && message.sender !== this.#peer?.peerId) {
      this.end('invalidMessage');
      return;
    }
    this.#handle(message, text.length);
  }

  #handle(message: SyncMessage, units: number): void {
    const isOutdated = compareTerms(message.term, this.#term) < 0;
    switch (message.kind) {
      case 'hello':
        this.#answer(message.requestId, units, () => this.#welcome(message));
        return;
      case 'heartbeat':
        this.#noteNamedPeers(message.peers ?? []);
        this.sendHeartbeat();
        return;
      case 'acknowledge':
        if (!isOutdated && message.index > this.#acknowledged) this.#acknowledged = message.index;
        return;
      case 'bye':
        this.#connection.close();
        this.#end();
        return;
      case 'propose':
      case 'proposeBulk':
      case 'fetchEntries':
      case 'fetchHeads':
      case 'fetchRevision':
      case 'fetchHistory':
      case 'fetchHashes':
      case 'fetchSkeleton':
        // Only a host may speak for others ([REP-22]).
        if ('author' in message && message.author !== undefined && !this.#isHost) {
          this.end('invalidMessage');
          return;
        }
        this.#answer(message.requestId, units, () => {
          // The follower has not heard of our term yet; this answer tells it, and it asks again.
          if (isOutdated) throw new SyncError('stale-term', 'The leader has changed in the meantime.');
          return this.#fulfil(message);
        });
        return;
      case 'error':
        this.#host.ambient.logger.warn('A follower reports an error', { peer: this.#peer?.peerId, code: message.code });
        return;
      case 'welcome':
      case 'newEntries':
      case 'entriesResponse':
      case 'committed':
      case 'stale':
      case 'bulkResult':
      case 'heads':
      case 'revision':
      case 'history':
      case 'hashes':
      case 'skeleton':
      case 'hostState':
      case 'syncRequired':
        // Only a leader says these; whoever says them to a leader has lost track of who it talks to.
        this.end('invalidMessage');
    }
  }

  async #welcome(hello: MessageOf<'hello'>): Promise<MessageBody | undefined> {
    const { transactions } = this.#host;
    if (this.#peer !== undefined) {
      this.end('invalidMessage');
      return undefined;
    }
    if (hello.protocolMax < PROTOCOL_MIN || hello.protocolMin > PROTOCOL_MAX) {
      this.end(hello.protocolMax < PROTOCOL_MIN ? 'protocolTooOld' : 'protocolTooNew');
      return undefined;
    }
    const isSameTerm = compareTerms(hello.term, transactions.term) === 0;
    if (hello.term.number > transactions.term.number + MAX_TERM_STEP) {
      this.end('invalidMessage');
      return undefined;
    }
    if (!isSameTerm && hello.term.number >= transactions.term.number) await transactions.raiseTerm(hello.term.number);
    const standing = await transactions.standingOf({ index: hello.index, runningHash: hello.runningHash });
    if (this.#hasEnded) return undefined;
    const { index, runningHash } = transactions.position;
    this.#peer = { peerId: hello.sender, name: hello.name, folderName: hello.folderName };
    this.#isHost = hello.isHost === true;
    this.#announced = index;
    if (standing === 'onLog') this.#acknowledged = hello.index;
    this.#host.onWelcomed(this);
    const { requestId } = hello;
    const protocol = Math.min(hello.protocolMax, PROTOCOL_MAX);
    this.#knowsBulks = protocol >= BULK_PROTOCOL;
    // Not returned to be sent in a moment: an announcement must not come before it.
    this.#send({ kind: 'welcome', requestId, protocol, index, runningHash, standing, peers: this.#host.peers() });
    return undefined;
  }

  #noteNamedPeers(peers: readonly PeerInfo[]): void {
    if (!this.#isHost || JSON.stringify(peers) === JSON.stringify(this.#namedPeers)) return;
    this.#namedPeers = peers;
    this.#host.onPeersNamed(this);
  }

  async #fulfil(
    request: MessageOf<
      | 'propose'
      | 'proposeBulk'
      | 'fetchEntries'
      | 'fetchHeads'
      | 'fetchRevision'
      | 'fetchHistory'
      | 'fetchHashes'
      | 'fetchSkeleton'
    >,
  ): Promise<MessageBody> {
    const { transactions } = this.#host;
    const { requestId } = request;
    switch (request.kind) {
      case 'propose': {
        const author = request.author ?? this.#author(request.source);
        const result = await transactions.append(request.proposal, author, transactions.term);
        if (result.kind === 'rejected') {
          return { kind: 'error', requestId, code: result.code, message: result.message, isFinal: true };
        }
        return { ...result, requestId };
      }
      case 'proposeBulk': {
        const author = request.author ?? this.#author(request.source);
        const results = await transactions.appendBulk(request.bulk, author, transactions.term);
        return { kind: 'bulkResult', requestId, results };
      }
      case 'fetchEntries':
        return await this.#page(request);
      case 'fetchHeads': {
        const { index, runningHash } = transactions.position;
        return { kind: 'heads', requestId, heads: transactions.heads(), index, runningHash };
      }
      case 'fetchRevision':
        return { kind: 'revision', requestId, text: await transactions.revisionText(request.docId, request.hash) };
      case 'fetchHistory':
        return { kind: 'history', requestId, entries: await transactions.history(request.docId, request.limit) };
      case 'fetchHashes': {
        const hashes = await Promise.all(request.indexes.map((index) => transactions.runningHashAt(index)));
        return { kind: 'hashes', requestId, hashes: hashes.map((hash) => hash ?? null) };
      }
      case 'fetchSkeleton': {
        const rows = await transactions.skeleton(request.since, request.limit);
        return { kind: 'skeleton', requestId, rows: this.#knowsBulks ? rows : rows.map(withoutFurther) };
      }
    }
  }

  async #page({ requestId, since, limit }: MessageOf<'fetchEntries'>): Promise<MessageBody> {
    try {
      const count = Math.min(limit, MAX_ENTRIES_PER_PAGE);
      const page = await this.#host.transactions.entries(since, { count, units: MAX_PAGE_UNITS });
      const unknown = this.#knowsBulks ? -1 : page.entries.findIndex(({ entry }) => entry?.kind === 'bulk');
      // Who does not know such entries goes around them by the heads ([BLK-06]).
      if (unknown === 0) return { kind: 'syncRequired', requestId, reason: 'compacted' };
      const known = unknown === -1 ? page.entries : page.entries.slice(0, unknown);
      // An entry that our own disk has damaged is sent as what it is, for the follower to put aside.
      const entries = known.map(({ index, entry }) => (entry === undefined ? { index } : this.#asTold(entry)));
      return { kind: 'entriesResponse', requestId, entries, hasMore: page.hasMore || unknown !== -1 };
    } catch (error) {
      if (!(error instanceof SyncError) || error.code !== 'log-compacted') throw error;
      return { kind: 'syncRequired', requestId, reason: 'compacted' };
    }
  }

  /** A host keeps what is in an entry; everybody else finds it by its hash ([BLK-05]). */
  #asTold(entry: LogEntry): LogEntry {
    return this.#isHost ? entry : withoutBulkPatches(entry);
  }

  /** Answers in the background, within bounds; what goes wrong is said to whoever asked. */
  #answer(requestId: number, units: number, work: () => Promise<MessageBody | undefined>): void {
    this.#outstandingRequests += 1;
    this.#outstandingUnits += units;
    if (this.#outstandingRequests > MAX_OUTSTANDING_REQUESTS || this.#outstandingUnits > MAX_OUTSTANDING_UNITS) {
      this.end('overloaded');
      return;
    }
    void (async () => {
      try {
        const body = await work();
        if (body !== undefined) this.#send(body);
      } catch (error) {
        this.#explain(requestId, error);
      } finally {
        this.#outstandingRequests -= 1;
        this.#outstandingUnits -= units;
      }
    })();
  }

  #explain(requestId: number, error: unknown): void {
    const code = error instanceof SyncError ? error.code : 'internal';
    this.#host.ambient.logger.warn('A request could not be answered', {
      peer: this.#peer?.peerId,
      error: describeError(error),
    });
    const message = error instanceof SyncError ? error.message : 'The leader could not answer.';
    this.#send({ kind: 'error', requestId, code, message, isFinal: false });
  }

  get #term(): Term {
    return this.#host.transactions.term;
  }

  /** The connection says who it is, and the peer for which source it speaks: that is shown beside its folder, never in its place. */
  #author(source: string | undefined): Author {
    const peer = this.#peer;
    if (peer === undefined)
      throw new SyncError('not-authorized', 'A peer that has not said who it is cannot change anything.');
    const name = source === undefined ? peer.name : `${source} (${peer.folderName})`.slice(0, MAX_NAME_LENGTH);
    return { peerId: peer.peerId, name };
  }

  #send(body: MessageBody): void {
    if (this.#hasEnded) return;
    const { transactions, libraryId } = this.#host;
    this.#sendText(encodeMessage({ libraryId, term: transactions.term, sender: transactions.term.leaderId, ...body }));
  }

  #sendText(text: string): void {
    this.#sentUnits += text.length;
    this.#connection.send(text);
  }
}

function withoutFurther({ index, proposalId, runningHash }: SkeletonRow): SkeletonRow {
  return { index, proposalId, runningHash };
}
