import type { DocumentChoices } from './documentChoices.ts';
import type { DocumentFormatting } from './documentFormatting.ts';
import type { DocumentPath } from './documentPath.ts';
import type { DocumentProposals } from './documentProposals.ts';
import type { DocumentRecord } from './documentRecord.ts';
import type { DocumentRemoval } from './documentRemoval.ts';
import type { DocumentWriter } from './documentWriter.ts';
import type { LibraryAuthors } from './libraryAuthors.ts';
import type { RevisionHistory } from './revisionHistory.ts';
import type { TakenBack } from './takenBack.ts';

/** What one document of a replica is made of; each part keeps one side of it, and all of them share its record. */
export interface DocumentParts {
  readonly record: DocumentRecord;
  readonly writer: DocumentWriter;
  readonly proposals: DocumentProposals;
  readonly history: RevisionHistory;
  readonly libraryAuthors: LibraryAuthors;
  readonly takenBack: TakenBack;
  readonly formatting: DocumentFormatting;
  readonly choices: DocumentChoices;
  readonly path: DocumentPath;
  readonly removal: DocumentRemoval;
}
