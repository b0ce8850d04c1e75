import type { CollectionRevision } from './align.ts';
import { coreText, type Located, locate, sameCore } from './entryText.ts';
import { ALIKE, bodyText, likeness, MAX_COMPARISONS } from './likeness.ts';

/** How alike a body must be to its base to be followed under another name, and by how much the second best must be worse. */
const RENAME_LIKENESS = 0.7;
const RENAME_MARGIN = 0.05;
/** Bodies of fewer lines say too little to be recognised by. */
const RENAME_MIN_LINES = 3;

/**
 * Where one side edited an element that the other side does not have, the other side may have renamed it: then one of
 * its new entries has the same body. The renamed entry gets the base's id.
 */
export function followRenames(
  base: CollectionRevision,
  baseIds: readonly string[],
  editor: CollectionRevision,
  editorIds: readonly string[],
  renamer: CollectionRevision,
  renamerIds: string[],
): void {
  const known = new Set([...baseIds, ...editorIds]);
  const kept = new Set(renamerIds);
  const fresh = renamerIds.map((_, index) => index).filter((index) => !known.has(renamerIds[index] ?? ''));
  if (fresh.length === 0) return;
  const editorIndex = new Map(editorIds.map((id, index) => [id, index]));
  const wanted: { readonly id: string; readonly located: Located }[] = [];
  baseIds.forEach((id, index) => {
    const edited = editorIndex.get(id);
    if (edited === undefined) return;
    const located = locate(base.tree, base.node, index);
    const editedLocated = locate(editor.tree, editor.node, edited);
    if (located === undefined || editedLocated === undefined || sameCore(located, editedLocated)) return;
    if (kept.has(id) && !isReplaced(located, renamer, renamerIds.indexOf(id))) return;
    wanted.push({ id, located });
  });
  if (wanted.length * fresh.length > MAX_COMPARISONS * 4) return;
  const found: { readonly id: string; readonly index: number }[] = [];
  for (const { id, located } of wanted) {
    const index = inSameGap(baseIds, id, renamerIds, fresh, base, renamer, located) ?? likest(located, fresh, renamer);
    if (index !== undefined) found.push({ id, index });
  }
  const claims = new Map<number, number>();
  for (const { index } of found) claims.set(index, (claims.get(index) ?? 0) + 1);
  for (const { id, index } of found) {
    if (claims.get(index) !== 1) continue;
    const namesake = renamerIds.indexOf(id);
    if (namesake >= 0) renamerIds[namesake] = `${id}#replaced`;
    renamerIds[index] = id;
  }
}

/** Below this likeness an entry of the same name is suspected to be another thing that took over the name. */
const NAMESAKE_LIKENESS = 0.5;

function isReplaced(located: Located, renamer: CollectionRevision, index: number): boolean {
  const namesake = locate(renamer.tree, renamer.node, index);
  if (namesake === undefined || namesake.entry.value.kind === 'scalar' || located.entry.value.kind === 'scalar')
    return false;
  return likeness(bodyText(located), bodyText(namesake)) < NAMESAKE_LIKENESS;
}

/** The new entry whose body is most like the one sought, if it is like enough and no other comes near. */
function likest(sought: Located, fresh: readonly number[], renamer: CollectionRevision): number | undefined {
  const body = bodyText(sought);
  if (body.split('\n').length < RENAME_MIN_LINES) return undefined;
  const scored = fresh
    .map((index) => {
      const candidate = locate(renamer.tree, renamer.node, index);
      const canBe = isOfKind(candidate, sought) && hasOperationOf(body, bodyText(candidate));
      return { index, score: canBe ? likeness(body, bodyText(candidate)) : 0 };
    })
    .sort((a, b) => b.score - a.score);
  const [best, second] = scored;
  if (best === undefined || best.score < RENAME_LIKENESS) return undefined;
  return second !== undefined && second.score > best.score - RENAME_MARGIN ? undefined : best.index;
}

