import type { DocumentPair } from './folderSession.ts';

/** How a document is known, here or in a library. */
export interface DocumentHint {
  readonly path: string;
  readonly title?: string | undefined;
  readonly operations?: readonly string[] | undefined;
}

/** Less of the operations in common is no sign of being the same API. */
const MIN_SHARED_OPERATIONS = 0.5;

/**
 * Suggests which local file is which document of a library: by equal path, then by title, then by most operations in
 * common (DESIGN §5). Each local file is suggested once; a title that several carry says nothing.
 */
export function suggestPairs(
  library: readonly DocumentHint[],
  local: readonly DocumentHint[],
): readonly DocumentPair[] {
  const distinct = [...new Map(library.map((hint) => [hint.path, hint])).values()];
  const free = new Map(local.map((hint) => [hint.path, hint]));
  const found = new Map<string, Pick<DocumentPair, 'localPath' | 'matchedBy'>>();
  const take = (hint: DocumentHint, match: DocumentHint | undefined, matchedBy: DocumentPair['matchedBy']): void => {
    if (match === undefined || found.has(hint.path)) return;
    free.delete(match.path);
    found.set(hint.path, { localPath: match.path, matchedBy });
  };
  for (const hint of distinct) take(hint, free.get(hint.path), 'path');
  for (const hint of distinct)
    take(
      hint,
      onlyOne([...free.values()].filter((one) => one.title !== undefined && one.title === hint.title)),
      'title',
    );
  for (const hint of distinct) take(hint, mostShared(hint, [...free.values()]), 'operations');
  return distinct.map((hint) => ({
    libraryPath: hint.path,
    title: hint.title,
    localPath: found.get(hint.path)?.localPath,
    matchedBy: found.get(hint.path)?.matchedBy,
  }));
}

/** Whether all documents of the library lie here where they lie there. */
export function isSameLayout(pairs: readonly DocumentPair[]): boolean {
  return pairs.every((pair) => pair.localPath === pair.libraryPath);
}

function onlyOne<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function mostShared(hint: DocumentHint, local: readonly DocumentHint[]): DocumentHint | undefined {
  const wanted = new Set(hint.operations ?? []);
  if (wanted.size === 0) return undefined;
  let best: DocumentHint | undefined;
  let bestShare = MIN_SHARED_OPERATIONS;
  for (const one of local) {
    const shared = (one.operations ?? []).filter((operation) => wanted.has(operation)).length;
    const share = shared / Math.max(wanted.size, one.operations?.length ?? 0);
    if (share > bestShare || (share === bestShare && best === undefined && shared > 0)) {
      best = one;
      bestShare = share;
    }
  }
  return best;
}
