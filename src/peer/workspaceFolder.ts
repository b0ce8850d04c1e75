import { realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DisposableStore } from '../core/disposableStore.ts';
import { Emitter, type Event } from '../core/event.ts';
import type { DocId, LibraryId, PeerId, ReplicaId } from '../core/ids.ts';
import type { Ambient, Merger } from '../core/ports.ts';
import type { UserProblem, WorkingFiles } from '../core/workingFiles.ts';
import { GitWorkGuard } from '../node/git/gitWorkGuard.ts';
import type { DocumentFinder } from '../node/documents/workerMerger.ts';
import { readPersonName } from '../node/git/gitIdentity.ts';
import {
  readFolderRecord,
  writeFolderRecord,
  type FolderRecord,
  type ReplicaRecord,
} from '../node/folders/folderRecord.ts';
import { deleteLibrary, listLibraries } from '../node/libraryDirectory.ts';
import type {
  AppliedChange,
  DocumentPair,
  FolderPhase,
  FolderSession,
  FolderStatus,
  HeldConflict,
  JoinOffer,
  LibraryChoice,
  Outcome,
  PeerSettings,
} from './folderSession.ts';
import { Neighbourhood } from './neighbourhood.ts';
import { isSameLayout, suggestPairs } from './pairing.ts';
import type { ServingReplica } from './servingReplica.ts';

/** What a workspace folder needs from the peer that opened it. */
export interface WorkspaceFolderOptions {
  readonly ambient: Ambient;
  readonly settings: PeerSettings;
  readonly stateDir: string;
  readonly files: WorkingFiles;
  readonly merger: Merger;
  readonly finder: DocumentFinder;
  readonly workers: { readonly log: string; readonly replica: string };
}

/** So long a person waits for "Sync Now" before hearing what stands in the way. */
const SYNC_NOW_TIMEOUT_MS = 15_000;
/** How soon a window notices that the one that served the folder is gone, without hearing of it. */
/** Longer names than this are cut: nobody reads them. */
const MAX_NAME_PART_LENGTH = 80;
const ATTACHED_RETRY_MS = 2_000;

