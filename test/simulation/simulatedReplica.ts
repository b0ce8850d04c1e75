import type { DocId, LogIndex, ProposalId, RevisionHash } from '../../src/core/ids.ts';
import { applyPatch } from '../../src/core/replication/applyPatch.ts';
import { documentEntries } from '../../src/core/replication/bulkEntry.ts';
import type {
  BulkEntry,
  BulkProposal,
  DocumentEntry,
  DocumentHead,
  LogEntry,
  Proposal,
  ProposeResult,
} from '../../src/core/replication/entry.ts';
import { BadEntryError, LinkClosedError } from '../../src/core/replication/libraryLink.ts';
import type { EntrySink, HeadsReason, LibraryLink } from '../../src/core/replication/libraryLink.ts';
import { BETWEEN_LOGS } from '../../src/core/replication/runningHash.ts';
import { hashOf } from '../unit/replication/fakes.ts';
import { mergeKeyed, readKeyed, writeKeyed } from './keyedText.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';

/** One document as a replica has it on its disk. */
interface LocalDocument {
  path: string;
  file: string;
  shadow: { readonly text: string; readonly hash: RevisionHash } | undefined;
  /** Names of the revisions that the shadow was before, newest first. */
  former: readonly RevisionHash[];
  /** Sent and not yet seen in the log; sent again after a crash as it was. */
  outbox: Proposal | undefined;
}

/** What survives a replica's processes. Changed in one piece each time, as a transaction of a database would be. */
export class ReplicaDisk {
  readonly name: string;
  readonly documents = new Map<DocId, LocalDocument>();
  index = 0 as LogIndex;
  runningHash = '';
  counter = 0;
  /** Edits that are made together are proposed together. */
  sendsBulks = false;
  headsTaken = 0;
  readonly conflicts: string[] = [];
  /** What its user saved, and what its user took away having seen it. */
  readonly saved: string[] = [];
  readonly removed = new Set<string>();

  constructor(name: string) {
    this.name = name;
  }

  nextCount(): number {
    this.counter += 1;
    return this.counter;
  }
}

export interface ReplicaChecks {
  onApplied(disk: ReplicaDisk, entry: LogEntry, runningHash: string | undefined): void;
  onCommitted(disk: ReplicaDisk, proposal: Proposal, index: LogIndex): void;
  /** Heads were taken in, in the place of entries. */
  onHeads?(disk: ReplicaDisk): void;
  fail(what: string): void;
}

const NOTHING = writeKeyed(new Map());
const GATHER_MS = 5;
/** So many entries of one document the log may get while its heads are taken in. */
const MAX_ENTRIES_LOOKED_AT = 200;

interface Gathered {
  readonly proposal: Proposal;
  readonly resolve: (result: ProposeResult) => void;
  readonly reject: (error: unknown) => void;
}

/** A replica's process: the smallest honest user of a `LibraryLink` that has an outbox, shadows and a merge. */
export class SimulatedReplica implements EntrySink {
  readonly disk: ReplicaDisk;
  readonly #process: SimulatedProcess;
  readonly #checks: ReplicaChecks;
  readonly #sending = new Set<DocId>();
  /** Changed while something of them was being sent. */
  readonly #changedSince = new Set<DocId>();
  #link: LibraryLink | undefined;
  #isApplying = false;
  readonly #gathered: Gathered[] = [];

  constructor(disk: ReplicaDisk, process: SimulatedProcess, checks: ReplicaChecks) {
    this.disk = disk;
    this.#process = process;
    this.#checks = checks;
  }

  connect(link: LibraryLink): void {
    this.#link = link;
    for (const docId of this.disk.documents.keys()) this.#kick(docId);
  }

  /** The user saves something of its own into a document, new or known. */
  save(docId: DocId, path: string, key: string): void {
    const value = `${this.disk.name}-${String(this.disk.nextCount())}`;
    this.#edit(docId, path, (keyed) => keyed.set(key, value));
    this.disk.saved.push(value);
  }

  /** The user takes an element out that it sees. */
  remove(docId: DocId, key: string): void {
    const document = this.disk.documents.get(docId);
    if (document !== undefined) this.#edit(docId, document.path, (keyed) => keyed.delete(key));
  }

  lastSyncedIndex(): LogIndex {
    return this.disk.index;
  }

  lastSyncedHash(): string | undefined {
    return this.disk.runningHash;
  }

