import type { AdviceContext, adviceContext } from '../../core/advice/adviceContext.ts';
import type { CheckedResolutions, checkResolutions } from '../../core/advice/checkResolutions.ts';
import type { ChangedPlaces } from '../../core/history/changedPlaces.ts';
import type { ElementPath } from '../../core/history/elementPath.ts';
import type { HistoryTexts } from '../../core/history/historyTexts.ts';
import type { RestoredElement } from '../../core/history/restoreElement.ts';
import { sameButForm } from '../../core/formatting/sameButForm.ts';
import { diffSplices } from '../../core/merge/splices.ts';
import { mergeEqual, threeWayMerge } from '../../core/merge/threeWayMerge.ts';
import type { DocumentFormat, MergeInput, MergeOptions, MergeResult, Splice } from '../../core/merge/types.ts';
import { collectReferences } from '../../core/openapi/collectReferences.ts';
import { checkDocument } from '../../core/openapi/checkDocument.ts';
import type { Merger } from '../../core/ports.ts';
import type { Checked, Problem } from '../../core/problem.ts';
import { fileReferences, hasFragments } from '../../core/references/fileReferences.ts';
import { type ElementChange } from '../../core/sources/elementChange.ts';
import { elementChanges } from '../../core/sources/elementChanges.ts';
import { firstContact } from '../../core/sources/firstContact.ts';
import type { SourceTexts } from '../../core/sources/sourceTexts.ts';
import { translateSpec, type TranslateOptions } from '../../core/sources/translateSpec.ts';
import { WorkerCalls, WorkerOutOfMemoryError } from '../worker/workerCalls.ts';
import type { DocumentWorkerFunctions } from './documentWorker.ts';
import type { FileKind, FoundDocument } from './findDocuments.ts';

/**
 * Up to this many characters in all, what one turn of the event loop asks for is done on the calling thread, which must
 * not be kept busy for long: a merge takes 5 ms (the first of all 60), a check 11; with 24,000 characters it would be 32
 * and 36. The way to a warm worker and back costs less than 0.5 ms, starting it 0.6 s. Measured by
 * `node test/bench/documentWorker.ts` on two cores with a load of 10; medians.
 */
const MAX_INLINE_LENGTH = 4_000;
/** Comparing looks at lines only: 6 ms, 70 at worst, for so many characters in all (same measurement). */
const MAX_INLINE_DIFF_LENGTH = 200_000;

/**
 * A window in which nobody saved anything for so long gives back what its worker remembers. The next merge starts cold,
 * off the calling thread.
 */
const IDLE_MS = 5 * 60_000;

/**
 * What the thread may take: the largest public description ten times over. In VS Code all threads of the extension host
 * share 4 GB of heap, and whoever takes the last of it ends the host.
 */
const MAX_MEMORY_MB = 2_048;

const OUT_OF_MEMORY: Problem = {
  code: 'out-of-memory',
  message: 'The file takes more memory than there is for it. Split it into several files that refer to each other.',
  severity: 'error',
};

/** Finds the documents of a folder, off the calling thread. */
export interface DocumentFinder {
  findDocuments(folder: string, candidates: readonly string[]): Promise<readonly FoundDocument[]>;
  /** What one file is by itself; costs one file, not a search. */
  inspectFile(folder: string, file: string): Promise<FileKind>;
  operationsOf(documents: readonly FoundDocument[]): Promise<readonly (readonly string[])[]>;
}

/**
 * Merges small texts at once; large ones, and searches, are a worker thread's work. The thread starts with the first
 * work of any size, so that it is warm when the first large merge comes.
 */
export class WorkerMerger implements Merger, DocumentFinder, SourceTexts, HistoryTexts {
  readonly #calls: WorkerCalls<DocumentWorkerFunctions>;
  #warmingUp: Promise<void> | undefined;
  /** How many characters were worked on in this turn of the event loop: a hundred small texts at once are a large one. */
  #inlineLength = 0;

