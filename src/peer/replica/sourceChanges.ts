import type { RevisionHash } from '../../core/ids.ts';

/** Changes whose files were never sent (paused, in conflict) are forgotten, the oldest first. */
const MAX_EXPECTED = 100;

/** Tells the changes that sources make from those of people: by what the text was before and after, and nothing else. */
export class SourceChanges {
  readonly #expected = new Map<RevisionHash, { readonly source: string; readonly before: RevisionHash | undefined }>();

  /** Called before the file is written, so that nobody sees the change first. */
  expect(source: string, before: RevisionHash | undefined, after: RevisionHash): void {
    this.#expected.delete(after);
    this.#expected.set(after, { source, before });
    const [oldest] = this.#expected.keys();
    if (this.#expected.size > MAX_EXPECTED && oldest !== undefined) this.#expected.delete(oldest);
  }

  /** A change that has something of a person's in it too is the person's. */
  sourceOf(before: RevisionHash | undefined, after: RevisionHash): string | undefined {
    const expected = this.#expected.get(after);
    return expected !== undefined && expected.before === before ? expected.source : undefined;
  }
}
