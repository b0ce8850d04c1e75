/** The smallest document with elements: a row of `key: value` lines, sorted by key. */
export type Keyed = ReadonlyMap<string, string>;

export function readKeyed(text: string): Keyed {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
}

export function writeKeyed(keyed: Keyed): string {
  return [...keyed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}

/** A three-way merge by key. What clashes is theirs in the result, and ours among `lost`, for the conflict to be recorded. */
export function mergeKeyed(
  base: Keyed,
  ours: Keyed,
  theirs: Keyed,
): { readonly merged: Keyed; readonly lost: readonly string[] } {
  const merged = new Map<string, string>();
  const lost: string[] = [];
  for (const key of new Set([...base.keys(), ...ours.keys(), ...theirs.keys()])) {
    const [b, o, t] = [base.get(key), ours.get(key), theirs.get(key)];
    const value = o === b ? t : t === b || t === o ? o : t;
    if (o !== b && t !== b && o !== t && o !== undefined) lost.push(o);
    if (value !== undefined) merged.set(key, value);
  }
  return { merged, lost };
}
