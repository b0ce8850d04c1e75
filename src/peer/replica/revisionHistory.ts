import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { DocumentEntry } from '../../core/replication/entry.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import { originCommit } from '../../core/replication/originCommit.ts';

/** So far back a file is recognised as an older revision. */
const MAX_REVISIONS = 200;

interface Known {
  readonly hash: RevisionHash;
  readonly index: LogIndex;
  readonly authorName: string;
  readonly isOwn: boolean;
}

/** The newest revisions of one document, to tell a new text from an old one that came back (DESIGN §5, "Taking back"). */
export class RevisionHistory {
  readonly #docId: DocId;
  readonly #isOwn: (proposalId: ProposalId) => boolean;
  /** Oldest first. */
  #revisions: Known[] = [];
  #isComplete = false;
  /** Was looked for among the revisions of earlier documents, and is none. */
  #newText: RevisionHash | undefined;
  #originCommit: string | undefined;
  #newestIndex = 0;

  constructor(docId: DocId, isOwn: (proposalId: ProposalId) => boolean) {
    this.#docId = docId;
    this.#isOwn = isOwn;
  }

  /** What is known comes from another log than the one that is there now. */
  forget(): void {
    this.#revisions = [];
    this.#isComplete = false;
    this.#newText = undefined;
    this.#originCommit = undefined;
    this.#newestIndex = 0;
  }

  add(entry: DocumentEntry): void {
    // What was asked for may reach further than what has come in.
    if (entry.index <= this.#newestIndex) return;
    this.#newestIndex = entry.index;
    this.#originCommit ??= originCommit(entry);
    if (entry.hash === undefined) return;
    const { hash, index, author } = entry;
    this.#revisions.push({ hash, index, authorName: author.name, isOwn: this.#isOwn(entry.proposalId) });
    if (this.#revisions.length > MAX_REVISIONS) this.#revisions.shift();
  }

  /**
   * Whether `hash` is an older revision and going back to it would take back what somebody else did since.
   * @param link asked once for what happened before this process; without one, only what came in since then is known,
   * and where that does not tell, the answer is undefined.
   */
  async isTakingBack(hash: RevisionHash, link: LibraryLink | undefined): Promise<boolean | undefined> {
    await this.#complete(link);
    if (!this.#isComplete && !this.#revisions.some((one) => one.hash === hash)) return undefined;
    const at = this.#revisions.findLastIndex((one) => one.hash === hash);
    return at !== -1 && this.#revisions.slice(at + 1).some((one) => !one.isOwn);
  }

  /**
   * Whether `hash` is a revision of a document that had this one's place before, so that going back to it would take
   * back what somebody else did here. Undefined where only the library could tell, and is not connected.
   */
  async isOfEarlier(
    earlier: readonly DocId[],
    hash: RevisionHash,
    link: LibraryLink | undefined,
  ): Promise<boolean | undefined> {
    if (earlier.length === 0 || hash === this.#newText) return false;
    if (link === undefined) return undefined;
    if (!(await this.hasForeign(link))) return false;
    for (const docId of earlier) if ((await link.fetchRevision(docId, hash)) !== undefined) return true;
    this.#newText = hash;
    return false;
  }

  /** The newest entry of the document. */
  async newestIndex(link: LibraryLink): Promise<number> {
    await this.#complete(link);
    return this.#newestIndex;
  }

  /** The git commit that the document was created from, where its entry says so and is not too long ago. */
  async originCommit(link: LibraryLink): Promise<string | undefined> {
    await this.#complete(link);
    return this.#originCommit;
  }

  /** The newest entry, up to one, that made this revision; undefined where it is not among those that are known. */
  async indexOf(hash: RevisionHash, link: LibraryLink | undefined, upTo = Infinity): Promise<LogIndex | undefined> {
    await this.#complete(link);
    return this.#revisions.findLast((one) => one.hash === hash && one.index <= upTo)?.index;
  }

  /** Who else has changed the document after one entry and up to another. */
  async othersBetween(after: number, upTo: LogIndex, link: LibraryLink | undefined): Promise<readonly string[]> {
    await this.#complete(link);
    const between = this.#revisions.filter(({ index, isOwn }) => !isOwn && index > after && index <= upTo);
    return [...new Set(between.map((one) => one.authorName))];
  }

  /** Whether somebody else has changed the document at all. */
  async hasForeign(link: LibraryLink | undefined): Promise<boolean> {
    await this.#complete(link);
    return this.#revisions.some((one) => !one.isOwn);
  }

  async #complete(link: LibraryLink | undefined): Promise<void> {
    if (this.#isComplete || link === undefined) return;
    const entries = await link.fetchHistory(this.#docId, MAX_REVISIONS);
    this.forget();
    for (const entry of [...entries].reverse()) this.add(entry);
    this.#isComplete = true;
  }
}