/** One workspace folder, from before consent to serving its replica (DESIGN §5, "Consent and joining"). */
export class WorkspaceFolder implements FolderSession {
  readonly folder: string;
  readonly #options: WorkspaceFolderOptions;
  readonly #peerId: PeerId;
  readonly #disposables = new DisposableStore();
  readonly #neighbourhood: Neighbourhood;
  readonly #statusChanged: Emitter<FolderStatus>;
  readonly #conflictsChanged: Emitter<readonly HeldConflict[]>;
  readonly #appliedChange: Emitter<AppliedChange>;
  readonly #offerFound: Emitter<JoinOffer>;
  #record: FolderRecord;
  #library: { readonly libraryId: LibraryId; readonly name: string } | undefined;
  #phase: FolderPhase = 'asleep';
  #problem: UserProblem | undefined;
  #observing: string | undefined;
  #serving: ServingReplica | undefined;
  #isStoppedByPerson = false;
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, options: WorkspaceFolderOptions, record: FolderRecord) {
    const { ambient } = options;
    const onError = (error: unknown): void =>
      ambient.logger.error('A listener of the folder failed.', { error: String(error) });
    this.folder = folder;
    this.#options = options;
    this.#record = record;
    this.#peerId = ambient.random.uuid() as PeerId;
    const { stateDir, files, finder } = options;
    const windowId = this.#peerId;
    this.#neighbourhood = this.#disposables.add(
      new Neighbourhood({ folder, windowId, stateDir, files, finder, ambient }),
    );
    this.#statusChanged = this.#disposables.add(new Emitter<FolderStatus>(onError));
    this.#conflictsChanged = this.#disposables.add(new Emitter<readonly HeldConflict[]>(onError));
    this.#appliedChange = this.#disposables.add(new Emitter<AppliedChange>(onError));
    this.#offerFound = this.#disposables.add(new Emitter<JoinOffer>(onError));
    this.#disposables.add(
      this.#neighbourhood.onDidChange(() => this.#runInBackground(() => this.#neighboursChanged())),
    );
  }

  /** Reads what was decided for the folder; opens no socket, log or watcher of its files. */
  static async open(folder: string, options: WorkspaceFolderOptions): Promise<WorkspaceFolder> {
    const real = await realpath(folder);
    return new WorkspaceFolder(real, options, await readFolderRecord(options.stateDir, real));
  }

  get onDidChangeStatus(): Event<FolderStatus> {
    return this.#statusChanged.event;
  }
  get onDidChangeConflicts(): Event<readonly HeldConflict[]> {
    return this.#conflictsChanged.event;
  }
  get onDidApplyChange(): Event<AppliedChange> {
    return this.#appliedChange.event;
  }
  get onDidFindOffer(): Event<JoinOffer> {
    return this.#offerFound.event;
  }

  get status(): FolderStatus {
    const serving = this.#serving;
    const documents = serving?.replica.documents ?? [];
    const link = serving?.link.status;
    const hindrance = serving?.replica.hindrance;
    const phase =
      this.#phase !== 'running'
        ? this.#phase
        : serving?.replica.isPaused === true
          ? 'paused'
          : hindrance === undefined
            ? 'running'
            : 'observing';
    const observing = phase === 'observing' ? (hindrance ?? this.#observing) : undefined;
    return {
      phase,
      hasConsent: this.#record.replicas.length > 0,
      ...(this.#library === undefined ? {} : { library: this.#library }),
      ...(link?.role === undefined ? {} : { role: link.role }),
      connection: link?.connection ?? 'connecting',
      peers: link?.peers ?? [],
      documents,
      conflictCount: documents.reduce((sum, document) => sum + document.conflictCount, 0),
      ...(observing === undefined ? {} : { observing }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  get conflicts(): readonly HeldConflict[] {
    return this.#serving?.replica.conflicts ?? [];
  }

  get canUndoResolution(): boolean {
    return this.#serving?.replica.canUndoResolution ?? false;
  }

  // ---- before consent ----

  async findDocuments(): Promise<readonly string[]> {
    return (await this.#neighbourhood.discover()).map((document) => document.path);
  }

  async findOffer(): Promise<JoinOffer | undefined> {
    this.#record = await readFolderRecord(this.#options.stateDir, this.folder);
    if (this.#record.isNever) return undefined;
    const place = await this.#neighbourhood.place();
    if (place.remote === undefined || this.#record.replicas.some((replica) => replica.branch === place.branch))
      return undefined;
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

  async keepInStep(): Promise<Outcome> {
    return this.#change(async () => {
      const place = await this.#neighbourhood.place();
      const documents = await this.#neighbourhood.announce(place);
      this.#record = await readFolderRecord(this.#options.stateDir, this.folder);
      if (this.#record.replicas.some((replica) => replica.branch === place.branch)) return this.#startServing();
      if (documents.length === 0)
        return notDone(
          'no-documents',
          'This folder has no OpenAPI document.',
          'Add a file with "openapi:" or "swagger:" at its root, then try again.',
        );
      const neighbours = await this.#neighbourhood.neighbours(place);
      const libraryId = await this.#neighbourhood.findOrCreateLibrary(place, neighbours, documents);
      await this.#neighbourhood.consentFor(neighbours, libraryId);
      await this.#addReplica({ libraryId, branch: place.branch, layout: 'same', pairs: {} });
      return this.#startServing();
    });
  }

  async neverHere(): Promise<void> {
    await this.#writeRecord({ ...this.#record, isNever: true });
  }

  async listLibraries(): Promise<readonly LibraryChoice[]> {
    const documents = await this.#neighbourhood.discover();
    const libraries = await listLibraries(this.#options.stateDir);
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

  async join(libraryId: LibraryId, pairs: readonly DocumentPair[]): Promise<Outcome> {
    return this.#change(async () => {
      const chosen = pairs.flatMap((pair) =>
        pair.localPath === undefined ? [] : [[pair.libraryPath, pair.localPath] as const],
      );
      if (chosen.length === 0)
        return notDone('no-pairs', 'No document of this folder was chosen.', 'Choose at least one file, then join.');
      if (new Set(chosen.map(([, local]) => local)).size < chosen.length)
        return notDone('doubled-pair', 'One file was chosen for two documents.', 'Choose each file once.');
      const place = await this.#neighbourhood.place();
      await this.#stopServing();
      const layout = isSameLayout(pairs) ? 'same' : 'paired';
      await this.#addReplica({
        libraryId,
        branch: place.branch,
        layout,
        pairs: layout === 'same' ? {} : Object.fromEntries(chosen),
      });
      await this.#neighbourhood.announce(place);
      return this.#startServing();
    });
  }

  // ---- serving ----

  start(): Promise<Outcome> {
    return this.#change(async () => {
      this.#isStoppedByPerson = false;
      this.#record = await readFolderRecord(this.#options.stateDir, this.folder);
      if (this.#record.replicas.length === 0)
        return notDone('no-consent', 'This folder is not kept in step yet.', 'Choose "Keep in Step" or "Join…".');
      return this.#startServing();
    });
  }

  async stop(): Promise<void> {
    await this.#change(async () => {
      this.#isStoppedByPerson = true;
      await this.#stopServing();
    });
  }

  pause(): Promise<void> {
    this.#serving?.replica.pause();
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#serving?.replica.resume();
    return Promise.resolve();
  }

  async leave(): Promise<Outcome> {
    return this.#change(async () => {
      const { branch } = await this.#neighbourhood.place();
      const replica = this.#record.replicas.find((one) => one.branch === branch);
      if (replica === undefined) return notDone('not-joined', 'This folder is not kept in step.', undefined);
      await this.#stopServing();
      await this.#writeRecord({ ...this.#record, replicas: this.#record.replicas.filter((one) => one !== replica) });
      await rm(this.#replicaDirectory(replica.replicaId), { recursive: true, force: true });
      this.#library = undefined;
      await this.#neighbourhood.nudge();
      return done;
    });
  }

  async forgetLibrary(): Promise<Outcome> {
    const library = this.#library;
    if (library === undefined) return notDone('not-joined', 'This folder is not kept in step.', undefined);
    if (this.status.peers.length > 0) {
      const names = this.status.peers.map((peer) => peer.folderName).join(', ');
      return notDone(
        'library-in-use',
        `The library is still open in ${names}.`,
        'Leave there first, then forget it here.',
      );
    }
    const outcome = await this.leave();
    if (outcome.isDone) await deleteLibrary(this.#options.stateDir, library.libraryId);
    return outcome;
  }

  async syncNow(): Promise<Outcome> {
    const serving = this.#serving;
    if (serving === undefined)
      return notDone('not-running', 'Keeping in step is not running in this window.', 'Choose "Start".');
    if (await serving.replica.syncNow(SYNC_NOW_TIMEOUT_MS)) return done;
    return notDone(
      'not-in-step-yet',
      'Not everything could be brought in step.',
      'Choose "Show Status" to see what stands in the way.',
    );
  }

  async resolveConflict(docId: DocId, conflictId: string, choice: 'ours' | 'theirs'): Promise<Outcome> {
    return (await this.#serving?.replica.resolveConflict(docId, conflictId, { choice })) ?? notServing;
  }

  async undoResolution(): Promise<Outcome> {
    return (await this.#serving?.replica.undoResolution()) ?? notServing;
  }

  async mergeNow(file: string): Promise<Outcome> {
    return (await this.#serving?.replica.mergeNow(file)) ?? notServing;
  }

  async leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return (await this.#serving?.replica.leaveBehind(file, choice)) ?? notServing;
  }

  fileAppeared(file: string): void {
    this.#serving?.replica.fileAppeared(file);
  }

  dispose(): void {
    if (this.#disposables.isDisposed) return;
    this.#disposables.dispose();
    this.#runInBackground(() => this.#change(() => this.#stopServing()));
  }

  /** Resolves when everything that was begun has ended and locks and files are free. */
  async closed(): Promise<void> {
    await this.#changing;
  }

  // ---- neighbours ----

  async #neighboursChanged(): Promise<void> {
    if (this.#disposables.isDisposed) return;
    this.#record = await readFolderRecord(this.#options.stateDir, this.folder);
    const hasConsent = this.#record.replicas.length > 0;
    if (hasConsent && !this.#isStoppedByPerson && (this.#phase === 'asleep' || this.#phase === 'attached'))
      await this.start();
  }

  // ---- the replica ----

  async #addReplica(replica: Omit<ReplicaRecord, 'replicaId'>): Promise<void> {
    const others = this.#record.replicas.filter((one) => one.branch !== replica.branch);
    await this.#writeRecord({
      ...this.#record,
      isNever: false,
      replicas: [...others, { ...replica, replicaId: this.#newReplicaId() }],
    });
  }

  async #writeRecord(record: FolderRecord): Promise<void> {
    await writeFolderRecord(this.#options.stateDir, record);
    this.#record = record;
    this.#tellStatus();
  }

  async #startServing(): Promise<Outcome> {
    if (this.#serving !== undefined) return done;
    if (this.#disposables.isDisposed) return notServing;
    const place = await this.#neighbourhood.place();
    const record = this.#record.replicas.find((replica) => replica.branch === place.branch);
    const guard = new GitWorkGuard(
      place.checkout,
      record?.branch ?? '',
      this.#options.ambient.clock,
      this.#options.ambient.logger,
    );
    const watching = guard.onMayHaveChanged(() => this.#runInBackground(() => this.#branchMayHaveChanged()));
    if (record === undefined) {
      // Joined on another branch: nothing is served here, but coming back is noticed.
      this.#disposables.add(guard);
      this.#disposables.add(watching);
      this.#observing = (await guard.check())?.reason ?? 'this branch has not joined';
      this.#setPhase('observing');
      return done;
    }
    this.#setPhase('starting');
    const libraries = await listLibraries(this.#options.stateDir);
    const library = libraries.find((one) => one.libraryId === record.libraryId);
    this.#library = library === undefined ? undefined : { libraryId: library.libraryId, name: library.name };
    if (library === undefined) {
      guard.dispose();
      return this.#failed({
        code: 'library-missing',
        message: 'The library of this folder is not on this machine any more.',
        remedy: 'Choose "Leave", then "Keep in Step" or "Join…".',
      });
    }
    try {
      const { serveReplica } = await import('./servingReplica.ts');
      const person = this.#options.settings.displayName ?? (await readPersonName(place.checkout, process.env));
      const serving = await serveReplica({
        ...this.#options,
        folder: this.folder,
        record,
        guard,
        checkout: place.checkout,
        peer: { peerId: this.#peerId, ...peerNames(person, basename(this.folder)) },
        replicaDirectory: this.#replicaDirectory(record.replicaId),
        discover: async () => (await this.#neighbourhood.discover()).map((document) => document.file),
      });
      if (serving === 'attached') {
        guard.dispose();
        this.#setPhase('attached');
        this.#disposables.add(
          this.#options.ambient.scheduler.after(ATTACHED_RETRY_MS, () =>
            this.#runInBackground(() => this.#retryAttached()),
          ),
        );
        return done;
      }
      this.#serving = serving;
      serving.disposables.add(watching);
      serving.disposables.add(serving.replica.onDidChange(() => this.#tellStatus()));
      serving.disposables.add(serving.link.onDidChangeStatus(() => this.#tellStatus()));
      serving.disposables.add(serving.replica.onDidApplyChange((change) => this.#appliedChange.fire(change)));
      this.#setPhase('running');
      this.#runInBackground(() => this.#neighbourhood.announce(place));
      return done;
    } catch (error) {
      guard.dispose();
      this.#options.ambient.logger.error('The folder could not be served.', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      const code =
        error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'not-started';
      return this.#failed({
        code,
        message: error instanceof Error ? error.message : 'Keeping in step could not be started.',
        remedy: 'See the log; choose "Start" to try again.',
      });
    }
  }

  async #stopServing(): Promise<void> {
    const serving = this.#serving;
    this.#serving = undefined;
    this.#setPhase('asleep');
    await serving?.close();
  }

  async #retryAttached(): Promise<void> {
    if (this.#phase === 'attached' && !this.#disposables.isDisposed) await this.#change(() => this.#startServing());
  }

  /** Another branch that has joined is another replica. */
  async #branchMayHaveChanged(): Promise<void> {
    if (this.#disposables.isDisposed || this.#isStoppedByPerson) return;
    const { branch } = await this.#neighbourhood.place();
    const served = this.#serving?.branch;
    if (branch === served || !this.#record.replicas.some((replica) => replica.branch === branch)) return;
    await this.#change(async () => {
      await this.#stopServing();
      await this.#startServing();
    });
  }

  #replicaDirectory(replicaId: ReplicaId): string {
    return join(this.#options.stateDir, 'replicas', replicaId);
  }

  #newReplicaId(): ReplicaId {
    return this.#options.ambient.random.uuid() as ReplicaId;
  }

  // ---- status ----

  #failed(problem: UserProblem): Outcome {
    this.#setPhase('failed', problem);
    return { isDone: false, problem };
  }

  #setPhase(phase: FolderPhase, problem?: UserProblem): void {
    this.#phase = phase;
    this.#problem = problem;
    this.#tellStatus();
  }

  #tellStatus(): void {
    this.#statusChanged.fire(this.status);
    this.#conflictsChanged.fire(this.conflicts);
  }

  /** Joining, starting and stopping never overlap. */
  #change<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(step);
    // The next step runs whatever became of this one; its outcome is the caller's.
    this.#changing = result.catch(() => undefined);
    return result;
  }

  #runInBackground(step: () => Promise<unknown>): void {
    step().catch((error: unknown) => {
      // What was still under way when the folder was let go has nobody to tell any more.
      if (this.#disposables.isDisposed) return;
      this.#options.ambient.logger.error('Following the folder failed.', { error: String(error) });
    });
  }
}

const done: Outcome = { isDone: true };
const notServing: Outcome = {
  isDone: false,
  problem: {
    code: 'not-running',
    message: 'Keeping in step is not running in this window.',
    remedy: 'Choose "Start".',
  },
};

function notDone(code: string, message: string, remedy: string | undefined): Outcome {
  return { isDone: false, problem: { code, message, ...(remedy === undefined ? {} : { remedy }) } };
}

/** As others see this peer; what travels in messages is bounded, whatever people call themselves and their folders. */
function peerNames(person: string, folder: string): { readonly name: string; readonly folderName: string } {
  const folderName = folder.slice(0, MAX_NAME_PART_LENGTH);
  return { name: `${person.slice(0, MAX_NAME_PART_LENGTH)} (${folderName})`, folderName };
}
