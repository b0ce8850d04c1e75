/**
 * Whether a text has what a merge of two edited texts must have: of every word as often as in the base, plus what each
 * side added, less what each removed; where both did the same to a word, once or twice.
 */
export function wordsAreThreeWay(base: string, ours: string, theirs: string, merged: string): boolean {
  const b = count(base);
  const o = count(ours);
  const t = count(theirs);
  const m = count(merged);
  for (const word of new Set([...b.keys(), ...o.keys(), ...t.keys(), ...m.keys()])) {
    const before = b.get(word) ?? 0;
    const byOurs = (o.get(word) ?? 0) - before;
    const byTheirs = (t.get(word) ?? 0) - before;
    const change = (m.get(word) ?? 0) - before;
    const sum = byOurs + byTheirs;
    const sameDirection = byOurs * byTheirs > 0;
    const once = byOurs > 0 ? Math.max(byOurs, byTheirs) : Math.min(byOurs, byTheirs);
    if (sameDirection ? change < Math.min(once, sum) || change > Math.max(once, sum) : change !== sum) return false;
  }
  return true;
}

function count(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.split(/\s+/)) if (word !== '') counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
