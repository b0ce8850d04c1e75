import type { DocId, LogIndex, ProposalId } from '../../core/ids.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import type { BulkEntry, BulkReason } from '../../core/replication/entry.ts';
import type { AppliedBulk, AppliedChange } from '../folderSession.ts';
import type { AppliedStep } from './replicaPorts.ts';

/** So long what was written waits for the files of the bulk that were not: some wait for a person to save, or have it already. */
const TELL_PATIENCE_MS = 3_000;
/** These have made the files what they are in a commit. */
const LEADS_TO_COMMIT: ReadonlySet<BulkReason> = new Set(['checkout', 'pull', 'rebase', 'merge', 'reset']);

interface Arrival {
  readonly index: LogIndex;
  readonly authorName: string;
  readonly reason: BulkReason;
  readonly commit: string | undefined;
  readonly id: ProposalId;
  /** Files that are still to be written. */
  awaited: number;
  written: Pick<AppliedChange, 'file' | 'path'>[];
  timer: Disposable | undefined;
}

/** Tells of a bulk once and not for each document ([BLK-08]). */
export class BulkArrivals implements Disposable {
  readonly #ambient: Pick<Ambient, 'scheduler'>;
  readonly #tell: (bulk: AppliedBulk) => void;
  /** By document: the newest bulk that is to be written into its file. */
  readonly #expected = new Map<DocId, Arrival>();
  readonly #open = new Set<Arrival>();

  constructor(ambient: Pick<Ambient, 'scheduler'>, tell: (bulk: AppliedBulk) => void) {
    this.#ambient = ambient;
    this.#tell = tell;
  }

  /** The files of these documents are about to get what the bulk brings, now or when nothing stands in the way. */
  expect({ proposalId: id, index, author, reason, headCommit }: BulkEntry, docIds: readonly DocId[]): void {
    const commit = LEADS_TO_COMMIT.has(reason) ? headCommit : undefined;
    const arrival = { id, index, authorName: author.name, reason, commit, awaited: 0, written: [], timer: undefined };
    for (const docId of docIds) {
      this.#settle(docId);
      this.#expected.set(docId, arrival);
      arrival.awaited += 1;
    }
  }

  /** Whether the change came with a bulk and with nothing else, so that it is told with it alone. */
  take({ docId, file, path }: AppliedChange, step: AppliedStep | undefined): boolean {
    const arrival = this.#expected.get(docId);
    if (arrival === undefined || step === undefined || step.to < arrival.index) return false;
    // The file had it already, and so this is of something else.
    const isOfBulk = (step.from ?? 0) < arrival.index;
    if (isOfBulk) {
      arrival.written.push({ file, path });
      this.#open.add(arrival);
    }
    this.#settle(docId);
    return isOfBulk && step.to === arrival.index;
  }

  dispose(): void {
    for (const { timer } of this.#open) timer?.dispose();
  }

  /** A document is not waited for any more: the last one tells, however slowly the files were written. */
  #settle(docId: DocId): void {
    const arrival = this.#expected.get(docId);
    if (arrival === undefined) return;
    this.#expected.delete(docId);
    arrival.awaited -= 1;
    if (!this.#open.has(arrival)) return;
    arrival.timer?.dispose();
    if (arrival.awaited === 0) this.#tellOf(arrival);
    else arrival.timer = this.#ambient.scheduler.after(TELL_PATIENCE_MS, () => this.#tellOf(arrival));
  }

  #tellOf(arrival: Arrival): void {
    const { id, authorName, reason, commit, written } = arrival;
    this.#open.delete(arrival);
    arrival.written = [];
    this.#tell({ id, authorName, reason, commit, documents: written });
  }
}