  /**
   * @param workerFile the worker's program: a bundle, or `documentWorker.ts` itself where the source runs.
   * @param maxMemoryMb what the worker may take; work that needs more is refused with a problem `out-of-memory`.
   */
  constructor(workerFile: string | URL, maxMemoryMb = MAX_MEMORY_MB) {
    this.#calls = new WorkerCalls<DocumentWorkerFunctions>(workerFile, undefined, { idleMs: IDLE_MS, maxMemoryMb });
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
    // The usual merge: one side changed nothing. Comparing costs less than the way to the worker.
    const equal = mergeEqual(input);
    if (equal !== undefined) return Promise.resolve(equal);
    if (this.#takeInline(length)) return Promise.resolve(threeWayMerge(input, format, options));
    return this.#calls.call('merge', input, format, options).catch((error: unknown) => {
      if (!(error instanceof WorkerOutOfMemoryError)) throw error;
      const { ours, theirs } = input;
      // As for any text that cannot be read: ours stays, and it is said why.
      return { text: ours, nextBase: theirs, conflicts: [], renames: [], problems: [OUT_OF_MEMORY], takenBy: 'none' };
    });
  }

  check(text: string, format: DocumentFormat): Promise<readonly Problem[]> {
    void this.warmUp();
    if (this.#takeInline(text.length)) return Promise.resolve(checkDocument(text, format));
    return this.#calls.call('check', text, format).catch((error: unknown) => {
      if (!(error instanceof WorkerOutOfMemoryError)) throw error;
      return [OUT_OF_MEMORY];
    });
  }

  checkResolutions(...args: Parameters<typeof checkResolutions>): Promise<CheckedResolutions> {
    return this.#calls.call('checkResolutions', ...args);
  }

  adviceContext(...args: Parameters<typeof adviceContext>): Promise<AdviceContext> {
    return this.#calls.call('adviceContext', ...args);
  }

  diff(before: string, after: string): Promise<readonly Splice[]> {
    if (before.length + after.length <= MAX_INLINE_DIFF_LENGTH) return Promise.resolve(diffSplices(before, after));
    return this.#calls.call('diff', before, after);
  }

  sameButForm(a: string, b: string, format: DocumentFormat): Promise<boolean> {
    if (this.#takeInline(a.length + b.length)) return Promise.resolve(sameButForm(a, b, format));
    return this.#calls.call('sameButForm', a, b, format);
  }

  fileReferences(text: string, format: DocumentFormat): Promise<readonly string[]> {
    if (this.#takeInline(text.length)) return Promise.resolve(fileReferences(text, format));
    return this.#calls.call('fileReferences', text, format);
  }

  hasFragments(text: string, format: DocumentFormat, fragments: readonly string[]): Promise<readonly boolean[]> {
    if (this.#takeInline(text.length)) return Promise.resolve(hasFragments(text, format, fragments));
    return this.#calls.call('hasFragments', text, format, fragments);
  }

  findDocuments(folder: string, candidates: readonly string[]): Promise<readonly FoundDocument[]> {
    return this.#calls.call('findDocuments', folder, candidates);
  }

  inspectFile(folder: string, file: string): Promise<FileKind> {
    return this.#calls.call('inspectFile', folder, file);
  }

  operationsOf(documents: readonly FoundDocument[]): Promise<readonly (readonly string[])[]> {
    return this.#calls.call('operationsOf', documents);
  }

  translate(text: string, options: TranslateOptions): Promise<Checked<string>> {
    // A text with aliases may stand for one that is much longer.
    if (!/[&*]/.test(text) && this.#takeInline(text.length)) return Promise.resolve(translateSpec(text, options));
    return this.#calls.call('translateSpec', text, options);
  }

  firstContact(ours: string, theirs: string, format: DocumentFormat): Promise<ReturnType<typeof firstContact>> {
    if (this.#takeInline(ours.length + theirs.length)) return Promise.resolve(firstContact(ours, theirs, format));
    return this.#calls.call('firstContact', ours, theirs, format);
  }

  references(text: string, format: DocumentFormat): Promise<readonly string[]> {
    if (this.#takeInline(text.length)) return Promise.resolve(collectReferences(text, format));
    return this.#calls.call('collectReferences', text, format);
  }

  compare(before: string, after: string, format: DocumentFormat): Promise<readonly ElementChange[]> {
    if (this.#takeInline(before.length + after.length)) return Promise.resolve(elementChanges(before, after, format));
    return this.#calls.call('elementChanges', before, after, format);
  }

  changedPlaces(before: string, after: string, format: DocumentFormat): Promise<ChangedPlaces> {
    return this.#calls.call('changedPlaces', before, after, format);
  }

  restoreElement(
    current: string,
    version: string,
    path: ElementPath,
    format: DocumentFormat,
  ): Promise<RestoredElement> {
    return this.#calls.call('restoreElement', current, version, path, format);
  }

  /** Whether so much more may be done on the calling thread before anything else has its turn. */
  #takeInline(length: number): boolean {
    if (this.#inlineLength + length > MAX_INLINE_LENGTH) return false;
    if (this.#inlineLength === 0)
      setImmediate(() => {
        this.#inlineLength = 0;
      });
    this.#inlineLength += length;
    return true;
  }

  dispose(): void {
    this.#calls.dispose();
  }
}
