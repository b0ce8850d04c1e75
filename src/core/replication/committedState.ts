import type { DocId, LogIndex, RevisionHash, Term } from '../ids.ts';
import type { Ambient } from '../ports.ts';
import type { LogEntry } from './entry.ts';
import { HeadTable } from './headTable.ts';
import type { HeadText, LogPosition, ReplicatedLog } from './replicatedLog.ts';
import { nextRunningHash } from './runningHash.ts';
import { TextCache } from './textCache.ts';
import { TransactionDraft } from './transactionDraft.ts';

const MAX_CACHED_TEXT_UNITS = 32 * 1024 * 1024;

/** What a log holds after its newest transaction: its position, its heads, and the texts that were needed last. Whoever uses it lets one thing at a time touch the log. */
export class CommittedState {
  readonly heads = new HeadTable();
  readonly #log: ReplicatedLog;
  readonly #ambient: Ambient;
  readonly #texts = new TextCache(MAX_CACHED_TEXT_UNITS);
  #last: LogPosition;

  private constructor(log: ReplicatedLog, ambient: Ambient, last: LogPosition) {
    this.#log = log;
    this.#ambient = ambient;
    this.#last = last;
  }

  /** Reads it from the log, with the log's term; rejects as the log does. */
  static async read(
    log: ReplicatedLog,
    ambient: Ambient,
  ): Promise<{ readonly state: CommittedState; readonly term: Term | undefined }> {
    const { last, term } = await log.state();
    const state = new CommittedState(log, ambient, last);
    state.heads.replaceAll(await log.heads());
    return { state, term };
  }

  /** The newest durable entry. */
  get last(): LogPosition {
    return this.#last;
  }

  /** A transaction that follows on this state. */
  draft(term: Term): TransactionDraft {
    return new TransactionDraft({
      heads: this.heads,
      last: this.#last,
      term,
      ambient: this.#ambient,
      headText: (docId, hash) => this.#headText(docId, hash),
    });
  }

  /** The transaction is durable. */
  accept(draft: TransactionDraft): void {
    this.#last = draft.last;
    for (const head of draft.changedHeads()) this.heads.set(head);
    for (const [docId, text] of draft.texts) {
      if (text === undefined) this.#texts.delete(docId);
      else this.#texts.set(docId, text);
    }
  }

  /** Whether the log has this very entry, after the same ones. */
  async has(entry: LogEntry): Promise<boolean> {
    if (entry.index > this.#last.index) return false;
    const before = entry.index === 1 ? '' : await this.#log.runningHashAt((entry.index - 1) as LogIndex);
    const after = await this.#log.runningHashAt(entry.index);
    return before !== undefined && after === nextRunningHash(before, entry, this.#ambient.hashText);
  }

  /** The text of a revision, where it is one that was needed last. */
  cachedText(docId: DocId, hash: RevisionHash): string | undefined {
    return this.#texts.get(docId, hash)?.text;
  }

  /** What the log says now counts. Gives its term, and the entries that are more than was known. */
  async reload(): Promise<{ readonly term: Term | undefined; readonly found: readonly LogEntry[] }> {
    const { last, horizon, term } = await this.#log.state();
    const heads = await this.#log.heads();
    // What was compacted in the meantime cannot be announced; its followers will be told to take the heads.
    const known = this.#last.index < horizon ? horizon : this.#last.index;
    const count = last.index - known;
    const page = count > 0 ? await this.#log.entries(known, { count, units: Infinity }) : undefined;
    this.#last = last;
    this.heads.replaceAll(heads);
    this.#texts.clear();
    return { term, found: page?.entries.flatMap(({ entry }) => entry ?? []) ?? [] };
  }

  async #headText(docId: DocId, hash: RevisionHash): Promise<HeadText | undefined> {
    const cached = this.#texts.get(docId, hash);
    if (cached !== undefined) return cached;
    const stored = await this.#log.headText(docId);
    if (stored === undefined || this.#ambient.hashText(stored.text) !== hash) {
      this.#ambient.logger.error('The log has lost the text of a document', { docId });
      return undefined;
    }
    this.#texts.set(docId, { ...stored, hash });
    return stored;
  }
}
