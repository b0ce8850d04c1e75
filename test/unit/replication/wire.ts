import type { LibraryId, PeerId, Term } from '../../../src/core/ids.ts';
import type { Connection } from '../../../src/core/replication/connection.ts';
import { Follower } from '../../../src/core/replication/follower.ts';
import type { Disconnection } from '../../../src/core/replication/follower.ts';
import { Leader } from '../../../src/core/replication/leader.ts';
import { MemoryReplicatedLog } from '../../../src/core/replication/memoryReplicatedLog.ts';
import { encodeMessage, parseMessage } from '../../../src/core/replication/messages.ts';
import type { MessageBody, MessageKind, MessageOf, SyncMessage } from '../../../src/core/replication/messages.ts';
import type { Proposal } from '../../../src/core/replication/entry.ts';
import { TransactionManager } from '../../../src/core/replication/transactionManager.ts';
import { createConnectionPair } from '../../../src/node/transport/memoryConnection.ts';
import { authorOf, createFakeAmbient, createRecordingLogger, FakeTime, peerInfo, RecordingSink } from './fakes.ts';

export const LIBRARY = 'library-1' as LibraryId;
export const HEARTBEAT_MS = 5_000;
export const TIMEOUT_MS = 15_000;

/** The other end of a connection in a test's own hands. */
export class HandPeer {
  readonly connection: Connection;
  readonly received: SyncMessage[] = [];
  readonly sender: PeerId;
  term: Term;
  libraryId = LIBRARY;

  constructor(connection: Connection, sender: PeerId, term: Term) {
    this.connection = connection;
    this.sender = sender;
    this.term = term;
    connection.onMessage((text) => {
      const { value } = parseMessage(text);
      if (value !== undefined) this.received.push(value);
    });
  }

  send(body: MessageBody, envelope: Partial<Pick<SyncMessage, 'term' | 'sender' | 'libraryId'>> = {}): void {
    const { libraryId, term, sender } = this;
    this.connection.send(encodeMessage({ libraryId, term, sender, ...envelope, ...body }));
  }

  all<Kind extends MessageKind>(kind: Kind): MessageOf<Kind>[] {
    return this.received.filter((message): message is MessageOf<Kind> => message.kind === kind);
  }

  last<Kind extends MessageKind>(kind: Kind): MessageOf<Kind> {
    const found = this.all(kind).at(-1);
    if (found === undefined) throw new Error(`No ${kind} has come.`);
    return found;
  }
}

/** A leader on a log in memory, with a clock that the test moves. */
export async function startLeader(log = new MemoryReplicatedLog()) {
  const time = new FakeTime();
  const logger = createRecordingLogger();
  const ambient = createFakeAmbient(time, logger);
  const leaderId = 'peer-leader' as PeerId;
  const transactions = await TransactionManager.open({ log, leaderId, ambient });
  const leader = new Leader({
    libraryId: LIBRARY,
    transactions,
    ambient,
    heartbeatMs: HEARTBEAT_MS,
    timeoutMs: TIMEOUT_MS,
  });
  return {
    time,
    log,
    logger,
    ambient,
    transactions,
    leader,
    append: (proposal: Proposal) => transactions.append(proposal, authorOf('writer'), transactions.term),
    /** A follower played by the test. */
    connectByHand: (name: string): HandPeer => {
      const [mine, leaders] = createConnectionPair();
      leader.accept(leaders);
      return new HandPeer(mine, peerInfo(name).peerId, { number: 0, leaderId: peerInfo(name).peerId });
    },
  };
}

export type LeaderWorld = Awaited<ReturnType<typeof startLeader>>;

/** Says hello as a new replica would. */
export async function greet(
  world: LeaderWorld,
  peer: HandPeer,
  hello: Partial<MessageOf<'hello'>> = {},
): Promise<void> {
  const { name, folderName } = peerInfo(peer.sender.replace('peer-', ''));
  peer.send({
    kind: 'hello',
    requestId: 0,
    protocolMin: 1,
    protocolMax: 1,
    name,
    folderName,
    index: 0 as never,
    runningHash: '',
    ...hello,
  });
  await world.time.advance(0);
  if (peer.all('welcome').length > 0) peer.term = peer.last('welcome').term;
}

/** A real follower on a clock of the test's, connected to nobody yet. */
export function startFollower(name: string, time = new FakeTime(), sink = new RecordingSink()) {
  const logger = createRecordingLogger();
  const ambient = createFakeAmbient(time, logger);
  const follower = new Follower({
    libraryId: LIBRARY,
    peer: peerInfo(name),
    sink,
    ambient,
    heartbeatMs: HEARTBEAT_MS,
    timeoutMs: TIMEOUT_MS,
  });
  const disconnections: Disconnection[] = [];
  follower.onDidDisconnect((disconnection) => disconnections.push(disconnection));
  return {
    follower,
    sink,
    time,
    logger,
    disconnections,
    attach: (connection: Connection) => {
      follower.attach(connection);
    },
    /** A leader played by the test. */
    attachByHand: (leaderName = 'leader', number = 1): HandPeer => {
      const [mine, followers] = createConnectionPair();
      const leaderId = peerInfo(leaderName).peerId;
      const peer = new HandPeer(mine, leaderId, { number, leaderId });
      follower.attach(followers);
      return peer;
    },
  };
}

export function connectTo(world: LeaderWorld): Connection {
  const [mine, leaders] = createConnectionPair();
  world.leader.accept(leaders);
  return mine;
}
