import type { LogIndex, RevisionHash } from '../../core/ids.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import type { StoredRevision } from '../../core/replication/replicaStore.ts';
import type { WorkingText } from '../../core/workingText.ts';
import { commonBase } from './commonBase.ts';
import { hasError, type DocumentRecord } from './documentRecord.ts';
import type { RevisionHistory } from './revisionHistory.ts';

/** The file has the revision from before any entry that is still to be merged. */
const NEVER = 0 as LogIndex;

/**
 * Notices that something outside (git stash, reset, checkout, a restored backup) set a file back, so that the work of
 * others is not taken back in everybody's copy as if a person had done it (DESIGN §2, "behind").
 */
export class TakenBack {
  readonly #record: DocumentRecord;
  readonly #history: RevisionHistory;
  /** The old text that the person wants after all. */
  #wanted: RevisionHash | undefined;
  /** The old text that the person is bringing back. */
  #expected: RevisionHash | undefined;
  /** The text that the person has asked for by a choice, however old it is. */
  #chosen: RevisionHash | undefined;
  /** Git's stamp just before the working text was last found in the file, and before the text that was there earlier was. */
  #stamp: string | undefined;
  #stampBefore: string | undefined;
  /** What git was found to have put into the file, for one working text. */
  #origin: { readonly of: WorkingText | undefined; readonly text: string | undefined } | undefined;

  constructor(record: DocumentRecord, history: RevisionHistory) {
    this.#record = record;
    this.#history = history;
  }

  get isBehind(): boolean {
    const { stored, workingHash } = this.#record;
    return stored.setBackTo !== undefined && stored.setBackTo.hash === workingHash;
  }

  /** Whether git has left in the file what the other branch's library had for it ([BRA-06]). */
  get isCarried(): boolean {
    const { ctx, stored, workingHash } = this.#record;
    return workingHash !== undefined && ctx.carriedHash(stored.localPath) === workingHash;
  }

  /** Whether the working text is what the person has chosen to have: Keep Mine, or an earlier version brought back. */
  get isChosen(): boolean {
    return this.#chosen !== undefined && this.#chosen === this.#record.workingHash;
  }

  /** Whether the working file is such an old text; undefined where only the library could tell, and is not connected. */
  async check(file: string, link: LibraryLink | undefined, isInFlight = false): Promise<boolean | undefined> {
    const { workingHash, working } = this.#record;
    if (workingHash !== undefined && workingHash === this.#expected) {
      this.#wanted = workingHash;
      this.#expected = undefined;
    }
    // A choice counts until it is agreed on.
    if (this.#chosen !== undefined && workingHash === this.#chosen && workingHash === this.#record.stored.shadow?.hash)
      this.#chosen = undefined;
    if (this.isBehind && workingHash !== this.#wanted) return true;
    const origin = this.#isKnown ? undefined : await this.#findOrigin(file);
    await this.#goOnFromThere(origin !== undefined);
    // What was wanted once need not be wanted when it comes back another time.
    if (this.#wanted !== workingHash) this.#wanted = undefined;
    if (this.#isKnown || working === undefined || workingHash === undefined) return false;
    const isOld = await this.#isOld(file, origin, link, isInFlight);
    if (isOld !== true) return isOld;
    if (await this.#isOnlyHeld(working.text)) return false;
    await this.#remember({ text: working.text, hash: workingHash, index: NEVER });
    return true;
  }

  /**
   * The file is not what it was set back to any more. Who has edited that had not seen what others did since, so it is
   * the base of the edit, and what others did is merged into it. What git has written meanwhile has a base of its own.
   */
  async #goOnFromThere(isGits: boolean): Promise<void> {
    const record = this.#record;
    const { setBackTo } = record.stored;
    if (setBackTo === undefined || record.workingHash === undefined) return;
    if (this.#isKnown || isGits) {
      record.stored = { ...record.stored, setBackTo: undefined };
      await record.commit({ putDocuments: [record.stored] });
    } else {
      await this.#buildOn(setBackTo);
    }
  }

  /** Whether the working text is what was agreed on, what the library has, or what the person wants. */
  get #isKnown(): boolean {
    const { stored, workingHash } = this.#record;
    if (stored.shadow === undefined || workingHash === undefined) return true;
    return [stored.shadow.hash, stored.head?.hash, this.#wanted].includes(workingHash);
  }

  /** From here on the file is a change from this text, and not from what was agreed on. */
  async #buildOn(base: StoredRevision): Promise<void> {
    const record = this.#record;
    record.stored = {
      ...record.stored,
      shadow: base,
      heldBase: undefined,
      perhapsIn: undefined,
      setBackTo: undefined,
    };
    await record.commit({ putDocuments: [record.stored] });
  }

  async #remember(setBackTo: StoredRevision): Promise<void> {
    this.#record.stored = { ...this.#record.stored, setBackTo };
    await this.#record.commit({ putDocuments: [this.#record.stored] });
  }

  /** This is what we have made of the file ourselves: never an old text that came back. */
  accept(hash: RevisionHash | undefined): void {
    this.#wanted = hash;
  }

  /** The person brings an old text back: when the file reads so, whoever notices it first, that is no accident. */
  expect(hash: RevisionHash): void {
    this.#expected = hash;
    this.#chosen = hash;
  }

  /** To be asked before the file is read. */
  async stampNow(): Promise<string | undefined> {
    return this.#record.ctx.committed?.stamp();
  }

  /** The file was read. @param stamp git's stamp before that. */
  hasRead(stamp: string | undefined, isNews: boolean): void {
    if (isNews) this.#stampBefore = this.#stamp;
    this.#stamp = stamp;
  }

  /** The person decided; `keepMine` sends the old text as a change. */
  decide(choice: 'bringBack' | 'keepMine'): void {
    this.#wanted = choice === 'keepMine' ? this.#record.workingHash : undefined;
    this.#chosen = this.#wanted;
  }

  /** A choice that was taken back leaves ours in the file, as the library had it for a while: nothing of that is sent. */
  async #isOnlyHeld(text: string): Promise<boolean> {
    const record = this.#record;
    const { heldBase, shadow } = record.stored;
    if (heldBase === undefined || shadow === undefined) return false;
    return (await record.merge(heldBase, text, shadow.text, { unresolved: 'theirs' })).text === shadow.text;
  }

  /** The file may have been set back to before its document was made, and another one was at its place. */
  #isOfEarlier(hash: RevisionHash, link: LibraryLink | undefined): Promise<boolean | undefined> {
    const { ctx, ownPath, stored } = this.#record;
    const earlier = ctx.formerlyAt(ownPath).filter((docId) => docId !== stored.docId);
    return this.#history.isOfEarlier(earlier, hash, link);
  }