/** The new entry that stands alone where the one sought stood, between the same neighbours, with the very same body. */
function inSameGap(
  baseIds: readonly string[],
  id: string,
  renamerIds: readonly string[],
  fresh: readonly number[],
  base: CollectionRevision,
  renamer: CollectionRevision,
  sought: Located,
): number | undefined {
  const at = baseIds.indexOf(id);
  const match = fresh.filter(
    (index) => renamerIds[index - 1] === baseIds[at - 1] && renamerIds[index + 1] === baseIds[at + 1],
  );
  const [index] = match;
  if (match.length !== 1 || index === undefined) return undefined;
  const candidate = locate(renamer.tree, renamer.node, index);
  return isOfKind(candidate, sought) &&
    base.node.kind === 'map' &&
    likeness(bodyText(sought), bodyText(candidate)) === 1
    ? index
    : undefined;
}

/**
 * Whether one of the operations in the one body is in the other too, going by the `operationId`, which names an operation
 * whatever its path is (OpenAPI, Operation Object). Where one of them names none, nothing speaks against it.
 */
function hasOperationOf(body: string, candidate: string): boolean {
  const named = operationIds(body);
  const others = operationIds(candidate);
  return named.size === 0 || others.size === 0 || [...named].some((id) => others.has(id));
}

function operationIds(body: string): Set<string> {
  return new Set(
    Array.from(body.matchAll(/(?:^|[\s{,"'])operationId["']?:\s*["']?([^"'\s,}]+)/g), ([, id = '']) => id),
  );
}

/** A mapping is never a sequence under another name, however many lines they share. */
function isOfKind(candidate: Located | undefined, sought: Located): candidate is Located {
  return candidate?.entry.value.kind === sought.entry.value.kind;
}

/** What both sides renamed to the same name is one entry, if on both sides it is like the one that both lost. */
export function followCommonRenames(
  base: CollectionRevision,
  baseIds: readonly string[],
  ours: CollectionRevision,
  ourIds: string[],
  theirs: CollectionRevision,
  theirIds: string[],
): void {
  const kept = new Set([...ourIds, ...theirIds]);
  const lost = baseIds.map((_, index) => index).filter((index) => !kept.has(baseIds[index] ?? ''));
  const inBase = new Set(baseIds);
  const inTheirs = new Map(theirIds.map((id, index) => [id, index]));
  const fresh = ourIds
    .map((_, index) => index)
    .filter((index) => !inBase.has(ourIds[index] ?? '') && inTheirs.has(ourIds[index] ?? ''));
  if (lost.length * fresh.length === 0 || lost.length * fresh.length > MAX_COMPARISONS) return;
  const taken = new Set<number>();
  for (const baseIndex of lost) {
    const sought = locate(base.tree, base.node, baseIndex);
    if (sought === undefined || bodyText(sought).split('\n').length < RENAME_MIN_LINES) continue;
    const scored = fresh
      .filter((index) => !taken.has(index))
      .map((index) => {
        const ourEntry = locate(ours.tree, ours.node, index);
        const theirEntry = locate(theirs.tree, theirs.node, inTheirs.get(ourIds[index] ?? '') ?? -1);
        // What both have alike is agreed on, whatever it was once: there is nothing to merge, and much to be mistaken about.
        if (ourEntry === undefined || theirEntry === undefined || sameCore(ourEntry, theirEntry))
          return { index, score: 0 };
        return {
          index,
          score: Math.min(
            likeness(coreText(sought), coreText(ourEntry)),
            likeness(coreText(sought), coreText(theirEntry)),
          ),
        };
      })
      .sort((a, b) => b.score - a.score);
    const [best, second] = scored;
    if (best === undefined || best.score < ALIKE || (second !== undefined && second.score > best.score - RENAME_MARGIN))
      continue;
    taken.add(best.index);
    const theirIndex = inTheirs.get(ourIds[best.index] ?? '');
    const id = baseIds[baseIndex] ?? '';
    ourIds[best.index] = id;
    if (theirIndex !== undefined) theirIds[theirIndex] = id;
  }
}
