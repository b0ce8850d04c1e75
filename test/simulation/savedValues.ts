import type { DocId, ProposalId } from '../../src/core/ids.ts';
import { documentEntries } from '../../src/core/replication/bulkEntry.ts';
import type { LogRecord } from '../../src/core/replication/replicatedLog.ts';
import { readKeyed } from './keyedText.ts';
import type { ReplicaDisk } from './simulatedReplica.ts';

const MAX_SHOWN = 3;

/** [I1] What was saved and is in no file, although nobody who saw it took it away and no conflict has it; undefined: nothing. */
export function lostValues(disks: readonly ReplicaDisk[]): string | undefined {
  const present = new Set<string>();
  for (const { documents } of disks)
    for (const { file } of documents.values()) for (const value of readKeyed(file).values()) present.add(value);
  const accounted = new Set(disks.flatMap(({ removed, conflicts }) => [...removed, ...conflicts]));
  const lost = disks.flatMap(({ saved }) => saved).filter((value) => !present.has(value) && !accounted.has(value));
  if (lost.length === 0) return undefined;
  return `${lost.slice(0, MAX_SHOWN).join(', ')}${lost.length > MAX_SHOWN ? ' …' : ''}`;
}

/** Which proposals have brought each value into its document, by the entries of a log. */
export function proposalsThatBrought(records: readonly LogRecord[]): ReadonlyMap<string, readonly ProposalId[]> {
  const entered = new Map<string, readonly ProposalId[]>();
  const heads = new Map<DocId, ReadonlySet<string>>();
  for (const entry of records.flatMap((record) => documentEntries(record.entry))) {
    const before = entry.kind === 'create' ? new Set<string>() : (heads.get(entry.docId) ?? new Set<string>());
    const after = new Set(readKeyed(entry.patch[0]?.insert ?? '').values());
    for (const value of after)
      if (!before.has(value)) entered.set(value, [...(entered.get(value) ?? []), entry.proposalId]);
    heads.set(entry.docId, after);
  }
  return entered;
}
