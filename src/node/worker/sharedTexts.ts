/** Shorter texts are copied with the call they belong to. In UTF-16 units. */
export const MIN_SHARED_LENGTH = 100_000;
/** So much is kept on the other side for calls to come; what a call under way needs is kept besides. In UTF-16 units. */
export const MAX_KEPT_LENGTH = 40_000_000;

/** Where in a message a large text belongs, and under which number the other side has it. */
export interface TextPlace {
  readonly path: readonly string[];
  readonly id: number;
}

/** A value whose large texts were taken out. */
export interface PackedValue {
  readonly value: unknown;
  readonly texts: readonly TextPlace[];
}

/**
 * Takes the large texts out of arrays and plain objects; copies only what holds one.
 * @param idOf the number to send in a text's place; undefined: it stays where it is.
 */
export function packTexts(value: unknown, idOf: (text: string) => number | undefined): PackedValue {
  const texts: TextPlace[] = [];
  const path: string[] = [];
  const pack = (part: unknown): unknown => {
    if (typeof part === 'string') {
      const id = part.length < MIN_SHARED_LENGTH ? undefined : idOf(part);
      if (id === undefined) return part;
      texts.push({ path: [...path], id });
      return '';
    }
    if (typeof part !== 'object' || part === null) return part;
    if (!Array.isArray(part) && Object.getPrototypeOf(part) !== Object.prototype) return part;
    let copy: Record<string, unknown> | undefined;
    for (const [key, child] of Object.entries(part)) {
      path.push(key);
      const packed = pack(child);
      path.pop();
      if (packed === child) continue;
      copy ??= (Array.isArray(part) ? [...(part as unknown[])] : { ...part }) as Record<string, unknown>;
      copy[key] = packed;
    }
    return copy ?? part;
  };
  return { value: pack(value), texts };
}

/** Puts the texts back into a value that came in a message, and so is nobody else's. */
export function unpackTexts({ value, texts }: PackedValue, textOf: (id: number) => string | undefined): unknown {
  const root: Record<string, unknown> = { value };
  for (const { path, id } of texts) {
    let holder = root;
    let key = 'value';
    for (const next of path) {
      holder = holder[key] as Record<string, unknown>;
      key = next;
    }
    holder[key] = textOf(id);
  }
  return root['value'];
}

interface Kept {
  readonly id: number;
  users: number;
}

/** Which texts the other side has, so that each is sent to it once: copying 13 million characters takes its time. */
export class SharedTexts {
  /** In the order in which they were used last. */
  readonly #kept = new Map<string, Kept>();
  #nextId = 1;
  #length = 0;

  /** Counts one more user of a text. @returns its number, and whether the other side has yet to get it. */
  use(text: string): { readonly id: number; readonly isNew: boolean } {
    const known = this.#kept.get(text);
    const kept = known ?? { id: this.#nextId++, users: 0 };
    if (known === undefined) this.#length += text.length;
    else this.#kept.delete(text);
    this.#kept.set(text, kept);
    kept.users += 1;
    return { id: kept.id, isNew: known === undefined };
  }

  /** A user is done with a text. @returns the numbers that the other side need not keep any longer. */
  release(text: string): number[] {
    const kept = this.#kept.get(text);
    if (kept !== undefined) kept.users -= 1;
    const dropped: number[] = [];
    for (const [old, { id, users }] of this.#kept) {
      if (this.#length <= MAX_KEPT_LENGTH) break;
      if (users > 0) continue;
      this.#kept.delete(old);
      this.#length -= old.length;
      dropped.push(id);
    }
    return dropped;
  }
}
