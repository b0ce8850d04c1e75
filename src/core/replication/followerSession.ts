import { DisposableStore } from '../disposableStore.ts';
import { compareTerms } from '../ids.ts';
import type { DocId, LibraryId, LogIndex, PeerId, RevisionHash, Term } from '../ids.ts';
import type { Ambient, Disposable } from '../ports.ts';
import type { Connection } from './connection.ts';
import type { EntryPage, EntrySource, HeadsAt } from './entryPump.ts';
import type { HeadsReason, PeerInfo } from './libraryLink.ts';
import { MAX_REQUESTS_IN_FLIGHT } from './limits.ts';
import {
  BULK_PROTOCOL,
  encodeMessage,
  HOST_PROTOCOL,
  parseMessage,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  SOURCE_PROTOCOL,
} from './messages.ts';
import type { MessageBody, MessageOf, RawEntry, SyncMessage } from './messages.ts';
import type { SkeletonRow } from './replicatedLog.ts';

/** What a follower may ask; `requestId` is added here. */
export type RequestBody =
  | Pick<MessageOf<'propose'>, 'kind' | 'proposal' | 'source' | 'author'>
  | Pick<MessageOf<'proposeBulk'>, 'kind' | 'bulk' | 'source' | 'author'>
  | Pick<MessageOf<'fetchEntries'>, 'kind' | 'since' | 'limit'>
  | Pick<MessageOf<'fetchHeads'>, 'kind'>
  | Pick<MessageOf<'fetchRevision'>, 'kind' | 'docId' | 'hash'>
  | Pick<MessageOf<'fetchHistory'>, 'kind' | 'docId' | 'limit'>
  | Pick<MessageOf<'fetchHashes'>, 'kind' | 'indexes'>
  | Pick<MessageOf<'fetchSkeleton'>, 'kind' | 'since' | 'limit'>;

export type AnswerMessage = MessageOf<
  | 'entriesResponse'
  | 'committed'
  | 'stale'
  | 'bulkResult'
  | 'heads'
  | 'revision'
  | 'history'
  | 'hashes'
  | 'skeleton'
  | 'syncRequired'
  | 'error'
>;

export interface FollowerSessionOptions {
  readonly libraryId: LibraryId;
  readonly peer: PeerInfo;
  readonly ambient: Ambient;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  /** The highest term that this peer has ever heard of; what is older changes nothing (I7). */
  readonly newestTerm: Term;
  readonly position: () => { readonly index: LogIndex; readonly runningHash: string | undefined };
  /** It keeps a copy of the log; then it says with each heartbeat which peers it speaks for. */
  readonly ownPeers: (() => readonly PeerInfo[]) | undefined;
  readonly onWelcome: (welcome: MessageOf<'welcome'>) => void;
  readonly onTerm: (term: Term) => void;
  /** A message of so many UTF-16 units went out or came in. */
  readonly onTraffic: (direction: 'sent' | 'received', units: number) => void;
  readonly onNewEntries: (from: LogIndex, to: LogIndex, entries: readonly RawEntry[]) => void;
  readonly onHeartbeat: (heartbeat: MessageOf<'heartbeat'>) => void;
  readonly onSyncRequired: (why: HeadsReason) => void;
  /** Fires once, before the requests that are still open are answered with undefined. */
  readonly onEnded: (reason: string) => void;
}

interface OpenRequest {
  readonly body: RequestBody;
  readonly resolve: (answer: AnswerMessage | undefined) => void;
  timer?: Disposable;
}

const HELLO_REQUEST_ID = 0;
/** A large proposal has its leader busy for longer than a small one; asking again before it is done would only add to that. */
const UNITS_PER_MS = 1_000;

/** The follower's side of one connection: says hello, pairs answers with requests, notices silence, and listens to nobody but the leader. */
export class FollowerSession implements EntrySource, Disposable {
  readonly #options: FollowerSessionOptions;
  readonly #connection: Connection;
  readonly #subscriptions = new DisposableStore();
  readonly #open = new Map<number, OpenRequest>();
  readonly #queued: OpenRequest[] = [];
  #nextRequestId = HELLO_REQUEST_ID + 1;
  #term: Term;
  #leaderId: PeerId | undefined;
  /** What both sides know. */
  #protocol = PROTOCOL_MIN;
  #lastHeardAt: number;
  #timer: Disposable | undefined;
  #hasEnded = false;

  constructor(options: FollowerSessionOptions, connection: Connection) {
    this.#options = options;
    this.#connection = connection;
    this.#term = options.newestTerm;
    this.#lastHeardAt = options.ambient.clock.monotonicNow();
  }

