import type { DocumentFormat, MergeConflict, Resolution } from '../merge/types.ts';
import { elementLabel } from '../openapi/elementLabel.ts';
import { formatPointer } from '../openapi/jsonPointer.ts';
import type { PlainNode } from '../openapi/plainDocument.ts';
import { isItemConflict, isSameValue, readPiece } from './plainPiece.ts';

/** `skipped`: one side has no such element, or the two changes exclude each other as wholes, so that one gives way. */
export type KeptChanges = { readonly kind: 'kept' | 'skipped' } | { readonly kind: 'lost'; readonly sentence: string };

/** Whether a resolution keeps what only one side changed within the element. */
export function keptChanges(conflict: MergeConflict, resolution: Resolution, format: DocumentFormat): KeptChanges {
  const { base, ours, theirs, kind } = conflict;
  if (kind === 'semantic' || ours === undefined || theirs === undefined || resolution.choice === 'both')
    return { kind: 'skipped' };
  const isItem = isItemConflict(conflict, format);
  const valueOf = (text: string | undefined): PlainNode | undefined =>
    text === undefined ? undefined : readPiece(text, format, isItem)?.value;
  const chosen =
    resolution.choice === 'custom'
      ? resolution.text
      : { ours: ours.text, theirs: theirs.text, base: base?.text ?? '' }[resolution.choice];
  const result = valueOf(chosen);
  const [b, o, t] = [valueOf(base?.text), valueOf(ours.text), valueOf(theirs.text)];
  if (o === undefined || t === undefined) return { kind: 'skipped' };
  const sentence =
    result === undefined ? 'It is not one element like the one in conflict.' : lostIn(b, o, t, result, []);
  return sentence === undefined ? { kind: 'kept' } : { kind: 'lost', sentence };
}

function lostIn(
  base: PlainNode | undefined,
  ours: PlainNode | undefined,
  theirs: PlainNode | undefined,
  result: PlainNode | undefined,
  path: readonly string[],
): string | undefined {
  const isOurs = !isSameValue(base, ours);
  const isTheirs = !isSameValue(base, theirs);
  if (isSameValue(ours, theirs))
    return isSameValue(result, ours) ? undefined : `It changes ${nameOf(path)}, on which both versions agree.`;
  if (isOurs !== isTheirs) {
    if (isSameValue(result, isOurs ? ours : theirs)) return undefined;
    return `It loses ${nameOf(path)} as only ${isOurs ? 'you' : 'the other side'} changed it.`;
  }
  // Both changed it. Below, each may have changed what the other has not.
  if (ours?.kind !== 'map' || theirs?.kind !== 'map' || result?.kind !== 'map') return undefined;
  const baseEntries = base?.kind === 'map' ? base.entries : new Map<string, PlainNode>();
  const known = new Set([...baseEntries.keys(), ...ours.entries.keys(), ...theirs.entries.keys()]);
  const invented = [...result.entries.keys()].find((key) => !known.has(key));
  if (invented !== undefined) return `It adds ${nameOf([...path, invented])}, which neither version has.`;
  for (const key of known) {
    const lost = lostIn(baseEntries.get(key), ours.entries.get(key), theirs.entries.get(key), result.entries.get(key), [
      ...path,
      key,
    ]);
    if (lost !== undefined) return lost;
  }
  return undefined;
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? 'the element' : `"${elementLabel(formatPointer(path)).slice(0, 80)}"`;
}
