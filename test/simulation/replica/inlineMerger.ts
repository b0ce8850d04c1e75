import { adviceContext } from '../../../src/core/advice/adviceContext.ts';
import { checkResolutions } from '../../../src/core/advice/checkResolutions.ts';
import { sameButForm } from '../../../src/core/formatting/sameButForm.ts';
import { diffSplices } from '../../../src/core/merge/splices.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import type { MergeResult } from '../../../src/core/merge/types.ts';
import { checkDocument } from '../../../src/core/openapi/checkDocument.ts';
import type { Merger } from '../../../src/core/ports.ts';
import type { Problem } from '../../../src/core/problem.ts';
import { fileReferences, hasFragments } from '../../../src/core/references/fileReferences.ts';
import type { SimulatedProcess } from '../simulatedProcess.ts';

const MAX_CACHED = 2_000;
const merges = new Map<string, MergeResult>();
const checks = new Map<string, readonly Problem[]>();

/** The real merge, as slow as the simulation wants it; what was worked out once is remembered, for the merge is pure. */
export function createInlineMerger(process: SimulatedProcess, delayMs: () => number): Merger {
  const later = async <T>(work: () => T): Promise<T> => {
    await process.delay(delayMs());
    return work();
  };
  return {
    merge: (input, format, options) =>
      later(() => {
        const resolutions = [...(options?.resolutions ?? [])];
        const key = JSON.stringify([input.base, input.ours, input.theirs, format, options, resolutions]);
        return remember(merges, key, () => threeWayMerge(input, format, options));
      }),
    check: (text, format) => later(() => remember(checks, `${format} ${text}`, () => checkDocument(text, format))),
    checkResolutions: (...args) => later(() => checkResolutions(...args)),
    adviceContext: (...args) => later(() => adviceContext(...args)),
    diff: (before, after) => Promise.resolve(diffSplices(before, after)),
    sameButForm: (...args) => Promise.resolve(sameButForm(...args)),
    fileReferences: (...args) => Promise.resolve(fileReferences(...args)),
    hasFragments: (...args) => Promise.resolve(hasFragments(...args)),
    dispose: () => undefined,
  };
}

function remember<T>(cache: Map<string, T>, key: string, work: () => T): T {
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= MAX_CACHED) cache.clear();
  const result = work();
  cache.set(key, result);
  return result;
}
