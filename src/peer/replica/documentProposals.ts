import type { LogIndex, ProposalId, RevisionHash } from '../../core/ids.ts';
import { changedElements } from '../../core/openapi/changedElements.ts';
import { DOCUMENT_DAMAGED } from '../../core/replication/checkProposal.ts';
import type { DocumentHead, Proposal, ProposeResult } from '../../core/replication/entry.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import { originChanges } from '../../core/replication/originCommit.ts';
import { LinkClosedError } from '../../core/replication/libraryLink.ts';
import type { OutboxItem, ReplicaChange, StoredDocument, StoredRevision } from '../../core/replication/replicaStore.ts';
import { PATH_TAKEN } from './documentProblems.ts';
import type { DocumentRecord } from './documentRecord.ts';

/** What the leader's answer means for the document. */
export type Answer =
  | { readonly kind: 'goOn' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface ProposalEvents {
  /** The leader has answered; to be handled in the document's turn by `answered`. */
  onAnswer(item: OutboxItem, answer: ProposeResult): void;
  onError(error: unknown): void;
}

/** A head that is our own proposal. */
interface OwnHead {
  readonly proposalId: ProposalId;
  /** What the document becomes; undefined: what comes of anybody's head. */
  readonly stored: StoredDocument | undefined;
}

/** Sends one document's local changes: at most one proposal in flight, durable in the outbox before it is sent. */
export class DocumentProposals {
  readonly #record: DocumentRecord;
  readonly #events: ProposalEvents;
  #inFlight: OutboxItem | undefined;
  /** Whether it was sent, as far as this process can tell: what waits for its burst is in the outbox and unheard of. */
  #mayBeKnown = true;
  /** Whose change is in flight, if a source's. Not durable: after a restart the person's window answers for it. */
  #source: string | undefined;
  /** The held base when the proposal was made; a choice of the person since then counts when it is committed. */
  #heldBaseThen: string | undefined;
  #refusedHash: RevisionHash | undefined;
  #isRemovalRefused = false;
  /** The leader has lost the text that ours is an edit of: the next one brings the whole text. */
  #sendsWhole = false;
  readonly #refusedPaths = new Set<string>();
  /** The leader has an entry of this document that did not come in yet: proposing before it does would be refused again. */
  #awaitedIndex = 0;

  constructor(record: DocumentRecord, inFlight: OutboxItem | undefined, events: ProposalEvents) {
    this.#record = record;
    this.#inFlight = inFlight;
    this.#heldBaseThen = record.stored.heldBase;
    if (record.stored.wanted !== undefined) this.#awaitedIndex = record.stored.wanted.index;
    this.#events = events;
  }

  get isInFlight(): boolean {
    return this.#inFlight !== undefined;
  }

  /** Whether what is in flight takes a choice back. */
  get isTakingBack(): boolean {
    return this.#inFlight?.proposal.kind === 'resolve';
  }

  /** Whether the leader has refused this text for good. */
  isRefused(hash: RevisionHash): boolean {
    return hash === this.#refusedHash;
  }

  /** Whether the leader has refused for good to delete the document. */
  get isRemovalRefused(): boolean {
    return this.#isRemovalRefused;
  }

  /** Whether the leader has refused this name for good, or another document has it. */
  isPathRefused(path: string): boolean {
    return this.#refusedPaths.has(path);
  }

  /** The library has this document as of an entry that is still to come in. */
  awaitHead(index: LogIndex): void {
    this.#awaitedIndex = index;
  }

  /** Whether the library has said something about this document that is still to come in. */
  get isAwaitingHead(): boolean {
    return this.#knownIndex < this.#awaitedIndex;
  }

  /**
   * The log is another one, and what was agreed on begins anew: that the held base is another one now is no choice of
   * the person, and once what is in flight is committed, that says what is held.
   */
  logChanged(): void {
    this.#heldBaseThen = this.#record.stored.heldBase;
    this.#awaitedIndex = 0;
  }

  /** The link to send by, if sending has a chance now. */
  readyLink(): LibraryLink | undefined {
    return this.isAwaitingHead ? undefined : this.connectedLink();
  }

  /** The link to ask by: somebody answers at once. */
  connectedLink(): LibraryLink | undefined {
    const link = this.#record.ctx.link();
    return link?.status.connection === 'connected' ? link : undefined;
  }

  /** @param heldBase what the held base is once this is committed; undefined where nothing is held then. */
  async propose(text: string, heldBase: string | undefined, kind: 'edit' | 'resolve'): Promise<void> {
    const { agreedBefore } = this.#record;
    // A library that begins anew begins with what was agreed on: there others find what they have in common with us.
    if (agreedBefore === undefined) await this.#proposeText(text, heldBase, kind);
    else await this.#proposeText(agreedBefore.text, undefined, kind);
  }

  async #proposeText(text: string, heldBase: string | undefined, kind: 'edit' | 'resolve'): Promise<void> {
    const { stored, ctx } = this.#record;
    const { shadow, docId } = stored;
    const patch = await ctx.merger.diff(shadow?.text ?? '', text);
    const { proposalId, nextProposalNumber } = ctx.takeProposalNumber();
    const proposal: Proposal = {
      proposalId,
      docId,
      kind: shadow === undefined ? 'create' : kind,
      baseHash: shadow?.hash,
      hash: ctx.ambient.hashText(text),
      patch: this.#sendsWhole ? [{ offset: 0, deleteCount: shadow?.text.length ?? 0, insert: text }] : patch,
      ...(shadow === undefined ? { path: this.#record.ownPath } : {}),
      changes:
        shadow === undefined ? originChanges(await this.#commitHere()) : changedElements(shadow.text, text, patch),
    };
    this.#source = ctx.sourceOf(shadow?.hash, ctx.ambient.hashText(text));
    this.#sendsWhole = false;
    await this.#post({ proposal, text, heldBase }, nextProposalNumber);
  }

  async #commitHere(): Promise<string | undefined> {
    const { file, ctx } = this.#record;
    return file === undefined ? undefined : ctx.committed?.head(file);
  }

  /** Tells the library that the document was deleted here. @param baseHash the revision that nobody is to miss. */
  async proposeRemoval(baseHash: RevisionHash): Promise<void> {
    const { stored, ctx } = this.#record;
    const { proposalId, nextProposalNumber } = ctx.takeProposalNumber();
    const { docId, libraryPath, heldBase } = stored;
    const proposal: Proposal = {
      proposalId,
      docId,
      kind: 'delete',
      baseHash,
      hash: undefined,
      patch: [],
      basePath: libraryPath,
      changes: [],
    };
    this.#source = undefined;
    await this.#post({ proposal, text: '', heldBase }, nextProposalNumber);
  }

  /** Brings a document back that the library has deleted; the tombstone's path shows that we know it for deleted ([REP-04]). */
  async proposeRevival(text: string): Promise<void> {
    const { stored, ctx } = this.#record;
    const { proposalId, nextProposalNumber } = ctx.takeProposalNumber();
    const { docId, libraryPath } = stored;
    const proposal: Proposal = {
      proposalId,
      docId,
      kind: 'create',
      baseHash: undefined,
      hash: ctx.ambient.hashText(text),
      patch: await ctx.merger.diff('', text),
      path: this.#record.ownPath,
      basePath: libraryPath,
      changes: [],
    };
    this.#source = undefined;
    await this.#post({ proposal, text, heldBase: undefined }, nextProposalNumber);
  }

  /** Tells the library that the file has another name here; its text stays as it is there. */
  async proposeRename(path: string): Promise<void> {
    const { stored, ctx } = this.#record;
    const { docId, libraryPath, head, heldBase } = stored;
    if (head === undefined) return;
    const { proposalId, nextProposalNumber } = ctx.takeProposalNumber();
    const proposal: Proposal = {
      proposalId,
      docId,
      kind: 'rename',
      baseHash: head.hash,
      hash: head.hash,
      patch: [],
      path,
      basePath: libraryPath,
      changes: [],
    };
    await this.#post({ proposal, text: head.text, heldBase }, nextProposalNumber);
  }

  async #post(item: OutboxItem, nextProposalNumber: number): Promise<void> {
    await this.#record.commit({ putOutbox: [item], nextProposalNumber });
    this.#inFlight = item;
    this.#mayBeKnown = false;
    this.#heldBaseThen = this.#record.stored.heldBase;
    this.#send(item);
  }

  get #knownIndex(): number {
    const { head, deleted } = this.#record.stored;
    return Math.max(head?.index ?? 0, deleted?.index ?? 0);
  }

  /** The library has deleted the document: by our own wish, if that is what is in flight. Made durable with what comes next. */
  takeRemoval(proposalId: ProposalId | undefined): boolean {
    const item = this.#inFlight;
    const isOwn =
      item?.proposal.kind === 'delete' && (proposalId === undefined || item.proposal.proposalId === proposalId);
    if (!isOwn) return false;
    this.#inFlight = undefined;
    this.#record.postpone({ removeOutbox: [item.proposal.proposalId] });
    return true;
  }

  /** The library has renamed the document: by our own wish, if that is what is in flight. Made durable with what comes next. */
  takeRename(proposalId: ProposalId): boolean {
    const item = this.#inFlight;
    if (item?.proposal.kind !== 'rename' || item.proposal.proposalId !== proposalId) return false;
    this.#inFlight = undefined;
    this.#record.postpone({ removeOutbox: [proposalId] });
    return true;
  }

  /** Brings a proposal of a former run to its end: the same one is sent again and committed once. */
  resend(): void {
    if (this.#inFlight !== undefined) this.#send(this.#inFlight);
  }

  /** Lets go of what is in flight and of the document, of which the library knows nothing. */
  async forget(): Promise<void> {
    const record = this.#record;
    const removeOutbox = this.#inFlight === undefined ? [] : [this.#inFlight.proposal.proposalId];
    await record.commit({ removeDocuments: [record.stored.docId], removeOutbox });
    this.#inFlight = undefined;
    record.stored = { ...record.stored, localPath: undefined };
  }

  /**
   * Takes a new head for our own proposal, if it is that: the file was merged with it already when it was made.
   * @param proposalId undefined where the head came without its entry; then what reads like the proposal is the proposal.
   */
  async takeOwn(
    head: StoredRevision,
    proposalId: ProposalId | undefined,
    change: Pick<ReplicaChange, 'synced'>,
  ): Promise<boolean> {
    const record = this.#record;
    const own = await this.planOwn(head, proposalId);
    if (own === undefined) return false;
    this.#inFlight = undefined;
    if (own.stored === undefined) {
      record.postpone({ removeOutbox: [own.proposalId] });
      return false;
    }
    record.stored = own.stored;
    await record.commitFact({ ...change, putDocuments: [own.stored], removeOutbox: [own.proposalId] });
    return true;
  }

  /**
   * What becomes of the document where the head is our own proposal; undefined where it is not. Changes nothing. Without
   * `stored` the proposal has come to its end, and the head is taken like anybody's: the file has gone on since, and what
   * it took in meanwhile was taken out again before this was committed.
   */
  async planOwn(head: StoredRevision, proposalId: ProposalId | undefined): Promise<OwnHead | undefined> {
    const record = this.#record;
    const item = this.#inFlight;
    if (
      item === undefined ||
      item.proposal.kind === 'delete' ||
      item.proposal.kind === 'rename' ||
      item.text !== head.text ||
      (proposalId !== undefined && item.proposal.proposalId !== proposalId)
    )
      return undefined;
    if (!this.#isBasedOnShadow(item)) return { stored: undefined, proposalId: item.proposal.proposalId };
    const heldBase = await this.#heldBaseAfter(item);
    // A document that came back without its file is written like any that has none here.
    const isFileNew = record.stored.deleted !== undefined && record.working === undefined;
    const shadow = isFileNew ? undefined : head;
    const stored = { ...record.stored, shadow, head, heldBase, deleted: undefined, wanted: undefined };
    return { stored, proposalId: item.proposal.proposalId };
  }

  /** Whether the file has taken nothing in since this was made. */
  #isBasedOnShadow({ proposal }: OutboxItem): boolean {
    return proposal.kind === 'create' || proposal.baseHash === this.#record.stored.shadow?.hash;
  }

  /** What was in flight is in the library, and that is durable here. */
  ended(): void {
    this.#inFlight = undefined;
  }

  /** The text that was sent and not heard of again. */
  get sent(): { readonly text: string; readonly hash: RevisionHash | undefined } | undefined {
    const item = this.#inFlight;
    return item === undefined ? undefined : { text: item.text, hash: item.proposal.hash };
  }

  /**
   * Asks what became of the proposal in flight, where heads come in the place of entries. Answers whether it is in the
   * log at or before `headIndex`: then its text is the new shadow. Committed later, its entry is still to come; refused,
   * the file says what is left to send. What still waits for its burst is not asked about, for that would send it.
   */
  async ask(headIndex: LogIndex): Promise<boolean> {
    const record = this.#record;
    const item = this.#inFlight;
    if (item !== undefined && !this.#mayBeKnown) {
      this.#inFlight = undefined;
      await record.commitFact({ removeOutbox: [item.proposal.proposalId] });
      return false;
    }
    const answer =
      item === undefined ? undefined : await record.ctx.link()?.propose(item.proposal, this.#source, 'heads');
    if (item === undefined || answer === undefined) return false;
    const isCommitted = answer.kind === 'committed';
    if (isCommitted && answer.index > headIndex) {
      this.#send(item);
      return false;
    }
    if (answer.kind === 'rejected' && !this.#maySendWhole(item, answer.code)) this.#refuse(item);
    // What became of a document that was deleted, its tombstone tells.
    if (isCommitted && item.proposal.kind === 'rename') {
      record.stored = {
        ...record.stored,
        libraryPath: item.proposal.path ?? record.stored.libraryPath,
        agreedPath: undefined,
      };
    } else if (isCommitted && item.proposal.kind !== 'delete') {
      const own = { text: item.text, hash: record.ctx.ambient.hashText(item.text), index: answer.index };
      record.stored = this.#isBasedOnShadow(item)
        ? { ...record.stored, shadow: own, head: own, heldBase: await this.#heldBaseAfter(item) }
        : // The file has taken in since what was taken out again before this was committed: it is merged on the way.
          { ...record.stored, perhapsIn: own };
    }
    this.#inFlight = undefined;
    await record.commitFact({ putDocuments: [record.stored], removeOutbox: [item.proposal.proposalId] });
    return isCommitted;
  }

  async answered(item: OutboxItem, answer: ProposeResult): Promise<Answer> {
    const record = this.#record;
    if (this.#inFlight !== item) return { kind: 'wait' };
    // Its entry comes next, or heads in place of it, which ask again.
    if (answer.kind === 'committed') return { kind: 'wait' };
    this.#inFlight = undefined;
    await record.commitFact({ removeOutbox: [item.proposal.proposalId] });
    if (answer.kind === 'rejected' && item.proposal.kind === 'rename') {
      this.#refuse(item);
      return { kind: 'goOn' };
    }
    if (answer.kind === 'rejected') {
      if (record.forgetAgreedBefore()) return { kind: 'goOn' };
      if (this.#maySendWhole(item, answer.code)) return { kind: 'goOn' };
      this.#refuse(item);
      return { kind: 'refused', code: answer.code, message: answer.message };
    }
    if (answer.head === undefined) {
      // The library does not know this document (any more): it is created there again.
      await record.becomeNew();
      return { kind: 'goOn' };
    }
    if (answer.head.docId !== record.stored.docId && item.proposal.kind === 'rename') {
      if (item.proposal.path !== undefined) this.#refusedPaths.add(item.proposal.path);
      return { kind: 'goOn' };
    }
    // One that has come in already, and is not here, has this name in another case.
    const isAlreadyHere = answer.head.index <= record.ctx.syncedIndex();
    if (answer.head.docId !== record.stored.docId && (record.stored.deleted !== undefined || isAlreadyHere)) {
      const message = `Another document has its place in the library now: ${answer.head.path}.`;
      this.#refuse(item);
      return { kind: 'refused', code: PATH_TAKEN, message };
    }
    if (answer.head.docId !== record.stored.docId) {
      record.ctx.ambient.logger.info('Another peer has created this document first; it is joined.', {
        path: answer.head.path,
      });
      // Its own entry is on the way and takes this document's place.
      this.#awaitedIndex = answer.head.index;
      return { kind: 'wait' };
    }
    return this.#meetHead(answer.head, item);
  }

  /** The leader's head is not ours: it is on its way, we have passed it meanwhile, or the log is not the one that we followed. */
  #meetHead(head: DocumentHead, item: OutboxItem): Answer {
    const { stored } = this.#record;
    if (stored.head === undefined || head.index > this.#knownIndex) {
      this.#awaitedIndex = head.index;
      return { kind: 'goOn' };
    }
    if (head.hash === undefined || head.hash === stored.head.hash) return { kind: 'goOn' };
    // On another log nothing that we have is a base before its heads have been taken ([REC-04]), and those are on their way.
    return item.proposal.baseHash === stored.shadow?.hash ? { kind: 'wait' } : { kind: 'goOn' };
  }

  /** A choice that was made while the proposal was on its way must not be forgotten with it. */
  async #heldBaseAfter(item: OutboxItem): Promise<string | undefined> {
    const { stored } = this.#record;
    if (stored.heldBase === this.#heldBaseThen) return item.heldBase;
    const before = stored.shadow?.text ?? '';
    const merged = await this.#record.merge(before, stored.heldBase ?? before, item.text);
    if (merged.conflicts.length > 0) return item.heldBase;
    return merged.text === item.text ? undefined : merged.text;
  }

  /** Whether the leader may take the same edit if it holds the whole text; the next one does then ([REP-17]). */
  #maySendWhole({ proposal, text }: OutboxItem, code: string): boolean {
    const isEdit = proposal.kind === 'edit' || proposal.kind === 'resolve';
    this.#sendsWhole = code === DOCUMENT_DAMAGED && isEdit && proposal.patch[0]?.insert !== text;
    return this.#sendsWhole;
  }

  #refuse(item: OutboxItem): void {
    if (item.proposal.kind === 'delete') this.#isRemovalRefused = true;
    else if (item.proposal.kind === 'rename') this.#refusedPaths.add(item.proposal.path ?? '');
    else this.#refusedHash = item.proposal.hash;
  }

  #send(item: OutboxItem): void {
    const mayGo = (): boolean => {
      // The document may have asked about it in another way.
      const isWanted = this.#inFlight === item;
      this.#mayBeKnown ||= isWanted;
      return isWanted;
    };
    this.#record.ctx.send(item.proposal, this.#source, mayGo).then(
      (answer) => {
        if (answer !== undefined) this.#events.onAnswer(item, answer);
      },
      (error: unknown) => {
        // The link was let go: the proposal is in the outbox and is sent again by whoever serves this replica next.
        if (!(error instanceof LinkClosedError)) this.#events.onError(error);
      },
    );
  }
}
