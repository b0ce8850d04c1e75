import type { LogIndex, Term } from '../ids.ts';
import type { HashText } from '../ports.ts';
import type { LogEntry } from './entry.ts';
import type { EntrySource } from './entryPump.ts';
import type { EntrySink, HeadsReason } from './libraryLink.ts';
import { reconcileLog } from './reconciliation.ts';
import type { TransactionManager } from './transactionManager.ts';

export interface HostCopyOptions {
  readonly log: TransactionManager;
  readonly hashText: HashText;
  /** The newest leadership that the follower has heard of: whose entries these are. */
  readonly leadership: () => Term;
  /** The log is about to lose entries, or to skip some. */
  readonly onRewind: (why: HeadsReason) => void;
}

/** A host's copy of the library's log: takes in what the leader of another host orders, and computes its own running hash. */
export class HostCopy implements EntrySink {
  readonly #options: HostCopyOptions;

  constructor(options: HostCopyOptions) {
    this.#options = options;
  }

  lastSyncedIndex(): LogIndex {
    return this.#options.log.position.index;
  }

  lastSyncedHash(): string {
    return this.#options.log.position.runningHash;
  }

  /** The term first: until it is durable, an older leader could still be taken for the present one ([ELE-09]). */
  async applySyncEntry(entry: LogEntry): Promise<void> {
    const { log, leadership } = this.#options;
    await log.adoptTerm(leadership());
    await log.take(entry);
  }

  applyHeads(): Promise<void> {
    return Promise.reject(new Error('A copy of the log is reconciled, never overwritten by heads.'));
  }

  async reconcile(source: EntrySource, why: HeadsReason): Promise<boolean> {
    const { log, hashText, onRewind } = this.#options;
    onRewind(why);
    // Entries that are gone, or one that cannot be taken: from where we stand no entry leads on.
    const canRewind = why === 'unknown';
    return await reconcileLog(log, source, { canRewind, hashText });
  }
}
