import type { LogIndex, RevisionHash } from '../../core/ids.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import type { StoredRevision } from '../../core/replication/replicaStore.ts';
import type { DocumentRecord } from './documentRecord.ts';
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
  /** Git's stamp just before the working text was last found in the file, and before the text that was there earlier was. */
  #stamp: string | undefined;
  #stampBefore: string | undefined;

  constructor(record: DocumentRecord, history: RevisionHistory) {
    this.#record = record;
    this.#history = history;
  }

  get isBehind(): boolean {
    const { stored, workingHash } = this.#record;
    return stored.setBackTo !== undefined && stored.setBackTo.hash === workingHash;
  }

  /** Whether the working file is such an old text; undefined where only the library could tell, and is not connected. */
  async check(file: string, link: LibraryLink | undefined): Promise<boolean | undefined> {
    const { workingHash, isFileFromSave, working } = this.#record;
    if (workingHash !== undefined && workingHash === this.#expected) {
      this.#wanted = workingHash;
      this.#expected = undefined;
    }
    if (this.isBehind && workingHash !== this.#wanted) return true;
    await this.#goOnFromThere();
    // What was wanted once need not be wanted when it comes back another time.
    if (this.#wanted !== workingHash) this.#wanted = undefined;
    const { shadow, head } = this.#record.stored;
    if (isFileFromSave || shadow === undefined || workingHash === undefined || working === undefined) return false;
    if (workingHash === shadow.hash || workingHash === head?.hash || workingHash === this.#wanted) return false;
    const isTakingBack = await this.#history.isTakingBack(workingHash, link);
    if (isTakingBack === undefined) return undefined;
    const isEarlier = !isTakingBack && (await this.#isOfEarlier(workingHash, link));
    if (isEarlier === undefined) return undefined;
    const isOld = isTakingBack || isEarlier || (await this.#isGitsDoing(file, working.text, link));
    if (isOld) await this.#remember({ text: working.text, hash: workingHash, index: NEVER });
    return isOld;
  }

  /**
   * The file is not what it was set back to any more. Who has edited that had not seen what others did since, so it is
   * the base of the edit, and what others did is merged into it.
   */
  async #goOnFromThere(): Promise<void> {
    const record = this.#record;
    const { setBackTo, shadow, head } = record.stored;
    const { workingHash } = record;
    if (setBackTo === undefined || workingHash === undefined) return;
    const isAsBefore = workingHash === shadow?.hash || workingHash === head?.hash || workingHash === this.#wanted;
    const base = isAsBefore ? {} : { shadow: setBackTo, heldBase: undefined, perhapsIn: undefined };
    record.stored = { ...record.stored, ...base, setBackTo: undefined };
    await record.commit({ putDocuments: [record.stored] });
  }

  async #remember(setBackTo: StoredRevision): Promise<void> {
    this.#record.stored = { ...this.#record.stored, setBackTo };
    await this.#record.commit({ putDocuments: [this.#record.stored] });
  }

  /** The person brings an old text back: when the file reads so, whoever notices it first, that is no accident. */
  expect(hash: RevisionHash): void {
    this.#expected = hash;
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
  }

  /** The file may have been set back to before its document was made, and another one was at its place. */
  #isOfEarlier(hash: RevisionHash, link: LibraryLink | undefined): Promise<boolean | undefined> {
    const { ctx, ownPath, stored } = this.#record;
    const earlier = ctx.formerlyAt(ownPath).filter((docId) => docId !== stored.docId);
    return this.#history.isOfEarlier(earlier, hash, link);
  }

  /** What is committed need not be a revision: somebody may have had uncommitted edits when the library was made. */
  async #isGitsDoing(file: string, text: string, link: LibraryLink | undefined): Promise<boolean> {
    const { committed } = this.#record.ctx;
    // Asked anew, because git may have set the file back while a reader waited for it to be whole.
    if (committed === undefined || (await committed.stamp()) === this.#stampBefore) return false;
    return (await this.#history.hasForeign(link)) && (await committed.isCommitted(file, text));
  }
}
