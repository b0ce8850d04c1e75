import { changeOutside } from '../advice/outsideChange.ts';
import type { CollectionRevision } from '../merge/align.ts';
import { Canon } from '../merge/canon.ts';
import { pieceOf } from '../merge/conflicts.ts';
import { columnOf, headText, leadText, type Located, tailText } from '../merge/entryText.ts';
import type { CollectionPlan, CorePlan, EntryPlan } from '../merge/plan.ts';
import { ROOT_PATH } from '../merge/planner.ts';
import { Renderer } from '../merge/render.ts';
import type { DocumentFormat } from '../merge/types.ts';
import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer } from '../openapi/jsonPointer.ts';
import { type PlainNode, readPlainDocument } from '../openapi/plainDocument.ts';
import { findViolations } from '../openapi/semanticRules.ts';
import { rootOf } from './changedPlaces.ts';
import {
  collectionOf,
  type ElementPath,
  isHolder,
  isNothing,
  METHODS,
  namedEntries,
  partLength,
} from './elementPath.ts';

export type RestoredElement =
  /**
   * The text with the element as the version has it: taken over, put back or removed.
   * @param element how it reads there, by itself; undefined where the version does not have it.
   */
  | { readonly kind: 'restored'; readonly text: string; readonly element: string | undefined }
  /** It reads so already. */
  | { readonly kind: 'same' }
  /** @param sentence why not, for a person. */
  | { readonly kind: 'refused'; readonly sentence: string };

/**
 * Puts one element of an earlier version into a text and changes nothing else of it: the pieces of both texts are put together
 * as a merge does it, and what comes out is read anew and has to hold that. Pure; never throws.
 * @param current the working file, in revision form.
 * @param version the text that has the element as it is wanted, or does not have it: then it is removed.
 */
export function restoreElement(
  current: string,
  version: string,
  path: ElementPath,
  format: DocumentFormat,
): RestoredElement {
  const [now, then] = [rootOf(current, format), rootOf(version, format)];
  if (now === undefined || then === undefined || path.length === 0) return refused(unreadable);
  const found = new Restoration(path).plan(now, then, 0);
  if ('kind' in found) return found;
  const renderer = new Renderer('text', () => 'ours');
  const rendered = renderer.renderRoot(found.plan);
  const { node, tree } = now;
  const joined = current.slice(0, node.start) + rendered + current.slice(node.end);
  const text = tree.isJson || current.endsWith('\n') ? joined : joined.replace(/\n$/, '');
  if (renderer.isIncomplete) return refused(cannotTell);
  if (text === current) return { kind: 'same' };
  return whyNot(current, text, then, found, path, format) ?? { kind: 'restored', text, element: readingOf(then, path) };
}

interface Planned {
  readonly plan: CollectionPlan;
  /** What is put in, replaced or taken out: the element, or a holder that comes back with it. */
  readonly place: {
    readonly keys: readonly (string | number)[];
    readonly now: Located | undefined;
    readonly wanted: Located | undefined;
  };
}

type Stop = Exclude<RestoredElement, { readonly kind: 'restored' }>;

/** Plans the text along the way to the element; beside that way everything is as it stands. */
class Restoration {
  readonly #path: ElementPath;

  constructor(path: ElementPath) {
    this.#path = path;
  }

  plan(now: CollectionRevision, then: CollectionRevision | undefined, depth: number): Planned | Stop {
    const path = this.#path.slice(0, depth);
    const name = this.#path[depth] ?? '';
    const ours = namedEntries(now, path);
    const theirs = then === undefined ? new Map<string, Located>() : namedEntries(then, path);
    if (ours === undefined || theirs === undefined || (then !== undefined && then.node.kind !== now.node.kind))
      return refused(cannotTell);
    const [has, wanted] = [ours.get(name), theirs.get(name)];
    const isLast = depth === this.#path.length - 1 || (wanted === undefined && this.#isLeftEmpty(has, depth));
    if (has !== undefined && !isLast && !isNothing(has)) return this.#inside(now, then, ours, has, wanted, depth);
    if (has === undefined && wanted === undefined) return { kind: 'same' };
    const core = wanted === undefined ? undefined : isLast ? take(wanted) : this.#holder(wanted, depth);
    if (core !== undefined && 'sentence' in core) return core;
    const entries = placeEntry([...ours], [...theirs.keys()], name, core, has, wanted);
    const located = has ?? wanted;
    const key = located?.entry.key ?? located?.index ?? name;
    return {
      plan: { base: undefined, ours: now, theirs: then ?? now, frame: 'ours', entries },
      place: { keys: [key], now: has, wanted },
    };
  }

