import type { DocId } from '../../../src/core/ids.ts';
import { threeWayMerge } from '../../../src/core/merge/threeWayMerge.ts';
import { applyPatch } from '../../../src/core/replication/applyPatch.ts';
import { documentEntries } from '../../../src/core/replication/bulkEntry.ts';
import type { DocumentEntry, LogEntry } from '../../../src/core/replication/entry.ts';
import type { LogRecord } from '../../../src/core/replication/replicatedLog.ts';
import { hashOf } from '../../unit/replication/fakes.ts';
import type { SimulatedPeer } from './simulatedPeer.ts';
import type { Ledger } from './tokens.ts';
import { tokensOf, tokensOnlyIn } from './tokens.ts';

const MAX_SHOWN = 4;

export interface Revision {
  readonly docId: DocId;
  readonly path: string;
  readonly text: string;
  readonly index: number;
  /** Deleted: then the text is ''. */
  readonly isGone: boolean;
}

/** What must hold of the log, of the folders and of both together. */
export class Invariants {
  readonly heads = new Map<DocId, Revision>();
  readonly revisions: Revision[] = [];
  entries = 0;
  bulks = 0;
  /** How often a person did something that may become an entry: nothing else may. */
  allowedEntries = 0;
  readonly #peers: readonly SimulatedPeer[];
  readonly #ledger: Ledger;
  readonly #fail: (what: string) => void;
  readonly #note: (what: string) => void;
  readonly #entered = new Set<string>();
  #checkedVersion = -1;
  #wasPutBack = false;

  constructor(
    peers: readonly SimulatedPeer[],
    ledger: Ledger,
    note: (what: string) => void,
    fail: (what: string) => void,
  ) {
    this.#peers = peers;
    this.#ledger = ledger;
    this.#note = note;
    this.#fail = fail;
  }

  headAt(path: string): Revision | undefined {
    return [...this.heads.values()].find((head) => head.path === path && !head.isGone);
  }

  /** The log has grown. */
  onDurable(records: readonly LogRecord[]): void {
    for (const { entry } of records) this.#onEntry(entry);
  }

  /** A replica has an old state of its own: what it merges again may come and go. */
  stateIsOld(): void {
    this.#wasPutBack = true;
  }

  /** The log is the copy that a backup had of its first entries. */
  putBack(kept: number): void {
    this.entries = kept;
    this.#wasPutBack = true;
    this.revisions.splice(kept);
    this.heads.clear();
    for (const revision of this.revisions) this.heads.set(revision.docId, revision);
  }

  #onEntry(entry: LogEntry): void {
    this.entries += 1;
    if (entry.index !== this.entries)
      this.#fail(`[I7] index ${String(entry.index)} comes after ${String(this.entries - 1)}`);
    if (entry.kind === 'bulk') this.bulks += 1;
    for (const change of documentEntries(entry)) this.#onChange(change);
    if (this.entries > this.allowedEntries && !this.#wasPutBack)
      this.#fail(`[I9] ${String(this.entries)} entries for ${String(this.allowedEntries)} doings of people`);
  }