  async #isOld(
    file: string,
    origin: string | undefined,
    link: LibraryLink | undefined,
    isInFlight: boolean,
  ): Promise<boolean | undefined> {
    const { isFileFromSave, workingHash } = this.#record;
    // What is committed came by git's history, and what came so is no accident.
    if (this.isCarried && !isFileFromSave && origin !== this.#record.working?.text) return true;
    if (origin !== undefined) {
      if (link === undefined) return undefined;
      if (await this.#history.hasForeign(link)) return this.#isOnlyOld(file, origin, link, isInFlight);
    }
    // Only what the person saved is the person's.
    if (isFileFromSave || workingHash === undefined) return false;
    const isTakingBack = await this.#history.isTakingBack(workingHash, link);
    return isTakingBack === false ? this.#isOfEarlier(workingHash, link) : isTakingBack;
  }

  /**
   * The text that git has put into the file since it was last read: the working text itself, or one that was edited
   * before anybody read it. Undefined where git has left the file alone. What is committed need not be a revision:
   * somebody may have had uncommitted edits when the library was made.
   */
  async #findOrigin(file: string): Promise<string | undefined> {
    const { working } = this.#record;
    // What git does later tells nothing of who wrote a text that was there before.
    if (this.#origin?.of !== working) this.#origin = { of: working, text: await this.#askGit(file) };
    return this.#origin?.text;
  }

  async #askGit(file: string): Promise<string | undefined> {
    const { working, isFileFromSave, ctx } = this.#record;
    const { committed } = ctx;
    // Asked anew, because git may have set the file back while a reader waited for it to be whole.
    if (committed === undefined || working === undefined || (await committed.stamp()) === this.#stampBefore)
      return undefined;
    const inHead = await committed.committedText(file);
    if (inHead === working.text) return isFileFromSave ? undefined : inHead;
    const seen = await committed.lastSeen(file);
    // Staged since, or put into the index by itself: nothing tells any more, and what others did must not go by mistake.
    if (seen === undefined || seen.text === working.text) return inHead;
    // What is in the index only, a person may have put there.
    return seen.text === inHead && this.#record.wasSeenBetween(seen) ? inHead : undefined;
  }

  /**
   * Whether the file, which git wrote and whose document others have changed, only lacks something. What brings something
   * of its own (a pull, the branch checked out again, an edit of what git wrote) is merged on what git's history and the
   * library have in common, which is the shadow from here on ([BRA-02]).
   * @param origin the text that git wrote.
   */
  async #isOnlyOld(file: string, origin: string, link: LibraryLink, isInFlight: boolean): Promise<boolean | undefined> {
    const record = this.#record;
    const { shadow, head } = record.stored;
    const { working } = record;
    if (shadow === undefined || working === undefined) return false;
    const newest = head ?? shadow;
    const isEdited = working.text !== origin;
    const base = await commonBase(record, file, origin, this.#history, link, newest.index);
    if (base === undefined && !isEdited) return true;
    // The history of what git has put there went through the shadow: so it is a change from the shadow.
    if (base?.hash === shadow.hash) return false;
    if (base !== undefined) {
      const merged = await record.merge(base.text, origin, newest.text);
      if (!isEdited && (hasError(merged) || merged.text === newest.text)) return true;
      // It has all that was agreed on, so it came after that.
      if (isEdited && merged.text === origin) return false;
    }
    // What becomes of our own change decides what this is merged with.
    if (isInFlight) return undefined;
    const { hashText } = record.ctx.ambient;
    const { text, hash, index } = base ?? { text: origin, hash: hashText(origin), index: undefined };
    await this.#buildOn({ text, hash, index: index ?? NEVER });
    return false;
  }
}
