import type { ClaimedElement } from './claims.ts';
import { type Choice, isAbsent } from './render.ts';
import type { CollectionPlan, EntryPlan } from './plan.ts';

/** The claims that a plan makes about the result it is rendered to. */
export function claimMatching(plan: CollectionPlan, choose: (entry: EntryPlan) => Choice): ClaimedElement[] {
  const isMap = plan.ours.node.kind === 'map';
  let position = 0;
  return plan.entries.map((entry) => {
    const { base, ours, theirs } = entry.triple;
    const key = isPresent(entry, choose) ? (isMap ? mergedKey(entry, choose) : position++) : undefined;
    const segment = (located: typeof base): string | number | undefined =>
      located === undefined ? undefined : (located.entry.key ?? located.index);
    const { core } = entry;
    return {
      base: segment(base),
      ours: segment(ours),
      theirs: segment(theirs),
      merged: key,
      isHeld: core.kind === 'conflict',
      ids: entry.path.ids,
      children:
        core.kind === 'parts' && core.value.kind === 'collection'
          ? claimMatching(core.value.collection, choose)
          : undefined,
    };
  });
}

function isPresent(entry: EntryPlan, choose: (entry: EntryPlan) => Choice): boolean {
  if (entry.core.kind === 'gone') return false;
  if (entry.core.kind !== 'conflict') return true;
  return !isAbsent(choose(entry), entry);
}

function mergedKey(entry: EntryPlan, choose: (entry: EntryPlan) => Choice): string | undefined {
  const { base, ours, theirs } = entry.triple;
  if (entry.core.kind === 'take') return entry.core.from.entry.key;
  if (entry.core.kind === 'conflict') {
    const choice = choose(entry);
    return typeof choice === 'string' ? entry.triple[choice]?.entry.key : (ours ?? theirs ?? base)?.entry.key;
  }
  return ours?.entry.key === base?.entry.key ? (theirs ?? ours)?.entry.key : ours?.entry.key;
}
