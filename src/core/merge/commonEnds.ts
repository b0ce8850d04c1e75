/**
 * Comparing slices is much faster than comparing units, and a slice costs no copy: strides double while they are the
 * same, and the one that is not is halved. In UTF-16 units.
 */
const FIRST_STRIDE = 64;
const LAST_STRIDE = 65_536;

/** What two texts have in common at their start and at their end, without overlapping. */
export interface CommonEnds {
  readonly prefix: number;
  readonly suffix: number;
}

export function commonEnds(a: string, b: string): CommonEnds {
  const prefix = commonPrefix(a, b);
  return { prefix, suffix: commonSuffix(a, b, prefix) };
}

/** How many units two texts have in common at their start. */
export function commonPrefix(a: string, b: string): number {
  return commonLength(a, 0, b, 0, Math.min(a.length, b.length));
}

/** How many units are the same from there on, at most `limit`. */
export function commonLength(a: string, aStart: number, b: string, bStart: number, limit: number): number {
  return longest(0, limit, (from, to) => a.slice(aStart + from, aStart + to) === b.slice(bStart + from, bStart + to));
}

/**
 * How many units two texts have in common at their end, outside of the first `prefix`.
 * @param known so many are known to be in common.
 */
export function commonSuffix(a: string, b: string, prefix: number, known = 0): number {
  return longest(
    known,
    Math.min(a.length, b.length) - prefix,
    (from, to) => a.slice(a.length - to, a.length - from) === b.slice(b.length - to, b.length - from),
  );
}

function longest(known: number, limit: number, isSame: (from: number, to: number) => boolean): number {
  let same = known;
  let stride = FIRST_STRIDE;
  for (; same < limit; stride = Math.min(stride * 2, LAST_STRIDE)) {
    const end = Math.min(limit, same + stride);
    if (!isSame(same, end)) {
      let other = end;
      while (same + 1 < other) {
        const middle = (same + other) >> 1;
        if (isSame(same, middle)) same = middle;
        else other = middle;
      }
      return same;
    }
    same = end;
  }
  return same;
}