  /** Says hello; apart from the constructor, so that whoever owns the session knows it before it speaks. */
  start(): void {
    this.#subscriptions.add(
      this.#connection.onClose((reason) => {
        this.#end(reason);
      }),
    );
    this.#subscriptions.add(
      this.#connection.onMessage((text) => {
        this.#receive(text);
      }),
    );
    if (this.#connection.isClosed) {
      this.#end('lost');
      return;
    }
    const { peer, position, ownPeers } = this.#options;
    const { index, runningHash } = position();
    this.#send({
      kind: 'hello',
      requestId: HELLO_REQUEST_ID,
      protocolMin: ownPeers === undefined ? PROTOCOL_MIN : HOST_PROTOCOL,
      protocolMax: PROTOCOL_MAX,
      name: peer.name,
      folderName: peer.folderName,
      index,
      ...(runningHash === undefined ? {} : { runningHash }),
      ...(ownPeers === undefined ? {} : { isHost: true }),
    });
    this.#scheduleHeartbeat();
  }

  /** A leader has welcomed us and is still there. */
  get isWelcomed(): boolean {
    return this.wasWelcomed && !this.#hasEnded;
  }

  get wasWelcomed(): boolean {
    return this.#leaderId !== undefined;
  }

  /** Whether the leader takes many edits as one entry. */
  get knowsBulks(): boolean {
    return this.#protocol >= BULK_PROTOCOL;
  }

  /** Undefined where the session ends, or nothing comes within the timeout: whoever wants an answer then asks again. */
  request(body: RequestBody): Promise<AnswerMessage | undefined> {
    if (this.#hasEnded) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#queued.push({ body, resolve });
      this.#sendQueued();
    });
  }

  async requestEntries(since: LogIndex, limit: number): Promise<EntryPage | HeadsReason | undefined> {
    const answer = await this.request({ kind: 'fetchEntries', since, limit });
    if (answer?.kind === 'syncRequired') return answer.reason;
    return answer?.kind === 'entriesResponse' ? answer : undefined;
  }

  async fetchHeads(): Promise<HeadsAt | undefined> {
    const answer = await this.request({ kind: 'fetchHeads' });
    if (answer?.kind !== 'heads') return undefined;
    return { heads: answer.heads, position: { index: answer.index, runningHash: answer.runningHash } };
  }

  async fetchHashes(indexes: readonly LogIndex[]): Promise<readonly (string | null)[] | undefined> {
    const answer = await this.request({ kind: 'fetchHashes', indexes });
    return answer?.kind === 'hashes' ? answer.hashes : undefined;
  }

  async fetchSkeleton(since: LogIndex, limit: number): Promise<readonly SkeletonRow[] | undefined> {
    const answer = await this.request({ kind: 'fetchSkeleton', since, limit });
    return answer?.kind === 'skeleton' ? answer.rows : undefined;
  }

  async fetchRevision(docId: DocId, hash: RevisionHash): Promise<string | null | undefined> {
    const answer = await this.request({ kind: 'fetchRevision', docId, hash });
    return answer?.kind === 'revision' ? (answer.text ?? null) : undefined;
  }

  /** Says that it lives and where it stands, before it would be time to. */
  sendHeartbeat(): void {
    if (!this.isWelcomed) return;
    const peers = this.#options.ownPeers?.();
    const { index } = this.#options.position();
    this.#send({ kind: 'heartbeat', index, ...(peers === undefined ? {} : { peers }) });
  }

  acknowledge(index: LogIndex): void {
    this.#send({ kind: 'acknowledge', index });
  }

  /** Leaves without blame: the leader forgets us at once. */
  dispose(): void {
    if (this.#hasEnded) return;
    this.#send({ kind: 'bye', reason: 'shuttingDown' });
    this.#connection.close();
    this.#end('closed');
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#subscriptions.dispose();
    this.#timer?.dispose();
    this.#options.onEnded(reason);
    const open = [...this.#open.values(), ...this.#queued.splice(0)];
    this.#open.clear();
    for (const request of open) {
      request.timer?.dispose();
      request.resolve(undefined);
    }
  }

  #close(reason: string): void {
    // In this order, for closing would otherwise be the reason itself.
    this.#end(reason);
    this.#connection.close();
  }

  #receive(text: string): void {
    this.#lastHeardAt = this.#options.ambient.clock.monotonicNow();
    this.#options.onTraffic('received', text.length);
    const { value: message, problems } = parseMessage(text);
    if (message === undefined) {
      this.#options.ambient.logger.warn('The leader sent what is no message', {
        code: problems[0]?.code,
        problem: problems[0]?.message,
      });
      this.#close('invalidMessage');
      return;
    }
    if (!this.#isFromLeader(message)) {
      this.#options.ambient.logger.warn("A message that is not the leader's was ignored", {
        kind: message.kind,
        sender: message.sender,
      });
      return;
    }
    if (compareTerms(message.term, this.#term) > 0) {
      this.#term = message.term;
      this.#options.onTerm(message.term);
    }
    this.#handle(message);
  }

  /** Only the leader of the newest term that we know of, and once it has welcomed us nobody else. */
  #isFromLeader(message: SyncMessage): boolean {
    if (message.libraryId !== this.#options.libraryId) return false;
    if (message.sender !== message.term.leaderId) return false;
    if (compareTerms(message.term, this.#term) < 0) return false;
    if (this.#leaderId !== undefined) return message.sender === this.#leaderId;
    return message.kind === 'welcome' || message.kind === 'bye' || message.kind === 'error';
  }

  #handle(message: SyncMessage): void {
    switch (message.kind) {
      case 'welcome':
        if (this.#leaderId !== undefined) return;
        this.#leaderId = message.sender;
        this.#protocol = message.protocol;
        this.#options.onWelcome(message);
        this.#sendQueued();
        return;
      case 'newEntries':
        this.#options.onNewEntries(message.from, message.to, message.entries ?? []);
        return;
      case 'heartbeat':
        this.#options.onHeartbeat(message);
        return;
      case 'syncRequired':
        if (message.requestId === undefined) this.#options.onSyncRequired(message.reason);
        else this.#answer(message.requestId, message);
        return;
      case 'entriesResponse':
      case 'committed':
      case 'stale':
      case 'bulkResult':
      case 'heads':
      case 'revision':
      case 'history':
      case 'hashes':
      case 'skeleton':
        this.#answer(message.requestId, message);
        return;
      case 'error':
        if (message.requestId === undefined || message.requestId === HELLO_REQUEST_ID) this.#close(message.code);
        else this.#answer(message.requestId, message);
        return;
      case 'bye':
        this.#close(message.reason);
        return;
      case 'hello':
      case 'fetchEntries':
      case 'acknowledge':
      case 'propose':
      case 'proposeBulk':
      case 'fetchHeads':
      case 'fetchRevision':
      case 'fetchHistory':
      case 'fetchHashes':
      case 'fetchSkeleton':
      case 'hostState':
        // Only followers and hosts say these.
        this.#close('invalidMessage');
    }
  }

  #answer(requestId: number, message: AnswerMessage): void {
    const request = this.#open.get(requestId);
    // An answer that comes after its timeout: the question has been asked again.
    if (request === undefined) return;
    this.#open.delete(requestId);
    request.timer?.dispose();
    request.resolve(message);
    this.#sendQueued();
  }

  #sendQueued(): void {
    while (this.isWelcomed && this.#open.size < MAX_REQUESTS_IN_FLIGHT) {
      const request = this.#queued.shift();
      if (request === undefined) return;
      const requestId = this.#nextRequestId;
      this.#nextRequestId += 1;
      this.#open.set(requestId, request);
      const units = this.#send({ ...this.#known(request.body), requestId });
      request.timer = this.#options.ambient.scheduler.after(this.#options.timeoutMs + units / UNITS_PER_MS, () => {
        this.#open.delete(requestId);
        request.resolve(undefined);
        this.#sendQueued();
      });
    }
  }

  /** A leader of an older release refuses what it does not know. */
  #known(body: RequestBody): RequestBody {
    if (body.kind !== 'propose' || this.#protocol >= SOURCE_PROTOCOL) return body;
    return { kind: 'propose', proposal: body.proposal };
  }

  #scheduleHeartbeat(): void {
    const { ambient, heartbeatMs, timeoutMs } = this.#options;
    const due = ambient.clock.monotonicNow() + heartbeatMs;
    this.#timer = ambient.scheduler.after(heartbeatMs, () => {
      const now = ambient.clock.monotonicNow();
      // Who slept itself has not read yet what the leader said meanwhile.
      const hasSlept = now - due > heartbeatMs;
      if (!hasSlept && now - this.#lastHeardAt > timeoutMs) {
        this.#close('silent');
        return;
      }
      this.sendHeartbeat();
      this.#scheduleHeartbeat();
    });
  }

  /** Answers with the length of what it sent. */
  #send(body: MessageBody): number {
    if (this.#hasEnded) return 0;
    const { libraryId, peer } = this.#options;
    const text = encodeMessage({ libraryId, term: this.#term, sender: peer.peerId, ...body });
    this.#connection.send(text);
    this.#options.onTraffic('sent', text.length);
    return text.length;
  }
}
