import { DisposableStore } from '../../core/disposableStore.ts';
import type { Disposable } from '../../core/ports.ts';
import type { BulkProposals } from './bulkProposals.ts';
import type { DocumentReplica } from './documentReplica.ts';
import type { DocumentSearch } from './documentSearch.ts';
import type { DocumentTable } from './documentTable.ts';
import type { ReplicaOptions } from './replicaOptions.ts';
import type { Removals } from './replicaPorts.ts';

/** Auto-saves are sent after so much quiet (DESIGN §5, "Consent and joining"). */
const AUTO_SAVE_QUIET_MS = 2_000;

interface AutoSave {
  readonly document: DocumentReplica;
  readonly quiet: Disposable;
  /** The file went meanwhile, perhaps to another name. */
  isGone: boolean;
}

export interface FileEventsOptions {
  readonly options: Pick<ReplicaOptions, 'ambient' | 'files' | 'watcher'>;
  readonly removals: Removals;
  readonly search: DocumentSearch;
  /** What is looked at belongs to a burst, perhaps of many files. */
  readonly bulkProposals: BulkProposals;
}

/** Hears what happens to the folder's files, from the editor and from the watcher, and has their documents look at them. */
export class FileEvents implements Disposable {
  readonly #documents: DocumentTable;
  readonly #options: FileEventsOptions['options'];
  readonly #removals: Removals;
  readonly #search: DocumentSearch;
  readonly #bulkProposals: BulkProposals;
  readonly #disposables = new DisposableStore();
  /** By file: the auto-saves whose quiet is not over yet. */
  readonly #autoSaves = new Map<string, AutoSave>();

  constructor(documents: DocumentTable, { options, removals, search, bulkProposals }: FileEventsOptions) {
    this.#documents = documents;
    this.#options = options;
    this.#removals = removals;
    this.#search = search;
    this.#bulkProposals = bulkProposals;
  }

  /** Listens from now on, and has every file looked at once. */
  async start(): Promise<void> {
    const { files, watcher } = this.#options;
    this.#disposables.add(files.onDidSave((saved) => this.#saved(saved.file, saved.text, saved.isAutoSave)));
    this.#disposables.add(files.onDidChangeUnsaved((file) => this.#documents.ofFile(file)?.wake()));
    this.#disposables.add(watcher.onDidChange(({ file, kind }) => this.#changed(file, kind)));
    await watcher.watchFoldersOf(this.#documents.local().map((document) => document.status.file));
    await this.lookAtAll();
  }

  /** Every file may have changed. Fails never: what fails is tried again by the document. */
  async lookAtAll(): Promise<void> {
    await Promise.all(this.#documents.local().map((document) => this.#lookAt(document)));
  }

  dispose(): void {
    this.#disposables.dispose();
    for (const { quiet } of this.#autoSaves.values()) quiet.dispose();
  }

  #saved(file: string, text: string, isAutoSave: boolean): void {
    this.#autoSaves.get(file)?.quiet.dispose();
    this.#autoSaves.delete(file);
    const document = this.#documents.ofFile(file);
    if (document === undefined) {
      this.#search.fileAppeared(file);
    } else if (isAutoSave) {
      const quiet = this.#options.ambient.scheduler.after(AUTO_SAVE_QUIET_MS, () => {
        const isGone = this.#autoSaves.get(file)?.isGone === true;
        this.#autoSaves.delete(file);
        void this.#lookAt(document, text);
        if (isGone) this.#search.fileGone();
      });
      this.#autoSaves.set(file, { document, quiet, isGone: false });
    } else {
      void this.#lookAt(document, text);
    }
  }

  #changed(file: string, kind: 'changed' | 'removed'): void {
    const document = this.#documents.ofFile(file);
    const autoSave = this.#autoSaves.get(file);
    // An auto-save's own event: its text is sent when the quiet is over. What is elsewhere by then has none here.
    if (autoSave !== undefined && autoSave.document === document) {
      autoSave.isGone = kind === 'removed';
      return;
    }
    if (document !== undefined) {
      this.#removals.toldAgain(document.docId);
      void this.#lookAt(document);
    } else if (kind === 'changed') this.#search.fileAppeared(file);
    if (document !== undefined && kind === 'removed') this.#search.fileGone();
  }

  /** Fails never: see `DocumentReplica.fileChanged`. */
  #lookAt(document: DocumentReplica, savedText?: string): Promise<void> {
    const looked = document.fileChanged(savedText);
    this.#bulkProposals.look(document.docId, looked);
    return looked;
  }
}
