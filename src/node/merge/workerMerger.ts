import { diffSplices } from '../../core/merge/splices.ts';
import { threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult, Splice } from '../../core/merge/types.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import { collectReferences } from '../../core/openapi/collectReferences.ts';
import { describeApi, type ApiDescription } from '../../core/openapi/describeApi.ts';
import type { Merger } from '../../core/ports.ts';
import type { Problem } from '../../core/problem.ts';
import { WorkerCalls } from '../worker/workerCalls.ts';
import type { MergeWorkerFunctions } from './mergeWorker.ts';

/**
 * Up to this many characters in all, work is done on the calling thread: `yaml` reads about 3 MB/s cold, so this
 * stays far below the 50 ms that the extension host may be kept busy.
 */
const MAX_INLINE_LENGTH = 24_000;

/** Merges small texts at once and large ones in a worker thread, which starts when it is first needed. */
export class WorkerMerger implements Merger {
  readonly #calls: WorkerCalls<MergeWorkerFunctions>;

  /** @param workerFile the worker's program: a bundle, or `mergeWorker.ts` itself where the source runs. */
  constructor(workerFile: string | URL) {
    this.#calls = new WorkerCalls<MergeWorkerFunctions>(workerFile);
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

  references(text: string, format: DocumentFormat): Promise<readonly string[]> {
    if (text.length <= MAX_INLINE_LENGTH) return Promise.resolve(collectReferences(text, format));
    return this.#calls.call('references', text, format);
  }

  describe(text: string, format: DocumentFormat): Promise<ApiDescription> {
    if (text.length <= MAX_INLINE_LENGTH) return Promise.resolve(describeApi(text, format));
    return this.#calls.call('describe', text, format);
  }

  dispose(): void {
    this.#calls.dispose();
  }
}
