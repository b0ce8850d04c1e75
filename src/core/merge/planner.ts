import { alignEntries, type CollectionRevision, type Matching, type Triple } from './align.ts';
import { uniteTexts } from './bothSides.ts';
import type { Canon } from './canon.ts';
import {
  columnOf,
  headText,
  leadText,
  type Located,
  type PlacedText,
  sameCore,
  samePlaced,
  sharesLine,
  shiftLines,
  tailText,
  valueText,
} from './entryText.ts';
import { sequenceRule } from './identity.ts';
import { mergeOrder } from './order.ts';
import {
  type CollectionPlan,
  type ConflictPlan,
  type CorePlan,
  type ElementPath,
  type EntryPlan,
  hasConflicts,
  type PartsPlan,
  type ValuePlan,
} from './plan.ts';
import { mergeProse, uniteProse } from './proseMerge.ts';
import { mergeScalars } from './scalarMerge.ts';
import type { SourceNode } from './sourceTree.ts';
import type { ConflictKind, MergeOptions } from './types.ts';

/** An element that must be a conflict because a check found its merge wrong. */
export interface Held {
  /** Undefined: the kind follows from which sides have the element. */
  readonly kind: ConflictKind | undefined;
  readonly explanation: string | undefined;
}

export function heldKey(ids: readonly string[]): string {
  return JSON.stringify(ids);
}

export const ROOT_PATH: ElementPath = { ids: [], base: [], ours: [], theirs: [], key: undefined };

/** Decides for every element that both sides touched what the merge makes of it. */
export class Planner {
  readonly #canon: Canon;
  readonly #options: MergeOptions;
  /** Elements, by their path of ids, that must be held whatever they look like: the check of a first result found them wrong. */
  readonly #held: ReadonlyMap<string, Held>;
  readonly #matching: Matching;

  constructor(canon: Canon, options: MergeOptions, held: ReadonlyMap<string, Held>, matching: Matching) {
    this.#canon = canon;
    this.#options = options;
    this.#held = held;
    this.#matching = matching;
  }

  /** Undefined where both sides moved the entries of a sequence in different ways, unless any order will do. */
  planCollection(
    base: CollectionRevision | undefined,
    ours: CollectionRevision,
    theirs: CollectionRevision,
    path: ElementPath,
    anyOrder = false,
  ): CollectionPlan | undefined {
    const rule = ours.node.kind === 'sequence' ? sequenceRule(path.key) : undefined;
    const alignment = alignEntries(base, ours, theirs, rule, this.#canon, this.#matching);
    const plans = new Map<string, EntryPlan>();
    for (const triple of alignment.triples.values()) {
      plans.set(triple.id, this.#planEntry(triple, path));
    }
    const orderMatters = !anyOrder && ours.node.kind === 'sequence' && rule?.isSet !== true;
    const order = mergeOrder(
      alignment.baseIds,
      alignment.ourIds,
      alignment.theirIds,
      new Set(plans.keys()),
      orderMatters,
    );
    if (order === undefined) return undefined;
    const entries: EntryPlan[] = [];
    for (const id of order) {
      const plan = plans.get(id);
      if (plan !== undefined) entries.push(plan);
      plans.delete(id);
    }
    // What neither side has any more has no place, but the base had it.
    entries.push(...plans.values());
    const frame = ours.node.style === 'flow' && theirs.node.style === 'block' ? 'theirs' : 'ours';
    return { base, ours, theirs, frame, entries };
  }

  #planEntry(triple: Triple, parent: ElementPath): EntryPlan {
    const path = childPath(parent, triple);
    const { base, ours, theirs } = triple;
    const held = this.#held.size === 0 ? undefined : this.#held.get(heldKey(path.ids));
    if (held !== undefined)
      return this.#conflict(triple, path, held.kind ?? kindOf(triple), undefined, held.explanation);
    if (ours !== undefined && theirs !== undefined) return this.#planPresent(triple, ours, theirs, path);
    const only = ours ?? theirs;
    if (only === undefined) return { triple, path, lead: { text: '', column: 0 }, core: { kind: 'gone' } };
    if (base === undefined) return { triple, path, lead: placedLead(only), core: { kind: 'take', from: only } };
    if (this.#sameElement(base, only)) return { triple, path, lead: addedLead(base, only), core: { kind: 'gone' } };
    return this.#conflict(triple, path, 'edit-delete');
  }

  #planPresent(triple: Triple, ours: Located, theirs: Located, path: ElementPath): EntryPlan {
    const { base } = triple;
    const lead = mergeLeads(base, ours, theirs);
    const take = (from: Located): EntryPlan => ({ triple, path, lead, core: { kind: 'take', from } });
    if (sameCore(ours, theirs)) return take(ours);
    if (base !== undefined && sameCore(base, ours)) return take(theirs);
    if (base !== undefined && sameCore(base, theirs)) return take(ours);
    const core = this.#planParts(base, ours, theirs, path, false);
    if (core !== undefined) return { triple, path, lead, core };
    const reordered = this.#planBoth(base, ours, theirs, path);
    if (reordered !== undefined) return { triple, path, lead, core: conflictCore('move-move', reordered) };
    // A list in the place of something else: both lists in one, as if there had been nothing.
    const united = base === undefined ? undefined : this.#planBoth(undefined, ours, theirs, path);
    if (united !== undefined) return { triple, path, lead, core: conflictCore('edit-edit', united) };
    return this.#conflict(triple, path, base === undefined ? 'add-add' : 'edit-edit', lead);
  }

  /** A sequence with the items of both sides, in theirs' order where both moved them; undefined where more than the order clashes. */
  #planBoth(base: Located | undefined, ours: Located, theirs: Located, path: ElementPath): PartsPlan | undefined {
    if (ours.entry.value.kind !== 'sequence') return undefined;
    const both = this.#planParts(base, ours, theirs, path, true);
    return both?.value.kind === 'collection' && !hasConflicts(both.value.collection) ? both : undefined;
  }

