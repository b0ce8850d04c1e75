import type { DocumentPair } from '../peer/folderSession.ts';

/** Pairs a library's document with a file, or with none. A file belongs to one document only: whoever had it lets go. */
export function pairWith(
  pairs: readonly DocumentPair[],
  libraryPath: string,
  localPath: string | undefined,
): readonly DocumentPair[] {
  return pairs.map((pair) => {
    if (pair.libraryPath === libraryPath) return { ...pair, localPath, matchedBy: undefined };
    if (localPath !== undefined && pair.localPath === localPath)
      return { ...pair, localPath: undefined, matchedBy: undefined };
    return pair;
  });
}
