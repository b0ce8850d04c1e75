import type { DocId } from '../../core/ids.ts';
import type { Ambient, Disposable } from '../../core/ports.ts';
import type { BulkOrigin, BulkProposal, Proposal, ProposeResult } from '../../core/replication/entry.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import { MAX_BULK_DOCUMENTS, MAX_BULK_UNITS } from '../../core/replication/limits.ts';

/** Files that change less than this apart belong to one burst. */
const BURST_QUIET_MS = 250;
/** A burst without an end is sent in pieces: nothing waits longer for the others than this. */
const MAX_HOLD_MS = 5_000;
/** What is left of a hold may be less than the clock tells apart, and then waiting for it would never end. */
const MIN_WAIT_MS = 1;
/** So few files are somebody's saves, and are not made to wait for each other. */
const FILES_WITHOUT_BURST = 3;

export interface BulkProposalsOptions {
  readonly ambient: Pick<Ambient, 'clock' | 'scheduler' | 'logger'>;
  /** More edits than these that are ready within one burst become one entry. */
  readonly bulkDocuments: number;
  readonly link: () => LibraryLink | undefined;
  readonly mayWork: () => Promise<boolean>;
  /** How many files have something that the library is still to hear of, as far as they were read. */
  readonly changedCount: () => number;
  /** What has rewritten the files. */
  readonly origin: () => Promise<BulkOrigin>;
}

/** Asked right before a proposal goes out: whether it is still to be sent. */
type MayGo = () => boolean;

