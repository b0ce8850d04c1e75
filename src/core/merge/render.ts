import {
  columnOf,
  coreText,
  leadText,
  type Located,
  type PlacedText,
  sharesLine,
  shiftLines,
  withLineEnd,
} from './entryText.ts';
import { type CollectionPlan, type EntryPlan, hasConflicts, type PartsPlan } from './plan.ts';
import type { SourceCollection, SourceTree } from './sourceTree.ts';
import type { Side } from './types.ts';

/** What stands at a conflict: one side's element, both put together, or a text given from outside. */
export type Choice = Side | PlacedText | PartsPlan;

/** Whether a choice is to have no element there. */
export function isAbsent(choice: Choice, { triple }: EntryPlan): boolean {
  if (typeof choice === 'string') return triple[choice] === undefined;
  return 'text' in choice && choice.text === '';
}

/** `text`: the merge. `nextBase`: theirs, with the base's element at each conflict that is still open. */
export type Projection = 'text' | 'nextBase';

/** An entry ready to be put into a collection. */
interface RenderedEntry {
  readonly lead: string;
  readonly core: string;
  /** Flow: what trails the value (comments). */
  readonly trail: string;
  readonly column: number;
  readonly isFlow: boolean;
}

interface RenderedCollection {
  readonly text: string;
  readonly style: 'block' | 'flow';
  readonly column: number;
}

/** Puts the pieces of a plan together. */
export class Renderer {
  readonly #projection: Projection;
  readonly #choose: (entry: EntryPlan) => Choice;
  readonly #openConflicts: (plan: CollectionPlan) => boolean;

  /** `choose` answers for conflicts; for `nextBase`, `base` where it is open and `theirs` where it is settled. */
  constructor(projection: Projection, choose: (entry: EntryPlan) => Choice) {
    this.#projection = projection;
    this.#choose = choose;
    this.#openConflicts = (plan) => hasConflicts(plan);
  }

  /** Whether something had to be left out because it cannot be written where it belongs: then the result is worthless. */
  isIncomplete = false;

  /** The text of the root. */
  renderRoot(plan: CollectionPlan): string {
    return this.#renderCollection(plan, -2, true).text;
  }

