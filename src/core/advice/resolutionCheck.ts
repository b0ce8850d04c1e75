export type CheckName = 'parses' | 'references' | 'validity' | 'outside' | 'kept' | 'addresses';

/** One thing that was looked at before a resolution may be applied, in words for a person. */
export interface ResolutionCheck {
  readonly name: CheckName;
  /** `skipped`: it says nothing about this kind of conflict. */
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly sentence: string;
}

/** Whether nothing that was looked at speaks against it. */
export function isGood(checks: readonly ResolutionCheck[]): boolean {
  return checks.length > 0 && checks.every(({ outcome }) => outcome !== 'failed');
}
