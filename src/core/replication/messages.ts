import * as z from 'zod';
import type { DocId, LibraryId, LogIndex, PeerId, RevisionHash, Term } from '../ids.ts';
import type { Checked } from '../problem.ts';
import type { Author, BulkProposal, DocumentHead, Proposal, ProposeResult } from './entry.ts';
import {
  authorSchema,
  bulkProposalSchema,
  displayNameSchema,
  docIdSchema,
  documentHeadSchema,
  logIndexSchema,
  naturalSchema,
  opaqueIdSchema,
  peerIdSchema,
  proposalIdSchema,
  proposalSchema,
  revisionHashSchema,
  runningHashSchema,
  termSchema,
} from './entrySchema.ts';
import type { HeadsReason, PeerInfo } from './libraryLink.ts';
import {
  MAX_ADDRESS_LENGTH,
  MAX_BULK_DOCUMENTS,
  MAX_DOCUMENT_BYTES,
  MAX_ENTRIES_PER_PAGE,
  MAX_HASHES,
  MAX_HEADS,
  MAX_HISTORY,
  MAX_HOSTS,
  MAX_MESSAGE_BYTES,
  MAX_PEERS,
  MAX_SKELETON_ROWS,
} from './limits.ts';
import type { SkeletonRow } from './replicatedLog.ts';
import type { HostState } from './succession.ts';

/** The versions of this protocol that we speak; `hello` carries both, and the leader picks the highest that both know. */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 3;
/** From this one on a proposal may say which source its change comes from. */
export const SOURCE_PROTOCOL = 2;
/** What hosts say to each other is known from here on. */
export const HOST_PROTOCOL = 2;
/** Bulk entries are known from here on ([BLK-06]). */
export const BULK_PROTOCOL = 3;

/** What stands in every message. */
export interface Envelope {
  readonly libraryId: LibraryId;
  /** The sender's leadership (a leader), or the newest one it has heard of (a follower; number 0 where none). */
  readonly term: Term;
  readonly sender: PeerId;
}

/** Pairs an answer with its request; counted by whoever asks, per connection. */
interface Correlated {
  readonly requestId: number;
}

/** An entry as it came over the wire, not looked into yet: one bad entry must not make the page unreadable. */
export type RawEntry = unknown;

/** Why a connection ends, as the other side is told. */
export type ByeReason =
  | 'shuttingDown'
  | 'protocolTooOld'
  | 'protocolTooNew'
  | 'wrongLibrary'
  | 'invalidMessage'
  | 'replaced'
  | 'silent'
  | 'overloaded';

export type MessageBody =
  | ({
      readonly kind: 'hello';
      readonly protocolMin: number;
      readonly protocolMax: number;
      readonly name: string;
      readonly folderName: string;
      readonly index: LogIndex;
      readonly runningHash?: string | undefined;
      /** It keeps a copy of the log for peers of its own, and speaks for them. */
      readonly isHost?: true | undefined;
    } & Correlated)
  | ({
      readonly kind: 'welcome';
      readonly protocol: number;
      readonly index: LogIndex;
      readonly runningHash: string;
      readonly standing: Standing;
      readonly peers: readonly PeerInfo[];
    } & Correlated)
  | {
      readonly kind: 'newEntries';
      readonly from: LogIndex;
      readonly to: LogIndex;
      readonly count: number;
      readonly entries?: readonly RawEntry[] | undefined;
    }
  | ({ readonly kind: 'fetchEntries'; readonly since: LogIndex; readonly limit: number } & Correlated)
  | ({
      readonly kind: 'entriesResponse';
      readonly entries: readonly RawEntry[];
      readonly hasMore: boolean;
    } & Correlated)
  | { readonly kind: 'acknowledge'; readonly index: LogIndex }
  /** `source`: where the change comes from, if not from a person; `author` only from a host, for one of its peers (protocol 2). */
  | ({
      readonly kind: 'propose';
      readonly proposal: Proposal;
      readonly source?: string | undefined;
      readonly author?: Author | undefined;
    } & Correlated)
  /** Many edits, to be one entry (protocol 3). */
  | ({
      readonly kind: 'proposeBulk';
      readonly bulk: BulkProposal;
      readonly source?: string | undefined;
      readonly author?: Author | undefined;
    } & Correlated)
  /** What became of each of them, in their order. */
  | ({ readonly kind: 'bulkResult'; readonly results: readonly ProposeResult[] } & Correlated)
  | ({ readonly kind: 'committed'; readonly index: LogIndex } & Correlated)
  | ({ readonly kind: 'stale'; readonly head?: DocumentHead | undefined } & Correlated)
  | ({ readonly kind: 'fetchHeads' } & Correlated)
  | ({
      readonly kind: 'heads';
      readonly heads: readonly DocumentHead[];
      readonly index: LogIndex;
      readonly runningHash: string;
    } & Correlated)
  | ({ readonly kind: 'fetchRevision'; readonly docId: DocId; readonly hash: RevisionHash } & Correlated)
  | ({ readonly kind: 'revision'; readonly text?: string | undefined } & Correlated)
  | ({ readonly kind: 'fetchHistory'; readonly docId: DocId; readonly limit: number } & Correlated)
  | ({ readonly kind: 'history'; readonly entries: readonly RawEntry[] } & Correlated)
  | ({ readonly kind: 'fetchHashes'; readonly indexes: readonly LogIndex[] } & Correlated)
  /** In the order of the question; null where the log never had that index. */
  | ({ readonly kind: 'hashes'; readonly hashes: readonly (string | null)[] } & Correlated)
  | ({ readonly kind: 'fetchSkeleton'; readonly since: LogIndex; readonly limit: number } & Correlated)
  | ({ readonly kind: 'skeleton'; readonly rows: readonly SkeletonRow[] } & Correlated)
  /** From one host to another, each over the connection that it opened, and back as the answer. */
  | ({ readonly kind: 'hostState'; readonly state: HostState } & Correlated)
  /** From a follower: where it stands; from a host also who its peers are. From the leader: the newest index and everybody who is connected. */
  | { readonly kind: 'heartbeat'; readonly index: LogIndex; readonly peers?: readonly PeerInfo[] | undefined }
  | { readonly kind: 'syncRequired'; readonly requestId?: number | undefined; readonly reason: HeadsReason }
  /** `isFinal`: asking again changes nothing. */
  | {
      readonly kind: 'error';
      readonly requestId?: number | undefined;
      readonly code: string;
      readonly message: string;
      readonly isFinal: boolean;
    }
  | { readonly kind: 'bye'; readonly reason: ByeReason };