  /** A block collection begins at its first line's start. `parentColumn` is that of the entry that holds it. */
  #renderCollection(plan: CollectionPlan, parentColumn: number, mayBeBlock: boolean): RenderedCollection {
    const { tree, node } = this.#projection === 'nextBase' ? plan.theirs : plan[plan.frame];
    const rendered: RenderedEntry[] = [];
    for (const entry of this.#ordered(plan)) {
      const piece = this.#renderEntry(entry);
      if (piece !== undefined) rendered.push(piece);
    }
    if (node.style === 'block') return { text: renderBlock(node, rendered), style: 'block', column: node.column };
    if (rendered.every((entry) => entry.isFlow))
      return { text: renderFlow(plan, tree, node, rendered), style: 'flow', column: 0 };
    // Entries that were lines cannot go between brackets; then the brackets become lines.
    if (!mayBeBlock || tree.isJson) this.isIncomplete = true;
    const column = parentColumn + 2;
    return { text: renderBlock({ ...node, column }, rendered), style: 'block', column };
  }

  #ordered(plan: CollectionPlan): readonly EntryPlan[] {
    if (this.#projection === 'text') return plan.entries;
    const own = plan.entries.filter((entry) => entry.triple.theirs !== undefined);
    own.sort((a, b) => (a.triple.theirs?.index ?? 0) - (b.triple.theirs?.index ?? 0));
    // What theirs does not have stands behind the same neighbour as in the result: merged again, it must not seem moved.
    plan.entries.forEach((entry, position) => {
      if (entry.triple.theirs !== undefined || entry.core.kind !== 'conflict') return;
      let before = position - 1;
      while (before >= 0 && !own.includes(plan.entries[before] ?? entry)) before--;
      const neighbour = plan.entries[before];
      own.splice(neighbour === undefined ? 0 : own.indexOf(neighbour) + 1, 0, entry);
    });
    return own;
  }

  #renderEntry(entry: EntryPlan): RenderedEntry | undefined {
    const { core, triple } = entry;
    if (this.#projection === 'nextBase') {
      if (core.kind === 'conflict') return this.#renderChoice(entry, triple.theirs);
      const { theirs } = triple;
      if (core.kind !== 'parts' || theirs === undefined)
        return theirs === undefined ? undefined : verbatim(theirs, leadText(theirs));
      if (core.value.kind === 'text' || !this.#openConflicts(core.value.collection))
        return verbatim(theirs, leadText(theirs));
      const head = theirs.tree.text.slice(theirs.entry.start, theirs.entry.valueStart);
      return this.#renderParts(
        theirs,
        leadText(theirs),
        (sharesLine(theirs) ? ' '.repeat(columnOf(theirs)) : '') + head,
        core.value.collection,
        tailOf(theirs),
      );
    }
    switch (core.kind) {
      case 'take':
        return verbatim(
          core.from,
          shiftLines(entry.lead.text, entry.lead.column, columnOf(core.from), core.from.container.style === 'block'),
        );
      case 'gone':
        return entry.lead.text === ''
          ? undefined
          : { lead: entry.lead.text, core: '', trail: '', column: entry.lead.column, isFlow: false };
      case 'conflict':
        return this.#renderChoice(entry, triple.ours ?? triple.theirs);
      case 'parts': {
        const { frame, head, value, tail } = core;
        const column = columnOf(frame);
        const isBlock = frame.container.style === 'block';
        const lead = shiftLines(entry.lead.text, entry.lead.column, column, isBlock);
        const headPlaced = shiftLines(head.text, head.column, column, isBlock);
        const tailPlaced = shiftLines(tail.text, tail.column, column, false);
        if (value.kind === 'collection')
          return this.#renderParts(frame, lead, headPlaced, value.collection, tailPlaced);
        const text = shiftLines(value.placed.text, value.placed.column, column, false);
        if (!isBlock) return { lead, core: headPlaced + text, trail: tailPlaced, column, isFlow: true };
        // A block scalar ends its own line; a tail that held nothing but that line end would double it.
        const body =
          text.endsWith('\n') && tailPlaced === '\n'
            ? headPlaced + text
            : headPlaced +
              (text.endsWith('\n')
                ? text + tailPlaced.replace(/^\s*\n/, '')
                : text + (tailPlaced === '' ? '\n' : tailPlaced));
        return { lead, core: withLineEnd(body), trail: '', column, isFlow: false };
      }
    }
  }

  #renderParts(frame: Located, lead: string, head: string, plan: CollectionPlan, tail: string): RenderedEntry {
    const column = columnOf(frame);
    const collection = this.#renderCollection(plan, column, frame.container.style === 'block');
    const { text } = collection;
    const { node } = this.#projection === 'nextBase' ? plan.theirs : plan[plan.frame];
    if (frame.container.style === 'flow') return { lead, core: head + text, trail: tail, column, isFlow: true };
    if (collection.style === 'flow')
      return { lead, core: withLineEnd(head + text + tail), trail: '', column, isFlow: false };
    if (text === '') {
      const empty = node.kind === 'map' ? '{}' : '[]';
      return {
        lead,
        core: `${head.trimEnd()} ${empty}\n${tail.trim() === '' ? '' : tail}`,
        trail: '',
        column,
        isFlow: false,
      };
    }
    const isBelow = head.endsWith('\n') || node.style === 'flow';
    if (isBelow)
      return {
        lead,
        core: (head.endsWith('\n') ? head : `${head.trimEnd()}\n`) + text + (tail === '\n' ? '' : tail),
        trail: '',
        column,
        isFlow: false,
      };
    // The first line is shared with the dash: comments that now stand above the first entry go above the dash.
    const lines = text.split('\n');
    const first = lines.findIndex((line) => line.trim() !== '' && !line.trimStart().startsWith('#'));
    const above = first > 0 ? `${shiftLines(lines.slice(0, first).join('\n'), collection.column, column, true)}\n` : '';
    const body = lines.slice(Math.max(first, 0)).join('\n').slice(collection.column);
    const shared = head.trimEnd().padEnd(collection.column);
    return { lead: lead + above, core: shared + body + (tail === '\n' ? '' : tail), trail: '', column, isFlow: false };
  }

  #renderChoice(entry: EntryPlan, place: Located | undefined): RenderedEntry | undefined {
    const choice = this.#choose(entry);
    const { triple } = entry;
    if (typeof choice === 'string') {
      const chosen = triple[choice];
      if (chosen === undefined) return undefined;
      const lead = this.#projection === 'nextBase' ? leadText(place ?? chosen) : entry.lead.text;
      const leadColumn = this.#projection === 'nextBase' ? columnOf(place ?? chosen) : entry.lead.column;
      return verbatim(chosen, shiftLines(lead, leadColumn, columnOf(chosen), chosen.container.style === 'block'));
    }
    if ('kind' in choice) return this.#renderEntry({ ...entry, core: choice });
    if (choice.text === '') return undefined;
    const isFlow = (place ?? triple.base)?.container.style === 'flow';
    return {
      lead: shiftLines(entry.lead.text, entry.lead.column, choice.column, !isFlow),
      core: isFlow ? choice.text : withLineEnd(choice.text),
      trail: '',
      column: choice.column,
      isFlow,
    };
  }
}

