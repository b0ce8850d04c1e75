import type { DocId } from '../../core/ids.ts';
import type { Disposable } from '../../core/ports.ts';
import type { DocumentPlaces } from './documentPlaces.ts';
import { newDocument } from './documentRecord.ts';
import { DocumentReplica } from './documentReplica.ts';
import type { DocumentTable } from './documentTable.ts';
import { pairRenames } from './renamedFiles.ts';
import type { DocumentContext } from './replicaPorts.ts';
import type { ReplicaOptions } from './replicaOptions.ts';

/** A look that failed, or found files that could not be read, is repeated after so long. */
const LOOK_AGAIN_MS = 5_000;
const MAX_UNCLEAR_LOOKS = 3;
/** More files than these that appear in one go are no renamed documents. */
const MAX_APPEARED = 1_000;

/** What the search asks of the replica. */
interface SearchOwner {
  /** A look is wanted: it begins when the library has come in and work may be done, by `look`. */
  readonly onWanted: () => void;
  readonly onEnded: () => void;
  /** See `LibraryIntake.learnPaths`. */
  readonly learnPaths: () => Promise<void>;
  readonly places: DocumentPlaces;
}

/** Finds the files that are documents and not in the library yet, and those that have a new name. */
export class DocumentSearch implements Disposable {
  readonly #options: ReplicaOptions;
  readonly #documents: DocumentTable;
  readonly #context: DocumentContext;
  readonly #owner: SearchOwner;
  /** Files that were told of and are no documents yet, since files were looked for last. */
  readonly #appeared = new Set<string>();
  #nextLook: Disposable | undefined;
  #unclearLooks = 0;
  #looking: Promise<void> | undefined;
  #isWanted = true;
  #isDisposed = false;

  constructor(documents: DocumentTable, options: ReplicaOptions, context: DocumentContext, owner: SearchOwner) {
    this.#documents = documents;
    this.#options = options;
    this.#context = context;
    this.#owner = owner;
  }

  get isLooking(): boolean {
    return this.#looking !== undefined;
  }

  /** Whether files are being looked for, or will be: one that is gone may be among them under another name. */
  get isOpen(): boolean {
    return this.isLooking || this.#isWanted || this.#nextLook !== undefined;
  }

  /** Looks for files as soon as that may be done. */
  want(): void {
    this.#isWanted = true;
    this.#owner.onWanted();
  }

