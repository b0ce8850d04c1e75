import { basename } from 'node:path';
import type { LibraryId, ReplicaId } from '../core/ids.ts';
import type { FoundDocument } from '../node/documents/findDocuments.ts';
import { deleteLibrary, listLibraries } from '../node/libraryDirectory.ts';
import type { FolderDecisions } from './folderDecisions.ts';
import type { DocumentPair, JoinOffer, LibraryChoice, Outcome } from './folderSession.ts';
import type { Neighbourhood, Place } from './neighbourhood.ts';
import { isSameLayout, suggestPairs } from './pairing.ts';
import { notDone } from './replica/documentProblems.ts';

/** What stands in the way; undefined: nothing, and it was done. */
type Refusal = Outcome | undefined;

/** Serving the folder, as far as joining and leaving need it: nothing of it runs while they change what is served. */
interface Served {
  stop(): Promise<void>;
  start(signal: AbortSignal): Promise<Outcome>;
  readonly isAsleep: boolean;
  /** Names of the folders of the other peers that are connected. */
  readonly peerFolders: readonly string[];
}

/** Which library a workspace folder belongs to, and how it comes in and out (DESIGN §5, "Consent and joining"). */
export class FolderMembership {
  readonly #folder: string;
  readonly #stateDir: string;
  readonly #decisions: FolderDecisions;
  readonly #neighbourhood: Neighbourhood;
  readonly #served: Served;

  constructor(options: {
    readonly folder: string;
    readonly stateDir: string;
    readonly decisions: FolderDecisions;
    readonly neighbourhood: Neighbourhood;
    readonly served: Served;
  }) {
    this.#folder = options.folder;
    this.#stateDir = options.stateDir;
    this.#decisions = options.decisions;
    this.#neighbourhood = options.neighbourhood;
    this.#served = options.served;
  }

