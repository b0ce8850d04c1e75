import type { DocId } from '../../core/ids.ts';
import type { Outcome, Resolutions } from '../folderSession.ts';
import type { DocumentLayout } from './documentLayout.ts';
import type { DocumentPlaces } from './documentPlaces.ts';
import { notDone, placeTaken } from './documentProblems.ts';
import type { DocumentTable } from './documentTable.ts';
import type { ResolutionUndo } from './resolution.ts';

/** Each keeps six whole texts; nobody takes back more than these in one sitting. */
const MAX_UNDOS = 20;

const unknownFile = notDone('file-not-kept', 'This file is not kept in step.');

/** What a person decides about the documents of a replica, and the way back from what was chosen in conflicts, newest first. */
export class ReplicaChoices {
  readonly #documents: DocumentTable;
  readonly #layout: DocumentLayout;
  readonly #places: DocumentPlaces;
  readonly #undos: ResolutionUndo[] = [];

  constructor(documents: DocumentTable, layout: DocumentLayout, places: DocumentPlaces) {
    this.#documents = documents;
    this.#layout = layout;
    this.#places = places;
  }

  async resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    const document = this.#documents.get(docId);
    if (document === undefined) return notDone('document-gone', 'This document is no longer kept in step.');
    const outcome = await document.requests.resolve(resolutions);
    if (outcome.undo !== undefined) this.#undos.push(outcome.undo);
    if (this.#undos.length > MAX_UNDOS) this.#undos.shift();
    return outcome;
  }

  get canUndoResolution(): boolean {
    return this.#undos.length > 0;
  }

  async undoResolution(): Promise<Outcome> {
    const undo = this.#undos.pop();
    const document = undo === undefined ? undefined : this.#documents.get(undo.docId);
    if (undo === undefined || document === undefined)
      return notDone('nothing-to-undo', 'There is no choice to take back.');
    const outcome = await document.requests.undoResolution(undo);
    if (!outcome.isDone && outcome.problem.code !== 'changed-since') this.#undos.push(undo);
    return outcome;
  }

  mergeNow(file: string): Promise<Outcome> {
    return this.#documents.ofFile(file)?.requests.mergeIntoBuffer() ?? Promise.resolve(unknownFile);
  }

  leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#documents.ofFile(file)?.requests.leaveBehind(choice) ?? Promise.resolve(unknownFile);
  }

  /** The document was deleted and is wanted again, by everybody. */
  async bringBack(docId: DocId): Promise<Outcome> {
    const document = this.#documents.get(docId);
    const place = document === undefined ? undefined : await this.#layout.placeFor(document.stored.libraryPath);
    if (document === undefined || place === undefined) return unknownFile;
    const owner = this.#documents.at(place);
    if (owner !== undefined && owner !== document) return placeTaken;
    const outcome = await document.requests.revive(place);
    this.#documents.add(document);
    await this.#places.arrived([document]);
    return outcome;
  }
}
