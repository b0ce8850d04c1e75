import type { Canon } from './canon.ts';
import { coreText, type Located, locate } from './entryText.ts';
import { followCommonRenames, followRenames } from './followRenames.ts';
import { commonName, identify, type SequenceRule } from './identity.ts';
import { ALIKE, likeness, MAX_COMPARISONS } from './likeness.ts';
import { longestIncreasing } from './lineDiff.ts';
import type { SourceCollection, SourceTree } from './sourceTree.ts';

export interface CollectionRevision {
  readonly tree: SourceTree;
  readonly node: SourceCollection;
}

/** One element in the revisions that have it. */
export interface Triple {
  readonly id: string;
  readonly base: Located | undefined;
  readonly ours: Located | undefined;
  readonly theirs: Located | undefined;
}

export interface Alignment {
  readonly triples: ReadonlyMap<string, Triple>;
  readonly baseIds: readonly string[];
  readonly ourIds: readonly string[];
  readonly theirIds: readonly string[];
}

/**
 * How entries are matched. `names`: by name only. `renames`: a renamed entry is followed. `lines`: as a merge by lines
 * sees it: an entry that one side took out of its place and wrote anew elsewhere is another one.
 */
export type Matching = 'names' | 'renames' | 'lines';

/** Matches the entries of three revisions of one collection: by name, by content, and renamed ones by their body. */
export function alignEntries(
  base: CollectionRevision | undefined,
  ours: CollectionRevision,
  theirs: CollectionRevision,
  rule: SequenceRule | undefined,
  canon: Canon,
  matching: Matching,
): Alignment {
  const revisions = base === undefined ? [ours, theirs] : [base, ours, theirs];
  const usualName = ours.node.kind === 'sequence' && rule === undefined ? commonName(revisions) : undefined;
  const names = (revision: CollectionRevision): (string | undefined)[] =>
    identify(revision.tree, revision.node, rule, canon, usualName);
  const baseIds = base === undefined ? [] : contentIds(base, names(base));
  const ourIds = matchToBase(base, baseIds, ours, names(ours), canon);
  const theirIds = matchToBase(base, baseIds, theirs, names(theirs), canon);
  const ownTheirIds = [...theirIds];
  if (base !== undefined && matching !== 'names') {
    followRenames(base, baseIds, ours, ourIds, theirs, theirIds);
    followRenames(base, baseIds, theirs, theirIds, ours, ourIds);
    followCommonRenames(base, baseIds, ours, ourIds, theirs, theirIds);
    if (matching === 'lines') {
      partMoved(baseIds, ourIds, theirIds);
      partMoved(baseIds, theirIds, ourIds);
    }
  }
  nameByTheirs(theirs, baseIds, ourIds, theirIds, ownTheirIds);
  const triples = new Map<string, Triple>();
  const put = (
    revision: CollectionRevision | undefined,
    ids: readonly string[],
    side: 'base' | 'ours' | 'theirs',
  ): void => {
    if (revision === undefined) return;
    ids.forEach((id, index) => {
      const triple = triples.get(id) ?? { id, base: undefined, ours: undefined, theirs: undefined };
      triples.set(id, { ...triple, [side]: locate(revision.tree, revision.node, index) });
    });
  };
  put(base, baseIds, 'base');
  put(ours, ourIds, 'ours');
  put(theirs, theirIds, 'theirs');
  return { triples, baseIds, ourIds, theirIds };
}

/** Items without a name are called by their content, and by a count where the same content comes again. */
function contentIds(revision: CollectionRevision, names: readonly (string | undefined)[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name, index) => {
    if (name !== undefined) return name;
    const hash = contentHash(revision, index);
    const count = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, count);
    return `~${hash}${count === 1 ? '' : `#${count}`}`;
  });
}

/**
 * Items without a name, and renamed entries, are finally called by what theirs has there, because that is the same when
 * held conflicts are merged again, while the base has theirs' other changes by then.
 */
function nameByTheirs(
  theirs: CollectionRevision,
  baseIds: string[],
  ourIds: string[],
  theirIds: string[],
  ownTheirIds: readonly string[],
): void {
  const names = new Map<string, string>();
  const seen = new Map<string, number>();
  theirIds.forEach((id, index) => {
    if (!id.startsWith('~')) {
      const own = ownTheirIds[index];
      if (own !== undefined && own !== id && !id.endsWith('#moved') && !baseIds.includes(own) && !ourIds.includes(own))
        names.set(id, own);
      return;
    }
    const hash = contentHash(theirs, index);
    const count = (seen.get(hash) ?? 0) + 1;
    seen.set(hash, count);
    names.set(id, `~~${hash}${count === 1 ? '' : `#${count}`}`);
  });
  if (names.size === 0) return;
  for (const ids of [baseIds, ourIds, theirIds]) {
    ids.forEach((id, index) => {
      ids[index] = names.get(id) ?? id;
    });
  }
}

function contentHash(revision: CollectionRevision, index: number): string {
  const located = locate(revision.tree, revision.node, index);
  return located === undefined ? '' : hashText(coreText(located).replace(/\s+/g, ' '));
}

/** FNV-1a, 52 bits of it: names things inside one result, protects nothing. */
export function hashText(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13);
  }
  return (low >>> 0).toString(16).padStart(8, '0') + (high >>> 12).toString(16).padStart(5, '0');
}

