import type { Event } from './event.ts';
import type { Splice } from './merge/types.ts';
import type { Disposable } from './ports.ts';

/** Something that went wrong and that a person should know of: a code, one plain sentence, and what to do next. */
export interface UserProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

export interface WriteRequest {
  /** Absolute path. */
  readonly file: string;
  /** What the file has to read as, to the character (CRLF and BOM as on disk); else the answer is `changed`. Undefined: the file must not exist. */
  readonly before: string | undefined;
  readonly after: string;
  /** From `before` to `after`, in offsets of `before`. */
  readonly splices: readonly Splice[];
}

export type WriteOutcome =
  | { readonly kind: 'written' }
  /** The file is not `before` any more: read it again and merge again. */
  | { readonly kind: 'changed' }
  /** Somebody is typing in an unsaved buffer of it. */
  | { readonly kind: 'unsaved' }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

export interface SavedText {
  readonly file: string;
  readonly text: string;
  /** Saved by a timer or on losing focus, not by the person's hand: sent after 2 s of quiet. */
  readonly isAutoSave: boolean;
}

/** The working files as the person has them: on disk, or in an editor with unsaved buffers. */
export interface WorkingFiles extends Disposable {
  hasUnsavedEdits(file: string): boolean;
  /** The unsaved buffer's text, if there is one. */
  unsavedText(file: string): string | undefined;
  write(request: WriteRequest): Promise<WriteOutcome>;
  /** Removes the file, to the trash where there is one, if it still reads as `before`, to the character. `written`: it is gone. */
  remove(file: string, before: string): Promise<WriteOutcome>;
  /**
   * Gives the file another place if it still reads as `before`, to the character, and nothing is there; open editors go
   * with it where they can. Folders that are needed are made.
   */
  move(from: string, to: string, before: string): Promise<WriteOutcome>;
  /** Puts `text` into the unsaved buffer without saving it (Merge Now). */
  editBuffer(file: string, splices: readonly Splice[]): Promise<boolean>;
  readonly onDidSave: Event<SavedText>;
  /** A buffer went from clean to unsaved or back (saved, or thrown away by Revert File). */
  readonly onDidChangeUnsaved: Event<string>;
  /** Absolute paths of files that could be OpenAPI documents (`.yaml`, `.yml`, `.json`), ignore rules applied. */
  findCandidates(folder: string): Promise<readonly string[]>;
}
