import PQueue from 'p-queue';
import type { HistoryTexts } from '../core/history/historyTexts.ts';
import type { DocId, RevisionHash } from '../core/ids.ts';
import { changedElements } from '../core/openapi/changedElements.ts';
import type { HistoryEntry } from './folderSession.ts';
import type { Replica } from './replica/replica.ts';

/** So many of the newest say what changed in them; each costs two texts. Older ones show it when they are opened. */
const MAX_DESCRIBED = 20;
/** Texts that are asked of the leader at the same time are twice as many. */
const DESCRIBED_AT_ONCE = 4;
const MAX_REMEMBERED = 500;

/** The two revisions that a part of a bulk lies between. */
interface Step {
  readonly baseHash: RevisionHash;
  readonly hash: RevisionHash;
}

export interface BulkHistoryOptions {
  readonly bulksOf: (docId: DocId) => ReturnType<Replica['bulksOf']>;
  readonly textOf: (docId: DocId, hash: RevisionHash) => Promise<string | undefined>;
  readonly texts: Pick<HistoryTexts, 'diff'>;
}

/** Says of the parts of bulks in a document's history that they are that, and what changed; an entry of a bulk does not ([BLK-02]). */
export class BulkHistory {
  readonly #options: BulkHistoryOptions;
  /** What changed between two revisions, the last used one last. */
  readonly #described = new Map<string, readonly string[]>();

  constructor(options: BulkHistoryOptions) {
    this.#options = options;
  }

  /** @param entries newest first. */
  async complete(docId: DocId, entries: readonly HistoryEntry[]): Promise<readonly HistoryEntry[]> {
    if (!entries.some(isUndescribed)) return entries;
    const bulks = new Map((await this.#options.bulksOf(docId)).map((bulk) => [bulk.index, bulk]));
    const queue = new PQueue({ concurrency: DESCRIBED_AT_ONCE });
    let left = MAX_DESCRIBED;
    return Promise.all(
      entries.map(async (entry) => {
        const bulk = isUndescribed(entry) ? bulks.get(entry.index) : undefined;
        // Another log has another entry there.
        if (bulk === undefined || bulk.hash !== entry.hash) return entry;
        const { id, reason, documentCount } = bulk;
        left -= 1;
        const changes = left < 0 ? [] : await queue.add(() => this.#changes(docId, bulk));
        return { ...entry, changes, bulk: { id, reason, documentCount } };
      }),
    );
  }

  async #changes(docId: DocId, { baseHash, hash }: Step): Promise<readonly string[]> {
    const { textOf, texts } = this.#options;
    const key = `${baseHash} ${hash}`;
    const known = this.#described.get(key);
    const [before, after] =
      known === undefined ? await Promise.all([textOf(docId, baseHash), textOf(docId, hash)]) : [];
    const changes =
      known ??
      (before === undefined || after === undefined
        ? undefined
        : changedElements(before, after, await texts.diff(before, after)));
    // The log has forgotten the texts, or nobody answers now.
    if (changes === undefined) return [];
    this.#described.delete(key);
    this.#described.set(key, changes);
    const [oldest] = this.#described.keys();
    if (oldest !== undefined && this.#described.size > MAX_REMEMBERED) this.#described.delete(oldest);
    return changes;
  }
}

/** An edit that was proposed by itself says what changed. */
function isUndescribed({ kind, changes }: HistoryEntry): boolean {
  return kind === 'edit' && changes.length === 0;
}
