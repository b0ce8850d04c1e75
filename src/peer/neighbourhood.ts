import { basename, isAbsolute, join, relative, sep } from 'node:path';
import type { Event } from '../core/event.ts';
import type { LibraryId, ReplicaId } from '../core/ids.ts';
import type { Ambient, Disposable } from '../core/ports.ts';
import type { WorkingFiles } from '../core/workingFiles.ts';
import type { FoundDocument } from '../node/documents/findDocuments.ts';
import type { DocumentFinder } from '../node/documents/workerMerger.ts';
import { findGitCheckout, readBranch, readRemote, type GitCheckout } from '../node/git/gitCheckout.ts';
import {
  listFolderRecords,
  readFolderRecord,
  writeFolderRecord,
  type ReplicaRecord,
  withReplica,
} from '../node/folders/folderRecord.ts';
import { WindowPresences, type WindowPresence } from '../node/folders/windowPresence.ts';
import { createLibrary, listLibraries } from '../node/libraryDirectory.ts';
import { ExclusiveLock } from '../node/lock/exclusiveLock.ts';
import { runUnderLock } from '../node/lock/runUnderLock.ts';
import { makePrivateDirectory } from '../node/stateDirectory.ts';

const JOINING_LOCK_FILE = 'joining.lock';

/** Where a workspace folder stands in git; `branch` is '' outside of git. */
export interface Place {
  readonly checkout: GitCheckout | undefined;
  readonly remote: string | undefined;
  readonly branch: string;
  /** Where the folder lies in the checkout, with `/`; '' for the checkout's root and outside of git. */
  readonly pathInCheckout: string;
}

