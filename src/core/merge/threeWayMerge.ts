import { checkDocument } from '../openapi/checkDocument.ts';
import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer } from '../openapi/jsonPointer.ts';
import type { Problem } from '../problem.ts';
import { type CollectionRevision, hashText, type Matching } from './align.ts';
import { Canon } from './canon.ts';
import type { Located } from './entryText.ts';
import { columnOf } from './entryText.ts';
import { mergeTextByLines } from './lineMerge.ts';
import type { CollectionPlan, ElementPath, EntryPlan } from './plan.ts';
import { Planner, ROOT_PATH } from './planner.ts';
import { readSource } from './readSource.ts';
import { type Choice, readableText, Renderer } from './render.ts';
import type { SourceTree } from './sourceTree.ts';
import type { ConflictPiece, DocumentFormat, MergeConflict, MergeInput, MergeOptions, MergeResult } from './types.ts';

/**
 * Merges two revisions of a document that came from one base. Lines first, as git does it; where that clashes or does
 * not hold what it must, by structure. Pure, deterministic, never throws: see `MergeResult`.
 */
export function threeWayMerge(input: MergeInput, format: DocumentFormat, options: MergeOptions = {}): MergeResult {
  const { base, ours, theirs } = input;
  if (ours === theirs) return clean(ours, theirs, 'equal');
  if (ours === base) return clean(theirs, theirs, 'equal');
  if (theirs === base) return clean(ours, theirs, 'equal');
  const problems = readable(input, format);
  const byLines = base === '' ? undefined : mergeTextByLines(base, ours, theirs);
  if (problems.length > 0) {
    // The one side may have mended what the other has broken; lines can tell, and the result is read as a whole.
    if (byLines !== undefined && checkDocument(byLines, format).length === 0) {
      return {
        ...clean(byLines, theirs, 'lines'),
        problems: problems.map((problem) => ({ ...problem, severity: 'warning' })),
      };
    }
    return { text: ours, conflicts: [], problems, nextBase: theirs, takenBy: 'none' };
  }
  const sources = readSources(input, format);
  if (sources === undefined) {
    if (byLines !== undefined && checkDocument(byLines, format).length === 0) return clean(byLines, theirs, 'lines');
    return wholeConflict(input, options);
  }
  const byStructure = mergeByStructure(sources, options, 'renames');
  if (byLines !== undefined && confirmsLines(byLines, sources, format, options, byStructure)) return clean(byLines, theirs, 'lines');
  return byStructure ?? wholeConflict(input, options);
}

/** Whether a structural merge, under one of the ways to match elements, gives the same data as the merge by lines. */
function confirmsLines(byLines: string, sources: Sources, format: DocumentFormat, options: MergeOptions, byStructure: MergeResult | undefined): boolean {
  const lines = readSource(byLines, format);
  if (lines === undefined) return false;
  const canon = new Canon();
  const number = canon.of(lines, lines.root);
  const agrees = (result: MergeResult | undefined): boolean => {
    if (result === undefined || result.conflicts.length > 0) return false;
    const tree = readSource(result.text, format);
    return tree !== undefined && canon.of(tree, tree.root) === number;
  };
  const isConfirmed =
    agrees(byStructure) || agrees(mergeByStructure(sources, options, 'names')) || agrees(mergeByStructure(sources, options, 'lines'));
  return isConfirmed && checkDocument(byLines, format).length === 0;
}

function clean(text: string, nextBase: string, takenBy: MergeResult['takenBy']): MergeResult {
  return { text, conflicts: [], problems: [], nextBase, takenBy };
}

function readable(input: MergeInput, format: DocumentFormat): Problem[] {
  const problems: Problem[] = [];
  for (const side of ['base', 'ours', 'theirs'] as const) {
    if (side === 'base' && input.base === '') continue;
    for (const problem of checkDocument(input[side], format))
      problems.push({ ...problem, message: `${SIDE_NAMES[side]}: ${problem.message}` });
  }
  return problems;
}

const SIDE_NAMES = { base: 'The common base', ours: 'Our version', theirs: 'Their version' } as const;

interface Sources {
  readonly input: MergeInput;
  readonly base: CollectionRevision | undefined;
  readonly ours: CollectionRevision;
  readonly theirs: CollectionRevision;
}

