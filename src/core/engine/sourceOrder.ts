import type { SyncJobNeeds } from './syncJob.ts';

type AfterOf = (sourceId: string) => readonly string[];

/**
 * Whether a source has to wait for one that it comes after. Two that come after each other, themselves or through
 * others, do not wait: they would for ever.
 * @param busy those with a job that runs or could run now.
 */
export function waitsForOther(
  sourceId: string,
  { after }: Pick<SyncJobNeeds, 'after'>,
  busy: ReadonlySet<string>,
  afterOf: AfterOf,
): boolean {
  return after.some((other) => other !== sourceId && busy.has(other) && !comesAfter(other, sourceId, afterOf));
}

function comesAfter(sourceId: string, target: string, afterOf: AfterOf): boolean {
  const seen = new Set<string>();
  const open = [sourceId];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === target) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...afterOf(next));
  }
  return false;
}
