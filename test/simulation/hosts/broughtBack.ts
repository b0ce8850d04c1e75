import type { DocId, ProposalId } from '../../../src/core/ids.ts';
import { documentEntries } from '../../../src/core/replication/bulkEntry.ts';
import type { DocumentEntry, LogEntry } from '../../../src/core/replication/entry.ts';
import type { LogRecord } from '../../../src/core/replication/replicatedLog.ts';
import { readKeyed } from '../keyedText.ts';
import type { ReplicaDisk } from '../simulatedReplica.ts';

/**
 * [I9] [REC-09] Who may bring a value into the log although it was there before and somebody has taken it out since: a
 * replica that has the value in a file from an entry that was set aside, and has not seen it in that document on the log
 * that counts. It cannot know that the value ever came there, nor that it was taken out; for all that it can tell, its file
 * is the last that has it. For the person who took it out, it comes back once, with an author, in History, and can be
 * taken out again; the other way round somebody's work would be gone without anybody having decided so (I1).
 */
export class BroughtBack {
  /** By replica: documents and values that only a log which was set aside has shown to it. */
  readonly #unseen = new Map<ReplicaDisk, Set<string>>();
  readonly #excused = new Set<string>();
  /** Entries that some machine has had. */
  readonly #known = new Set<string>();

  /** @param replicas those of the machine whose log has lost the entries. */
  onSetAside(setAside: readonly LogEntry[], kept: readonly LogRecord[], replicas: readonly ReplicaDisk[]): void {
    const lost = new Set(setAside.flatMap(documentEntries).flatMap(valuesIn));
    const shared = new Map(
      kept.flatMap(({ entry }) => documentEntries(entry)).map((change) => [change.hash, valuesIn(change)]),
    );
    for (const replica of replicas)
      for (const [docId, { file, shadow, former }] of replica.documents) {
        // What a replica went through is all that it can build on ([REC-04]): heads may have led it past other revisions.
        const base = [shadow?.hash, ...former].find((hash) => shared.has(hash));
        const seen = new Set(shared.get(base));
        for (const value of readKeyed(file).values())
          if (lost.has(value) && !seen.has(value)) this.#of(replica).add(keyOf(docId, value));
      }
  }

  /** @param isInLog whether the machine's log still has the entry; it may have lost it while the entry was on its way. */
  onApplied(replica: ReplicaDisk, entry: LogEntry, isInLog: boolean): void {
    const unseen = this.#of(replica);
    for (const change of documentEntries(entry))
      for (const value of valuesIn(change)) {
        const key = keyOf(change.docId, value);
        if (isInLog) unseen.delete(key);
        else unseen.add(key);
      }
  }

  /** The replica has taken heads in: what was agreed on is in the log that counts. */
  onHeads(replica: ReplicaDisk): void {
    const unseen = this.#of(replica);
    for (const [docId, { shadow }] of replica.documents)
      for (const value of readKeyed(shadow?.text ?? '').values()) unseen.delete(keyOf(docId, value));
  }

  /** A proposal of the replica's is durable on some machine, and on others after that. */
  onDurable(replica: ReplicaDisk, change: DocumentEntry): void {
    // An old entry that comes to another machine brings nothing back.
    const entry = `${change.docId} ${change.proposalId}`;
    if (this.#known.has(entry)) return;
    this.#known.add(entry);
    const unseen = this.#of(replica);
    for (const value of valuesIn(change)) {
      if (this.isExcused(change.proposalId, value)) continue;
      // Of another document where that was found to be one with this: both were made at the same path.
      const key = [keyOf(change.docId, value), ...unseen].find((one) => unseen.has(one) && one.endsWith(` ${value}`));
      if (key === undefined) continue;
      unseen.delete(key);
      this.#excused.add(`${change.proposalId} ${value}`);
    }
  }

  /** Whether the change may bring in a value that was in the log before. */
  isExcused(proposalId: ProposalId, value: string): boolean {
    return this.#excused.has(`${proposalId} ${value}`);
  }

  #of(replica: ReplicaDisk): Set<string> {
    const known = this.#unseen.get(replica) ?? new Set<string>();
    this.#unseen.set(replica, known);
    return known;
  }
}

function keyOf(docId: DocId, value: string): string {
  return `${docId} ${value}`;
}

function valuesIn({ patch: [splice] }: DocumentEntry): readonly string[] {
  return [...readKeyed(splice?.insert ?? '').values()];
}