  #planParts(
    base: Located | undefined,
    ours: Located,
    theirs: Located,
    path: ElementPath,
    anyOrder: boolean,
  ): PartsPlan | undefined {
    const value = this.#planValue(base, ours, theirs, path, anyOrder);
    if (value === undefined) return undefined;
    const frame = value.kind === 'collection' && value.collection.frame === 'theirs' ? theirs : ours;
    const head = mergeHeads(base, ours, theirs, frame);
    if (head === undefined) return undefined;
    const tail = mergeTrivia(base && placedTail(base), placedTail(ours), placedTail(theirs), frame);
    return { kind: 'parts', frame, head, value, tail };
  }

  #planValue(
    base: Located | undefined,
    ours: Located,
    theirs: Located,
    path: ElementPath,
    anyOrder: boolean,
  ): ValuePlan | undefined {
    const b = base?.entry.value;
    const o = ours.entry.value;
    const t = theirs.entry.value;
    if (o.kind !== 'scalar' && t.kind === o.kind && (b === undefined || b.kind === o.kind || isEmptyScalar(b))) {
      const baseRevision = base !== undefined && b !== undefined && b.kind === o.kind ? revisionOf(base, b) : undefined;
      const ourRevision = revisionOf(ours, o);
      const theirRevision = revisionOf(theirs, t);
      if (ourRevision !== undefined && theirRevision !== undefined) {
        const collection = this.planCollection(baseRevision, ourRevision, theirRevision, path, anyOrder);
        return collection === undefined ? undefined : { kind: 'collection', collection };
      }
    }
    const same = (a: Located, c: Located): boolean =>
      this.#canon.of(a.tree, a.entry.value) === this.#canon.of(c.tree, c.entry.value);
    const take = (from: Located): ValuePlan => ({
      kind: 'text',
      placed: { text: valueText(from), column: columnOf(from) },
    });
    const isText = [b, o, t].every((node) => node === undefined || node.kind === 'scalar');
    if (!isText) return undefined;
    if (same(ours, theirs)) return take(base !== undefined && valueText(ours) === valueText(base) ? theirs : ours);
    if (base !== undefined && same(base, ours)) return take(theirs);
    if (base !== undefined && same(base, theirs)) return take(ours);
    const merged = mergeScalars(base, ours, theirs, path, this.#options);
    return merged === undefined ? undefined : { kind: 'text', placed: merged };
  }

  #sameElement(a: Located, b: Located): boolean {
    return (
      sameCore(a, b) ||
      (a.entry.key === b.entry.key && this.#canon.of(a.tree, a.entry.value) === this.#canon.of(b.tree, b.entry.value))
    );
  }

  #conflict(triple: Triple, path: ElementPath, kind: ConflictKind, lead?: PlacedText, explanation?: string): EntryPlan {
    const { base, ours, theirs } = triple;
    const merged =
      ours !== undefined && theirs !== undefined
        ? mergeLeads(base, ours, theirs)
        : placedLeadOf(ours ?? theirs ?? base);
    const anyLead = lead ?? merged;
    const both = ours === undefined || theirs === undefined ? undefined : uniteTexts(base, ours, theirs);
    const conflict: ConflictPlan = { kind, both, ...(explanation === undefined ? {} : { explanation }) };
    return { triple, path, lead: anyLead, core: { kind: 'conflict', conflict } };
  }
}