/** Another open window on the same remote, branch and place in the checkout, with its library if it has one. */
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
    if (checkout === undefined) return { checkout, remote: undefined, branch: '', pathInCheckout: '' };
    const pathInCheckout = relative(checkout.root, this.#options.folder).split(sep).join('/');
    return { checkout, remote: await readRemote(checkout), branch: await readBranch(checkout), pathInCheckout };
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
      pathInCheckout: place.pathInCheckout,
      documents: documents.map((document) => document.path),
      title: documents.find((document) => document.title !== undefined)?.title,
    });
    return documents;
  }

  /** Hears of the other windows from now on, also where this one has nothing to tell. */
  follow(): void {
    if (!this.#isDisposed) this.#presences.follow();
  }

  /** Makes the other windows look again at what was decided. */
  nudge(): Promise<void> {
    return this.#presences.nudge();
  }

  /**
   * Open windows on the same remote and branch, at the same place in the checkout (paths of documents are relative to
   * the folder) and neither inside nor around this one; none for a folder without a remote.
   */
  async neighbours(place: Place): Promise<readonly Neighbour[]> {
    if (place.remote === undefined) return [];
    const { folder, stateDir } = this.#options;
    const found: Neighbour[] = [];
    for (const presence of await this.#presences.others()) {
      if (!isSamePlace(presence, place) || presence.documents.length === 0 || overlaps(presence.folder, folder))
        continue;
      const record = await readFolderRecord(stateDir, presence.folder);
      const libraryId = record.replicas.find((replica) => replica.branch === presence.branch)?.libraryId;
      found.push({ presence, libraryId });
    }
    return found;
  }

  /** Folder names of other open windows in the library, whatever branch or checkout they are on. */
  async windowsIn(libraryId: LibraryId): Promise<readonly string[]> {
    const { folder, stateDir } = this.#options;
    const names = new Map<string, string>();
    for (const presence of await this.#presences.others()) {
      if (presence.folder === folder || names.has(presence.folder)) continue;
      const { replicas } = await readFolderRecord(stateDir, presence.folder);
      if (replicas.some((replica) => replica.libraryId === libraryId)) names.set(presence.folder, presence.folderName);
    }
    return [...names.values()];
  }

  /**
   * The library that this folder belongs to: a neighbour's, one that was made for this remote, branch and place, or the
   * one that this folder was in before.
   */
  async findLibrary(
    place: Place,
    neighbours: readonly Neighbour[],
    left: readonly ReplicaRecord[],
  ): Promise<LibraryId | undefined> {
    const theirs = neighbours.find((neighbour) => neighbour.libraryId !== undefined)?.libraryId;
    if (theirs !== undefined) return theirs;
    const libraries = await listLibraries(this.#options.stateDir);
    const known = libraries.find((library) => library.hints.some((hint) => isSamePlace(hint, place)));
    if (known !== undefined) return known.libraryId;
    const before = left.findLast(
      (replica) =>
        replica.branch === place.branch &&
        replica.layout === 'same' &&
        libraries.some((library) => library.libraryId === replica.libraryId),
    );
    return before?.libraryId;
  }

  /**
   * Runs a step in which a library is looked for, made and joined: of windows that start at the same instant the first
   * one makes it, and the others find it. Rejects where the signal gives up waiting for them.
   */
  oneAtATime<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T> {
    const { stateDir, ambient } = this.#options;
    makePrivateDirectory(stateDir);
    return runUnderLock(new ExclusiveLock(join(stateDir, JOINING_LOCK_FILE)), ambient.scheduler, signal, step);
  }

  /** A new library of this folder's documents. */
  async createLibrary(place: Place, documents: readonly FoundDocument[]): Promise<LibraryId> {
    const { stateDir, folder } = this.#options;
    const described = await this.describe(documents);
    const name = documents.find((document) => document.title !== undefined)?.title ?? basename(folder);
    const hint = {
      folderName: basename(folder),
      branch: place.branch,
      ...(place.remote === undefined ? {} : { remote: place.remote }),
      ...(place.pathInCheckout === '' ? {} : { pathInCheckout: place.pathInCheckout }),
      documents: described.map(({ path, title, operations }) => ({
        path,
        ...(title === undefined ? {} : { title }),
        operations: [...operations],
      })),
    };
    return createLibrary(stateDir, { name, hints: [hint] });
  }

  /** Another folder that is in the library and lies inside or around this one: both would keep the same files. */
  async folderInTheWay(libraryId: LibraryId): Promise<string | undefined> {
    const { folder, stateDir } = this.#options;
    const records = await listFolderRecords(stateDir);
    return records.find(
      (record) =>
        record.folder !== folder &&
        overlaps(record.folder, folder) &&
        record.replicas.some((replica) => replica.libraryId === libraryId),
    )?.folder;
  }

  /** The notice asked for both windows ("Keep them in step?"), so one yes is enough (docs/decisions/0002). */
  async consentFor(neighbours: readonly Neighbour[], libraryId: LibraryId): Promise<void> {
    const { stateDir, ambient } = this.#options;
    for (const { presence } of neighbours) {
      const record = await readFolderRecord(stateDir, presence.folder);
      if (record.isNever || record.replicas.some((replica) => replica.branch === presence.branch)) continue;
      const replicaId = ambient.random.uuid() as ReplicaId;
      const { branch } = presence;
      await writeFolderRecord(
        stateDir,
        withReplica(record, { libraryId, branch, layout: 'same', pairs: {} }, replicaId),
      );
    }
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#presences.dispose();
  }
}

function isSamePlace(
  other: {
    readonly remote?: string | undefined;
    readonly branch?: string | undefined;
    readonly pathInCheckout?: string | undefined;
  },
  place: Place,
): boolean {
  return (
    place.remote !== undefined &&
    other.remote === place.remote &&
    other.branch === place.branch &&
    (other.pathInCheckout ?? '') === place.pathInCheckout
  );
}

/** Whether two folders are the same, or one lies inside the other. */
function overlaps(one: string, other: string): boolean {
  return [relative(one, other), relative(other, one)].some(
    (path) => !isAbsolute(path) && path !== '..' && !path.startsWith(`..${sep}`),
  );
}
