import type { DocId, LogIndex, ProposalId } from '../ids.ts';
import type { HashText } from '../ports.ts';
import { documentEntries } from './bulkEntry.ts';
import type { Author, DocumentEntry, Proposal, ProposeResult } from './entry.ts';
import type { EntrySource } from './entryPump.ts';
import { MAX_HASHES, MAX_SKELETON_ROWS } from './limits.ts';
import { LOG_START, nextIndex } from './replicatedLog.ts';
import type { DocumentSnapshot, LogPosition, SkeletonRow } from './replicatedLog.ts';
import { SyncError } from './syncError.ts';
import type { TransactionManager } from './transactionManager.ts';

/** Orphans that are looked at together. */
const ORPHANS_PER_PAGE = 100;

/**
 * The newest index up to which both logs hold the same entries: the running hashes are equal there and differ after it
 * ([REC-07]). Undefined where the connection ended before it was found.
 */
export async function findShared(log: TransactionManager, source: EntrySource): Promise<LogIndex | undefined> {
  let low = LOG_START;
  let high = nextIndex(log.position.index);
  while (high - low > 1) {
    const probes = spread(low, high);
    const theirs = await source.fetchHashes(probes);
    if (theirs === undefined) return undefined;
    let differs = high;
    for (const [at, index] of probes.entries()) {
      const own = await log.runningHashAt(index);
      if (own !== undefined && own === theirs[at]) {
        low = index;
        continue;
      }
      differs = index;
      break;
    }
    high = differs;
  }
  return low;
}

/**
 * Brings this host's log to where it agrees with the leader's, so that the leader's entries can follow: back to the last
 * shared entry, or, where entries cannot lead on from there, to the state that the leader's log is in. What only this log
 * has is set aside in the same transaction. False where the connection ended before.
 */
export async function reconcileLog(
  log: TransactionManager,
  source: EntrySource,
  options: { readonly canRewind: boolean; readonly hashText: HashText },
): Promise<boolean> {
  const shared = await findShared(log, source);
  if (shared === undefined) return false;
  const { index } = log.position;
  if (shared === index && options.canRewind) return true;
  if (shared < index && options.canRewind && (await tryRewind(log, shared))) return true;
  return await takeState(log, source, shared, options.hashText);
}

async function tryRewind(log: TransactionManager, to: LogIndex): Promise<boolean> {
  try {
    await log.rewind(to);
    return true;
  } catch (error) {
    if (error instanceof SyncError && error.code === 'log-compacted') return false;
    throw error;
  }
}

/** Takes over what is left of a log whose entries are gone: heads, their texts, and which proposals it has decided. */
async function takeState(
  log: TransactionManager,
  source: EntrySource,
  shared: LogIndex,
  hashText: HashText,
): Promise<boolean> {
  const answer = await source.fetchHeads();
  if (answer === undefined) return false;
  const rows = await fetchSkeleton(source, shared, answer.position);
  if (rows === undefined) return false;
  const texts: DocumentSnapshot[] = [];
  for (const { docId, hash } of answer.heads) {
    if (hash === undefined) continue;
    const text = (await log.revisionText(docId, hash)) ?? (await source.fetchRevision(docId, hash));
    if (text === undefined) return false;
    // One that the leader has lost, too, keeps only its own document waiting ([REP-17]).
    if (text !== null && hashText(text) === hash) texts.push({ docId, hash, text });
  }
  await log.replace({ shared, rows, heads: answer.heads, texts });
  return true;
}

async function fetchSkeleton(
  source: EntrySource,
  shared: LogIndex,
  end: LogPosition,
): Promise<readonly SkeletonRow[] | undefined> {
  const rows: SkeletonRow[] = [];
  let since = shared;
  while (since < end.index) {
    const page = await source.fetchSkeleton(since, Math.min(MAX_SKELETON_ROWS, end.index - since));
    const continues = page?.every(({ index }, at) => index === since + at + 1) ?? false;
    const last = page?.at(-1);
    if (page === undefined || last === undefined || !continues) return undefined;
    rows.push(...page);
    since = last.index;
  }
  const reached = rows.at(-1);
  return reached === undefined || reached.runningHash === end.runningHash ? rows : undefined;
}

/** At most `MAX_HASHES` indexes between the two, in order and evenly spread. */
function spread(low: LogIndex, high: LogIndex): LogIndex[] {
  const between = high - low - 1;
  const count = Math.min(MAX_HASHES, between);
  return Array.from({ length: count }, (_, at) => (low + Math.ceil(((at + 1) * between) / count)) as LogIndex);
}

/** Sends a proposal to whoever leads now, once; undefined where nobody has decided. */
export type ProposeOnce = (proposal: Proposal, author: Author) => Promise<ProposeResult | undefined>;

/**
 * Proposes again what was set aside, in order and in the name of who made it ([REC-08]). Where the leader's log has
 * touched the document since the logs parted, it is left to the replicas, whose files hold it and who can merge. False
 * where somebody has to try again later.
 */
export async function proposeOrphans(log: TransactionManager, propose: ProposeOnce): Promise<boolean> {
  /** Documents whose newest entry is one of ours, proposed here; and those that are left to the replicas. */
  const continued = new Set<DocId>();
  const contested = new Set<DocId>();
  let parted: LogIndex | undefined;
  for (;;) {
    const orphans = await log.orphans(ORPHANS_PER_PAGE);
    if (orphans.length === 0) return true;
    // Indexes of several partings may stand beside each other; the earliest is the one that is safe for all.
    parted = orphans.reduce((least, { index }) => Math.min(least, index), parted ?? Infinity) as LogIndex;
    const dealtWith: ProposalId[] = [];
    for (const orphan of orphans) {
      let isDecided = true;
      for (const change of documentEntries(orphan)) {
        const outcome = await proposeOrphan(log, propose, change, (docId, headIndex) =>
          contested.has(docId) ? false : continued.has(docId) || headIndex < (parted ?? 0),
        );
        isDecided = outcome !== undefined;
        if (!isDecided) break;
        (outcome === 'committed' ? continued : contested).add(change.docId);
      }
      if (!isDecided) break;
      dealtWith.push(orphan.proposalId);
    }
    await log.forgetOrphans(dealtWith);
    if (dealtWith.length < orphans.length) return false;
  }
}

async function proposeOrphan(
  log: TransactionManager,
  propose: ProposeOnce,
  orphan: DocumentEntry,
  isUntouched: (docId: DocId, headIndex: LogIndex) => boolean,
): Promise<'committed' | 'contested' | undefined> {
  const { kind, author, docId } = orphan;
  if (kind === 'leader') return 'contested';
  if (await log.knows(orphan.proposalId)) return 'committed';
  if (!isUntouched(docId, log.headIndex(docId))) return 'contested';
  const result = await propose(toProposal(orphan, kind), author);
  if (result === undefined) return undefined;
  return result.kind === 'committed' ? 'committed' : 'contested';
}

function toProposal(entry: DocumentEntry, kind: Proposal['kind']): Proposal {
  const { proposalId, docId, baseHash, hash, patch, path, basePath, changes } = entry;
  return {
    proposalId,
    docId,
    kind,
    baseHash,
    hash,
    patch,
    ...(path === undefined ? {} : { path }),
    ...(basePath === undefined ? {} : { basePath }),
    changes,
  };
}
