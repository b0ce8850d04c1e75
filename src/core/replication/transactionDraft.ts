import type { DocId, LogIndex, ProposalId, RevisionHash, Term } from '../ids.ts';
import type { Ambient } from '../ports.ts';
import { checkAgainstHeads, checkRoom, checkText } from './checkProposal.ts';
import type { Refusal } from './checkProposal.ts';
import type { Author, DocumentHead, LogEntry, Proposal } from './entry.ts';
import { HeadDraft } from './headTable.ts';
import type { HeadTable } from './headTable.ts';
import { nextIndex } from './replicatedLog.ts';
import type { HeadText, LogPosition, LogRecord } from './replicatedLog.ts';
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

  /** Adds an entry for the proposal, or says why there is none. Rejects where the log cannot be read at all. */
  async add(proposal: Proposal, author: Author): Promise<LogIndex | Refusal> {
    const refusal =
      checkAgainstHeads(proposal, this.#heads) ?? checkRoom(proposal, this.#options.heads.all().length + this.#created);
    if (refusal !== undefined) return refusal;
    const text = await this.#nextText(proposal);
    if (text !== undefined && 'kind' in text) return text;
    return this.#record(this.#entry(proposal, author), text);
  }

  /** Adds an entry that was ordered elsewhere, as it is; answers why it cannot follow, where it cannot. */
  async take(entry: LogEntry): Promise<string | undefined> {
    const { kind } = entry;
    if (entry.index !== nextIndex(this.#last.index)) return 'It is not the next one.';
    if (kind === 'bulk' || kind === 'leader') return 'This release does not know such entries.';
    const head = this.#heads.head(entry.docId);
    if (kind !== 'create' && (head === undefined || head.hash !== entry.baseHash))
      return 'It does not follow from what is here.';
    const text = await this.#nextText({ ...entry, kind });
    if (text !== undefined && 'kind' in text) return text.kind === 'rejected' ? text.message : 'It does not follow.';
    this.#record(entry, text);
    return undefined;
  }

  async #nextText(proposal: Proposal): Promise<HeadText | Refusal | undefined> {
    if (proposal.kind === 'delete') return undefined;
    const base = proposal.kind === 'create' ? { text: '', depth: 0 } : await this.#baseText(proposal);
    // Said for this document only: one damaged text must not keep the others from being changed.
    if (base === undefined)
      return { kind: 'rejected', code: 'document-damaged', message: 'The log has lost the text of this document.' };
    if (proposal.kind === 'rename') return base;
    const checked = checkText(proposal, base.text, this.#options.ambient.hashText);
    return 'kind' in checked ? checked : { text: checked.text, depth: base.depth + 1 };
  }

  async #baseText({ docId, baseHash }: Proposal): Promise<HeadText | undefined> {
    const drafted = this.texts.get(docId);
    if (drafted !== undefined) return drafted;
    // `checkAgainstHeads` has found the base to be the head, so there is one.
    return await this.#options.headText(docId, baseHash as RevisionHash);
  }

  #entry(proposal: Proposal, author: Author): LogEntry {
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

  #record(entry: LogEntry, text: HeadText | undefined): LogIndex {
    const { docId, hash, index, author, at } = entry;
    const before = this.#heads.head(docId);
    // A `create` brings its path (`checkAgainstHeads`), every other kind has a head.
    const head: DocumentHead = { docId, path: entry.path ?? before?.path ?? '', hash, index, author, at };
    const needsSnapshot = text !== undefined && hash !== undefined && text.depth >= PATCHES_PER_SNAPSHOT;
    this.#last = { index, runningHash: nextRunningHash(this.#last.runningHash, entry, this.#options.ambient.hashText) };
    this.records.push({
      entry,
      runningHash: this.#last.runningHash,
      heads: [head],
      snapshots: needsSnapshot ? [{ docId, hash, text: text.text }] : [],
    });
    this.#heads.set(head);
    if (before === undefined) this.#created += 1;
    this.#proposals.set(entry.proposalId, index);
    const isAlive = text !== undefined && hash !== undefined;
    this.texts.set(docId, isAlive ? { text: text.text, depth: needsSnapshot ? 0 : text.depth, hash } : undefined);
    return index;
  }
}