  /** A file is gone: one that appeared before may be it under its new name. */
  fileGone(): void {
    if (this.#appeared.size > 0) this.want();
  }

  /** Looks for files now, if that is wanted; what the library has has come in. @param isHindered whether git is at work. */
  look(isHindered: () => boolean): void {
    if (!this.#isWanted || this.#looking !== undefined) return;
    this.#isWanted = false;
    this.#looking = this.#announceDocuments()
      .catch((error: unknown) => {
        // Let go of in the middle of the search: who serves this replica next looks again.
        if (this.#isDisposed) return;
        this.#options.ambient.logger.error('New documents could not be looked for.', { error: String(error) });
        this.#lookLater();
      })
      .finally(() => {
        this.#looking = undefined;
        this.#owner.onEnded();
        // While git is at work it is not asked again and again: when it is at rest, everything is looked at.
        if (this.#isWanted && !isHindered()) this.#owner.onWanted();
      });
  }

  /** A file that may be a document turned up, or one that is none was saved: that is no reason to search the folder. */
  fileAppeared(file: string): void {
    const known = this.#documents.ofFile(file);
    if (known !== undefined) {
      this.#read(known);
      return;
    }
    // It may be a document that is missing at its place, or will be found missing in a moment.
    if (this.#appeared.size < MAX_APPEARED) this.#appeared.add(file);
    const isOneMissing = this.#documents.local().some((document) => document.isMissing);
    (isOneMissing ? Promise.resolve(true) : this.#mayBeDocument(file)).then(
      (mayBe) => {
        if (!mayBe || this.#isDisposed) return;
        this.want();
      },
      (error: unknown) => {
        if (!this.#isDisposed)
          this.#options.ambient.logger.error('A new file could not be looked at.', { error: String(error) });
      },
    );
  }

  /** A person has renamed a file or a folder. */
  fileRenamed(from: string, to: string): void {
    const moves = this.#documents.local().flatMap((document) => {
      const { file } = document.status;
      const isBelow = file === from || file.startsWith(`${from}/`) || file.startsWith(`${from}\\`);
      return isBelow && document.mayHaveMoved ? [{ document, target: to + file.slice(from.length) }] : [];
    });
    const move = async (): Promise<void> => {
      for (const { document, target } of moves) {
        const isThere = (await this.#options.reader.read(target, undefined, undefined)).kind === 'text';
        if (isThere && (await this.#mayLieAt(target))) await this.#moveHere(document, target, true);
      }
    };
    move().catch((error: unknown) => {
      if (!this.#isDisposed)
        this.#options.ambient.logger.error('A renamed file could not be followed.', { error: String(error) });
    });
  }

  async #announceDocuments(): Promise<void> {
    if (!(await this.#context.mayWork())) {
      this.#isWanted = true;
      return;
    }
    await this.#owner.learnPaths();
    await this.#placeWaiting();
    if (!this.#options.layout.createsDocuments) return;
    const created: DocumentReplica[] = [];
    const tombstones = await this.#tombstonePlaces();
    const found = await this.#options.discover();
    const isNew = (file: string): boolean =>
      this.#options.layout.localPathOf(file) !== undefined && this.#documents.ofFile(file) === undefined;
    const told = [...this.#appeared];
    const appeared = told.filter((file) => !found.includes(file));
    const isClear = await this.#followRenames(found, [...found, ...appeared].filter(isNew));
    this.#unclearLooks = isClear ? 0 : this.#unclearLooks + 1;
    // What can never be read must not keep everything else from being found.
    if (!isClear && this.#unclearLooks <= MAX_UNCLEAR_LOOKS) {
      this.#lookLater();
      return;
    }
    for (const file of told) this.#appeared.delete(file);
    for (const file of found) {
      const localPath = this.#options.layout.localPathOf(file);
      if (localPath === undefined || !isNew(file)) continue;
      const tombstone = tombstones.get(localPath);
      if (tombstone !== undefined && (await this.#isOldCopy(file, tombstone))) {
        await tombstone.placeAt(localPath, tombstone.stored.libraryPath);
        this.#documents.add(tombstone);
        await this.#owner.places.arrived([tombstone]);
        continue;
      }
      const docId = this.#options.ambient.random.uuid() as DocId;
      const document = new DocumentReplica(this.#context, newDocument(docId, localPath, localPath), undefined);
      this.#documents.add(document);
      created.push(document);
    }
    if (created.length === 0) return;
    try {
      await this.#options.store.commit({ putDocuments: created.map((document) => document.stored) });
    } catch (error) {
      // They are found anew when files are looked for again.
      for (const document of created) this.#documents.remove(document);
      throw error;
    }
    await this.#owner.places.arrived(created);
  }

  /** Documents of the library whose place another one had get it now. */
  async #placeWaiting(): Promise<void> {
    for (const document of this.#documents.withoutCopy()) {
      const { libraryPath } = document.stored;
      const place = await this.#options.layout.placeFor(libraryPath);
      if (place === undefined || !this.#documents.reserve(document, place)) continue;
      try {
        await document.placeAt(place, libraryPath);
      } finally {
        this.#documents.add(document);
      }
      await this.#owner.places.arrived([document]);
    }
  }

  /**
   * Files that were found at new places and are documents that are missing at theirs: those have a new name ([REN-01]).
   * `false` where one of them could not be read, so that nobody knows.
   */
  async #followRenames(found: readonly string[], newFiles: readonly string[]): Promise<boolean> {
    if (newFiles.length === 0) return true;
    const there = new Set(found);
    const candidates = this.#documents.local().filter((one) => one.mayHaveMoved && !there.has(one.status.file));
    if (candidates.length === 0) return true;
    const { reader } = this.#options;
    const missing = [];
    for (const document of candidates) {
      const { kind } = await reader.read(document.status.file, undefined, undefined);
      if (kind === 'missing') missing.push({ key: document, path: document.status.path, texts: document.knownTexts });
      else if (kind === 'failed') return false;
    }
    if (missing.length === 0) return true;
    const appeared = [];
    for (const file of newFiles) {
      const reading = await reader.read(file, undefined, undefined);
      if (reading.kind === 'text') appeared.push({ key: file, path: file, text: reading.working.text });
      else if (reading.kind === 'failed') return false;
    }
    for (const [document, file] of pairRenames(missing, appeared)) await this.#moveHere(document, file, false);
    return true;
  }

  #lookLater(): void {
    this.#nextLook?.dispose();
    this.#nextLook = this.#options.ambient.scheduler.after(LOOK_AGAIN_MS, () => {
      this.#nextLook = undefined;
      this.want();
    });
  }

  /** Whether a document of this folder may have this file. */
  async #mayLieAt(file: string): Promise<boolean> {
    const { layout } = this.#options;
    const localPath = layout.localPathOf(file);
    if (localPath === undefined || this.#documents.ofFile(file) !== undefined) return false;
    return !layout.createsDocuments || (await layout.placeFor(localPath)) !== undefined;
  }

  async #moveHere(document: DocumentReplica, file: string, isTold: boolean): Promise<void> {
    const localPath = this.#options.layout.localPathOf(file);
    if (localPath === undefined || !this.#documents.reserve(document, localPath)) return;
    try {
      await document.moveHere(localPath, isTold);
    } finally {
      this.#documents.add(document);
    }
    await this.#owner.places.arrived([document]);
  }

  /** By local path: the documents that the library has deleted and that are not here any more. */
  async #tombstonePlaces(): Promise<ReadonlyMap<string, DocumentReplica>> {
    const places = new Map<string, DocumentReplica>();
    for (const document of this.#documents.tombstones()) {
      const place = await this.#options.layout.placeFor(document.stored.libraryPath);
      if (place !== undefined) places.set(place, document);
    }
    return places;
  }

  /** Whether a file is what the deleted document once was: then it is a deletion that comes back, and no new document ([DEL-05]). */
  async #isOldCopy(file: string, tombstone: DocumentReplica): Promise<boolean> {
    const reading = await this.#options.reader.read(file, undefined, undefined);
    if (reading.kind !== 'text') return false;
    const hash = this.#options.ambient.hashText(reading.working.text);
    if (hash === tombstone.stored.head?.hash) return true;
    return (await this.#context.link()?.fetchRevision(tombstone.docId, hash)) !== undefined;
  }

  /** A file that is no root is a document where another one refers to it, and then its name stands there. */
  async #mayBeDocument(file: string): Promise<boolean> {
    const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
    if (this.#documents.local().some((document) => document.names(name))) return true;
    return (await this.#options.inspect(file)) !== 'other';
  }

  #read(document: DocumentReplica): void {
    // Fails never: see there.
    void document.fileChanged();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#nextLook?.dispose();
  }
}
