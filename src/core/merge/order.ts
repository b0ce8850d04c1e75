/** The order of a merged collection; undefined where both sides moved entries in different ways and the order has meaning. */
export function mergeOrder(
  base: readonly string[],
  ours: readonly string[],
  theirs: readonly string[],
  present: ReadonlySet<string>,
  orderMatters: boolean,
): string[] | undefined {
  const oursMoved = hasMoved(base, ours);
  const theirsMoved = hasMoved(base, theirs);
  if (oursMoved && theirsMoved && orderMatters && !sameRelativeOrder(ours, theirs)) return undefined;
  const takesTheirs = !oursMoved || theirsMoved;
  const frame = takesTheirs ? theirs : ours;
  const other = takesTheirs ? ours : theirs;
  const inBase = new Set(base);
  const inOther = new Set(other);
  const order = frame.filter((id) => present.has(id));
  const placed = new Set(order);
  let previous: string | undefined;
  for (const id of other) {
    if (!present.has(id)) continue;
    if (!placed.has(id)) {
      let at = previous === undefined ? 0 : order.indexOf(previous) + 1;
      // Where both sides inserted at one place, those of theirs (the head's) come first.
      if (takesTheirs) while (at < order.length && isNewInFrame(order[at], inBase, inOther)) at++;
      order.splice(at, 0, id);
      placed.add(id);
    }
    previous = id;
  }
  return order;
}

function isNewInFrame(id: string | undefined, inBase: ReadonlySet<string>, inOther: ReadonlySet<string>): boolean {
  return id !== undefined && !inBase.has(id) && !inOther.has(id);
}

function hasMoved(base: readonly string[], side: readonly string[]): boolean {
  return !sameRelativeOrder(base, side);
}

function sameRelativeOrder(a: readonly string[], b: readonly string[]): boolean {
  const inA = new Set(a);
  const inB = new Set(b);
  const commonA = a.filter((id) => inB.has(id));
  const commonB = b.filter((id) => inA.has(id));
  return commonA.length === commonB.length && commonA.every((id, index) => commonB[index] === id);
}