  #inside(
    now: CollectionRevision,
    then: CollectionRevision | undefined,
    ours: ReadonlyMap<string, Located>,
    has: Located,
    wanted: Located | undefined,
    depth: number,
  ): Planned | Stop {
    const inner = collectionOf(has);
    const other = wanted === undefined ? undefined : collectionOf(wanted);
    if (inner === undefined || (wanted !== undefined && other === undefined)) return refused(cannotTell);
    const found = this.plan(inner, other, depth + 1);
    if ('kind' in found) return found;
    const entries = [...ours.values()].map((one) => entryPlan(one, one === has ? parts(one, found.plan) : take(one)));
    const { place } = found;
    return {
      plan: { base: undefined, ours: now, theirs: then ?? now, frame: 'ours', entries },
      place: { ...place, keys: [has.entry.key ?? has.index, ...place.keys] },
    };
  }

  /** Whether something that the version does not have holds nothing but the element: then it goes with it. */
  #isLeftEmpty(has: Located | undefined, depth: number): boolean {
    const path = this.#path.slice(0, depth + 1);
    const below = this.#path[depth + 1];
    const inner = has === undefined ? undefined : collectionOf(has);
    const named = inner === undefined ? undefined : namedEntries(inner, path);
    if (below === undefined || named === undefined || !isHolder(path, below)) return false;
    const isAPath = path.length === 2 && METHODS.has(below);
    return [...named.keys()].every((name) => name === below || (isAPath && !METHODS.has(name)));
  }

  /** What the element stood in is not there any more: it comes back with it, without what else was in it. */
  #holder(wanted: Located, depth: number): CorePlan | Extract<RestoredElement, { kind: 'refused' }> {
    const path = this.#path.slice(0, depth + 1);
    const below = this.#path[depth + 1];
    const inner = collectionOf(wanted);
    const named = inner === undefined ? undefined : namedEntries(inner, path);
    const next = named?.get(below ?? '');
    if (inner === undefined || named === undefined || next === undefined) return refused(cannotTell);
    if (!isHolder(path, below)) {
      const gone = elementLabel(formatPointer(path.slice(0, partLength(path))));
      return refused(`${gone} is not there any more. Restore it first, from the change that removed it.`);
    }
    const isLast = depth + 1 === this.#path.length - 1;
    const core = isLast ? take(next) : this.#holder(next, depth + 1);
    if ('sentence' in core) return core;
    // What a path says for all of its operations belongs to each of them.
    const isOfAll = (name: string): boolean => METHODS.has(below ?? '') && path.length === 2 && !METHODS.has(name);
    const entries = [...named]
      .filter(([name]) => name === below || isOfAll(name))
      .map(([name, one]) => entryPlan(one, name === below ? core : take(one)));
    return parts(wanted, { base: undefined, ours: inner, theirs: inner, frame: 'ours', entries });
  }
}

