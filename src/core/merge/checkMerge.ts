import { type PlainDocument, type PlainNode, samePlain } from '../openapi/plainDocument.ts';
import { missingComments } from './checkComments.ts';
import { wordsAreThreeWay } from './checkWords.ts';
import type { ClaimedElement } from './claims.ts';

/** One reason why a result cannot stand, and the element to hold for it. */
export interface Finding {
  /** Path of ids of the element, as claimed; empty: the whole document. */
  readonly ids: readonly string[];
  readonly message: string;
  /** A comment that is gone, where that is what was found. */
  readonly comment?: string;
}

export interface FourDocuments {
  readonly base: PlainDocument | undefined;
  readonly ours: PlainDocument;
  readonly theirs: PlainDocument;
  readonly merged: PlainDocument;
  /** Then there are no comments to look for. */
  readonly isPlainJson?: boolean;
}

/**
 * Proves that a merge did not lie (I4), from the four texts as the `yaml` and `jsonc-parser` libraries read them and
 * from the claimed matching: every element is claimed once in each text, no match is made up, every leaf has its
 * three-way value, and no comment is gone that neither side removed. Shares no code with the merge. Empty: proven.
 */
export function checkMerge(
  documents: FourDocuments,
  claims: readonly ClaimedElement[],
  takesVersion: boolean,
): Finding[] {
  const check = new MergeCheck(takesVersion);
  const roots: FourNodes = {
    base: documents.base?.root,
    ours: documents.ours.root,
    theirs: documents.theirs.root,
    merged: documents.merged.root,
  };
  check.collection(roots, claims, []);
  const findings = check.findings;
  for (const comment of missingComments(documents, claims)) findings.push(comment);
  return findings;
}

/** One element in the four texts; undefined where a text does not have it. */
type FourNodes = Readonly<Record<'base' | 'ours' | 'theirs' | 'merged', PlainNode | undefined>>;

/** An element of the same key in two revisions is the same; of another key, at least this share of its leaves must be. */
const MIN_LIKENESS = 0.4;

class MergeCheck {
  readonly findings: Finding[] = [];
  readonly #takesVersion: boolean;

  constructor(takesVersion: boolean) {
    this.#takesVersion = takesVersion;
  }

  collection(nodes: FourNodes, claims: readonly ClaimedElement[], ids: readonly string[]): void {
    const { base, ours, theirs, merged } = nodes;
    if (!this.#isOneToOne(base, claims, 'base') || !this.#isOneToOne(ours, claims, 'ours'))
      this.#find(ids, 'elements are not matched one to one');
    else if (!this.#isOneToOne(theirs, claims, 'theirs') || !this.#isOneToOne(merged, claims, 'merged'))
      this.#find(ids, 'the result has other elements than it should');
    else
      for (const claim of claims)
        this.#element(claim, {
          base: child(base, claim.base),
          ours: child(ours, claim.ours),
          theirs: child(theirs, claim.theirs),
          merged: child(merged, claim.merged),
        });
  }

