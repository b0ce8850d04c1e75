import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult, Splice } from '../../core/merge/types.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import type { Merger } from '../../core/ports.ts';
import type { Problem } from '../../core/problem.ts';
import { WorkerCalls } from '../worker/workerCalls.ts';
import type { DocumentWorkerFunctions } from './documentWorker.ts';
import type { FoundDocument } from './findDocuments.ts';

/**
 * Up to this many characters in all, work is done on the calling thread: `yaml` reads about 3 MB/s cold, so this
 * stays far below the 50 ms that the extension host may be kept busy.
 */
const MAX_INLINE_LENGTH = 24_000;

/** Finds the documents of a folder, off the calling thread. */
export interface DocumentFinder {
  findDocuments(folder: string, candidates: readonly string[]): Promise<readonly FoundDocument[]>;
  operationsOf(documents: readonly FoundDocument[]): Promise<readonly (readonly string[])[]>;
}

/** Merges small texts at once; large ones, and searches, are a worker thread's work, which starts when it is first needed. */
export class WorkerMerger implements Merger, DocumentFinder {
  readonly #calls: WorkerCalls<DocumentWorkerFunctions>;

  /** @param workerFile the worker's program: a bundle, or `documentWorker.ts` itself where the source runs. */
  constructor(workerFile: string | URL) {
    this.#calls = new WorkerCalls<DocumentWorkerFunctions>(workerFile);
  }

  merge(input: MergeInput, format: DocumentFormat, options?: MergeOptions): Promise<MergeResult> {
    const length = input.base.length + input.ours.length + input.theirs.length;
    if (length <= MAX_INLINE_LENGTH) return Promise.resolve(threeWayMerge(input, format, options));
    return this.#calls.call('merge', input, format, options);
  }

  check(text: string, format: DocumentFormat): Promise<readonly Problem[]> {
    if (text.length <= MAX_INLINE_LENGTH) return Promise.resolve(checkDocument(text, format));
    return this.#calls.call('check', text, format);
  }

  diff(before: string, after: string): Promise<readonly Splice[]> {
    if (before.length + after.length <= 40 * MAX_INLINE_LENGTH) return Promise.resolve(diffSplices(before, after));
    return this.#calls.call('diff', before, after);
  }

  findDocuments(folder: string, candidates: readonly string[]): Promise<readonly FoundDocument[]> {
    return this.#calls.call('findDocuments', folder, candidates);
  }

  operationsOf(documents: readonly FoundDocument[]): Promise<readonly (readonly string[])[]> {
    return this.#calls.call('operationsOf', documents);
  }

  dispose(): void {
    this.#calls.dispose();
  }
}