interface Waiting {
  readonly proposal: Proposal;
  readonly source: string | undefined;
  readonly mayGo: MayGo;
  readonly resolve: (result: ProposeResult | Promise<ProposeResult> | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends what the documents propose. Where many files change within one burst (git's work just ended, a generator), it
 * waits until all of them were looked at, and sends their edits together ([BLK-01]).
 */
export class BulkProposals implements Disposable {
  readonly #options: BulkProposalsOptions;
  /** The documents of the burst, and those of them that are still being looked at. */
  readonly #touched = new Set<DocId>();
  readonly #lookedAt = new Map<DocId, number>();
  #waiting: Waiting[] = [];
  /** What a former run has left, while it is gathered: it was sent once when it was allowed, and needs no leave. */
  #resent: Waiting[] | undefined;
  #heldSince: number | undefined;
  /** How many edits the pieces of the burst had that were sent already. */
  #editsInBurst = 0;
  #timer: Disposable | undefined;
  #isDisposed = false;

  constructor(options: BulkProposalsOptions) {
    this.#options = options;
  }

  /** A document's file may have changed. @param work settles when the document has looked at it, and proposed what it has to. */
  look(docId: DocId, work: Promise<unknown>): void {
    this.#touched.add(docId);
    this.#lookedAt.set(docId, (this.#lookedAt.get(docId) ?? 0) + 1);
    const done = (): void => {
      const left = (this.#lookedAt.get(docId) ?? 1) - 1;
      if (left > 0) this.#lookedAt.set(docId, left);
      else this.#lookedAt.delete(docId);
    };
    work.then(done, done);
    this.#wait();
  }

  /**
   * Whatever is proposed within the call goes together: what a former run left in the outbox. One that was killed in the
   * middle of a burst has left its first edits only, and the others are sent next.
   */
  together(propose: () => void): void {
    const resent: Waiting[] = [];
    this.#resent = resent;
    try {
      propose();
    } finally {
      this.#resent = undefined;
    }
    this.#inBackground(
      this.#originOf(resent, Math.max(resent.length, this.#options.changedCount())).then((origin) =>
        this.#send(resent, origin),
      ),
    );
  }

  /**
   * See `LibraryLink.propose`. Undefined where it was not sent: nobody wanted it any more, or there is no link; then it is
   * in the outbox.
   */
  propose(proposal: Proposal, source: string | undefined, mayGo: MayGo): Promise<ProposeResult | undefined> {
    const link = this.#options.link();
    if (link === undefined) return Promise.resolve(undefined);
    const isBurst = this.#touched.size > FILES_WITHOUT_BURST || this.#waiting.length > 0;
    if (proposal.kind !== 'edit' || (!isBurst && this.#resent === undefined))
      return mayGo() ? link.propose(proposal, source) : Promise.resolve(undefined);
    // Made in this run, and waiting for its burst: it goes with that.
    const isHeld = this.#waiting.some((one) => one.proposal.proposalId === proposal.proposalId);
    if (isHeld) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const waiting = { proposal, source, mayGo, resolve, reject };
      if (this.#resent !== undefined) {
        this.#resent.push(waiting);
        return;
      }
      this.#waiting.push(waiting);
      this.#wait();
    });
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.dispose();
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
  }

  /** Waits for the burst to end, anew with each file. */
  #wait(): void {
    if (this.#isDisposed) return;
    const { clock, scheduler } = this.#options.ambient;
    const now = clock.monotonicNow();
    if (this.#waiting.length > 0) this.#heldSince ??= now;
    const left = this.#heldSince === undefined ? BURST_QUIET_MS : this.#heldSince + MAX_HOLD_MS - now;
    this.#timer?.dispose();
    this.#timer = scheduler.after(Math.max(MIN_WAIT_MS, Math.min(BURST_QUIET_MS, left)), () => {
      this.#timer = undefined;
      const isOverdue = this.#heldSince !== undefined && clock.monotonicNow() - this.#heldSince >= MAX_HOLD_MS;
      if (this.#lookedAt.size > 0 && !isOverdue) {
        this.#wait();
        return;
      }
      this.#heldSince = undefined;
      // Where it is not over, what is still looked at goes with the next piece.
      const isOver = this.#lookedAt.size === 0;
      if (isOver) this.#touched.clear();
      else this.#wait();
      this.#inBackground(this.#sendIfFree(isOver));
    });
  }

  /** Git may have gone to work, or the person may have paused, while the burst was waited for. */
  async #sendIfFree(isOver: boolean): Promise<void> {
    const before = this.#editsInBurst;
    if (isOver) this.#editsInBurst = 0;
    if (this.#waiting.length === 0) return;
    // Whoever may work again reads all files, and so comes by here again.
    if (!(await this.#options.mayWork())) return;
    const waiting = this.#waiting.splice(0);
    const edits = before + waiting.length;
    if (!isOver) this.#editsInBurst = edits;
    // The first piece may be small, where the disk takes its time for each of them.
    const inBurst = isOver ? edits : Math.max(edits, this.#options.changedCount());
    const origin = await this.#originOf(waiting, inBurst);
    // Git may have taken its time to say where it comes from.
    if (origin === undefined || (await this.#options.mayWork())) this.#send(waiting, origin);
    else this.#waiting.unshift(...waiting);
  }

  /** @param origin where it is a bulk, what has made it. */
  #send(waiting: readonly Waiting[], origin: BulkOrigin | undefined): void {
    const link = this.#options.link();
    if (link === undefined) return;
    const wanted = waiting.filter((one) => one.mayGo());
    for (const one of waiting) if (!wanted.includes(one)) one.resolve(undefined);
    for (const group of groupBySource(wanted)) {
      if (origin === undefined || group.length === 1) {
        for (const { proposal, source, resolve } of group) resolve(link.propose(proposal, source));
      } else {
        for (const part of inBounds(group)) sendTogether(link, part, origin);
      }
    }
  }

  /**
   * What has made a bulk; undefined where there is none.
   * @param editsInBurst those of earlier pieces included: a piece of a large burst goes together, too.
   */
  async #originOf(waiting: readonly Waiting[], editsInBurst: number): Promise<BulkOrigin | undefined> {
    if (editsInBurst <= this.#options.bulkDocuments || waiting.length < 2) return undefined;
    try {
      return await this.#options.origin();
    } catch (error) {
      // Only what the others read depends on it.
      this.#options.ambient.logger.debug('It is not known what has changed the files.', { error: String(error) });
      return { reason: 'generator' };
    }
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.ambient.logger.error('Changes could not be sent.', { error: String(error) });
    });
  }
}

function sendTogether(link: LibraryLink, part: readonly Waiting[], origin: BulkOrigin): void {
  const documents = part.flatMap(({ proposal: { proposalId, docId, baseHash, hash, patch } }) =>
    baseHash === undefined || hash === undefined ? [] : [{ proposalId, docId, baseHash, hash, patch }],
  );
  const bulk: BulkProposal = { ...origin, documents };
  link.proposeBulk(bulk, part[0]?.source).then(
    (results) => {
      for (const [at, { resolve }] of part.entries()) resolve(results[at]);
    },
    (error: unknown) => {
      for (const { reject } of part) reject(error);
    },
  );
}

/** One entry has one author. */
function groupBySource(waiting: readonly Waiting[]): readonly (readonly Waiting[])[] {
  return [...Map.groupBy(waiting, ({ source }) => source).values()];
}

/** In pieces that a message can carry. */
function inBounds(group: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const parts: Waiting[][] = [];
  let units = Infinity;
  for (const one of group) {
    let size = 0;
    for (const { insert } of one.proposal.patch) size += insert.length;
    const part = parts.at(-1);
    if (part === undefined || part.length >= MAX_BULK_DOCUMENTS || units + size > MAX_BULK_UNITS) {
      parts.push([one]);
      units = size;
    } else {
      part.push(one);
      units += size;
    }
  }
  return parts;
}
