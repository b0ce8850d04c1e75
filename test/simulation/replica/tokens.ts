/** So many texts are remembered; a simulation has far fewer that are alive. */
const MAX_CACHED = 4_000;
const TOKEN = /\btk\d+\b/g;
const cache = new Map<string, ReadonlySet<string>>();

/** The marks of all edits that a text holds. */
export function tokensOf(text: string): ReadonlySet<string> {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const tokens = new Set(text.match(TOKEN) ?? []);
  cache.set(text, tokens);
  return tokens;
}

/** What the first text holds and the second does not. */
export function tokensOnlyIn(text: string, other: string): string[] {
  const others = tokensOf(other);
  return [...tokensOf(text)].filter((token) => !others.has(token));
}

/**
 * Who wrote what, and who took it away having seen it (I1): each edit carries a mark of its own, and a mark that was
 * saved may leave the world only by a person's doing.
 */
export class Ledger {
  readonly #authors = new Map<string, string>();
  readonly #living = new Set<string>();
  readonly #removers = new Map<string, Set<string>>();
  readonly #retractors = new Map<string, Set<string>>();
  readonly #bringers = new Map<string, Set<string>>();

  mint(author: string): string {
    const token = `tk${String(this.#authors.size + 1)}`;
    this.#authors.set(token, author);
    return token;
  }

  authorOf(token: string): string | undefined {
    return this.#authors.get(token);
  }

  /** Saved, and not taken away by anybody who had seen it. */
  get living(): Iterable<string> {
    return this.#living;
  }

  /** A person saves `after` where it had `before` in front of it. */
  save(person: string, before: string, after: string): void {
    for (const token of tokensOf(after)) if (this.authorOf(token) === person) this.#keep(token);
    for (const token of tokensOnlyIn(before, after)) this.remove(person, token);
  }

  remove(person: string, token: string): void {
    const removers = this.#removers.get(token) ?? new Set<string>();
    removers.add(person);
    this.#removers.set(token, removers);
    this.#living.delete(token);
  }

  /** The person takes a removal back. */
  restore(person: string, token: string): void {
    this.#removers.get(token)?.delete(person);
    this.#keep(token);
  }

  /** The person takes out of the library again what goes on living in front of it (a choice is taken back). */
  retract(person: string, token: string): void {
    const persons = this.#retractors.get(token) ?? new Set<string>();
    persons.add(person);
    this.#retractors.set(token, persons);
  }

  /** An entry of this person has put the mark into the library. */
  bring(person: string, token: string): void {
    const bringers = this.#bringers.get(token) ?? new Set<string>();
    bringers.add(person);
    this.#bringers.set(token, bringers);
  }

  /** Whether the mark stands for something that this person did. */
  isOf(person: string, token: string): boolean {
    return this.authorOf(token) === person || (this.#bringers.get(token)?.has(person) ?? false);
  }

  wasRemovedBy(person: string, token: string): boolean {
    return this.#removers.get(token)?.has(person) ?? false;
  }

  /** Whether an entry of this person may take the mark out of the library. */
  mayTake(person: string, token: string): boolean {
    return this.wasRemovedBy(person, token) || (this.#retractors.get(token)?.has(person) ?? false);
  }

  /** Whether anybody has taken the mark away. */
  wasTaken(token: string): boolean {
    return (this.#removers.get(token)?.size ?? 0) + (this.#retractors.get(token)?.size ?? 0) > 0;
  }

  #keep(token: string): void {
    if ((this.#removers.get(token)?.size ?? 0) === 0) this.#living.add(token);
  }
}
