import type { Splice } from '../merge/types.ts';
import { elementLabel } from './elementLabel.ts';
import { formatPointer } from './jsonPointer.ts';

/** More than these say no more to a person than "many things". */
const MAX_ELEMENTS = 5;
/** So far up a place is followed to its operation or component; real ones are nearer. */
const MAX_LINES = 50_000;
const MAX_KEY_COLUMNS = 400;
/** A label is read in one line; a message that carries it is bounded. */
const MAX_LABEL_LENGTH = 120;

/**
 * Names the elements that a change touched, for a person: `GET /items · summary`. Reads indentation only, around the
 * changed places of block YAML, so that it costs nothing beside a parse; for JSON and flow style it names what is
 * around them, or nothing. Never used to decide anything.
 */
export function changedElements(before: string, after: string, splices: readonly Splice[]): readonly string[] {
  const labels = new Set<string>();
  let shift = 0;
  for (const { offset, deleteCount, insert } of splices) {
    const isRemoval = insert.trim() === '';
    const first = insert.search(/\S/);
    const path = isRemoval
      ? pathAt(before, offset + Math.max(0, before.slice(offset, offset + deleteCount).search(/\S/)))
      : pathAt(after, offset + shift + first);
    shift += insert.length - deleteCount;
    if (path.length > 0) labels.add(elementLabel(formatPointer(path)).slice(0, MAX_LABEL_LENGTH));
    if (labels.size === MAX_ELEMENTS) break;
  }
  return [...labels];
}

/** The keys that lead to the line at an offset, outermost first; items of sequences count as their sequence. */
function pathAt(text: string, offset: number): readonly string[] {
  const path: string[] = [];
  let column = Infinity;
  let end = lineEnd(text, offset);
  for (let lines = 0; end >= 0 && column > 0 && lines < MAX_LINES; lines++) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    // A key stands at the beginning of its line; the rest may be as long as it likes.
    const line = text.slice(start, Math.min(end, start + MAX_KEY_COLUMNS));
    end = start - 1;
    const entry = /^(\s*(?:- +)*)(?:"([^"]*)"|'([^']*)'|([^\s#"'{[&*!|>-][^:#]*?))\s*:(?:\s|$)/.exec(line);
    const indent = line.search(/[^ ]/);
    if (indent === -1 || line.charAt(indent) === '#') continue;
    const keyColumn = entry?.[1]?.length ?? indent;
    if (entry !== null && keyColumn < column) {
      path.unshift(entry[2] ?? entry[3] ?? entry[4] ?? '');
      column = keyColumn;
    }
    // A sequence may stand at the column of its own key.
    if (line.charAt(indent) === '-' && indent < column) column = indent + 1;
    else if (entry === null && lines === 0) column = Math.min(column, indent);
  }
  return path;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end;
}
