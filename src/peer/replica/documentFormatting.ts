import type { RevisionHash } from '../../core/ids.ts';
import type { LibraryLink } from '../../core/replication/libraryLink.ts';
import type { UserProblem } from '../../core/workingFiles.ts';
import { formattersDisagree } from './documentProblems.ts';
import { type DocumentRecord, hasError } from './documentRecord.ts';
import type { RevisionHistory } from './revisionHistory.ts';

/**
 * Two windows whose editors format on save must not take each other's formatting back for ever: what only takes back the
 * formatting of somebody else stays in this copy (docs/decisions/0018). From then on the file may differ from what was
 * agreed on by its form, until it reads like that again; what a person changes beside that is sent without the form.
 */
export class DocumentFormatting {
  readonly #record: DocumentRecord;
  readonly #history: RevisionHistory;
  /** The file as it read when it last differed from what was agreed on by its form only; undefined: it has no form of its own. */
  #kept: string | undefined;
  #problem: UserProblem | undefined;
  /** Two texts were compared before. */
  #compared: { readonly ours: RevisionHash; readonly agreed: RevisionHash; readonly isForm: boolean } | undefined;

  constructor(record: DocumentRecord, history: RevisionHistory) {
    this.#record = record;
    this.#history = history;
  }

  /** What a person is told while the file has a form of its own. */
  get problem(): UserProblem | undefined {
    return this.#kept === undefined ? undefined : this.#problem;
  }

  /** Whether nothing but the form of the file differs from what was agreed on, and that is not sent. */
  async isOwnForm(link: LibraryLink | undefined): Promise<boolean> {
    const { working, workingHash, stored, isFileFromSave } = this.#record;
    const { shadow, heldBase, setBackTo } = stored;
    if (working === undefined || workingHash === undefined || shadow === undefined) return false;
    // Where something is held or was asked about, that comes first.
    if (heldBase !== undefined || setBackTo !== undefined) return false;
    if (workingHash === shadow.hash) {
      this.#kept = undefined;
      return false;
    }
    // Asked first, because it costs nothing: most texts are new.
    const isBegun = this.#kept !== undefined;
    // A save waits for no question about the past: what this process has seen has to do.
    const asked = isFileFromSave ? undefined : link;
    if (!isBegun && (await this.#history.isTakingBack(workingHash, asked)) !== true) return false;
    if (!(await this.#differsByForm(working.text, workingHash))) return false;
    if (!isBegun) {
      const since = await this.#history.indexOf(workingHash, asked);
      const names = await this.#history.othersBetween(since ?? 0, shadow.index, asked);
      this.#problem = formattersDisagree(stored.localPath ?? stored.libraryPath, names);
    }
    this.#kept = working.text;
    return true;
  }

  /** What of a changed file is sent: the change in the form that was agreed on, or all of it where the two cannot be told apart. */
  async outgoing(text: string): Promise<string> {
    const { shadow, heldBase } = this.#record.stored;
    if (this.#kept === undefined || shadow === undefined || heldBase !== undefined) return text;
    if (text === this.#kept) return shadow.text;
    // As if others took this change in: what both sides laid out differently reads as they have it.
    const merged = await this.#record.merge(this.#kept, shadow.text, text);
    const { ctx, format } = this.#record;
    if (merged.conflicts.length === 0 && !hasError(merged) && (await ctx.merger.sameButForm(merged.text, text, format)))
      return merged.text;
    this.#kept = undefined;
    return text;
  }

  async #differsByForm(text: string, ours: RevisionHash): Promise<boolean> {
    const { ctx, format, stored } = this.#record;
    if (stored.shadow === undefined) return false;
    const agreed = stored.shadow.hash;
    if (this.#compared?.ours !== ours || this.#compared.agreed !== agreed) {
      const isForm = await ctx.merger.sameButForm(text, stored.shadow.text, format);
      this.#compared = { ours, agreed, isForm };
    }
    return this.#compared.isForm;
  }
}
