import type { DocumentFormat, MergeConflict } from '../../core/merge/types.ts';
import type { WriteIntent } from '../../core/replication/replicaStore.ts';
import { type DocumentRecord, hasError } from './documentRecord.ts';

/** Opens or closes what other lines hold, in YAML or JSON: `parameters:`, `"parameters": [`, `},`. */
const VALUELESS_LINE = /^$|:$|[[{]$|^[\]}],?$/;

/**
 * Whether a file that somebody has edited since a crash shows that the write which the crash interrupted had reached it:
 * the library's step that was being written is in the file, as a whole. Its revision then is what the edit was made on; with
 * the one before as base, that edit would clash with what it was made on.
 * @param text what the file reads like now, which is neither what it was before the write nor what was written.
 */
export async function showsWrite(record: DocumentRecord, intent: WriteIntent, text: string): Promise<boolean> {
  const { shadow, heldBase } = record.stored;
  const next = intent.document.shadow;
  // Of what is held the file keeps ours in either case.
  const isHeld = heldBase !== undefined || intent.document.heldBase !== undefined;
  if (shadow === undefined || next === undefined || isHeld) return false;
  const merged = await record.merge(shadow.text, text, next.text);
  // Something of the step is missing: it was not there, or the person has taken it out since.
  if (hasError(merged) || merged.text !== text) return false;
  const isAnythingElseThere = merged.nextBase !== shadow.text;
  if (!isAnythingElseThere) return merged.conflicts.some(extendsTheirs);
  for (const conflict of merged.conflicts)
    if (!hasNothingBack(conflict) && !(await isAnotherInItsPlace(record, conflict))) return false;
  return true;
}

/** Where the person went on editing an element of the step: nothing that the step had taken out is there again. */
function hasNothingBack({ base, ours, theirs }: MergeConflict): boolean {
  const kept = new Set(linesOf(theirs?.text));
  const there = new Set(linesOf(ours?.text));
  return linesOf(base?.text).every((line) => kept.has(line) || !there.has(line));
}

/**
 * Where the step had taken something out as a whole, and something else of its kind is there (its parameters, and another
 * parameter): beside each other the two clash nowhere, and have no line with a value in common.
 */
async function isAnotherInItsPlace(record: DocumentRecord, { base, ours, theirs }: MergeConflict): Promise<boolean> {
  if (base === undefined || ours === undefined || theirs !== undefined) return false;
  const [taken, there] = [base.text, ours.text].map((text) => asDocument(text, record.format));
  const both = await record.merge('', there ?? '', taken ?? '');
  if (hasError(both) || both.conflicts.length > 0) return false;
  const left = [...linesOf(both.text)];
  const common = [...linesOf(there), ...linesOf(taken)].filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at === -1;
  });
  return common.every((line) => VALUELESS_LINE.test(line));
}

/** An element's text as a document of its own. */
function asDocument(text: string, format: DocumentFormat): string {
  if (format === 'yaml') return text;
  return text.startsWith('"') ? `{\n${text}\n}` : `[\n${text}\n]`;
}

/** What the step has brought into the element is there, with more. */
function extendsTheirs(conflict: MergeConflict): boolean {
  const known = new Set(linesOf(conflict.base?.text));
  const there = new Set(linesOf(conflict.ours?.text));
  const brought = linesOf(conflict.theirs?.text).filter((line) => !known.has(line));
  return brought.length > 0 && brought.every((line) => there.has(line)) && hasNothingBack(conflict);
}

function linesOf(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').map((line) => line.trim());
}
