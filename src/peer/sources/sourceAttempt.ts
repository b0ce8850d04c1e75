import type { ElementChange } from '../../core/sources/elementChange.ts';
import type { UserProblem } from '../../core/workingFiles.ts';

/** What came of an attempt. `isServerDown` and `canRetry` are for the engine. */
export type SourceAttempt =
  | { readonly kind: 'unchanged' | 'changed'; readonly changes: readonly ElementChange[] }
  | { readonly kind: 'changesWaiting'; readonly changes: readonly ElementChange[] }
  | { readonly kind: 'waiting'; readonly problem: UserProblem; readonly isForSave: boolean }
  | FailedAttempt;

export interface FailedAttempt {
  readonly kind: 'failed';
  readonly problem: UserProblem;
  readonly canRetry: boolean;
  readonly isServerDown: boolean;
}

/** An attempt that failed although the server, if there is one, answered. */
export function failedAttempt(problem: UserProblem, canRetry = true): FailedAttempt {
  return { kind: 'failed', problem, canRetry, isServerDown: false };
}
