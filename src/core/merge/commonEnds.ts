/** Texts are compared in strides of this many units first, because comparing slices is faster than comparing units. */
const STRIDE = 16_384;

/** How many units two texts have in common at their start. */
export function commonPrefix(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let index = 0;
  while (index + STRIDE <= length && a.slice(index, index + STRIDE) === b.slice(index, index + STRIDE)) index += STRIDE;
  while (index < length && a.charCodeAt(index) === b.charCodeAt(index)) index++;
  return index;
}

/** How many units two texts have in common at their end, outside of the first `prefix`. */
export function commonSuffix(a: string, b: string, prefix: number): number {
  const length = Math.min(a.length, b.length) - prefix;
  let count = 0;
  while (
    count + STRIDE <= length &&
    a.slice(a.length - count - STRIDE, a.length - count) === b.slice(b.length - count - STRIDE, b.length - count)
  ) {
    count += STRIDE;
  }
  while (count < length && a.charCodeAt(a.length - 1 - count) === b.charCodeAt(b.length - 1 - count)) count++;
  return count;
}
