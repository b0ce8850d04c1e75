import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult, Splice } from '../../core/merge/types.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import type { Merger } from '../../core/ports.ts';
import type { Problem } from '../../core/problem.ts';
import { WorkerCalls } from '../worker/workerCalls.ts';
import type { DocumentWorkerFunctions } from './documentWorker.ts';
import type { FoundDocument, InspectedFile } from './findDocuments.ts';

/**
 * Up to this many characters in all, a merge or a check is done on the calling thread, which must not be kept busy for
 * long: a merge takes 5 ms (the first of all 60), a check 11; with 24,000 characters it would be 32 and 36. The way to a
 * warm worker and back costs less than 0.5 ms, starting it 0.6 s. Measured by `node test/bench/documentWorker.ts`
 * on two cores with a load of 10; medians.
 */
const MAX_INLINE_LENGTH = 4_000;
/** Comparing looks at lines only: 6 ms, 70 at worst, for so many characters in all (same measurement). */
const MAX_INLINE_DIFF_LENGTH = 200_000;

/** Finds the documents of a folder, off the calling thread. */
export interface DocumentFinder {
  findDocuments(folder: string, candidates: readonly string[]): Promise<readonly FoundDocument[]>;
  /** What one file is; undefined where it is no readable text of the folder. Costs one file, not a search. */
  inspectFile(folder: string, file: string): Promise<InspectedFile | undefined>;
  operationsOf(documents: readonly FoundDocument[]): Promise<readonly (readonly string[])[]>;
}

/**
 * Merges small texts at once; large ones, and searches, are a worker thread's work. The thread starts with the first
 * work of any size, so that it is warm when the first large merge comes.
 */
export class WorkerMerger implements Merger, DocumentFinder {
  readonly #calls: WorkerCalls<DocumentWorkerFunctions>;
  #warmingUp: Promise<void> | undefined;

  /** @param workerFile the worker's program: a bundle, or `documentWorker.ts` itself where the source runs. */
  constructor(workerFile: string | URL) {
    this.#calls = new WorkerCalls<DocumentWorkerFunctions>(workerFile);
  }

  /** Starts the thread and loads what a merge needs; resolves when it is ready, or when it could not be started. */
  warmUp(): Promise<void> {
    // Whoever needs the thread hears why it is not there.
    this.#warmingUp ??= this.#calls.call('warmUp').catch(() => undefined);
    return this.#warmingUp;
  }

  merge(input: MergeInput, format: DocumentFormat, options?: MergeOptions): Promise<MergeResult> {
    void this.warmUp();
    const length = input.base.length + input.ours.length + input.theirs.length;
    if (length <= MAX_INLINE_LENGTH) return Promise.resolve(threeWayMerge(input, format, options));
    return this.#calls.call('merge', input, format, options);
  }

  check(text: string, format: DocumentFormat): Promise<readonly Problem[]> {
    void this.warmUp();
    if (text.length <= MAX_INLINE_LENGTH) return Promise.resolve(checkDocument(text, format));
    return this.#calls.call('check', text, format);
  }

  diff(before: string, after: string): Promise<readonly Splice[]> {
    if (before.length + after.length <= MAX_INLINE_DIFF_LENGTH) return Promise.resolve(diffSplices(before, after));
    return this.#calls.call('diff', before, after);
  }

  findDocuments(folder: string, candidates: readonly string[]): Promise<readonly FoundDocument[]> {
    return this.#calls.call('findDocuments', folder, candidates);
  }

  inspectFile(folder: string, file: string): Promise<InspectedFile | undefined> {
    return this.#calls.call('inspectFile', folder, file);
  }

  operationsOf(documents: readonly FoundDocument[]): Promise<readonly (readonly string[])[]> {
    return this.#calls.call('operationsOf', documents);
  }

  dispose(): void {
    this.#calls.dispose();
  }
}
