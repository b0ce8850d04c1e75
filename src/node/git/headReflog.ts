import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BulkOrigin, BulkReason } from '../../core/replication/entry.ts';
import type { GitCheckout } from './gitCheckout.ts';

/** The last lines of a reflog; a longer message than this is cut, and none of git's own is. */
const TAIL_BYTES = 4_096;
/** What git did longer ago than this has not changed the files just now. */
const RECENT_MS = 60_000;

/** How git begins the line of its reflog (`git help reflog`); the first that fits counts. */
const REASONS: readonly (readonly [prefix: string, reason: BulkReason])[] = [
  ['checkout:', 'checkout'],
  ['pull', 'pull'],
  ['rebase', 'rebase'],
  ['merge', 'merge'],
  ['reset:', 'reset'],
];

/**
 * What has rewritten many files just now: git, where its reflogs have a line that is as young, and else a generator. The
 * commit is the one that HEAD is at by then; without a reflog it is not known.
 */
export async function bulkOriginOf(checkout: GitCheckout | undefined, wallNowMs: number): Promise<BulkOrigin> {
  if (checkout === undefined) return { reason: 'generator' };
  const head = parseLine(await lastLine(join(checkout.gitDirectory, 'logs', 'HEAD')));
  const headCommit = head?.commit;
  const isRecent = (at: number): boolean => Math.abs(wallNowMs - at) < RECENT_MS;
  // A stash moves no HEAD, and has a log of its own.
  const stash = parseLine(await lastLine(join(checkout.commonDirectory, 'logs', 'refs', 'stash')));
  const origin = headCommit === undefined ? {} : { headCommit };
  if (head !== undefined && isRecent(head.at)) {
    const reason = REASONS.find(([prefix]) => head.message.startsWith(prefix))?.[1];
    if (reason !== undefined) return { reason, ...origin };
  }
  if (stash !== undefined && isRecent(stash.at)) return { reason: 'stash', ...origin };
  return { reason: 'generator', ...origin };
}

interface ReflogLine {
  readonly commit: string;
  /** Wall clock in milliseconds. */
  readonly at: number;
  readonly message: string;
}

/** `<old> <new> <name> <<email>> <seconds> <zone>\t<message>` */
function parseLine(line: string): ReflogLine | undefined {
  const match = /^[0-9a-f]{40,64} ([0-9a-f]{40}|[0-9a-f]{64}) .*> (\d+) [+-]\d{4}\t(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, commit = '', seconds = '', message = ''] = match;
  return { commit, at: Number(seconds) * 1_000, message };
}

async function lastLine(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').at(-1) ?? '';
    } finally {
      await handle.close();
    }
  } catch {
    // No commit yet, or reflogs are switched off: then nobody knows what git did.
    return '';
  }
}
