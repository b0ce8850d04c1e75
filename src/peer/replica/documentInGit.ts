import type { RevisionHash } from '../../core/ids.ts';
import type { DocumentParts } from './documentParts.ts';
import type { DocumentSettling } from './documentSettling.ts';
import type { SerialQueue } from './serialQueue.ts';

/** What a pull and a commit want to know of one document, as it is in the document's turn. */
export class DocumentInGit {
  readonly #parts: DocumentParts;
  readonly #settling: DocumentSettling;
  readonly #queue: SerialQueue;

  constructor(parts: DocumentParts, settling: DocumentSettling, queue: SerialQueue) {
    this.#parts = parts;
    this.#settling = settling;
    this.#queue = queue;
  }

  /** Whether the file has taken in what this revision brought, and what came after it ([PUL-02]). */
  holdsRevision(hash: RevisionHash): Promise<boolean> {
    return this.#queue.run(() => this.#holdsRevision(hash));
  }

  async #holdsRevision(hash: RevisionHash): Promise<boolean> {
    const { record, history, proposals } = this.#parts;
    const { shadow, heldBase, deleted } = record.stored;
    if (shadow === undefined || heldBase !== undefined || deleted !== undefined) return false;
    // What has happened to the file since it was last looked at may be git's doing: then it holds less than we know.
    const isSettled = !this.#settling.isOpen && ['inStep', 'waiting'].includes(this.#settling.state);
    if (!isSettled || !(await this.#isAsRead())) return false;
    const index = shadow.hash === hash ? shadow.index : await history.indexOf(hash, proposals.connectedLink());
    return index !== undefined && index <= shadow.index;
  }

  async #isAsRead(): Promise<boolean> {
    const { file, working, isReadingOutdated, ctx } = this.#parts.record;
    if (file === undefined || working === undefined || isReadingOutdated) return false;
    const reading = await ctx.reader.read(file, undefined, undefined);
    return reading.kind === 'text' && reading.working.raw === working.raw;
  }

  /**
   * Who else made changes that are in `text` and not in what the file was before ([COM-01]).
   * @param before the file's versions in the commit that is there and its history.
   */
  foreignAuthors(text: string, before: AsyncIterable<string>): Promise<readonly string[]> {
    return this.#queue.run(() => this.#foreignAuthors(text, before));
  }

  async #foreignAuthors(text: string, before: AsyncIterable<string>): Promise<readonly string[]> {
    const { record, history, proposals } = this.#parts;
    const { shadow, heldBase } = record.stored;
    const link = proposals.connectedLink();
    if (shadow === undefined || link === undefined) return [];
    const { hashText } = record.ctx.ambient;
    let known = 0;
    for await (const version of before) {
      // All that came since is held: others have it, and the file has not.
      if (version === heldBase) return [];
      known = Math.max(known, (await history.indexOf(hashText(version), link)) ?? 0);
    }
    // What was typed on top, and is no revision yet, was typed on what was agreed on.
    const upTo = (await history.indexOf(hashText(text), link)) ?? shadow.index;
    return history.othersBetween(known, upTo, link);
  }
}