  async applySyncEntry(entry: LogEntry, runningHash?: string): Promise<void> {
    await this.#alone(() =>
      entry.kind === 'bulk' ? this.#applyBulk(entry, runningHash) : this.#applyEntry(entry, runningHash),
    );
    for (const { docId } of documentEntries(entry)) this.#kick(docId);
  }

  async applyHeads(...values: Parameters<EntrySink['applyHeads']>): Promise<void> {
    try {
      await this.#alone(() => this.#applyHeads(...values));
    } finally {
      // Some may have been taken before another could not be.
      for (const docId of this.disk.documents.keys()) this.#kick(docId);
    }
  }

  /** All of its texts first, by their names; then all at once. */
  async #applyBulk(entry: BulkEntry, runningHash: string | undefined): Promise<void> {
    const texts = new Map<DocId, string>();
    for (const { docId, hash } of entry.documents) {
      const { outbox, shadow } = this.disk.documents.get(docId) ?? {};
      const own = outbox?.hash === hash ? outbox.patch[0]?.insert : undefined;
      const known = own ?? (shadow?.hash === hash ? shadow.text : undefined);
      const text = known ?? (await this.#link?.fetchRevision(docId, hash));
      if (text === undefined) throw new BadEntryError('A text of the bulk is not to be had.');
      texts.set(docId, text);
    }
    await this.#process.delay(this.#process.random.between(0, 3));
    for (const { docId, hash, proposalId } of entry.documents) {
      const document = this.disk.documents.get(docId);
      const base = document?.shadow?.text ?? NOTHING;
      this.#take(docId, document?.path ?? '', document, base, { text: texts.get(docId) ?? '', hash });
      this.#endOwn(docId, proposalId);
    }
    this.disk.index = entry.index;
    this.disk.runningHash = runningHash ?? '';
    this.#checks.onApplied(this.disk, entry, runningHash);
  }

  async #applyEntry(entry: DocumentEntry, runningHash: string | undefined): Promise<void> {
    await this.#process.delay(this.#process.random.between(0, 3));
    const { documents } = this.disk;
    const document = documents.get(entry.docId) ?? this.#adopt(entry.path);
    if (entry.kind === 'delete') this.#drop(entry.docId, document);
    else {
      const base = entry.kind === 'create' ? NOTHING : document?.shadow?.text;
      const text = base === undefined ? undefined : applyPatch(base, entry.patch).value;
      if (text === undefined || hashOf(text) !== entry.hash) {
        throw new BadEntryError('The patch does not give the hash.');
      }
      const path = entry.path ?? document?.path ?? '';
      this.#take(entry.docId, path, document, document?.shadow?.text ?? NOTHING, { text, hash: hashOf(text) });
      this.#endOwn(entry.docId, entry.proposalId);
    }
    this.disk.index = entry.index;
    this.disk.runningHash = runningHash ?? '';
    this.#checks.onApplied(this.disk, entry, runningHash);
  }

  /** Our own proposal has come in: what became of it is known, and where heads come next the shadow is the base. */
  #endOwn(docId: DocId, proposalId: ProposalId): void {
    const document = this.disk.documents.get(docId);
    if (document?.outbox?.proposalId === proposalId) document.outbox = undefined;
  }

  async #applyHeads(
    heads: readonly DocumentHead[],
    index: LogIndex,
    runningHash?: string,
    why?: HeadsReason,
  ): Promise<void> {
    const link = this.#link;
    if (link === undefined) throw new Error('Heads have come before the link.');
    if (why === 'unknown') this.disk.runningHash = BETWEEN_LOGS;
    const known = new Set<DocId>();
    for (const head of heads) {
      known.add(head.docId);
      await this.#takeHead(link, head, why);
    }
    for (const [docId, document] of this.disk.documents) {
      if (known.has(docId) || document.shadow === undefined) continue;
      // The log does not know it (a backup was restored): what the replica has is proposed anew.
      document.shadow = undefined;
      document.outbox = undefined;
    }
    this.disk.index = index;
    this.disk.runningHash = runningHash ?? '';
    this.disk.headsTaken += 1;
    this.#checks.onHeads?.(this.disk);
  }

  async #takeHead(link: LibraryLink, head: DocumentHead, why: HeadsReason | undefined): Promise<void> {
    const before = this.disk.documents.get(head.docId);
    if (head.hash === undefined) {
      // A tombstone: a document that was restored from nothing stays with whoever has it.
      if (before?.shadow !== undefined) this.#drop(head.docId, before);
      return;
    }
    // With a proposal under way equal texts say nothing: it may have been committed and taken back since.
    if (before?.outbox === undefined && before?.shadow?.hash === head.hash) {
      before.path = head.path;
      return;
    }
    const text = await link.fetchRevision(head.docId, head.hash, 'heads');
    if (text === undefined) throw new Error('The log does not know its own head.');
    const base = await this.#commonBase(link, head, why);
    this.#stepToOwn(head, base);
    const document = this.disk.documents.get(head.docId) ?? this.#adopt(head.path);
    this.#take(head.docId, head.path, document, base, { text, hash: head.hash });
    const taken = this.disk.documents.get(head.docId);
    // What is under way was made for the other log, or is in this one already; either way the file says what is left to send.
    if (taken !== undefined) taken.outbox = undefined;
  }

  /** Where our own proposal is the base, and the file has taken in since what was taken out again before it: that goes out first. */
  #stepToOwn(head: DocumentHead, base: string): void {
    const document = this.disk.documents.get(head.docId);
    const { outbox, shadow } = document ?? {};
    const own = outbox?.patch[0]?.insert;
    const isBasedOnShadow = outbox?.kind === 'create' || outbox?.baseHash === shadow?.hash;
    if (own !== base || outbox?.hash === undefined || shadow === undefined || isBasedOnShadow) return;
    this.#take(head.docId, head.path, document, shadow.text, { text: own, hash: outbox.hash });
  }

  /** The newest text that this replica and the head have in common, as far as anybody knows. */
  async #commonBase(link: LibraryLink, head: DocumentHead, why: HeadsReason | undefined): Promise<string> {
    const local = this.disk.documents.get(head.docId);
    const { outbox, shadow } = local ?? {};
    if (outbox !== undefined) {
      // It may have been committed and changed by others since; without asking, what they took out would come back.
      const result = await link.propose(outbox, undefined, 'heads');
      if (result.kind === 'committed' && result.index <= head.index) return outbox.patch[0]?.insert ?? NOTHING;
    }
    if (shadow === undefined) return NOTHING;
    if (why === 'compacted') return shadow.text;
    for (const hash of [shadow.hash, ...(local?.former ?? [])]) {
      const text = await link.fetchRevision(head.docId, hash, 'heads');
      if (text === undefined) continue;
      if (hash === head.hash) return text;
      // What the log got after the head is none of its ancestors, also if it got it a moment ago and has compacted it since.
      const entries = await link.fetchHistory(head.docId, MAX_ENTRIES_LOOKED_AT, 'heads');
      const made = entries.filter((entry) => entry.hash === hash);
      if ((made.length === 0 ? entries : made).some(({ index }) => index <= head.index)) return text;
    }
    return NOTHING;
  }

  /** Two calls at once would be an error of whoever calls. */
  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#isApplying) this.#checks.fail('[REP-13] two entries were handed over at once');
    this.#isApplying = true;
    try {
      await work();
    } finally {
      this.#isApplying = false;
    }
  }

  /** A document that this replica has under the same path without knowing that the library has it: the two are one from now on. */
  #adopt(path: string | undefined): LocalDocument | undefined {
    for (const [docId, document] of this.disk.documents) {
      if (document.path !== path || document.shadow !== undefined) continue;
      this.disk.documents.delete(docId);
      return { ...document, outbox: undefined };
    }
    return undefined;
  }

  #take(
    docId: DocId,
    path: string,
    document: LocalDocument | undefined,
    base: string,
    next: NonNullable<LocalDocument['shadow']>,
  ): void {
    const ours = document?.file ?? NOTHING;
    const { merged, lost } = mergeKeyed(readKeyed(base), readKeyed(ours), readKeyed(next.text));
    this.disk.conflicts.push(...lost);
    const before = document?.shadow;
    const former = [...(before === undefined ? [] : [before.hash]), ...(document?.former ?? [])];
    this.disk.documents.set(docId, { path, file: writeKeyed(merged), shadow: next, former, outbox: document?.outbox });
  }

  #drop(docId: DocId, document: LocalDocument | undefined): void {
    if (document !== undefined) {
      const { lost } = mergeKeyed(readKeyed(document.shadow?.text ?? NOTHING), readKeyed(document.file), new Map());
      this.disk.conflicts.push(...lost);
    }
    this.disk.documents.delete(docId);
  }

  #edit(docId: DocId, path: string, change: (keyed: Map<string, string>) => void): void {
    const document = this.disk.documents.get(docId) ?? {
      path,
      file: NOTHING,
      shadow: undefined,
      former: [],
      outbox: undefined,
    };
    const before = new Map(readKeyed(document.file));
    const after = new Map(before);
    change(after);
    for (const [key, value] of before) if (after.get(key) !== value) this.disk.removed.add(value);
    document.file = writeKeyed(after);
    this.disk.documents.set(docId, document);
    this.#kick(docId);
  }

  #kick(docId: DocId): void {
    if (this.#link === undefined) return;
    if (this.#sending.has(docId)) {
      this.#changedSince.add(docId);
      return;
    }
    this.#sending.add(docId);
    void this.#send(this.#link, docId)
      .catch((error: unknown) => {
        if (!(error instanceof LinkClosedError)) this.#checks.fail(`propose failed: ${String(error)}`);
      })
      .finally(() => {
        this.#sending.delete(docId);
        if (this.#changedSince.delete(docId)) this.#kick(docId);
      });
  }

  /** One proposal per document at a time, until the file is what the library has. */
  async #send(link: LibraryLink, docId: DocId): Promise<void> {
    for (;;) {
      const document = this.disk.documents.get(docId);
      if (document === undefined) return;
      document.outbox ??= this.#proposal(docId, document);
      const proposal = document.outbox;
      if (proposal === undefined) return;
      const result = await this.#propose(link, proposal);
      if (result.kind === 'rejected') {
        this.#checks.fail(`a proposal was rejected: ${result.code}`);
        return;
      }
      if (result.kind === 'committed') this.#checks.onCommitted(this.disk, proposal, result.index);
      const settledAt = result.kind === 'committed' ? result.index : (result.head?.index ?? 0);
      // What was committed or came first has yet to be taken in, unless another log has taken this one's place meanwhile.
      const { headsTaken } = this.disk;
      while (this.disk.index < settledAt && this.disk.headsTaken === headsTaken) await this.#process.delay(25);
      const settled = this.disk.documents.get(docId);
      if (settled?.outbox === proposal) settled.outbox = undefined;
      if (result.kind === 'stale' && result.head !== undefined && result.head.docId !== docId)
        this.#joinInto(result.head.docId, docId);
    }
  }

  /** What is proposed within a moment goes together, as many edits in one message. */
  async #propose(link: LibraryLink, proposal: Proposal): Promise<ProposeResult> {
    if (!this.disk.sendsBulks || proposal.kind !== 'edit') return await link.propose(proposal);
    const { promise, resolve, reject } = Promise.withResolvers<ProposeResult>();
    this.#gathered.push({ proposal, resolve, reject });
    if (this.#gathered.length === 1) {
      await this.#process.delay(GATHER_MS);
      const gathered = this.#gathered.splice(0);
      const [first] = gathered;
      if (gathered.length === 1 && first !== undefined) link.propose(first.proposal).then(first.resolve, first.reject);
      else sendTogether(link, gathered);
    }
    return await promise;
  }

  /** Another document has the path already: the two are one, with nothing in common to begin with. */
  #joinInto(owner: DocId, docId: DocId): void {
    const mine = this.disk.documents.get(docId);
    const theirs = this.disk.documents.get(owner);
    if (mine === undefined || mine.shadow !== undefined || theirs === undefined) return;
    const { merged, lost } = mergeKeyed(readKeyed(NOTHING), readKeyed(mine.file), readKeyed(theirs.file));
    this.disk.conflicts.push(...lost);
    theirs.file = writeKeyed(merged);
    this.disk.documents.delete(docId);
    this.#kick(owner);
  }

  #proposal(docId: DocId, document: LocalDocument): Proposal | undefined {
    const { shadow, file, path } = document;
    if (shadow?.text === file) return undefined;
    const proposalId = `${this.disk.name}:${String(this.disk.nextCount())}` as ProposalId;
    const patch = [{ offset: 0, deleteCount: shadow?.text.length ?? 0, insert: file }];
    const common = { proposalId, docId, hash: hashOf(file), patch, changes: [] };
    return shadow === undefined
      ? { ...common, kind: 'create', baseHash: undefined, path }
      : { ...common, kind: 'edit', baseHash: shadow.hash };
  }
}

function sendTogether(link: LibraryLink, gathered: readonly Gathered[]): void {
  const documents = gathered.flatMap(({ proposal: { proposalId, docId, baseHash, hash, patch } }) =>
    baseHash === undefined || hash === undefined ? [] : [{ proposalId, docId, baseHash, hash, patch }],
  );
  const bulk: BulkProposal = { reason: 'generator', documents };
  link.proposeBulk(bulk).then(
    (results) => {
      for (const [at, { resolve }] of gathered.entries()) {
        const result = results[at];
        if (result !== undefined) resolve(result);
      }
    },
    (error: unknown) => {
      for (const { reject } of gathered) reject(error);
    },
  );
}
