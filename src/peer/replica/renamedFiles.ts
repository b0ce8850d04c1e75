/**
 * So much of their different lines two texts have to have in common to be the same document under another name. More than
 * git asks for: API descriptions are alike by nature, and a new one must not take the place of one that was deleted.
 */
const MIN_LIKENESS = 0.8;

/** A document whose file is gone. */
export interface MissingFile<K> {
  readonly key: K;
  readonly path: string;
  /** What its file may read as, the likeliest first. */
  readonly texts: readonly string[];
}

/** A file that is no document yet. */
export interface AppearedFile {
  readonly key: string;
  readonly path: string;
  readonly text: string;
}

/**
 * Which of the files that turned up are which of those that are gone: the ones that read the same, those of the same
 * name first; then the ones that are most alike ([REN-01]). Each is paired once.
 */
export function pairRenames<K>(
  missing: readonly MissingFile<K>[],
  appeared: readonly AppearedFile[],
): readonly (readonly [K, string])[] {
  const open = new Set(missing);
  const pairs: (readonly [K, string])[] = [];
  const take = (one: MissingFile<K>, file: AppearedFile): void => {
    open.delete(one);
    pairs.push([one.key, file.key]);
  };
  const edited: AppearedFile[] = [];
  for (const file of appeared) {
    const same = [...open].filter(({ texts }) => texts.includes(file.text));
    const match = same.find(({ path }) => nameOf(path) === nameOf(file.path)) ?? same[0];
    if (match === undefined) edited.push(file);
    else take(match, file);
  }
  for (const file of edited) {
    let best: { readonly one: MissingFile<K>; readonly likeness: number } | undefined;
    for (const one of open) {
      const likeness = likenessOf(one.texts[0] ?? '', file.text);
      if (likeness >= MIN_LIKENESS && likeness > (best?.likeness ?? 0)) best = { one, likeness };
    }
    if (best !== undefined) take(best.one, file);
  }
  return pairs;
}

/** How many of the different lines of two texts, blank ones apart, are in both: 0 to 1. */
export function likenessOf(a: string, b: string): number {
  const left = linesOf(a);
  const right = linesOf(b);
  const total = left.size + right.size;
  return total === 0 ? 0 : (2 * [...left].filter((line) => right.has(line)).length) / total;
}

function linesOf(text: string): Set<string> {
  return new Set(
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  );
}

function nameOf(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}
