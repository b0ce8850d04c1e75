import type { MergeConflict } from './types.ts';

/**
 * Conflicts that are decided alike, in order of appearance: the members of one `semantic` clash, of which each alone would
 * leave the document broken. Every other conflict is a group of its own. Members belong together where one sentence explains
 * them, or where what the sentence says is missing lies in another of them.
 */
export function conflictGroups(conflicts: readonly MergeConflict[]): readonly (readonly MergeConflict[])[] {
  const groups: MergeConflict[][] = [];
  for (const conflict of conflicts) {
    const joined =
      conflict.kind === 'semantic' ? groups.filter((group) => group.some((one) => areLinked(one, conflict))) : [];
    const [first, ...rest] = joined;
    if (first === undefined) {
      groups.push([conflict]);
      continue;
    }
    for (const group of rest) {
      first.push(...group);
      groups.splice(groups.indexOf(group), 1);
    }
    first.push(conflict);
  }
  return groups;
}

function areLinked(a: MergeConflict, b: MergeConflict): boolean {
  if (a.kind !== 'semantic') return false;
  return a.explanation === b.explanation || namesPlaceOf(a, b) || namesPlaceOf(b, a);
}

/** Whether the place that one's explanation names is the other's, lies in it or around it. */
function namesPlaceOf({ explanation = '' }: MergeConflict, { pointer }: MergeConflict): boolean {
  const place = /#(\/\S*)/.exec(explanation)?.[1];
  return place !== undefined && (`${place}/`.startsWith(`${pointer}/`) || `${pointer}/`.startsWith(`${place}/`));
}