function tailOf({ tree, container, entry }: Located): string {
  if (container.style === 'flow') return tree.text.slice(entry.valueEnd, entry.end);
  return tree.text.slice(entry.valueEnd, entry.end);
}

function verbatim(located: Located, lead: string): RenderedEntry {
  const { tree, container, entry } = located;
  const column = columnOf(located);
  if (container.style === 'block') return { lead, core: coreText(located), trail: '', column, isFlow: false };
  const core = tree.text.slice(entry.start, entry.valueEnd);
  return { lead, core, trail: coreText(located).slice(core.length), column, isFlow: true };
}

function renderBlock(node: SourceCollection, entries: readonly RenderedEntry[]): string {
  return entries
    .map((entry) => {
      if (entry.isFlow) return blockFromFlow(entry, node);
      return (
        shiftLines(entry.lead, entry.column, node.column, true) +
        shiftLines(entry.core, entry.column, node.column, true)
      );
    })
    .join('');
}

/** An entry that was written inside brackets, as a line of its own. */
function blockFromFlow(entry: RenderedEntry, node: SourceCollection): string {
  const indent = ' '.repeat(node.column);
  const comments = entry.lead
    .split('\n')
    .filter((line) => line.trim().startsWith('#'))
    .map((line) => `${indent}${line.trim()}\n`)
    .join('');
  const core = shiftLines(entry.core, entry.column, node.column + 2, false);
  return `${comments}${indent}${node.kind === 'sequence' ? '- ' : ''}${core}${entry.trail}\n`;
}

function renderFlow(
  plan: CollectionPlan,
  tree: SourceTree,
  node: SourceCollection,
  entries: readonly RenderedEntry[],
): string {
  let frame = node;
  let frameTree = tree;
  // Brackets that held nothing say nothing about how their entries are to be laid out.
  if (node.entries.length === 0) {
    const other = [plan.ours, plan.theirs].find(
      (revision) => revision.node.style === 'flow' && revision.node.entries.length > 0,
    );
    if (other !== undefined) {
      frame = other.node;
      frameTree = other.tree;
    }
  }
  const first = frame.entries[0];
  const open = frameTree.text.slice(frame.start, first?.leadStart ?? frame.tailStart);
  const close = frameTree.text.slice(frame.tailStart, frame.end);
  if (entries.length === 0) return node.kind === 'map' ? '{}' : '[]';
  const last = frame.entries.at(-1);
  const hasTrailingComma = last !== undefined && frameTree.text.charAt(last.end) === ',';
  const usualLead = first === undefined ? '' : frameTree.text.slice(first.leadStart, first.start);
  const laterLead =
    frame.entries[1] === undefined
      ? usualLead.includes('\n')
        ? usualLead
        : ' '
      : frameTree.text.slice(frame.entries[1].leadStart, frame.entries[1].start);
  const column = first === undefined ? 0 : columnOf({ tree: frameTree, container: frame, entry: first, index: 0 });
  const pieces = entries.map((entry, index) => {
    const isLast = index === entries.length - 1;
    const fallback = index === 0 ? usualLead : laterLead;
    // Only white space: the layout is the frame's. Comments come along as they are.
    const lead =
      !entry.isFlow || entry.lead.trim() === ''
        ? sameLayout(entry.lead, fallback)
          ? entry.lead
          : fallback
        : entry.lead;
    const core = shiftLines(entry.core, entry.column, column, false);
    const shiftedLead = entry.isFlow && lead === entry.lead ? shiftLead(lead, entry.column, column) : lead;
    return `${shiftedLead}${core}${isLast && !hasTrailingComma ? '' : ','}${entry.trail}`;
  });
  return open + pieces.join('') + close;
}

function sameLayout(a: string, b: string): boolean {
  return a.includes('\n') === b.includes('\n');
}

function shiftLead(lead: string, from: number, to: number): string {
  return lead.includes('\n')
    ? shiftLines(
        lead.replace(/[^\n]*$/, (last) => last),
        from,
        to,
        false,
      )
    : lead;
}