/** Where a follower stands, seen from the leader's log: `onLog` can go on entry by entry. */
export type Standing = 'onLog' | HeadsReason;

export type SyncMessage = Envelope & MessageBody;
export type MessageKind = SyncMessage['kind'];
export type MessageOf<Kind extends MessageKind> = Extract<SyncMessage, { readonly kind: Kind }>;

const MAX_ERROR_LENGTH = 2_000;
const MAX_CODE_LENGTH = 100;

const envelope = { libraryId: opaqueIdSchema<LibraryId>(), term: termSchema, sender: peerIdSchema };
const correlated = { ...envelope, requestId: naturalSchema };
const peerSchema: z.ZodType<PeerInfo> = z.strictObject({
  peerId: peerIdSchema,
  name: displayNameSchema,
  folderName: displayNameSchema,
});
const peersSchema = z.array(peerSchema).max(MAX_PEERS);
const rawEntriesSchema = z.array(z.unknown());

const proposeResultSchema: z.ZodType<ProposeResult> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('committed'), index: logIndexSchema }),
  z
    .strictObject({ kind: z.literal('stale'), head: documentHeadSchema.optional() })
    .transform(({ kind, head }) => ({ kind, head })),
  z.strictObject({
    kind: z.literal('rejected'),
    code: z.string().max(MAX_CODE_LENGTH),
    message: z.string().max(MAX_ERROR_LENGTH),
  }),
]);
const skeletonRowSchema: z.ZodType<SkeletonRow> = z.strictObject({
  index: logIndexSchema,
  proposalId: proposalIdSchema,
  further: z.array(proposalIdSchema).max(MAX_BULK_DOCUMENTS).optional(),
  runningHash: runningHashSchema,
});
const addressSchema = z.string().min(1).max(MAX_ADDRESS_LENGTH);
const hostStateSchema: z.ZodType<HostState> = z.strictObject({
  hostId: peerIdSchema,
  address: addressSchema,
  role: z.enum(['leading', 'following', 'relayed', 'looking', 'unable']),
  term: termSchema,
  highestTerm: naturalSchema,
  index: logIndexSchema,
  line: z.array(z.strictObject({ hostId: peerIdSchema, address: addressSchema })).max(MAX_HOSTS),
});

