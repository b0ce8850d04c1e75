import type { DocId } from '../ids.ts';
import type { UserProblem } from '../workingFiles.ts';

/** A reference to another document that was found to lead nowhere (I5), wherever its own document lies by now. */
export interface FoundReference {
  readonly docId: DocId;
  /** As it is written. */
  readonly reference: string;
  readonly problem: UserProblem;
}

/** What was found, over restarts: the changes that caused it are not seen again. */
export interface ReferenceMemory {
  load(): Promise<readonly FoundReference[]>;
  save(found: readonly FoundReference[]): Promise<void>;
}
