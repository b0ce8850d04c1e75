import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer } from '../openapi/jsonPointer.ts';
import { hashText } from './align.ts';
import { columnOf, coreText, type Located, shiftLines } from './entryText.ts';
import type { CollectionPlan, EntryPlan } from './plan.ts';
import type { ConflictKind, ConflictPiece, MergeConflict, MergeInput } from './types.ts';

export interface ListedConflict {
  readonly entry: EntryPlan;
  readonly conflict: MergeConflict;
}

/** The conflicts of a plan, in the order of the text. */
export function listConflicts(plan: CollectionPlan): ListedConflict[] {
  const listed: ListedConflict[] = [];
  for (const entry of plan.entries) {
    const { core } = entry;
    if (core.kind === 'parts' && core.value.kind === 'collection') listed.push(...listConflicts(core.value.collection));
    else if (core.kind === 'conflict') listed.push({ entry, conflict: describeConflict(entry, core.conflict) });
  }
  return listed;
}

function describeConflict(
  entry: EntryPlan,
  { kind, both, explanation }: { readonly kind: ConflictKind; readonly both: unknown; readonly explanation?: string },
): MergeConflict {
  const { base, ours, theirs } = entry.triple;
  const path = ours !== undefined ? entry.path.ours : theirs !== undefined ? entry.path.theirs : entry.path.base;
  const pointer = formatPointer(path);
  return {
    id: hashText(`${kind}\n${JSON.stringify(entry.path.ids)}`),
    kind,
    pointer,
    label: elementLabel(pointer, entry.path.ids),
    canTakeBoth: both !== undefined,
    ...(explanation === undefined ? {} : { explanation }),
    ...(base === undefined ? {} : { base: pieceOf(base) }),
    ...(ours === undefined ? {} : { ours: pieceOf(ours) }),
    ...(theirs === undefined ? {} : { theirs: pieceOf(theirs) }),
  };
}

/** An element as it stands in its text, for a conflict. */
export function pieceOf(located: Located): ConflictPiece {
  const { entry, container } = located;
  const text = shiftLines(coreText(located), columnOf(located), 0, container.style === 'block');
  return { text, start: entry.start, end: container.style === 'flow' ? entry.valueEnd : entry.end };
}

/** Where not even the root can be taken apart, or nothing smaller can be proven: one conflict over everything. */
export function wholeConflict({ base, ours, theirs }: MergeInput, explanation: string | undefined): MergeConflict {
  const piece = (text: string): ConflictPiece => ({ text, start: 0, end: text.length });
  return {
    id: hashText('whole document'),
    kind: base === '' ? 'add-add' : 'edit-edit',
    pointer: '',
    label: elementLabel(''),
    ...(explanation === undefined ? {} : { explanation }),
    ...(base === '' ? {} : { base: piece(base) }),
    ours: piece(ours),
    theirs: piece(theirs),
    canTakeBoth: false,
  };
}
