import { deadlineOf, type SyncJob, type SyncJobNeeds } from './syncJob.ts';

/** A job in the engine. */
export interface EngineEntry {
  job: SyncJob;
  /** Monotonic milliseconds: not before then. */
  dueAt: number;
  /** While it is queued or running, and while the attempt of a removed one is on its way out. */
  claim: { readonly needs: SyncJobNeeds; readonly controller: AbortController } | undefined;
}

/** When it should have begun, in monotonic milliseconds; see `deadlineOf`. */
export function entryDeadline({ job, dueAt }: EngineEntry): number {
  return deadlineOf(job.priority, dueAt);
}

/** The most urgent first; equal ones stay in the order in which they came. */
export function inOrder(entries: readonly EngineEntry[]): EngineEntry[] {
  return entries.toSorted((a, b) => entryDeadline(a) - entryDeadline(b));
}
