import type { DocumentFormat, Splice } from '../merge/types.ts';
import type { ChangedPlaces } from './changedPlaces.ts';
import type { ElementPath } from './elementPath.ts';
import type { RestoredElement } from './restoreElement.ts';

/** Work on the versions of a document, wherever it runs: see `diffSplices`, `changedPlaces` and `restoreElement`. */
export interface HistoryTexts {
  diff(before: string, after: string): Promise<readonly Splice[]>;
  changedPlaces(before: string, after: string, format: DocumentFormat): Promise<ChangedPlaces>;
  restoreElement(current: string, version: string, path: ElementPath, format: DocumentFormat): Promise<RestoredElement>;
}