/** The entries of a collection with one taken over, put in or left out. A new one stands behind the same neighbour as in its version. */
function placeEntry(
  ours: readonly (readonly [string, Located])[],
  theirs: readonly string[],
  name: string,
  core: CorePlan | undefined,
  has: Located | undefined,
  wanted: Located | undefined,
): EntryPlan[] {
  const rest = ours.map(([key, one]) => ({ key, plan: entryPlan(one, take(one)) }));
  if (has !== undefined) {
    return rest.flatMap(({ key, plan }) => (key !== name ? plan : core === undefined ? [] : { ...plan, core }));
  }
  if (core === undefined || wanted === undefined) return rest.map(({ plan }) => plan);
  const own = new Set(ours.map(([key]) => key));
  const place = theirs.indexOf(name);
  const before = theirs.slice(0, place).findLast((key) => own.has(key));
  const after = theirs.slice(place).find((key) => own.has(key));
  const at = (key: string): number => rest.findIndex((one) => one.key === key);
  const position = before !== undefined ? at(before) + 1 : after !== undefined ? at(after) : rest.length;
  return rest.map(({ plan }) => plan).toSpliced(position, 0, entryPlan(wanted, core));
}

function entryPlan(located: Located, core: CorePlan): EntryPlan {
  return {
    triple: { id: '', base: undefined, ours: located, theirs: undefined },
    path: ROOT_PATH,
    lead: { text: leadText(located), column: columnOf(located) },
    core,
  };
}

function take(from: Located): CorePlan {
  return { kind: 'take', from };
}

function parts(frame: Located, collection: CollectionPlan): CorePlan {
  const column = columnOf(frame);
  return {
    kind: 'parts',
    frame,
    head: { text: headText(frame), column },
    value: { kind: 'collection', collection },
    tail: { text: tailText(frame), column },
  };
}

/** What speaks against a result; undefined where nothing does. Reads the texts anew. */
function whyNot(
  current: string,
  text: string,
  then: CollectionRevision,
  { place }: Planned,
  path: ElementPath,
  format: DocumentFormat,
): Stop | undefined {
  const read = (source: string): PlainNode | undefined => readPlainDocument(source, format).root;
  const [before, after] = [read(current), read(text)];
  if (before === undefined) return refused(unreadable);
  const restored = rootOf(text, format);
  if (after === undefined || restored === undefined) return refused(cannotTell);
  const pointer = formatPointer(place.keys);
  const { now, wanted } = place;
  const piece = {
    id: '',
    kind: 'edit-edit',
    pointer,
    label: elementLabel(pointer),
    canTakeBoth: false,
    // The comment above an element goes with it where it is taken out.
    ...(now === undefined ? {} : { ours: { ...pieceOf(now), start: now.entry.leadStart } }),
    ...(wanted === undefined ? {} : { theirs: pieceOf(wanted) }),
  } as const;
  if (changeOutside({ textBefore: current, textAfter: text, before, after, conflicts: [piece], format }) !== undefined)
    return refused(cannotTell);
  const canon = new Canon();
  const [is, was] = [find(restored, path), find(then, path)];
  const valueOf = (one: Located | undefined): number => (one === undefined ? -1 : canon.of(one.tree, one.entry.value));
  if (valueOf(is) !== valueOf(was)) return refused(cannotTell);
  const known = new Set(findViolations(before).map(({ key }) => key));
  const fresh = findViolations(after).find(({ key }) => !known.has(key));
  return fresh === undefined ? undefined : refused(`The API would not be valid with it any more. ${fresh.message}`);
}

function readingOf(then: CollectionRevision, path: ElementPath): string | undefined {
  const located = find(then, path);
  return located === undefined ? undefined : pieceOf(located).text;
}

function find(root: CollectionRevision, path: ElementPath): Located | undefined {
  let within: CollectionRevision | undefined = root;
  let found: Located | undefined;
  for (const [depth, name] of path.entries()) {
    if (within === undefined) return undefined;
    found = namedEntries(within, path.slice(0, depth))?.get(name);
    within = found === undefined ? undefined : collectionOf(found);
    if (found === undefined) return undefined;
  }
  return found;
}

function refused(sentence: string): Extract<RestoredElement, { kind: 'refused' }> {
  return { kind: 'refused', sentence };
}

const unreadable = 'The file cannot be read as it is now. Mend it first, then restore the element.';
const cannotTell =
  'What stands around this element has changed too much to put it back by itself. Restore the whole version, or edit the file by hand.';
