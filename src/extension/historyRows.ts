import type { ChangedPlace } from '../core/history/changedPlaces.ts';
import type { DocId } from '../core/ids.ts';
import type { FolderSession, HistoryEntry } from '../peer/folderSession.ts';

/** The document whose history is shown. */
export interface Place {
  readonly session: FolderSession;
  readonly docId: DocId;
  /** As the editor names it. */
  readonly file: string;
}

/** One change in the history, with the version that it was made to. */
export interface Version extends Place {
  readonly kind: 'version';
  readonly entry: HistoryEntry;
  /** The version before it; undefined for the first that is known. */
  readonly before: HistoryEntry | undefined;
  readonly isNewest: boolean;
}

/** One element that a change touched. */
export interface ElementRow {
  readonly kind: 'element';
  readonly version: Version;
  readonly place: ChangedPlace;
}

/** A sentence in the place of elements. */
export interface NoteRow {
  readonly kind: 'note';
  readonly version: Version;
  readonly text: string;
}

export type HistoryRow = Version | ElementRow | NoteRow;
