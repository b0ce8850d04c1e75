import type { DocId, LogIndex, ProposalId, Term } from '../../../src/core/ids.ts';
import { documentEntries } from '../../../src/core/replication/bulkEntry.ts';
import type { DocumentEntry, LogEntry } from '../../../src/core/replication/entry.ts';
import type { LogRecord, ReplicatedLog } from '../../../src/core/replication/replicatedLog.ts';
import type { SimulatedDisk } from '../simulatedDisk.ts';
import type { SimulatedMachine } from './linkedHost.ts';

/** [REC-08] What becomes of what machines have set aside. */
export class SetAsideRule {
  readonly #machines: readonly SimulatedMachine[];
  readonly #fail: (what: string) => void;
  readonly #entries = new Map<SimulatedMachine, SetAsideEntries>();

  constructor(machines: readonly SimulatedMachine[], fail: (what: string) => void) {
    this.#machines = machines;
    this.#fail = fail;
  }

  /** Whether all of it is dealt with. */
  get isFulfilled(): boolean {
    return [...this.#entries.values()].every(({ isEmpty }) => isEmpty);
  }

  /** @param isJudged a log that was compacted cannot set aside what came first, and one that was put back has lost some. */
  watch(machine: SimulatedMachine, isJudged: () => boolean): void {
    const entries = new SetAsideEntries();
    this.#entries.set(machine, entries);
    machine.disk.onOrphans = async (orphans) => {
      for (const change of entries.become(orphans))
        if (isJudged()) await this.#checkForgotten(machine, entries, change);
      entries.forgetParting();
    };
  }

  /** The machine's disk was put back: what it had set aside is gone with the rest. */
  onRestored(machine: SimulatedMachine): void {
    this.#entries.get(machine)?.clear();
  }

  /**
   * A host gives nobody what it has set aside of a document that somebody else has touched since.
   * @param machine whose log has got the entry, and `home` the one of the peer that proposed it first.
   */
  onDurable(machine: SimulatedMachine, home: SimulatedDisk, { proposalId, docId, index, term }: DocumentEntry): void {
    // What a host takes over from its leader was decided there.
    if (machine.disk === home || machineOf(term, this.#machines) !== machine) return;
    for (const [{ name, disk }, entries] of this.#entries)
      // Its peers are not served before all is dealt with, so it is the host that has proposed it.
      if (disk === home && entries.isContested(proposalId, docId, index, machine.disk.records))
        this.#fail(`[REC-08] ${name} brings ${proposalId} back, although its document was touched since`);
  }

  /** It is forgotten only where the log that counts has it, or has touched its document. */
  async #checkForgotten(machine: SimulatedMachine, entries: SetAsideEntries, change: DocumentEntry): Promise<void> {
    const { term } = await machine.disk.log.state();
    const leader = machineOf(term, this.#machines);
    for (const { disk } of leader === undefined ? [machine] : [machine, leader])
      if (await entries.isDealtWith(change, disk.log)) return;
    this.#fail(`[REC-08] ${machine.name} forgets ${change.proposalId}, which it has set aside`);
  }
}

/** Whose process it is that leads in a term. */
function machineOf(term: Term | undefined, machines: readonly SimulatedMachine[]): SimulatedMachine | undefined {
  return machines.find(({ name }) => term?.leaderId.startsWith(`${name}.`) === true);
}

/** What one machine has set aside. */
class SetAsideEntries {
  #present = new Map<ProposalId, { readonly entry: LogEntry; readonly parted: number }>();
  /** Where the logs parted: the earliest of all that stood beside each other since the machine last had none. */
  #earliest = Infinity;
  readonly #ever = new Set<ProposalId>();

  get isEmpty(): boolean {
    return this.#present.size === 0;
  }

  clear(): void {
    this.#present.clear();
    this.#earliest = Infinity;
  }

  /** This is set aside now. Answers with what was and is not any more. */
  become(entries: readonly LogEntry[]): readonly DocumentEntry[] {
    const before = this.#present;
    const parted = Math.min(...entries.filter(({ proposalId }) => !before.has(proposalId)).map(({ index }) => index));
    this.#earliest = Math.min(this.#earliest, parted);
    this.#present = new Map(
      entries.map((entry) => [entry.proposalId, before.get(entry.proposalId) ?? { entry, parted }]),
    );
    for (const { proposalId } of entries.flatMap(documentEntries)) this.#ever.add(proposalId);
    return [...before.values()]
      .filter(({ entry }) => !this.#present.has(entry.proposalId))
      .flatMap(({ entry }) => documentEntries(entry));
  }

  /**
   * Whether a change may be forgotten: the log has it, or has touched its document since the logs parted, or has what it
   * builds on no more, or another document in its place.
   */
  async isDealtWith(change: DocumentEntry, log: ReplicatedLog): Promise<boolean> {
    if ((await log.findProposals([change.proposalId])).size > 0) return true;
    const heads = await log.heads();
    const head = heads.find(({ docId }) => docId === change.docId);
    if (head !== undefined) return head.index >= this.#earliest || head.hash !== change.baseHash;
    // Of a document that did not come to be there is nothing to be edited.
    if (change.kind !== 'create') return true;
    return heads.some(({ path, hash }) => hash !== undefined && path === change.path);
  }

  /** Everything is dealt with, and what parts later parts anew. */
  forgetParting(): void {
    if (this.isEmpty) this.#earliest = Infinity;
  }

  /** Whether another log may not be given this by the machine: somebody else has touched the document since they parted. */
  isContested(proposalId: ProposalId, docId: DocId, index: LogIndex, records: readonly LogRecord[]): boolean {
    const held = [...this.#present.values()].find(({ entry }) =>
      documentEntries(entry).some((change) => change.proposalId === proposalId),
    );
    if (held === undefined) return false;
    return records
      .filter(({ entry }) => entry.index >= held.parted && entry.index < index)
      .flatMap(({ entry }) => documentEntries(entry))
      .some((change) => change.docId === docId && !this.#ever.has(change.proposalId));
  }
}