  #isOneToOne(
    node: PlainNode | undefined,
    claims: readonly ClaimedElement[],
    side: 'base' | 'ours' | 'theirs' | 'merged',
  ): boolean {
    const claimed = claims.map((claim) => claim[side]).filter((segment) => segment !== undefined);
    const size =
      node === undefined
        ? 0
        : node.kind === 'map'
          ? node.entries.size
          : node.kind === 'sequence'
            ? node.items.length
            : 0;
    // A repeated merge key is listed under names of its own; there the number has to do.
    const distinct = new Set(claimed.map((segment, index) => (segment === '<<' ? `<<${index}` : segment)));
    return claimed.length === size && distinct.size === size;
  }

  #element(claim: ClaimedElement, nodes: FourNodes): void {
    const { base, ours, theirs } = nodes;
    if (claim.isHeld || claim.base === '<<' || claim.ours === '<<' || claim.theirs === '<<') return;
    if (
      !this.#isJustified(base, claim.base, ours, claim.ours) ||
      !this.#isJustified(base, claim.base, theirs, claim.theirs)
    ) {
      this.#find(claim.ids, 'two elements were taken for one that have too little in common');
      return;
    }
    const isIn = {
      ours: claim.ours !== undefined,
      theirs: claim.theirs !== undefined,
      merged: claim.merged !== undefined,
    };
    if (!isIn.ours || !isIn.theirs) {
      this.#oneSided(claim, nodes);
      return;
    }
    if (!isIn.merged) this.#find(claim.ids, 'an element is gone that both sides have');
    else if (claim.children !== undefined && this.#ownPropertiesAreThreeWay(nodes))
      this.collection(nodes, claim.children, claim.ids);
    else this.#value(claim, nodes);
  }

  #oneSided(claim: ClaimedElement, nodes: FourNodes): void {
    const { base, ours, theirs, merged } = nodes;
    const only = claim.ours !== undefined ? ours : theirs;
    const isAdded = claim.base === undefined;
    if (claim.ours === undefined && claim.theirs === undefined) {
      if (claim.merged !== undefined) this.#find(claim.ids, 'an element came back that both sides removed');
    } else if (isAdded) {
      if (claim.merged === undefined || !samePlain(only, merged))
        this.#find(claim.ids, 'what one side added is not there as it was added');
    } else if (claim.merged !== undefined) this.#find(claim.ids, 'what one side removed is still there');
    else if (!samePlain(base, only)) this.#find(claim.ids, 'what one side changed was removed by the other');
  }

  #value(claim: ClaimedElement, nodes: FourNodes): void {
    const { base, ours, theirs, merged } = nodes;
    const expected =
      samePlain(ours, theirs) || samePlain(base, theirs) ? ours : samePlain(base, ours) ? theirs : undefined;
    if (expected !== undefined) {
      if (!samePlain(expected, merged)) this.#find(claim.ids, 'a value is not what the side that changed it wrote');
      return;
    }
    const isVersion = claim.ids.length === 2 && claim.ids[0] === 'info' && claim.ids[1] === 'version';
    if (isVersion && this.#takesVersion && (samePlain(ours, merged) || samePlain(theirs, merged))) return;
    const texts = [base, ours, theirs, merged].map((node) =>
      node?.kind === 'scalar' && node.isString ? node.text : undefined,
    );
    const [b, o, t, m] = texts;
    if (b === undefined || o === undefined || t === undefined || m === undefined || !wordsAreThreeWay(b, o, t, m)) {
      this.#find(claim.ids, 'both sides changed a value, and the result is neither of them nor both');
    }
  }

  /** Anchor and tag of a collection are a value of their own. */
  #ownPropertiesAreThreeWay({ base, ours, theirs, merged }: FourNodes): boolean {
    const of = (node: PlainNode | undefined): string => `${node?.kind} ${node?.anchor ?? ''} ${node?.tag ?? ''}`;
    const [b, o, t, m] = [base === undefined ? of(ours) : of(base), of(ours), of(theirs), of(merged)];
    const isChangedByBoth = o !== b && t !== b && o !== t;
    return !isChangedByBoth && m === (o === b ? t : o);
  }

  /** Names justify a match of map entries; without them, and in sequences, likeness has to. */
  #isJustified(
    base: PlainNode | undefined,
    baseSegment: string | number | undefined,
    side: PlainNode | undefined,
    segment: string | number | undefined,
  ): boolean {
    if (base === undefined || side === undefined || baseSegment === segment) return true;
    if (samePlain(base, side)) return true;
    // Items that go by a name may change in all the rest.
    if (typeof segment === 'number' && (sharesName(base, side) || base.kind !== side.kind))
      return base.kind === side.kind;
    return this.#likeness(base, side) >= MIN_LIKENESS;
  }

  #likeness(a: PlainNode, b: PlainNode): number {
    const leavesA = leaves(a);
    const leavesB = leaves(b);
    const counts = new Map<string, number>();
    for (const leaf of leavesA) counts.set(leaf, (counts.get(leaf) ?? 0) + 1);
    let common = 0;
    for (const leaf of leavesB) {
      const count = counts.get(leaf) ?? 0;
      if (count > 0) {
        common++;
        counts.set(leaf, count - 1);
      }
    }
    return leavesA.length + leavesB.length === 0 ? 1 : (2 * common) / (leavesA.length + leavesB.length);
  }

  #find(ids: readonly string[], message: string): void {
    this.findings.push({ ids, message });
  }
}

function child(node: PlainNode | undefined, segment: string | number | undefined): PlainNode | undefined {
  if (node === undefined || segment === undefined) return undefined;
  if (node.kind === 'map') return node.entries.get(String(segment));
  return node.kind === 'sequence' && typeof segment === 'number' ? node.items[segment] : undefined;
}

const NAMES = ['$ref', 'name', 'url', 'title', 'id', 'code', 'key'];

function sharesName(a: PlainNode, b: PlainNode): boolean {
  return NAMES.some((name) => {
    const own = child(a, name);
    const other = child(b, name);
    return own?.kind === 'scalar' && other?.kind === 'scalar' && own.text === other.text;
  });
}

function leaves(node: PlainNode): string[] {
  const found: string[] = [];
  const visit = (current: PlainNode, key: string): void => {
    if (current.kind === 'map') for (const [name, value] of current.entries) visit(value, name);
    else if (current.kind === 'sequence') for (const item of current.items) visit(item, key);
    else found.push(`${key}=${current.kind === 'scalar' ? current.text : current.name}`);
  };
  visit(node, '');
  return found;
}