const messageSchema = z.discriminatedUnion('kind', [
  // Not strict: a newer release may say more here, and must still learn that we do not speak its protocol.
  z.object({
    kind: z.literal('hello'),
    ...correlated,
    protocolMin: naturalSchema,
    protocolMax: naturalSchema,
    name: displayNameSchema,
    folderName: displayNameSchema,
    index: logIndexSchema,
    runningHash: runningHashSchema.optional(),
    isHost: z.literal(true).optional(),
  }),
  z.strictObject({
    kind: z.literal('welcome'),
    ...correlated,
    protocol: naturalSchema,
    index: logIndexSchema,
    runningHash: runningHashSchema,
    standing: z.enum(['onLog', 'compacted', 'unknown']),
    peers: peersSchema,
  }),
  z.strictObject({
    kind: z.literal('newEntries'),
    ...envelope,
    from: logIndexSchema,
    to: logIndexSchema,
    count: naturalSchema,
    entries: rawEntriesSchema.max(MAX_ENTRIES_PER_PAGE).optional(),
  }),
  z.strictObject({
    kind: z.literal('fetchEntries'),
    ...correlated,
    since: logIndexSchema,
    limit: naturalSchema.min(1).max(MAX_ENTRIES_PER_PAGE),
  }),
  z.strictObject({
    kind: z.literal('entriesResponse'),
    ...correlated,
    entries: rawEntriesSchema.max(MAX_ENTRIES_PER_PAGE),
    hasMore: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('acknowledge'), ...envelope, index: logIndexSchema }),
  z.strictObject({
    kind: z.literal('propose'),
    ...correlated,
    proposal: proposalSchema,
    source: displayNameSchema.optional(),
    author: authorSchema.optional(),
  }),
  z.strictObject({
    kind: z.literal('proposeBulk'),
    ...correlated,
    bulk: bulkProposalSchema,
    source: displayNameSchema.optional(),
    author: authorSchema.optional(),
  }),
  z.strictObject({
    kind: z.literal('bulkResult'),
    ...correlated,
    results: z.array(proposeResultSchema).max(MAX_BULK_DOCUMENTS),
  }),
  z.strictObject({ kind: z.literal('committed'), ...correlated, index: logIndexSchema }),
  z.strictObject({ kind: z.literal('stale'), ...correlated, head: documentHeadSchema.optional() }),
  z.strictObject({ kind: z.literal('fetchHeads'), ...correlated }),
  z.strictObject({
    kind: z.literal('heads'),
    ...correlated,
    heads: z.array(documentHeadSchema).max(MAX_HEADS),
    index: logIndexSchema,
    runningHash: runningHashSchema,
  }),
  z.strictObject({ kind: z.literal('fetchRevision'), ...correlated, docId: docIdSchema, hash: revisionHashSchema }),
  z.strictObject({ kind: z.literal('revision'), ...correlated, text: z.string().max(MAX_DOCUMENT_BYTES).optional() }),
  z.strictObject({
    kind: z.literal('fetchHistory'),
    ...correlated,
    docId: docIdSchema,
    limit: naturalSchema.min(1).max(MAX_HISTORY),
  }),
  z.strictObject({ kind: z.literal('history'), ...correlated, entries: rawEntriesSchema.max(MAX_HISTORY) }),
  z.strictObject({ kind: z.literal('fetchHashes'), ...correlated, indexes: z.array(logIndexSchema).max(MAX_HASHES) }),
  z.strictObject({
    kind: z.literal('hashes'),
    ...correlated,
    hashes: z.array(runningHashSchema.nullable()).max(MAX_HASHES),
  }),
  z.strictObject({
    kind: z.literal('fetchSkeleton'),
    ...correlated,
    since: logIndexSchema,
    limit: naturalSchema.min(1).max(MAX_SKELETON_ROWS),
  }),
  z.strictObject({
    kind: z.literal('skeleton'),
    ...correlated,
    rows: z.array(skeletonRowSchema).max(MAX_SKELETON_ROWS),
  }),
  z.strictObject({ kind: z.literal('hostState'), ...correlated, state: hostStateSchema }),
  z.strictObject({ kind: z.literal('heartbeat'), ...envelope, index: logIndexSchema, peers: peersSchema.optional() }),
  z.strictObject({
    kind: z.literal('syncRequired'),
    ...envelope,
    requestId: naturalSchema.optional(),
    reason: z.enum(['compacted', 'unknown']),
  }),
  z.strictObject({
    kind: z.literal('error'),
    ...envelope,
    requestId: naturalSchema.optional(),
    code: z.string().max(MAX_CODE_LENGTH),
    message: z.string().max(MAX_ERROR_LENGTH),
    isFinal: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('bye'),
    ...envelope,
    reason: z.enum([
      'shuttingDown',
      'protocolTooOld',
      'protocolTooNew',
      'wrongLibrary',
      'invalidMessage',
      'replaced',
      'silent',
      'overloaded',
    ]),
  }),
]);

/** The text of a message as it goes over a connection. */
export function encodeMessage(message: SyncMessage): string {
  return JSON.stringify(message);
}

/** Reads what a stranger sent: anything that is not exactly one of our messages gives a problem, never an exception (I10). */
export function parseMessage(text: string): Checked<SyncMessage> {
  if (text.length > MAX_MESSAGE_BYTES)
    return refuse('message-too-large', 'The message is larger than any that we know.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('message-not-json', 'The message is not JSON.');
  }
  const { data, error } = messageSchema.safeParse(value);
  if (error !== undefined) return refuse('message-invalid', firstIssue(error));
  return { value: data, problems: [] };
}

function refuse(code: string, message: string): Checked<SyncMessage> {
  return { value: undefined, problems: [{ code, message, severity: 'error' }] };
}

/** One issue is enough to find the fault, and the words of a stranger's message stay out of our logs. */
function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined
    ? 'The message is not valid.'
    : `The message is not valid at ${issue.path.join('.') || 'its kind'}: ${issue.code}.`;
}