  #onChange(entry: DocumentEntry): void {
    const before = this.heads.get(entry.docId);
    const isGone = entry.kind === 'delete';
    const text = isGone ? '' : (applyPatch(before?.text ?? '', entry.patch).value ?? '');
    const path = entry.path ?? before?.path ?? '';
    if (!isGone && hashOf(text) !== entry.hash) this.#fail(`[I7] entry ${String(entry.index)} does not give its hash`);
    if (text === before?.text && path === before.path) this.#fail(`[I9] entry ${String(entry.index)} changes nothing`);
    const owner = this.headAt(path);
    if (!isGone && owner !== undefined && owner.docId !== entry.docId)
      this.#fail(`[REP-04] entry ${String(entry.index)} gives ${path} to a second document`);
    const revision = { docId: entry.docId, path, text, index: entry.index, isGone };
    this.heads.set(entry.docId, revision);
    if (!isGone) this.revisions.push(revision);
    const peer = this.#peers.find(({ store }) => entry.proposalId.startsWith(`${store.replicaId}:`));
    if (peer === undefined) this.#fail(`[I7] nobody has proposed entry ${String(entry.index)}`);
    else this.#checkDoing(peer, entry, before?.text ?? '', revision);
  }

  /** [I1] [I9] What an entry adds and takes away is the doing of the person whose replica proposed it. */
  #checkDoing(peer: SimulatedPeer, entry: DocumentEntry, before: string, { text, path }: Revision): void {
    const added = tokensOnlyIn(text, before);
    const removed = tokensOnlyIn(before, text);
    const place = `entry ${String(entry.index)} (${entry.kind} of ${path} by ${peer.name})`;
    this.#note(`${place} +${added.join(' +')} -${removed.join(' -')}`);
    for (const token of removed)
      // Whoever comes first brings a log that was put back up to date, also with what others did.
      if (!(this.#wasPutBack ? this.#ledger.wasTaken(token) : this.#ledger.mayTake(peer.name, token)))
        this.#fail(`[I1] ${place} takes ${token} away, which nobody there did`);
    for (const token of added) {
      const isNews = this.#ledger.authorOf(token) === peer.name && !this.#entered.has(token);
      const isExplained = peer.decided.has(path) || peer.brought.has(token);
      if (!isNews && entry.kind !== 'create' && !isExplained && !this.#wasPutBack)
        this.#fail(`[I9] ${place} brings ${token} back, which nobody there did`);
      this.#entered.add(token);
      this.#ledger.bring(peer.name, token);
    }
  }

  /** [I1] Whatever was saved, and taken away by nobody, is in the library or in front of somebody. */
  checkNothingLost(): void {
    const version = this.entries + this.#peers.reduce((sum, { folder }) => sum + folder.version, 0) * 1_000;
    if (version === this.#checkedVersion) return;
    this.#checkedVersion = version;
    const present = new Set<string>();
    const add = (text: string): void => {
      for (const token of tokensOf(text)) present.add(token);
    };
    for (const { text } of this.heads.values()) add(text);
    for (const { folder, store } of this.#peers) {
      // What a person took back is on its way to the library.
      for (const { text } of store.outbox.values()) add(text);
      for (const texts of [folder.files, folder.buffers, folder.stashes]) for (const text of texts.values()) add(text);
    }
    this.#expectAll(present, 'lost');
  }

  /** Why the peers are not in step yet; undefined where they are (I2). */
  outOfStep(): string | undefined {
    for (const peer of this.#peers) {
      const why = this.#outOfStep(peer);
      if (why !== undefined) return `${peer.name}: ${why}`;
    }
    return undefined;
  }

  #outOfStep(peer: SimulatedPeer): string | undefined {
    const { store, folder, replica, service } = peer;
    if (replica === undefined) return 'is not at work';
    if (service?.status.connection !== 'connected') return 'is not connected';
    if (store.synced.index !== this.entries)
      return `stands at ${String(store.synced.index)} of ${String(this.entries)}`;
    if (store.outbox.size > 0)
      return `has something in its outbox: ${JSON.stringify([...store.outbox.values()].map(({ proposal }) => [proposal.docId, proposal.kind, proposal.proposalId]))}`;
    if (store.intents.size > 0) return 'has an open intent';
    for (const head of this.heads.values()) {
      const status = replica.documents.find(({ docId }) => docId === head.docId);
      const stored = store.documents.get(head.docId);
      if (head.isGone) {
        // Where nobody has decided yet, the file is still there, in conflict with the deletion.
        if (status !== undefined && status.state !== 'held')
          return `${head.path} is ${status.state} after its deletion`;
        continue;
      }
      if (status === undefined || stored === undefined) return `does not have ${head.path}`;
      if (status.state !== 'inStep' && status.state !== 'held')
        return `${head.path} is ${status.state} ${JSON.stringify(status.problem)}`;
      if (stored.deleted !== undefined) return `${head.path} is deleted there`;
      if (status.state === 'held' && folder.text(head.path) === undefined) continue;
      if (stored.head?.text !== head.text) return `${head.path} (${status.state}) has another head`;
      if (stored.shadow?.text !== head.text) return `${head.path} (${status.state}) has another shadow`;
      const file = folder.text(head.path);
      if (file === undefined) return `${head.path} is not on disk`;
      if (status.state === 'inStep' && file !== head.text) return `the file of ${head.path} differs`;
      if (status.state === 'inStep' && stored.heldBase !== undefined) return `${head.path} has a held base`;
    }
    for (const path of folder.files.keys()) {
      const isHeld = replica.documents.some((document) => document.path === path && document.state === 'held');
      if (this.headAt(path) === undefined && !isHeld) return `${path} is not in the library`;
    }
    return undefined;
  }

  /** What must hold when the peers are in step. */
  checkAtRest(): void {
    const present = new Set<string>();
    for (const { text } of this.heads.values()) for (const token of tokensOf(text)) present.add(token);
    for (const peer of this.#peers)
      for (const held of peer.replica?.conflicts ?? [])
        for (const token of tokensOf(held.conflict.ours?.text ?? '')) present.add(token);
    this.#expectAll(present, 'neither in the library nor in a conflict');
    for (const peer of this.#peers) this.#checkHeld(peer);
  }

  /** A held conflict is real, is told, and hides nothing that could be sent. */
  #checkHeld(peer: SimulatedPeer): void {
    for (const { docId, path, state, conflictCount } of peer.replica?.documents ?? []) {
      const stored = peer.store.documents.get(docId);
      if ((state === 'held') !== conflictCount > 0)
        this.#fail(`[I2] ${peer.name} says ${state} with ${String(conflictCount)} conflicts`);
      // A conflict over the whole file has no elements.
      if (stored?.shadow === undefined || stored.deleted !== undefined || state !== 'held') continue;
      if (peer.folder.text(path) === undefined) continue;
      const input = {
        base: stored.heldBase ?? stored.shadow.text,
        ours: peer.folder.text(path) ?? '',
        theirs: stored.shadow.text,
      };
      const merged = threeWayMerge(input, 'yaml', { infoVersion: 'ask' });
      if (merged.conflicts.length === 0) this.#fail(`[I2] ${peer.name} holds ${path} without a conflict`);
      for (const { ours, theirs, pointer } of merged.conflicts)
        if (ours?.text === theirs?.text) this.#fail(`[I2] the conflict at ${pointer} is none: both sides are equal`);
      const sent = threeWayMerge(input, 'yaml', { infoVersion: 'ask', unresolved: 'theirs' });
      if (sent.text !== stored.shadow.text) this.#fail(`[I2] ${peer.name} has something to send in ${path}`);
    }
  }

  #expectAll(present: ReadonlySet<string>, what: string): void {
    const lost = [...this.#ledger.living].filter((token) => !present.has(token));
    if (lost.length === 0) return;
    const shown = lost.slice(0, MAX_SHOWN).map((token) => `${token} of ${this.#ledger.authorOf(token) ?? '?'}`);
    this.#fail(`[I1] ${what}: ${shown.join(', ')}${lost.length > MAX_SHOWN ? ' …' : ''}`);
  }
}
