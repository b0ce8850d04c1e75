import type { Violation } from '../openapi/semanticRules.ts';
import type { Finding } from './checkMerge.ts';
import { type Located, sameCore } from './entryText.ts';
import type { CollectionPlan, EntryPlan } from './plan.ts';
import { heldKey, type Held } from './planner.ts';

/** Adds the elements to hold for what the check found. False where nothing new could be held: then only the whole is left. */
export function holdFindings(findings: readonly Finding[], plan: CollectionPlan, held: Map<string, Held>): boolean {
  const before = held.size;
  for (const finding of findings) {
    if (finding.ids.length > 0) held.set(heldKey(finding.ids), { kind: undefined, explanation: undefined });
    else if (finding.comment !== undefined) {
      const entry = entryOfComment(plan, finding.comment);
      if (entry !== undefined) held.set(heldKey(entry.path.ids), { kind: undefined, explanation: undefined });
    }
  }
  return held.size > before;
}

/**
 * Holds what either side changed at the places of each violation: with ours at all of them the document is as good as
 * ours was there, and with theirs as good as theirs.
 */
export function holdViolations(
  violations: readonly Violation[],
  plan: CollectionPlan,
  held: Map<string, Held>,
): boolean {
  const before = held.size;
  for (const violation of violations) {
    for (const place of violation.places) {
      for (const entry of changedAt(plan, place)) {
        held.set(heldKey(entry.path.ids), { kind: 'semantic', explanation: violation.message });
      }
    }
  }
  return held.size > before;
}

/** The smallest planned elements on the way to a place, or else all below it, that a side changed. */
function changedAt(plan: CollectionPlan, place: readonly string[]): EntryPlan[] {
  let current: CollectionPlan = plan;
  let depth = 0;
  for (;;) {
    const segment: string | undefined = place[depth];
    if (segment === undefined) return changedLeaves(current);
    const position: number = Number(segment);
    const isSequence: boolean = current.ours.node.kind === 'sequence';
    const entry: EntryPlan | undefined = isSequence
      ? current.entries.filter(({ core }) => core.kind !== 'gone')[position]
      : current.entries.find(({ triple }) =>
          [triple.ours, triple.theirs, triple.base].some((located) => located?.entry.key === segment),
        );
    if (entry === undefined) return [];
    if (entry.core.kind === 'parts' && entry.core.value.kind === 'collection') {
      current = entry.core.value.collection;
      depth++;
      continue;
    }
    return isChanged(entry) ? [entry] : [];
  }
}

function changedLeaves(plan: CollectionPlan): EntryPlan[] {
  return plan.entries.flatMap((entry) => {
    if (entry.core.kind === 'parts' && entry.core.value.kind === 'collection')
      return changedLeaves(entry.core.value.collection);
    return isChanged(entry) ? [entry] : [];
  });
}

function isChanged({ triple: { base, ours, theirs } }: EntryPlan): boolean {
  const differs = (side: Located | undefined): boolean =>
    base === undefined || side === undefined ? base !== side : !sameCore(base, side);
  return differs(ours) || differs(theirs);
}

/** The smallest planned element in which a comment stands that one side added. */
function entryOfComment(plan: CollectionPlan, comment: string): EntryPlan | undefined {
  for (const side of ['theirs', 'ours'] as const) {
    const { text } = plan[side].tree;
    for (let at = text.indexOf(comment); at >= 0; at = text.indexOf(comment, at + 1)) {
      const entry = entryAt(plan, side, at);
      const other = side === 'ours' ? entry?.triple.theirs : entry?.triple.ours;
      // An element that stands as that side has it has the comment, too.
      if (
        entry !== undefined &&
        !(entry.core.kind === 'take' && entry.core.from === entry.triple[side]) &&
        !isSameAs(entry, side, other)
      )
        return entry;
    }
  }
  return undefined;
}

function isSameAs(entry: EntryPlan, side: 'ours' | 'theirs', other: Located | undefined): boolean {
  const own = entry.triple[side];
  return own !== undefined && other !== undefined && sameCore(own, other);
}

function entryAt(plan: CollectionPlan, side: 'ours' | 'theirs', offset: number): EntryPlan | undefined {
  for (const entry of plan.entries) {
    const located = entry.triple[side];
    if (located === undefined || offset < located.entry.leadStart || offset >= located.entry.end) continue;
    if (entry.core.kind === 'parts' && entry.core.value.kind === 'collection')
      return entryAt(entry.core.value.collection, side, offset) ?? entry;
    return entry;
  }
  return undefined;
}
