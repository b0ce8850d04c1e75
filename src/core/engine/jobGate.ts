import type { CircuitBreakers } from './circuitBreakers.ts';
import { type EngineEntry, entryDeadline, inOrder } from './engineEntry.ts';
import { waitsForOther } from './sourceOrder.ts';
import type { SyncEngineConfig } from './syncEngineConfig.ts';
import type { SyncJobNeeds } from './syncJob.ts';

export interface JobGateOptions {
  readonly circuits: CircuitBreakers;
  readonly needsOf: (sourceId: string) => SyncJobNeeds;
  /** Nothing stands in the way of this job: from now on it holds its documents. */
  readonly begin: (entry: EngineEntry, needs: SyncJobNeeds) => void;
  /** A job that holds a document should go before all that are less urgent than the one that waits for it. */
  readonly hurry: (holder: EngineEntry, deadline: number) => void;
}

/**
 * Decides which of the jobs that are due may begin: none on a document that another one holds, none whose server is dead,
 * and none whose source comes after one that works.
 */
export class JobGate {
  readonly #options: JobGateOptions;

  constructor(options: JobGateOptions) {
    this.#options = options;
  }

  /**
   * Lets all through that may begin.
   * @param claimants those that began before and have not ended. @param now monotonic milliseconds.
   * @returns when there may be others without anything else happening, in monotonic milliseconds; `Infinity`: never.
   */
  open(
    entries: readonly EngineEntry[],
    claimants: Iterable<EngineEntry>,
    now: number,
    config: SyncEngineConfig,
  ): number {
    const { circuits, needsOf, begin, hurry } = this.#options;
    const waiting = entries.filter(({ claim }) => claim === undefined);
    const due = inOrder(waiting.filter(({ dueAt }) => dueAt <= now));
    let next = waiting.reduce((soonest, { dueAt }) => (dueAt > now ? Math.min(soonest, dueAt) : soonest), Infinity);
    const holders = new Map<string, EngineEntry>();
    for (const entry of claimants)
      for (const document of entry.claim?.needs.documents ?? []) holders.set(document, entry);
    const busy = this.#busySources(entries, now, config);
    const afterOf = (sourceId: string): readonly string[] => needsOf(sourceId).after;
    for (const entry of due) {
      const needs = needsOf(entry.job.sourceId);
      if (waitsForOther(entry.job.sourceId, needs, busy, afterOf)) continue;
      const mayAskAt = needs.server === undefined ? 0 : circuits.mayAskAt(needs.server, config);
      if (mayAskAt > now) {
        next = Math.min(next, mayAskAt);
        continue;
      }
      const inTheWay = needs.documents.flatMap((document) => holders.get(document) ?? []);
      // Whoever comes later waits behind this one for the same document, so that it is not overtaken for ever.
      for (const document of needs.documents) if (!holders.has(document)) holders.set(document, entry);
      if (inTheWay.length === 0) begin(entry, needs);
      else for (const holder of inTheWay) hurry(holder, entryDeadline(entry));
    }
    return next;
  }

  /** Sources with a job that runs or could run now; one that waits for a retry, or for its server, keeps nobody from working. */
  #busySources(entries: readonly EngineEntry[], now: number, config: SyncEngineConfig): ReadonlySet<string> {
    const { circuits, needsOf } = this.#options;
    const busy = new Set<string>();
    for (const { job, dueAt, claim } of entries) {
      if (claim === undefined && dueAt > now) continue;
      const { server } = needsOf(job.sourceId);
      if (server === undefined || circuits.mayAskAt(server, config) <= now) busy.add(job.sourceId);
    }
    return busy;
  }
}