function conflictCore(kind: ConflictKind, both: PartsPlan): CorePlan {
  return { kind: 'conflict', conflict: { kind, both } };
}

function kindOf({ base, ours, theirs }: Triple): ConflictKind {
  if (base === undefined) return 'add-add';
  return ours === undefined || theirs === undefined ? 'edit-delete' : 'edit-edit';
}

function childPath(parent: ElementPath, { id, base, ours, theirs }: Triple): ElementPath {
  const segment = (located: Located | undefined): string | number => located?.entry.key ?? located?.index ?? id;
  const key = (ours ?? theirs ?? base)?.entry.key;
  return {
    ids: [...parent.ids, id],
    base: [...parent.base, segment(base)],
    ours: [...parent.ours, segment(ours)],
    theirs: [...parent.theirs, segment(theirs)],
    key: key ?? parent.key,
  };
}

function revisionOf(located: Located, node: SourceNode): CollectionRevision | undefined {
  return node.kind === 'scalar' ? undefined : { tree: located.tree, node };
}

function isEmptyScalar(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.style === 'empty';
}

function placedLead(located: Located): PlacedText {
  return { text: leadText(located), column: columnOf(located) };
}

function placedLeadOf(located: Located | undefined): PlacedText {
  return located === undefined ? { text: '', column: 0 } : placedLead(located);
}

function placedTail(located: Located): PlacedText {
  return { text: tailText(located), column: columnOf(located) };
}

/** Of an element that one side deleted, what the other wrote above it in the meantime stays: it may belong to what follows. */
function addedLead(base: Located, kept: Located): PlacedText {
  const column = columnOf(kept);
  if (kept.container.style === 'flow') return { text: '', column };
  const before = new Set(
    leadText(base)
      .split('\n')
      .map((line) => line.trim()),
  );
  const added = leadText(kept)
    .split('\n')
    .filter((line) => line.trim() !== '' && !before.has(line.trim()));
  return { text: added.length === 0 ? '' : `${added.join('\n')}\n`, column };
}

function mergeLeads(base: Located | undefined, ours: Located, theirs: Located): PlacedText {
  return mergeTrivia(base && placedLead(base), placedLead(ours), placedLead(theirs), ours);
}

/** Comments and white space never clash: what all three differ in is merged by lines, or united. */
function mergeTrivia(base: PlacedText | undefined, ours: PlacedText, theirs: PlacedText, frame: Located): PlacedText {
  const isBlock = frame.container.style === 'block';
  if (samePlaced(ours.text, ours.column, theirs.text, theirs.column, isBlock)) return ours;
  if (base !== undefined && samePlaced(base.text, base.column, ours.text, ours.column, isBlock)) return theirs;
  if (base !== undefined && samePlaced(base.text, base.column, theirs.text, theirs.column, isBlock)) return ours;
  if (theirs.text.trim() === '') return ours;
  if (ours.text.trim() === '') return theirs;
  const column = ours.column;
  const b = base === undefined ? '' : shiftLines(base.text, base.column, column, isBlock);
  const t = shiftLines(theirs.text, theirs.column, column, isBlock);
  return { text: mergeProse(b, ours.text, t, false) ?? uniteProse(b, ours.text, t), column };
}

/** The head of an element that both sides changed; undefined where both changed it differently. `frame` decides what geometry it must have. */
function mergeHeads(base: Located | undefined, ours: Located, theirs: Located, frame: Located): PlacedText | undefined {
  const head = (located: Located): PlacedText => ({ text: headText(located), column: columnOf(located) });
  const o = head(ours);
  const t = head(theirs);
  const own = frame === ours ? o : t;
  if (ours.container.style !== theirs.container.style) return own;
  const words = (placed: PlacedText): string =>
    placed.text
      .split(/\s+/)
      .filter((word) => word !== '')
      .join(' ');
  if (words(o) === words(t)) return own;
  const b = base === undefined ? undefined : head(base);
  if (b === undefined || base === undefined) return undefined;
  const changed = words(b) === words(o) ? theirs : words(b) === words(t) ? ours : undefined;
  if (changed === undefined) return undefined;
  if (sameGeometry(changed, frame)) return head(changed);
  return undefined;
}

/** Whether the values of two entries begin in the same way: on the head's line, or on the line below. */
function sameGeometry(a: Located, b: Located): boolean {
  const below = (located: Located): boolean => headText(located).endsWith('\n');
  return below(a) === below(b) && sharesLine(a) === sharesLine(b);
}
