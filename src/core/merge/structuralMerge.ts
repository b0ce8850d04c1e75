import type { CollectionRevision, Matching } from './align.ts';
import { Canon } from './canon.ts';
import type { ClaimedElement } from './claims.ts';
import { claimMatching } from './claimMatching.ts';
import { listConflicts } from './conflicts.ts';
import { columnOf, type Located, shiftLines } from './entryText.ts';
import type { CollectionPlan, EntryPlan } from './plan.ts';
import { type Held, Planner, ROOT_PATH } from './planner.ts';
import { mergeProse, uniteProse } from './proseMerge.ts';
import { readSource } from './readSource.ts';
import { type Choice, Renderer } from './render.ts';
import type { DocumentFormat, MergeConflict, MergeInput, MergeOptions, Resolution } from './types.ts';

/** The three texts taken apart. */
export interface Sources {
  readonly input: MergeInput;
  readonly base: CollectionRevision | undefined;
  readonly ours: CollectionRevision;
  readonly theirs: CollectionRevision;
}

/** Undefined where one of the texts cannot be taken apart, or the roots are not of one kind. */
export function readSources(input: MergeInput, format: DocumentFormat): Sources | undefined {
  const read = (text: string): CollectionRevision | undefined => {
    const tree = readSource(text, format);
    return tree === undefined || tree.root.kind === 'scalar' ? undefined : { tree, node: tree.root };
  };
  const base = input.base === '' ? undefined : read(input.base);
  const ours = read(input.ours);
  const theirs = read(input.theirs);
  if (ours === undefined || theirs === undefined || ours.node.kind !== theirs.node.kind) return undefined;
  if (input.base !== '' && base?.node.kind !== ours.node.kind) return undefined;
  return { input, base, ours, theirs };
}

export interface StructuralMerge {
  readonly text: string;
  readonly nextBase: string;
  readonly conflicts: readonly MergeConflict[];
  readonly plan: CollectionPlan;
  readonly claims: readonly ClaimedElement[];
  /** How many conflicts there were before resolutions. */
  readonly clashes: number;
}

/** Merges by structure; undefined where the order of the root itself clashes, or a piece cannot be written where it belongs. `held` are elements that must be conflicts, by their path of ids. */
export function mergeByStructure(
  sources: Sources,
  options: MergeOptions,
  matching: Matching,
  held: ReadonlyMap<string, Held>,
): StructuralMerge | undefined {
  const planner = new Planner(new Canon(), options, held, matching);
  const plan = planner.planCollection(sources.base, sources.ours, sources.theirs, ROOT_PATH);
  if (plan === undefined) return undefined;
  const open: MergeConflict[] = [];
  const choices = new Map<EntryPlan, Choice>();
  const settled = new Set<EntryPlan>();
  const all = listConflicts(plan);
  for (const { entry, conflict } of all) {
    const resolution = options.resolutions?.get(conflict.id);
    const choice = resolution === undefined ? undefined : choiceOf(resolution, entry);
    if (choice === undefined) {
      open.push(conflict);
      choices.set(entry, options.unresolved ?? 'ours');
    } else {
      settled.add(entry);
      choices.set(entry, choice);
    }
  }
  const choose = (entry: EntryPlan): Choice => choices.get(entry) ?? 'ours';
  const textRenderer = new Renderer('text', choose);
  const rendered = textRenderer.renderRoot(plan);
  const text = withSurroundings(rendered, plan, sources.input);
  const baseRenderer = new Renderer('nextBase', (entry) => (settled.has(entry) ? 'theirs' : 'base'));
  const { root, text: theirText } = sources.theirs.tree;
  const nextBase =
    open.length === 0
      ? theirText
      : theirText.slice(0, root.start) + baseRenderer.renderRoot(plan) + theirText.slice(root.end);
  if (textRenderer.isIncomplete || baseRenderer.isIncomplete) return undefined;
  return { text, nextBase, conflicts: open, plan, claims: claimMatching(plan, choose), clashes: all.length };
}

/** Undefined where both are wanted and cannot be had: then the conflict stays open. */
function choiceOf(resolution: Resolution, { triple, core }: EntryPlan): Choice | undefined {
  const place = triple.ours ?? triple.theirs ?? triple.base;
  if (resolution.choice === 'custom') return placeCustom(resolution.text, place);
  if (resolution.choice !== 'both') return resolution.choice;
  return core.kind === 'conflict' ? core.conflict.both : undefined;
}

function placeCustom(text: string, place: Located | undefined): Choice {
  if (place === undefined) return { text, column: 0 };
  const column = columnOf(place);
  if (place.container.style === 'block') return { text: shiftLines(text, 0, column, true), column };
  return { text: shiftLines(text.replace(/,?\s*$/, ''), 0, column, false), column };
}

/** What stands before and behind the root: markers, comments, white space. Merged like comments: never a clash. */
function withSurroundings(rendered: string, plan: CollectionPlan, { base, ours, theirs }: MergeInput): string {
  const part = (revision: CollectionRevision | undefined, isHead: boolean): string =>
    revision === undefined
      ? ''
      : isHead
        ? revision.tree.text.slice(0, revision.node.start)
        : revision.tree.text.slice(revision.node.end);
  const three = (isHead: boolean): string => {
    const [b, o, t] = [part(plan.base, isHead), part(plan.ours, isHead), part(plan.theirs, isHead)];
    if (o === t || b === t) return o;
    if (o === b || o.trim() === '') return t;
    if (t.trim() === '') return o;
    return mergeProse(b, o, t, false) ?? uniteProse(b, o, t);
  };
  const tail = three(false);
  const text =
    three(true) +
    (tail.trim() !== '' && rendered !== '' && !rendered.endsWith('\n') && !plan.ours.tree.isJson
      ? `${rendered}\n`
      : rendered) +
    tail;
  if (plan.ours.tree.isJson) return text;
  // Whether the last line has an end is nobody's element: as in ours, unless only theirs changed it.
  const ends = (value: string): boolean => value.endsWith('\n');
  const wantsEnd = ends(ours) === ends(base) ? ends(theirs) : ends(ours);
  return wantsEnd ? text : text.replace(/\n$/, '');
}
