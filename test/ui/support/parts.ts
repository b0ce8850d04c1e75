import type { TestContext } from 'node:test';

/** Runs one part of a test. Rejects where the part fails, so that none follows that builds on it. */
export type RunPart = (title: string, body: () => Promise<void>) => Promise<void>;

/**
 * The parts of a test, one after the other in the same windows, each with its own line in the report. The one that fails ends the
 * test, and the test's own failure says which one it was and why: of a long report often only the end is shown.
 */
export function partsOf(t: TestContext): RunPart {
  return async (title, body) => {
    const outcome: { hasPassed: boolean; error: unknown } = {
      hasPassed: false,
      error: new Error('It did not come to its end.'),
    };
    await t.test(title, async () => {
      try {
        await body();
        outcome.hasPassed = true;
      } catch (error) {
        outcome.error = error;
        throw error;
      }
    });
    if (outcome.hasPassed) return;
    const { error } = outcome;
    throw new Error(`${title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  };
}
