import type { LogIndex, RevisionHash } from '../../core/ids.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import type { DocumentRecord } from './documentRecord.ts';
import type { RevisionHistory } from './revisionHistory.ts';

/** A text that two sides have both gone through. */
export interface CommonBase {
  readonly text: string;
  readonly hash: RevisionHash;
  /** The entry that made it a revision of the library; undefined where it never was one. */
  readonly index: LogIndex | undefined;
}

/**
 * What a file has in common with the library's revision at `upTo`, by git's history and not by a shadow: the newest
 * revision up to there that the file is or was in HEAD's history ([FST-02]), else the file where HEAD's history and the
 * one that the document came from part ([FST-03]). Undefined where there is neither.
 * @param text what the file is, or was when git wrote it.
 */
export async function commonBase(
  record: DocumentRecord,
  file: string,
  text: string,
  history: RevisionHistory,
  link: LibraryLink,
  upTo: number,
): Promise<CommonBase | undefined> {
  const { committed, ambient } = record.ctx;
  let newest: (CommonBase & { readonly index: LogIndex }) | undefined;
  const look = async (version: string): Promise<void> => {
    const hash = ambient.hashText(version);
    const index = await history.indexOf(hash, link, upTo);
    if (index !== undefined && index > (newest?.index ?? 0)) newest = { text: version, hash, index };
  };
  await look(text);
  for await (const version of committed?.versions(file) ?? []) {
    if (newest?.index === upTo) break;
    await look(version);
  }
  if (newest !== undefined) return newest;
  const commit = await history.originCommit(link);
  const origin = commit === undefined ? undefined : await committed?.textAtMergeBase(file, commit);
  return origin === undefined ? undefined : { text: origin, hash: ambient.hashText(origin), index: undefined };
}