function matchToBase(
  base: CollectionRevision | undefined,
  baseIds: readonly string[],
  side: CollectionRevision,
  names: readonly (string | undefined)[],
  canon: Canon,
): string[] {
  const ids: (string | undefined)[] = [...names];
  if (base !== undefined && names.some((name) => name === undefined)) matchByContent(base, baseIds, side, ids, canon);
  const taken = new Set(ids);
  const seen = new Map<string, number>();
  return ids.map((id, index) => {
    if (id !== undefined) return id;
    const hash = contentHash(side, index);
    let name: string;
    do {
      const count = (seen.get(hash) ?? 0) + 1;
      seen.set(hash, count);
      name = `~${hash}${count === 1 ? '' : `#${count}`}`;
    } while (taken.has(name) || baseIds.includes(name));
    taken.add(name);
    return name;
  });
}

function matchByContent(
  base: CollectionRevision,
  baseIds: readonly string[],
  side: CollectionRevision,
  ids: (string | undefined)[],
  canon: Canon,
): void {
  const freeBase = baseIds.map((_, index) => index).filter((index) => !ids.includes(baseIds[index]));
  const freeSide = ids.map((_, index) => index).filter((index) => ids[index] === undefined);
  const positions = new Map<number, number[]>();
  for (const index of freeBase) {
    const number = canonOf(base, index, canon);
    positions.set(number, [...(positions.get(number) ?? []), index]);
  }
  const equalPairs: { readonly side: number; readonly base: number }[] = [];
  for (const index of freeSide) {
    const baseIndex = positions.get(canonOf(side, index, canon))?.shift();
    if (baseIndex !== undefined) equalPairs.push({ side: index, base: baseIndex });
  }
  const inOrder = new Set(longestIncreasing(equalPairs.map((pair) => pair.base)));
  const matchedBase = new Set<number>();
  equalPairs.forEach((pair, position) => {
    // Equal items out of order are matched too: they were moved.
    if (!inOrder.has(position) && matchedBase.has(pair.base)) return;
    ids[pair.side] = baseIds[pair.base];
    matchedBase.add(pair.base);
  });
  const restBase = freeBase.filter((index) => !matchedBase.has(index));
  const restSide = freeSide.filter((index) => ids[index] === undefined);
  if (restBase.length * restSide.length > MAX_COMPARISONS) return;
  const candidates: { readonly side: number; readonly base: number; readonly score: number }[] = [];
  for (const sideIndex of restSide) {
    for (const baseIndex of restBase) {
      const score = likeness(coreAt(base, baseIndex), coreAt(side, sideIndex));
      // An only item against an only item at the same place is the same item, edited, whatever it says now.
      const isOnly =
        restBase.length === 1 && restSide.length === 1 && side.node.entries.length === base.node.entries.length;
      if (score >= ALIKE || isOnly) candidates.push({ side: sideIndex, base: baseIndex, score });
    }
  }
  candidates.sort(
    (a, b) => b.score - a.score || Math.abs(a.side - a.base) - Math.abs(b.side - b.base) || a.base - b.base,
  );
  for (const candidate of candidates) {
    if (ids[candidate.side] !== undefined || matchedBase.has(candidate.base)) continue;
    ids[candidate.side] = baseIds[candidate.base];
    matchedBase.add(candidate.base);
  }
}

function canonOf(revision: CollectionRevision, index: number, canon: Canon): number {
  const entry = revision.node.entries[index];
  return entry === undefined ? -1 : canon.of(revision.tree, entry.value);
}

function coreAt(revision: CollectionRevision, index: number): string {
  const located = locate(revision.tree, revision.node, index);
  return located === undefined ? '' : coreText(located);
}

/** Where one side deleted an entry and the other moved it, the moved one counts as new. */
function partMoved(baseIds: readonly string[], deleterIds: readonly string[], moverIds: string[]): void {
  const kept = new Set(deleterIds);
  const inMover = new Set(moverIds);
  const common = baseIds.filter((id) => inMover.has(id));
  const position = new Map(common.map((id, index) => [id, index]));
  const order = moverIds.map((id) => position.get(id)).filter((index) => index !== undefined);
  const inOrder = new Set(longestIncreasing(order).map((index) => common[order[index] ?? -1]));
  moverIds.forEach((id, index) => {
    if (position.has(id) && !kept.has(id) && !inOrder.has(id)) moverIds[index] = `${id}#moved`;
  });
}
