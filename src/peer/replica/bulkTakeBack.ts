import PQueue from 'p-queue';
import type { BulkMemory, RememberedPart } from '../../core/history/bulkMemory.ts';
import type { DocId, ProposalId, RevisionHash } from '../../core/ids.ts';
import type { Outcome } from '../folderSession.ts';
import { bulkForgotten, libraryOutOfReach, outcomeOfTakingBack, takingBackStopped } from './documentProblems.ts';
import type { DocumentReplica } from './documentReplica.ts';
import type { TakingBack } from './documentReversal.ts';
import type { DocumentTable } from './documentTable.ts';
import type { DocumentContext } from './replicaPorts.ts';

/** Texts that are asked of the leader at the same time are twice as many; it allows a peer 32 questions. */
const DOCUMENTS_AT_ONCE = 8;

export interface BulkTakeBackOptions {
  readonly documents: DocumentTable;
  readonly context: Pick<DocumentContext, 'link' | 'ambient'>;
  readonly memory: BulkMemory;
  /** The files that are written belong to one burst. See `BulkProposals.look`. */
  readonly look: (docId: DocId, work: Promise<unknown>) => void;
}

/**
 * Takes a bulk back in all files that this folder has of it, and with that for everybody, as one change ([BLK-08], I12). The
 * texts are the library's, so it makes no difference how long ago it was, or whose.
 */
export class BulkTakeBack {
  readonly #options: BulkTakeBackOptions;

  constructor(options: BulkTakeBackOptions) {
    this.#options = options;
  }

  /** @param signal what is not begun yet when it fires stays as it is. */
  async takeBack(id: ProposalId, signal: AbortSignal): Promise<Outcome> {
    const { documents, context, memory, look } = this.#options;
    const parts = await memory.partsOf(id);
    if (parts.length === 0) return bulkForgotten;
    if (context.link()?.status.connection !== 'connected') return libraryOutOfReach;
    const queue = new PQueue({ concurrency: DOCUMENTS_AT_ONCE });
    const here = parts.flatMap((part) => {
      const document = documents.get(part.docId);
      return document?.localPath === undefined ? [] : [{ document, part }];
    });
    const outcomes = await Promise.all(
      here.map(({ document, part }) => {
        const taken = queue.add(async () => (signal.aborted ? undefined : this.#takePart(document, part, signal)));
        // All at once, so that nothing is sent before the last of them was looked at.
        look(part.docId, taken);
        return taken;
      }),
    );
    const tried = outcomes.filter((outcome) => outcome !== undefined);
    if (tried.length < outcomes.length) return takingBackStopped(tried.length, outcomes.length);
    return outcomeOfTakingBack(tried, parts.length - here.length);
  }

  /** Undefined where it was stopped before anything was done. */
  async #takePart(
    document: DocumentReplica,
    { baseHash, hash }: RememberedPart,
    signal: AbortSignal,
  ): Promise<TakingBack | undefined> {
    const [before, after] = await Promise.all([this.#textOf(document, baseHash), this.#textOf(document, hash)]);
    return signal.aborted ? undefined : document.requests.reverseStep({ before, after });
  }

  async #textOf(document: DocumentReplica, hash: RevisionHash): Promise<string | undefined> {
    const { link, ambient } = this.#options.context;
    const text = document.textOf(hash) ?? (await link()?.fetchRevision(document.docId, hash));
    return text !== undefined && ambient.hashText(text) === hash ? text : undefined;
  }
}
