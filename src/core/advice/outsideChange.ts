import type { DocumentFormat, MergeConflict } from '../merge/types.ts';
import { parsePointer } from '../openapi/jsonPointer.ts';
import type { PlainMap, PlainNode } from '../openapi/plainDocument.ts';
import { isItemConflict, isSameValue, readPiece } from './plainPiece.ts';

export interface OutsideChangeInput {
  /** The working file without and with the resolutions. */
  readonly textBefore: string;
  readonly textAfter: string;
  readonly before: PlainNode | undefined;
  readonly after: PlainNode;
  readonly conflicts: readonly MergeConflict[];
  readonly format: DocumentFormat;
}

/** A place that may change: the way to it, and the keys that may stand there instead of its own. */
interface Allowed {
  readonly path: readonly string[];
  readonly isItem: boolean;
  readonly keys: ReadonlySet<string>;
}

/** What changes although it is not in conflict, in a sentence; undefined where nothing does. Compares data, and for one conflict the text. */
export function changeOutside(input: OutsideChangeInput): string | undefined {
  const { conflicts, format, before, after } = input;
  if (input.textBefore === input.textAfter) return undefined;
  const allowed = conflicts.map((conflict): Allowed => {
    const path = parsePointer(conflict.pointer);
    const isItem = isItemConflict(conflict, format);
    const keys = [conflict.base, conflict.ours, conflict.theirs].flatMap((piece) =>
      piece === undefined ? [] : (readPiece(piece.text, format, isItem)?.key ?? []),
    );
    return { path, isItem, keys: new Set([...keys, ...path.slice(-1)]) };
  });
  if (allowed.some(({ path }) => path.length === 0)) return undefined; // The document as a whole is in conflict.
  const place = before === undefined ? [] : changedPlace(before, after, allowed, []);
  if (place !== undefined)
    return `It would also change ${place.length === 0 ? 'the document' : `"${place.join(' · ')}"`}.`;
  const [only, ...rest] = conflicts;
  return only !== undefined && rest.length === 0 && !isInside(input, only)
    ? 'It would also change text around the element.'
    : undefined;
}

/** The first place that differs and may not; undefined where all that differs may. */
function changedPlace(
  before: PlainNode,
  after: PlainNode,
  allowed: readonly Allowed[],
  path: readonly string[],
): readonly string[] | undefined {
  if (isSameValue(before, after)) return undefined;
  const depth = path.length;
  const here = allowed.filter((one) => one.path.length > depth);
  if (here.length === 0 || before.anchor !== after.anchor || before.tag !== after.tag) return path;
  if (before.kind === 'map' && after.kind === 'map') return changedInMap(before, after, here, path);
  if (before.kind !== 'sequence' || after.kind !== 'sequence') return path;
  const ends = here.filter((one) => one.path.length === depth + 1);
  if (ends.length > 0) {
    // Positions differ between the versions: what may change is as many items as are in conflict here.
    const left = [...after.items];
    let gone = 0;
    for (const item of before.items) {
      const at = left.findIndex((one) => isSameValue(one, item));
      if (at === -1) gone++;
      else left.splice(at, 1);
    }
    return gone <= ends.length && left.length <= ends.length ? undefined : path;
  }
  if (before.items.length !== after.items.length) return path;
  for (const [index, item] of before.items.entries()) {
    const other = after.items[index];
    if (other === undefined) return path;
    const found = changedPlace(
      item,
      other,
      here.filter((one) => /^\d+$/.test(one.path[depth] ?? '')),
      [...path, String(index)],
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function changedInMap(
  before: PlainMap,
  after: PlainMap,
  allowed: readonly Allowed[],
  path: readonly string[],
): readonly string[] | undefined {
  const depth = path.length;
  const own = new Set(
    allowed.filter((one) => one.path.length === depth + 1 && !one.isItem).flatMap((one) => [...one.keys]),
  );
  for (const key of new Set([...before.entries.keys(), ...after.entries.keys()])) {
    if (own.has(key)) continue;
    const [one, other] = [before.entries.get(key), after.entries.get(key)];
    if (one === undefined || other === undefined) return [...path, key];
    const below = allowed.filter((place) => place.path.length > depth + 1 && place.path[depth] === key);
    const found = changedPlace(one, other, below, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether only the element's own stretch of the text differs, and white space and separators at its ends. */
function isInside({ textBefore, textAfter }: OutsideChangeInput, { ours }: MergeConflict): boolean {
  const shorter = Math.min(textBefore.length, textAfter.length);
  let start = 0;
  while (start < shorter && textBefore.charCodeAt(start) === textAfter.charCodeAt(start)) start++;
  let end = 0;
  const sameEnd = (): boolean =>
    textBefore.charCodeAt(textBefore.length - 1 - end) === textAfter.charCodeAt(textAfter.length - 1 - end);
  while (end < shorter - start && sameEnd()) end++;
  const isSpace = (text: string): boolean => /^[\s,]*$/.test(text);
  const endBefore = textBefore.length - end;
  if (ours === undefined) return isSpace(textBefore.slice(start, endBefore));
  const isFree = (from: number, to: number): boolean => from >= to || isSpace(textBefore.slice(from, to));
  return isFree(start, ours.start) && isFree(ours.end, endBefore);
}