  /** Another window's library that this folder could come into; undefined where there is none, or nobody is to be asked. */
  async findOffer(): Promise<JoinOffer | undefined> {
    const { isNever } = await this.#decisions.read();
    if (isNever) return undefined;
    const place = await this.#neighbourhood.place();
    if (place.remote === undefined || this.#decisions.replicaOn(place.branch) !== undefined) return undefined;
    const documents = await this.#neighbourhood.announce(place);
    if (documents.length === 0) return undefined;
    const [neighbour] = await this.#neighbourhood.neighbours(place);
    if (neighbour === undefined) return undefined;
    const { title, folderName, documents: theirs } = neighbour.presence;
    return {
      libraryId: neighbour.libraryId,
      name: title ?? folderName,
      neighbour: folderName,
      documentCount: theirs.length,
    };
  }

  /** Comes into the library of the neighbours, or makes one. */
  async keepInStep(signal: AbortSignal): Promise<Refusal> {
    const place = await this.#neighbourhood.place();
    const documents = await this.#neighbourhood.announce(place);
    const refusal = await this.#neighbourhood.oneAtATime(signal, () => this.#joinLibraryOf(place, documents));
    if (refusal === undefined) await this.#neighbourhood.nudge();
    return refusal;
  }

  async listLibraries(): Promise<readonly LibraryChoice[]> {
    const documents = await this.#neighbourhood.discover();
    const libraries = await listLibraries(this.#stateDir);
    const local = await this.#neighbourhood.describe(documents);
    return libraries.map((library) => ({
      libraryId: library.libraryId,
      name: library.name,
      folderNames: library.hints.map((hint) => hint.folderName),
      pairs: suggestPairs(
        library.hints.flatMap((hint) => hint.documents),
        local,
      ),
    }));
  }

  /** Comes into this library with the documents that were paired. */
  async join(libraryId: LibraryId, pairs: readonly DocumentPair[]): Promise<Refusal> {
    const chosen = pairs.flatMap((pair) =>
      pair.localPath === undefined ? [] : [[pair.libraryPath, pair.localPath] as const],
    );
    if (chosen.length === 0)
      return notDone('no-pairs', 'No document of this folder was chosen.', 'Choose at least one file, then join.');
    if (new Set(chosen.map(([, local]) => local)).size < chosen.length)
      return notDone('doubled-pair', 'One file was chosen for two documents.', 'Choose each file once.');
    const refusal = await this.#refusalToJoin(libraryId);
    if (refusal !== undefined) return refusal;
    const place = await this.#neighbourhood.place();
    const { branch } = place;
    await this.#served.stop();
    const layout = isSameLayout(pairs) ? 'same' : 'paired';
    const paired = layout === 'same' ? {} : Object.fromEntries(chosen);
    await this.#decisions.join({ libraryId, branch, layout, pairs: paired });
    await this.#neighbourhood.announce(place);
    return undefined;
  }

  async leave(): Promise<Outcome> {
    const { branch } = await this.#neighbourhood.place();
    await this.#decisions.read();
    const replica = this.#decisions.replicaOn(branch);
    if (replica === undefined) return notJoined;
    // First, so that no other window takes over what is stopped here; who serves it hears of it, and stops.
    await this.#decisions.leave(replica);
    await this.#served.stop();
    await this.#neighbourhood.nudge();
    return done;
  }

  /** Deletes the library with its log, and what this folder has kept for it; refused where somebody else is in it. */
  async forgetLibrary(signal: AbortSignal): Promise<Outcome> {
    const { branch } = await this.#neighbourhood.place();
    await this.#decisions.read();
    const libraryId = this.#decisions.replicaOn(branch)?.libraryId;
    if (libraryId === undefined) return notJoined;
    const { isAsleep, peerFolders } = this.#served;
    const windows = await this.#neighbourhood.windowsIn(libraryId);
    const names = new Set([...windows, ...peerFolders]);
    if (names.size > 0)
      return notDone(
        'library-in-use',
        `The library is still open in ${[...names].join(', ')}.`,
        'Leave there first, then forget it here.',
      );
    await this.#served.stop();
    let orphans: readonly ReplicaId[] = [];
    const isDeleted = await deleteLibrary(this.#stateDir, libraryId, async () => {
      orphans = await this.#decisions.forget(libraryId);
    });
    if (!isDeleted) {
      if (!isAsleep) await this.#served.start(signal);
      return notDone(
        'library-in-use',
        'Another window still works with this library.',
        'Close it or leave there first, then forget it here.',
      );
    }
    for (const replicaId of orphans) await this.#decisions.deleteState(replicaId);
    await this.#neighbourhood.nudge();
    return done;
  }

  /** Joins the library that the folder belongs to, or makes it; says why where it may not. */
  async #joinLibraryOf(place: Place, documents: readonly FoundDocument[]): Promise<Outcome | undefined> {
    const { branch } = place;
    const { left } = await this.#decisions.read();
    if (this.#decisions.replicaOn(branch) !== undefined) return undefined;
    if (documents.length === 0)
      return notDone(
        'no-documents',
        'This folder has no OpenAPI document.',
        'Add a file with "openapi:" or "swagger:" at its root, then try again.',
      );
    const neighbours = await this.#neighbourhood.neighbours(place);
    const known = await this.#neighbourhood.findLibrary(place, neighbours, left);
    const refusal = known === undefined ? undefined : await this.#refusalToJoin(known);
    if (refusal !== undefined) return refusal;
    const libraryId = known ?? (await this.#neighbourhood.createLibrary(place, documents));
    await this.#neighbourhood.consentFor(neighbours, libraryId);
    await this.#decisions.join({ libraryId, branch, layout: 'same', pairs: {} });
    return undefined;
  }

  async #refusalToJoin(libraryId: LibraryId): Promise<Outcome | undefined> {
    const other = await this.#neighbourhood.folderInTheWay(libraryId);
    if (other === undefined) return undefined;
    const where = other.length < this.#folder.length ? 'inside' : 'around';
    return notDone(
      'folder-inside-another',
      `This folder lies ${where} ${basename(other)}, which is kept in step with the same library already.`,
      `Work in ${basename(other)}, or leave there first.`,
    );
  }
}

const done: Outcome = { isDone: true };
const notJoined = notDone('not-joined', 'This folder is not kept in step.');
