import type { DocumentFormat } from '../merge/types.ts';
import type { Checked } from '../problem.ts';
import type { SemanticDiff } from './elementChanges.ts';
import type { TranslateOptions } from './translateSpec.ts';

/** Work on what sources answer, wherever it runs: see `translateSpec`, `firstContact` and `elementChanges`. */
export interface SourceTexts extends SemanticDiff {
  translate(text: string, options: TranslateOptions): Promise<Checked<string>>;
  firstContact(
    ours: string,
    theirs: string,
    format: DocumentFormat,
  ): Promise<{ readonly base: string; readonly theirs: string }>;
  /** The files that a document refers to: see `collectReferences`. */
  references(text: string, format: DocumentFormat): Promise<readonly string[]>;
}
