const KIB = 1024;
const MIB = 1024 * KIB;

/** A document larger than this is refused: nobody writes such a file by hand, and a peer could fill our memory (I10). In UTF-8 bytes. */
export const MAX_DOCUMENT_BYTES = 64 * MIB;
/** One message on the wire, in UTF-8 bytes: a document of the largest size with room for JSON's escapes. */
export const MAX_MESSAGE_BYTES = 80 * MIB;
/** Entries per `entriesResponse`; the seeds ask for at most 100. */
export const MAX_ENTRIES_PER_PAGE = 100;
/** A page ends early when its entries reach this many UTF-16 units, but never before its first entry. */
export const MAX_PAGE_UNITS = 4 * MIB;
/** `newEntries` carries its entries inline up to this many UTF-16 units; beyond it the follower fetches at its own pace. */
export const MAX_INLINE_UNITS = 64 * KIB;
/** The first commit is announced at once, those that follow within this time together, in milliseconds. */
export const ANNOUNCE_WINDOW_MS = 100;
/** How often a follower says that it lives, in milliseconds; settable. */
export const DEFAULT_HEARTBEAT_MS = 5_000;
/** Silence after which the other side counts as gone, in milliseconds; settable. */
export const DEFAULT_TIMEOUT_MS = 15_000;
/** Requests that a follower has under way at once; the leader tolerates twice as many before it closes. */
export const MAX_REQUESTS_IN_FLIGHT = 32;
/** How far back a log reaches unless it is set otherwise: from its newest entry, in milliseconds. */
export const DEFAULT_RETENTION_MS = 30 * 24 * 3_600_000;
/** … and how much it keeps at most, in UTF-16 units of its entries. */
export const DEFAULT_RETENTION_UNITS = 50 * MIB;
export const MAX_PATH_BYTES = 1024;
export const MAX_PATH_SEGMENT_BYTES = 255;
export const MAX_SPLICES = 200_000;
export const MAX_CHANGES = 1_000;
export const MAX_CHANGE_LENGTH = 1_000;
export const MAX_NAME_LENGTH = 200;
/** Documents in one library, tombstones included. */
export const MAX_HEADS = 100_000;
export const MAX_PEERS = 1_000;
export const MAX_HISTORY = 1_000;
/** Documents of one bulk entry. */
export const MAX_BULK_DOCUMENTS = 2_000;
/** What the patches of one bulk insert, in UTF-16 units: with JSON's escapes it still fits a message. */
export const MAX_BULK_UNITS = 16 * MIB;
/** Proposals that the rows of one skeleton page may name besides each entry's own; its first row always fits. */
export const MAX_SKELETON_PROPOSALS = 20_000;
/** Indexes that one question for running hashes may name. */
export const MAX_HASHES = 64;
/** Rows of a log's skeleton in one answer. */
export const MAX_SKELETON_ROWS = 2_000;
/** Hosts that keep one library. */
export const MAX_HOSTS = 64;
export const MAX_ADDRESS_LENGTH = 300;
