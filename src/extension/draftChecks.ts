import type { ResolutionCheck } from '../core/advice/resolutionCheck.ts';

/**
 * How much a failed check weighs against what a person wrote themself. They may change what they like within the element, also
 * what an AI may not; but it has to be that one element, and the file has to be readable with it.
 */
export function draftSeverity({ name, outcome }: ResolutionCheck): 'error' | 'warning' | undefined {
  if (outcome !== 'failed') return undefined;
  switch (name) {
    case 'parses':
    case 'outside':
      return 'error';
    case 'references':
    case 'validity':
      return 'warning';
    case 'kept':
    case 'addresses':
      return undefined;
  }
}

/** Why what was written cannot be applied. @param checks undefined where the conflict is not there any more. */
export function draftProblem(checks: readonly ResolutionCheck[] | undefined): string | undefined {
  if (checks === undefined) return 'The conflict has changed meanwhile. Look at it again.';
  return checks.find((check) => draftSeverity(check) === 'error')?.sentence;
}