/** Undefined where one of the texts cannot be taken apart, or the roots are not of one kind. */
function readSources(input: MergeInput, format: DocumentFormat): Sources | undefined {
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

function mergeByStructure(sources: Sources, options: MergeOptions, matching: Matching): MergeResult | undefined {
  const { base, ours, theirs } = sources.input;
  const planner = new Planner(new Canon(), options, new Set(), matching);
  const plan = planner.planCollection(sources.base, sources.ours, sources.theirs, ROOT_PATH);
  if (plan === undefined) return undefined;
  const open: MergeConflict[] = [];
  const choices = new Map<EntryPlan, Choice>();
  const settled = new Set<EntryPlan>();
  for (const [entry, conflict] of describeConflicts(plan)) {
    const resolution = options.resolutions?.get(conflict.id);
    if (resolution === undefined) {
      open.push(conflict);
      choices.set(entry, options.unresolved ?? 'ours');
    } else {
      settled.add(entry);
      const place = entry.triple.ours ?? entry.triple.theirs ?? entry.triple.base;
      choices.set(
        entry,
        resolution.choice === 'custom'
          ? { text: atColumn(resolution.text, place), column: place === undefined ? 0 : columnOf(place) }
          : resolution.choice === 'both'
            ? 'ours'
            : resolution.choice,
      );
    }
  }
  const textRenderer = new Renderer('text', (entry) => choices.get(entry) ?? 'ours');
  const baseRenderer = new Renderer('nextBase', (entry) => (settled.has(entry) ? 'theirs' : 'base'));
  const text = wrap(textRenderer.renderCollection(plan).text, plan[plan.frame].tree, plan, base, ours, theirs);
  const nextBase = open.length === 0 ? theirs : around(baseRenderer.renderCollection(plan).text, sources.theirs.tree);
  return { text, conflicts: open, problems: [], nextBase, takenBy: 'structure' };
}

function atColumn(text: string, place: Located | undefined): string {
  if (place === undefined || place.container.style === 'flow') return text;
  const indent = ' '.repeat(columnOf(place));
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : indent + line))
    .join('\n');
}

function around(rendered: string, tree: SourceTree): string {
  const { root, text } = tree;
  return text.slice(0, root.start) + rendered + text.slice(root.end);
}

function wrap(
  rendered: string,
  frame: SourceTree,
  plan: CollectionPlan,
  base: string,
  ours: string,
  theirs: string,
): string {
  const part = (revision: CollectionPlan['ours'] | undefined, from: 'head' | 'tail'): string =>
    revision === undefined
      ? ''
      : from === 'head'
        ? revision.tree.text.slice(0, revision.node.start)
        : revision.tree.text.slice(revision.node.end);
  const three = (from: 'head' | 'tail'): string => {
    const b = part(plan.base, from);
    const o = part(plan.ours, from);
    const t = part(plan.theirs, from);
    return o === b ? t : o;
  };
  const text = three('head') + rendered + three('tail');
  if (frame.isJson) return text;
  // Whether the last line has an end is nobody's element: as in ours, unless only theirs changed it.
  const ends = (value: string): boolean => value.endsWith('\n');
  const wantsEnd = ends(ours) === ends(base) ? ends(theirs) : ends(ours);
  return wantsEnd ? text : text.replace(/\n$/, '');
}

function* describeConflicts(plan: CollectionPlan): Generator<[EntryPlan, MergeConflict]> {
  for (const entry of plan.entries) {
    if (entry.core.kind === 'parts' && entry.core.value.kind === 'collection')
      yield* describeConflicts(entry.core.value.collection);
    if (entry.core.kind !== 'conflict') continue;
    const { base, ours, theirs } = entry.triple;
    const { kind } = entry.core.conflict;
    const pointer = pointerOf(entry.path, entry);
    yield [
      entry,
      {
        id: hashText(`${kind}\n${JSON.stringify(entry.path.ids)}`),
        kind,
        pointer,
        label: elementLabel(pointer),
        canTakeBoth: entry.core.conflict.both !== undefined,
        ...(base === undefined ? {} : { base: pieceOf(base) }),
        ...(ours === undefined ? {} : { ours: pieceOf(ours) }),
        ...(theirs === undefined ? {} : { theirs: pieceOf(theirs) }),
      },
    ];
  }
}

function pointerOf(path: ElementPath, { triple }: EntryPlan): string {
  return formatPointer(triple.ours !== undefined ? path.ours : triple.theirs !== undefined ? path.theirs : path.base);
}

function pieceOf(located: Located): ConflictPiece {
  const { entry, container } = located;
  return {
    text: readableText(located),
    start: entry.start,
    end: container.style === 'flow' ? entry.valueEnd : entry.end,
  };
}

/** Where not even the root can be taken apart: one conflict over everything. */
function wholeConflict({ base, ours, theirs }: MergeInput, options: MergeOptions): MergeResult {
  const piece = (text: string): ConflictPiece => ({ text, start: 0, end: text.length });
  const id = hashText('whole document');
  const resolution = options.resolutions?.get(id);
  if (resolution !== undefined) {
    const text =
      resolution.choice === 'custom'
        ? resolution.text
        : resolution.choice === 'theirs'
          ? theirs
          : resolution.choice === 'base'
            ? base
            : ours;
    return clean(text, theirs, 'structure');
  }
  const chosen = options.unresolved ?? 'ours';
  const conflict: MergeConflict = {
    id,
    kind: base === '' ? 'add-add' : 'edit-edit',
    pointer: '',
    label: elementLabel(''),
    ...(base === '' ? {} : { base: piece(base) }),
    ours: piece(ours),
    theirs: piece(theirs),
    canTakeBoth: false,
  };
  return {
    text: { base, ours, theirs }[chosen],
    conflicts: [conflict],
    problems: [],
    nextBase: base,
    takenBy: 'structure',
  };
}
