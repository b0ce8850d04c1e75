import { basename } from 'node:path';
import type { Event } from '../core/event.ts';
import type { LibraryId, ReplicaId } from '../core/ids.ts';
import type { Ambient, Disposable } from '../core/ports.ts';
import type { WorkingFiles } from '../core/workingFiles.ts';
import type { FoundDocument } from '../node/documents/findDocuments.ts';
import type { DocumentFinder } from '../node/documents/workerMerger.ts';
import { findGitCheckout, readBranch, readRemote, type GitCheckout } from '../node/git/gitCheckout.ts';
import { readFolderRecord, writeFolderRecord, type ReplicaRecord } from '../node/folders/folderRecord.ts';
import { WindowPresences, type WindowPresence } from '../node/folders/windowPresence.ts';
import { createLibrary, listLibraries } from '../node/libraryDirectory.ts';

/** Where a workspace folder stands in git; `branch` is '' outside of git. */
export interface Place {
  readonly checkout: GitCheckout | undefined;
  readonly remote: string | undefined;
  readonly branch: string;
}

/** Another open window on the same remote and branch, with its library if it has one. */
export interface Neighbour {
  readonly presence: WindowPresence;
  readonly libraryId: LibraryId | undefined;
}

export interface DescribedDocument {
  readonly path: string;
  readonly title: string | undefined;
  readonly operations: readonly string[];
}

export interface NeighbourhoodOptions {
  /** The workspace folder's real path. */
  readonly folder: string;
  readonly windowId: string;
  readonly stateDir: string;
  readonly files: WorkingFiles;
  readonly finder: DocumentFinder;
  readonly ambient: Ambient;
}

/** What a folder and the user's other windows on this machine know of each other before they share a library. */
export class Neighbourhood implements Disposable {
  readonly #options: NeighbourhoodOptions;
  readonly #presences: WindowPresences;
  #discovering: Promise<readonly FoundDocument[]> | undefined;
  #isDisposed = false;

  constructor(options: NeighbourhoodOptions) {
    this.#options = options;
    this.#presences = new WindowPresences(options.stateDir, options.windowId, options.ambient.logger);
  }

  /** Fires when a window came, went or decided something. */
  get onDidChange(): Event<void> {
    return this.#presences.onDidChange;
  }

  async place(): Promise<Place> {
    const checkout = await findGitCheckout(this.#options.folder);
    if (checkout === undefined) return { checkout, remote: undefined, branch: '' };
    return { checkout, remote: await readRemote(checkout), branch: await readBranch(checkout) };
  }

  /** The folder's documents. Who asks while a search is under way gets that one's answer. */
  discover(): Promise<readonly FoundDocument[]> {
    const { folder, files, finder } = this.#options;
    this.#discovering ??= files
      .findCandidates(folder)
      .then((candidates) => finder.findDocuments(folder, candidates))
      .finally(() => {
        this.#discovering = undefined;
      });
    return this.#discovering;
  }

  /** What documents are known by when they are paired with a library's. */
  async describe(documents: readonly FoundDocument[]): Promise<readonly DescribedDocument[]> {
    const roots = documents.filter((document) => document.isRoot);
    const operations = await this.#options.finder.operationsOf(roots);
    const byPath = new Map(roots.map((document, at) => [document.path, operations[at] ?? []]));
    return documents.map(({ path, title }) => ({ path, title, operations: byPath.get(path) ?? [] }));
  }

  /** Tells the user's other windows what is here; a folder without documents tells nothing. */
  async announce(place: Place): Promise<readonly FoundDocument[]> {
    const { folder } = this.#options;
    const documents = await this.discover();
    if (documents.length === 0 || this.#isDisposed) return documents;
    await this.#presences.announce({
      pid: process.pid,
      folder,
      folderName: basename(folder),
      remote: place.remote,
      branch: place.branch,
      documents: documents.map((document) => document.path),
      title: documents.find((document) => document.title !== undefined)?.title,
    });
    return documents;
  }

  /** Makes the other windows look again at what was decided. */
  nudge(): Promise<void> {
    return this.#presences.nudge();
  }

  /** Open windows on the same remote and branch; none for a folder without a remote. */
  async neighbours(place: Place): Promise<readonly Neighbour[]> {
    if (place.remote === undefined) return [];
    const { folder, stateDir } = this.#options;
    const found: Neighbour[] = [];
    for (const presence of await this.#presences.others()) {
      const isSame = presence.remote === place.remote && presence.branch === place.branch;
      if (!isSame || presence.folder === folder || presence.documents.length === 0) continue;
      const record = await readFolderRecord(stateDir, presence.folder);
      const libraryId = record.replicas.find((replica) => replica.branch === presence.branch)?.libraryId;
      found.push({ presence, libraryId });
    }
    return found;
  }

  /** The library that this folder belongs to: a neighbour's, one that was made for this remote and branch, or a new one. */
  async findOrCreateLibrary(
    place: Place,
    neighbours: readonly Neighbour[],
    documents: readonly FoundDocument[],
  ): Promise<LibraryId> {
    const { stateDir, folder } = this.#options;
    const theirs = neighbours.find((neighbour) => neighbour.libraryId !== undefined)?.libraryId;
    if (theirs !== undefined) return theirs;
    if (place.remote !== undefined) {
      const isMeant = (hint: { remote?: string | undefined; branch?: string | undefined }): boolean =>
        hint.remote === place.remote && hint.branch === place.branch;
      const known = (await listLibraries(stateDir)).find((library) => library.hints.some(isMeant));
      if (known !== undefined) return known.libraryId;
    }
    const described = await this.describe(documents);
    const name = documents.find((document) => document.title !== undefined)?.title ?? basename(folder);
    const hint = {
      folderName: basename(folder),
      branch: place.branch,
      documents: described.map(({ path, title, operations }) => ({
        path,
        ...(title === undefined ? {} : { title }),
        operations: [...operations],
      })),
    };
    return createLibrary(stateDir, {
      name,
      hints: [place.remote === undefined ? hint : { ...hint, remote: place.remote }],
    });
  }

  /** The notice asked for both windows ("Keep them in step?"), so one yes is enough (docs/decisions/0002). */
  async consentFor(neighbours: readonly Neighbour[], libraryId: LibraryId): Promise<void> {
    const { stateDir, ambient } = this.#options;
    for (const { presence } of neighbours) {
      const record = await readFolderRecord(stateDir, presence.folder);
      if (record.isNever || record.replicas.some((replica) => replica.branch === presence.branch)) continue;
      const replicaId = ambient.random.uuid() as ReplicaId;
      const replica: ReplicaRecord = { replicaId, libraryId, branch: presence.branch, layout: 'same', pairs: {} };
      await writeFolderRecord(stateDir, { ...record, replicas: [...record.replicas, replica] });
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#presences.dispose();
  }
}
