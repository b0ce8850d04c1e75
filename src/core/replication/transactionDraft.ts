import type { DocId, LogIndex, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { Ambient } from '../ports.ts';
import { checkAgainstHeads, checkRoom, checkText, DOCUMENT_DAMAGED, withoutBase } from './checkProposal.ts';
import type { Refusal } from './checkProposal.ts';
import { documentEntries, furtherProposals } from './bulkEntry.ts';
import type { Author, BulkEntry, BulkOrigin, DocumentEntry, DocumentHead, LogEntry, Proposal } from './entry.ts';
import { HeadDraft } from './headTable.ts';
import type { HeadTable } from './headTable.ts';
import { nextIndex } from './replicatedLog.ts';
import type { DocumentSnapshot, HeadText, LogPosition, LogRecord } from './replicatedLog.ts';
import { nextRunningHash } from './runningHash.ts';

/** A whole text is stored after this many patches, so that a revision is never rebuilt from a longer chain. */
const PATCHES_PER_SNAPSHOT = 64;

export interface DraftOptions {
  readonly heads: HeadTable;
  readonly last: LogPosition;
  readonly term: Term;
  readonly ambient: Pick<Ambient, 'clock' | 'hashText'>;
  /** The text of a document at the head that is committed; undefined where the log has lost it. */
  readonly headText: (docId: DocId, hash: RevisionHash) => Promise<HeadText | undefined>;
}

/** A head text that a transaction leads to; undefined where it deletes the document. */
export interface DraftText extends HeadText {
  readonly hash: RevisionHash;
}

/** The entries of one transaction while it is put together: later proposals are compared with what earlier ones lead to. */
export class TransactionDraft {
  readonly records: LogRecord[] = [];
  readonly texts = new Map<DocId, DraftText | undefined>();
  readonly #options: DraftOptions;
  readonly #heads: HeadDraft;
  readonly #proposals = new Map<ProposalId, LogIndex>();
  #last: LogPosition;
  #created = 0;

  constructor(options: DraftOptions) {
    this.#options = options;
    this.#heads = new HeadDraft(options.heads);
    this.#last = options.last;
  }

  get last(): LogPosition {
    return this.#last;
  }

  changedHeads(): readonly DocumentHead[] {
    return this.#heads.changed();
  }

  /** Where this transaction will have committed the proposal. */
  indexOf(proposalId: ProposalId): LogIndex | undefined {
    return this.#proposals.get(proposalId);
  }

  /** Adds an entry for each proposal, or says why there is none. Rejects where the log cannot be read at all. */
  async addEach(proposals: readonly Proposal[], author: Author): Promise<readonly (LogIndex | Refusal)[]> {
    const outcomes: (LogIndex | Refusal)[] = [];
    for (const proposal of proposals) {
      const text = await this.#check(proposal);
      const isRefused = text !== undefined && 'kind' in text;
      outcomes.push(isRefused ? text : this.#record(this.#entry(proposal, author), [text]));
    }
    return outcomes;
  }

  /** Adds one entry for those of the edits that fit ([BLK-03]), and says of each of the others why it does not. */
  async addBulk(
    edits: readonly Proposal[],
    { reason, headCommit }: BulkOrigin,
    author: Author,
  ): Promise<readonly (LogIndex | Refusal)[]> {
    const outcomes: (LogIndex | Refusal)[] = [];
    const documents: BulkEntry['documents'][number][] = [];
    const texts: HeadText[] = [];
    const index = nextIndex(this.#last.index);
    for (const edit of edits) {
      const text = await this.#check(edit);
      const { proposalId, docId, baseHash, hash, patch } = edit;
      if (text !== undefined && 'kind' in text) {
        outcomes.push(text);
        continue;
      }
      if (text === undefined || baseHash === undefined || hash === undefined)
        throw new Error('A bulk holds edits only.');
      outcomes.push(index);
      documents.push({ proposalId, docId, baseHash, hash, patch });
      texts.push(text);
    }
    const [first] = documents;
    if (first === undefined) return outcomes;
    const { term, ambient } = this.#options;
    const origin = { reason, ...(headCommit === undefined ? {} : { headCommit }) };
    const stamp = { index, term, author, at: ambient.clock.wallNow() };
    this.#record({ ...stamp, kind: 'bulk', proposalId: first.proposalId, ...origin, documents }, texts);
    return outcomes;
  }

  /** Adds an entry that was ordered elsewhere, as it is; answers why it cannot follow, where it cannot. */
  async take(entry: LogEntry): Promise<string | undefined> {
    if (entry.index !== nextIndex(this.#last.index)) return 'It is not the next one.';
    const texts: (HeadText | undefined)[] = [];
    for (const change of documentEntries(entry)) {
      const { kind } = change;
      if (kind === 'leader') return 'This release does not know such entries.';
      const head = this.#heads.head(change.docId);
      if (kind !== 'create' && (head === undefined || head.hash !== change.baseHash))
        return 'It does not follow from what is here.';
      const text = await this.#nextText({ ...change, kind });
      if (text !== undefined && 'kind' in text) return text.kind === 'rejected' ? text.message : 'It does not follow.';
      texts.push(text);
    }
    this.#record(entry, texts);
    return undefined;
  }

  async #check(proposal: Proposal): Promise<HeadText | Refusal | undefined> {
    const refusal =
      checkAgainstHeads(proposal, this.#heads) ?? checkRoom(proposal, this.#options.heads.all().length + this.#created);
    return refusal ?? (await this.#nextText(proposal));
  }

  async #nextText(proposal: Proposal): Promise<HeadText | Refusal | undefined> {
    if (proposal.kind === 'delete') return undefined;
    const base = proposal.kind === 'create' ? { text: '', depth: 0 } : await this.#baseText(proposal);
    if (base === undefined) return this.#mend(proposal);
    if (proposal.kind === 'rename') return base;
    const checked = checkText(proposal, base.text, this.#options.ambient.hashText);
    return 'kind' in checked ? checked : { text: checked.text, depth: base.depth + 1 };
  }

  /** The log has lost the text that this is an edit of, and gets one again from an edit that holds the whole of it ([REP-17]). */
  #mend(proposal: Proposal): HeadText | Refusal {
    const whole = withoutBase(proposal);
    const checked = whole === undefined ? undefined : checkText(whole, '', this.#options.ambient.hashText);
    // Said for this document only: one damaged text must not keep the others from being changed.
    if (checked === undefined || 'kind' in checked)
      return { kind: 'rejected', code: DOCUMENT_DAMAGED, message: 'The log has lost the text of this document.' };
    // Stored as it is: there is nothing that it could be rebuilt from.
    return { text: checked.text, depth: PATCHES_PER_SNAPSHOT };
  }

  async #baseText({ docId, baseHash }: Proposal): Promise<HeadText | undefined> {
    const drafted = this.texts.get(docId);
    if (drafted !== undefined) return drafted;
    // `checkAgainstHeads` has found the base to be the head, so there is one.
    return await this.#options.headText(docId, baseHash as RevisionHash);
  }

  #entry(proposal: Proposal, author: Author): DocumentEntry {
    const { proposalId, docId, kind, baseHash, hash, patch, path, basePath, changes } = proposal;
    const movesPath = kind === 'create' || kind === 'rename';
    return {
      index: nextIndex(this.#last.index),
      term: this.#options.term,
      proposalId,
      docId,
      kind,
      baseHash,
      hash,
      patch,
      ...(movesPath && path !== undefined ? { path } : {}),
      ...(basePath === undefined ? {} : { basePath }),
      changes,
      author,
      at: this.#options.ambient.clock.wallNow(),
    };
  }

  /** @param texts of the documents that the entry changes, in its order; undefined where it deletes one. */
  #record(entry: LogEntry, texts: readonly (HeadText | undefined)[]): LogIndex {
    const { index } = entry;
    const { hashText } = this.#options.ambient;
    const changes = documentEntries(entry).map((change, at) => this.#change(change, texts[at]));
    this.#last = { index, runningHash: nextRunningHash(this.#last.runningHash, entry, hashText) };
    this.records.push({
      entry,
      runningHash: this.#last.runningHash,
      heads: changes.map(({ head }) => head),
      snapshots: changes.flatMap(({ snapshot }) => snapshot ?? []),
    });
    for (const proposalId of [entry.proposalId, ...furtherProposals(entry)]) this.#proposals.set(proposalId, index);
    return index;
  }

  #change(
    { docId, hash, index, author, at, path }: DocumentEntry,
    text: HeadText | undefined,
  ): { readonly head: DocumentHead; readonly snapshot: DocumentSnapshot | undefined } {
    const before = this.#heads.head(docId);
    // A `create` brings its path (`checkAgainstHeads`), every other kind has a head.
    const head: DocumentHead = { docId, path: path ?? before?.path ?? '', hash, index, author, at };
    this.#heads.set(head);
    if (before === undefined) this.#created += 1;
    if (text === undefined || hash === undefined) {
      this.texts.set(docId, undefined);
      return { head, snapshot: undefined };
    }
    const needsSnapshot = text.depth >= PATCHES_PER_SNAPSHOT;
    this.texts.set(docId, { text: text.text, depth: needsSnapshot ? 0 : text.depth, hash });
    return { head, snapshot: needsSnapshot ? { docId, hash, text: text.text } : undefined };
  }
}
