import type { DocumentEntry } from './entry.ts';

const PREFIX = 'from commit ';
const OBJECT_NAME = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * What the `create` entry of a document says of its origin: the git commit that was checked out where it came from, so
 * that another clone finds what both have in common ([FST-03]). It is a line among the readable changes and no field of
 * its own, so that every release reads the entry.
 */
export function originChanges(commit: string | undefined): readonly string[] {
  return commit === undefined ? [] : [`${PREFIX}${commit}`];
}

/** The commit that a `create` entry names. It is a stranger's word: git may not have it, or it may be any other one. */
export function originCommit(entry: Pick<DocumentEntry, 'kind' | 'changes'>): string | undefined {
  if (entry.kind !== 'create') return undefined;
  const commit = entry.changes.find((line) => line.startsWith(PREFIX))?.slice(PREFIX.length);
  return commit !== undefined && OBJECT_NAME.test(commit) ? commit : undefined;
}
