import type { RevisionHash } from '../../core/ids.ts';
import type { Outcome, Resolutions } from '../folderSession.ts';
import type { DocumentParts } from './documentParts.ts';
import { notDone, stateNotWritten } from './documentProblems.ts';
import { DocumentRemoval } from './documentRemoval.ts';
import { type ReversedTexts, reverseStep, type TakingBack } from './documentReversal.ts';
import type { DocumentSettling } from './documentSettling.ts';
import type { ResolutionUndo } from './resolution.ts';
import { QueueClosedError, type SerialQueue } from './serialQueue.ts';

/** What a person asks of one document: done in the document's turn, and then the document goes on from what came of it. */
export class DocumentRequests {
  readonly #parts: DocumentParts;
  readonly #settling: DocumentSettling;
  readonly #queue: SerialQueue;

  constructor(parts: DocumentParts, settling: DocumentSettling, queue: SerialQueue) {
    this.#parts = parts;
    this.#settling = settling;
    this.#queue = queue;
  }

  /** Decides conflicts, as they are shown now; all of them or none. */
  async resolve(resolutions: Resolutions): Promise<Outcome & { readonly undo?: ResolutionUndo }> {
    const shown = this.#parts.record.conflicts.filter(({ id }) => resolutions.has(id));
    return this.#decide<Outcome & { readonly undo?: ResolutionUndo }>(() => {
      const [first] = shown;
      if (DocumentRemoval.isAbout(first)) return this.#parts.removal.choose(first, resolutions.get(first.id));
      return this.#parts.choices.resolve(shown, resolutions);
    });
  }

  /** The person is about to bring an earlier version back. */
  expectVersion(hash: RevisionHash): void {
    this.#parts.takenBack.expect(hash);
  }

  /** Takes a resolution back: the element is held again, with both sides as they were. */
  async undoResolution(undo: ResolutionUndo): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const outcome = await this.#decide<Outcome | undefined>(() => this.#parts.choices.takeBack(undo, resolve));
    if (outcome !== undefined) return outcome;
    const answer = await promise;
    // It is told in the middle of a step: at its end the element is held again, and can be chosen about.
    await this.#queue.ended;
    return answer;
  }

  /** Puts what waits into the unsaved buffer, merged with what was typed there. */
  mergeIntoBuffer(): Promise<Outcome> {
    return this.#decide(() => this.#parts.choices.mergeIntoBuffer());
  }

  /**
   * The person decided about a file that something outside set back, or that is gone: the library's text again, or what
   * became of the file as a change.
   */
  leaveBehind(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#decide(() => {
      if (this.#settling.state === 'missing' && this.#parts.record.working === undefined)
        return this.#answerMissing(choice);
      if (!this.#parts.takenBack.isBehind && this.#parts.path.question !== undefined)
        return Promise.resolve(this.#parts.path.decide(choice));
      return this.#answerBehind(choice);
    });
  }

  /** The document was deleted and is wanted again, by everybody. @param localPath where its copy belongs here. */
  revive(localPath: string): Promise<Outcome> {
    return this.#decide(async () => {
      const { stored } = this.#parts.record;
      if (stored.deleted === undefined) return { isDone: true };
      await this.#parts.record.takePlace({ ...stored, localPath });
      this.#parts.removal.revive();
      return { isDone: true };
    });
  }

  /** See `reverseStep`. */
  reverseStep(texts: ReversedTexts): Promise<TakingBack> {
    return this.#decide(() => reverseStep(this.#parts, texts));
  }

  async #answerBehind(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    const { stored } = this.#parts.record;
    const { shadow } = stored;
    if (!this.#parts.takenBack.isBehind || shadow === undefined)
      return notDone('not-behind', 'This file is not behind.');
    const problem = choice === 'bringBack' ? await this.#parts.choices.write(shadow.text, stored) : undefined;
    if (problem !== undefined) return problem;
    this.#parts.takenBack.decide(choice);
    return { isDone: true };
  }

  async #answerMissing(choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    if (choice === 'bringBack') return this.#parts.removal.bringFileBack();
    this.#parts.removal.confirm();
    return { isDone: true };
  }

  /**
   * Runs what a person decided, and goes on from there; where the state cannot be written, that is said, and what has
   * happened is recorded later.
   */
  async #decide<T extends Outcome | undefined>(
    step: () => Promise<T>,
  ): Promise<T | (Outcome & { readonly isDone: false })> {
    try {
      return await this.#queue.run(async () => {
        const { working } = this.#parts.record;
        const outcome = await step();
        // A file that had changed has been read on the way, and nobody else will find that to be news.
        if (outcome?.isDone !== false || this.#parts.record.working !== working) await this.#settling.settle();
        return outcome;
      });
    } catch (error) {
      if (error instanceof QueueClosedError)
        return notDone('document-gone', 'This document is no longer kept in step.');
      this.#settling.fail(error);
      return { isDone: false, problem: stateNotWritten };
    }
  }
}
