import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AdviceContext } from '../core/advice/adviceContext.ts';
import { DisposableStore } from '../core/disposableStore.ts';
import { Emitter, type Event } from '../core/event.ts';
import type { DocId, LibraryId, PeerId, ReplicaId } from '../core/ids.ts';
import type { HistoryTexts } from '../core/history/historyTexts.ts';
import type { Ambient, Merger } from '../core/ports.ts';
import type { WorkingFiles } from '../core/workingFiles.ts';
import type { SourceTexts } from '../core/sources/sourceTexts.ts';
import type { FoundDocument } from '../node/documents/findDocuments.ts';
import type { DocumentFinder } from '../node/documents/workerMerger.ts';
import { deleteLibrary, listLibraries } from '../node/libraryDirectory.ts';
import { FolderDecisions } from './folderDecisions.ts';
import { type DocumentHistory, ServedHistory } from './documentHistory.ts';
import { FolderServing } from './folderServing.ts';
import type {
  AppliedBulk,
  AppliedChange,
  CommitNotice,
  DocumentPair,
  FolderDiagnostics,
  FolderSession,
  FolderStatus,
  HeldConflict,
  JoinOffer,
  LibraryChoice,
  Outcome,
  PeerSettings,
  PullRequest,
  PullResult,
  ResolutionPreview,
  Resolutions,
} from './folderSession.ts';
import { contextOfConflicts, type HeldDocument, previewResolutions } from './heldDocument.ts';
import { Neighbourhood, type Place } from './neighbourhood.ts';
import { pull } from './pull.ts';
import { isSameLayout, suggestPairs } from './pairing.ts';
import { notDone } from './replica/documentProblems.ts';
import { FolderSources } from './sources/folderSources.ts';
import type { LiveSyncService } from './sources/liveSyncService.ts';
import type { ReadSecret } from './sources/sourceReader.ts';

/** What a workspace folder needs from the peer that opened it. */
export interface WorkspaceFolderOptions {
  readonly ambient: Ambient;
  readonly settings: PeerSettings;
  readonly stateDir: string;
  readonly files: WorkingFiles;
  readonly merger: Merger;
  readonly finder: DocumentFinder;
  readonly texts: SourceTexts & HistoryTexts;
  readonly readSecret: ReadSecret;
  /** The git program to run. */
  readonly gitPath: () => string;
  readonly workers: { readonly log: string; readonly replica: string };
}

/** So long a person waits for "Sync Now" before hearing what stands in the way. */
const SYNC_NOW_TIMEOUT_MS = 15_000;

/** One workspace folder, from before consent to serving its replica (DESIGN §5, "Consent and joining"). */
export class WorkspaceFolder implements FolderSession {
  readonly folder: string;
  readonly #options: WorkspaceFolderOptions;
  readonly #disposables = new DisposableStore();
  readonly #neighbourhood: Neighbourhood;
  readonly #decisions: FolderDecisions;
  readonly history: DocumentHistory;
  readonly #serving: FolderServing;
  readonly #sources: FolderSources;
  readonly #statusChanged: Emitter<FolderStatus>;
  readonly #conflictsChanged: Emitter<readonly HeldConflict[]>;
  #isStoppedByPerson = false;
  #wasLastChoiceOfSource = false;
  #isPulling = false;
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, options: WorkspaceFolderOptions, decisions: FolderDecisions) {
    const { ambient, stateDir, files, finder } = options;
    const onError = (error: unknown): void =>
      ambient.logger.error('A listener of the folder failed.', { error: String(error) });
    this.folder = folder;
    this.#options = options;
    this.#decisions = decisions;
    const peerId = ambient.random.uuid() as PeerId;
    // Let go of last: who hears that this window went may take its replica over.
    this.#neighbourhood = new Neighbourhood({ folder, windowId: peerId, stateDir, files, finder, ambient });
    this.#statusChanged = this.#disposables.add(new Emitter<FolderStatus>(onError));
    this.#conflictsChanged = this.#disposables.add(new Emitter<readonly HeldConflict[]>(onError));
    this.#serving = this.#disposables.add(
      new FolderServing({
        ...options,
        folder,
        peerId,
        decisions,
        isPulling: () => this.#isPulling,
        neighbourhood: this.#neighbourhood,
        changeInBackground: (step) => this.#runInBackground(() => this.#change(step)),
      }),
    );
    this.history = new ServedHistory({ serving: this.#serving, texts: options.texts, hashText: ambient.hashText });
    this.#sources = new FolderSources({
      ...options,
      folder,
      library: () => this.#serving.sourceLibrary(),
      hasRevision: (path, hash) => this.#serving.hasRevision(path, hash),
      expectChange: (...change) => this.#serving.replica?.expectSourceChange(...change),
    });
    this.#disposables.add(this.#sources);
    this.#disposables.add(
      this.#sources.onDidHappen(({ type }) => (type === 'status:changed' ? this.#tellStatus() : undefined)),
    );
    this.#disposables.add(
      this.#serving.onDidChange(() => {
        this.#sources.libraryChanged();
        this.#tellStatus();
      }),
    );
    this.#disposables.add(
      this.#neighbourhood.onDidChange(() => this.#runInBackground(() => this.#change(() => this.#neighboursChanged()))),
    );
  }

  /** Reads what was decided for the folder; opens no socket, log or watcher of its files. */
  static async open(folder: string, options: WorkspaceFolderOptions): Promise<WorkspaceFolder> {
    const real = await realpath(folder);
    const decisions = await FolderDecisions.open(options.stateDir, real, options.ambient.random);
    return new WorkspaceFolder(real, options, decisions);
  }

  get onDidChangeStatus(): Event<FolderStatus> {
    return this.#statusChanged.event;
  }
  get onDidChangeConflicts(): Event<readonly HeldConflict[]> {
    return this.#conflictsChanged.event;
  }
  get onDidApplyChange(): Event<AppliedChange> {
    return this.#serving.onDidApplyChange;
  }
  get onDidApplyBulk(): Event<AppliedBulk> {
    return this.#serving.onDidApplyBulk;
  }

  get onDidNoticeCommit(): Event<CommitNotice> {
    return this.#serving.onDidNoticeCommit;
  }

  get status(): FolderStatus {
    const { hasConsent } = this.#decisions;
    const { library, ...status } = this.#serving.status;
    const conflictCount = status.conflictCount + this.#sources.conflicts.length;
    return { ...status, conflictCount, hasConsent, ...(library === undefined || !hasConsent ? {} : { library }) };
  }

  get diagnostics(): FolderDiagnostics {
    return this.#serving.diagnostics;
  }

  get conflicts(): readonly HeldConflict[] {
    return [...(this.#serving.replica?.conflicts ?? []), ...this.#sources.conflicts];
  }

  get canUndoResolution(): boolean {
    return this.#isSourceUndoNext || (this.#serving.replica?.canUndoResolution ?? false);
  }

  get sources(): LiveSyncService {
    return this.#sources;
  }

  // ---- before consent ----

  async findDocuments(): Promise<readonly string[]> {
    return (await this.#neighbourhood.discover()).map((document) => document.path);
  }

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

  async keepInStep(): Promise<Outcome> {
    return this.#change(async () => {
      this.#isStoppedByPerson = false;
      const place = await this.#neighbourhood.place();
      const documents = await this.#neighbourhood.announce(place);
      const refusal = await this.#neighbourhood.oneAtATime(() => this.#joinLibraryOf(place, documents));
      if (refusal !== undefined) return refusal;
      await this.#neighbourhood.nudge();
      return this.#serving.start();
    });
  }

  async neverHere(): Promise<void> {
    await this.#change(() => this.#decisions.neverHere());
    this.#tellStatus();
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
      const refusal = await this.#refusalToJoin(libraryId);
      if (refusal !== undefined) return refusal;
      const place = await this.#neighbourhood.place();
      const { branch } = place;
      await this.#serving.stop();
      this.#isStoppedByPerson = false;
      const layout = isSameLayout(pairs) ? 'same' : 'paired';
      const paired = layout === 'same' ? {} : Object.fromEntries(chosen);
      await this.#decisions.join({ libraryId, branch, layout, pairs: paired });
      await this.#neighbourhood.announce(place);
      return this.#serving.start();
    });
  }

  // ---- serving ----

  start(): Promise<Outcome> {
    return this.#change(async () => {
      this.#isStoppedByPerson = false;
      await this.#decisions.read();
      if (!this.#decisions.hasConsent)
        return notDone('no-consent', 'This folder is not kept in step yet.', 'Choose "Keep in Step" or "Join…".');
      return this.#serving.start();
    });
  }

  async stop(): Promise<void> {
    await this.#change(async () => {
      this.#isStoppedByPerson = true;
      await this.#serving.stop();
      // Another window on this folder may serve it now.
      if (this.#decisions.hasConsent) await this.#neighbourhood.nudge();
    });
  }

  async pause(): Promise<void> {
    await this.#setPaused(true);
  }

  async resume(): Promise<void> {
    await this.#setPaused(false);
  }

  async leave(): Promise<Outcome> {
    return this.#change(async () => {
      const { branch } = await this.#neighbourhood.place();
      await this.#decisions.read();
      const replica = this.#decisions.replicaOn(branch);
      if (replica === undefined) return notJoined;
      // First, so that no other window takes over what is stopped here; who serves it hears of it, and stops.
      await this.#decisions.leave(replica);
      await this.#serving.stop();
      await this.#neighbourhood.nudge();
      return done;
    });
  }

  async forgetLibrary(): Promise<Outcome> {
    return this.#change(async () => {
      const { branch } = await this.#neighbourhood.place();
      await this.#decisions.read();
      const libraryId = this.#decisions.replicaOn(branch)?.libraryId;
      if (libraryId === undefined) return notJoined;
      const { phase, peers } = this.#serving.status;
      const windows = await this.#neighbourhood.windowsIn(libraryId);
      const names = new Set([...windows, ...peers.map((peer) => peer.folderName)]);
      if (names.size > 0)
        return notDone(
          'library-in-use',
          `The library is still open in ${[...names].join(', ')}.`,
          'Leave there first, then forget it here.',
        );
      await this.#serving.stop();
      let orphans: readonly ReplicaId[] = [];
      const isDeleted = await deleteLibrary(this.#options.stateDir, libraryId, async () => {
        orphans = await this.#decisions.forget(libraryId);
      });
      if (!isDeleted) {
        if (phase !== 'asleep') await this.#serving.start();
        return notDone(
          'library-in-use',
          'Another window still works with this library.',
          'Close it or leave there first, then forget it here.',
        );
      }
      for (const replicaId of orphans) await this.#decisions.deleteState(replicaId);
      this.#tellStatus();
      await this.#neighbourhood.nudge();
      return done;
    });
  }

  async syncNow(): Promise<Outcome> {
    const { replica } = this.#serving;
    if (replica === undefined) return this.#serving.notServing;
    if (await replica.syncNow(SYNC_NOW_TIMEOUT_MS)) return done;
    return notDone(
      'not-in-step-yet',
      'Not everything could be brought in step.',
      'Choose "Show Status" to see what stands in the way.',
    );
  }

  async resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    const isOfSource = this.#sources.hasConflictsOf(docId);
    const outcome = isOfSource
      ? await this.#sources.resolveConflicts(docId, resolutions)
      : ((await this.#serving.replica?.resolveConflicts(docId, resolutions)) ?? this.#serving.notServing);
    if (outcome.isDone) this.#wasLastChoiceOfSource = isOfSource;
    return outcome;
  }

  async checkResolutions(docId: DocId, resolutions: Resolutions): Promise<ResolutionPreview | undefined> {
    const { merger, settings } = this.#options;
    const held = await this.#heldDocument(docId);
    return held && previewResolutions(merger, held, resolutions, { infoVersion: settings.infoVersion });
  }

  async adviceContext(docId: DocId, conflictIds: readonly string[]): Promise<AdviceContext | undefined> {
    const held = await this.#heldDocument(docId);
    return held && contextOfConflicts(this.#options.merger, held, conflictIds);
  }

  async undoResolution(): Promise<Outcome> {
    if (this.#isSourceUndoNext) return await this.#sources.undoResolution();
    return (await this.#serving.replica?.undoResolution()) ?? this.#serving.notServing;
  }

  async takeBackBulk(id: string): Promise<Outcome> {
    return (await this.#serving.replica?.takeBackBulk(id)) ?? this.#serving.notServing;
  }

  async mergeNow(file: string): Promise<Outcome> {
    return (await this.#serving.replica?.mergeNow(file)) ?? this.#serving.notServing;
  }

  async leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return (await this.#serving.replica?.leaveBehind(file, choice)) ?? this.#serving.notServing;
  }

  async bringBack(docId: DocId): Promise<Outcome> {
    return (await this.#serving.replica?.bringBack(docId)) ?? this.#serving.notServing;
  }

  async pullSyncedChanges(request: PullRequest = {}): Promise<PullResult> {
    const { checkout } = await this.#neighbourhood.place();
    if (checkout === undefined) return notDone('no-git', 'This folder is not in a git checkout.');
    if (this.#isPulling) return notDone('pulling', 'A pull is under way already.');
    this.#isPulling = true;
    try {
      const { ambient, gitPath } = this.#options;
      const holds = async (file: string, text: string): Promise<boolean> =>
        (await this.#serving.replica?.holdsRevision(file, text)) ?? false;
      const syncNow = async (): Promise<void> => {
        await this.#serving.replica?.syncNow(SYNC_NOW_TIMEOUT_MS);
      };
      return await pull({ ...request, checkout, gitPath, ambient, syncNow, holds });
    } finally {
      this.#isPulling = false;
    }
  }

  fileAppeared(file: string): void {
    this.#serving.replica?.fileAppeared(file);
  }

  fileRenamed(from: string, to: string): void {
    this.#serving.replica?.fileRenamed(from, to);
  }

  dispose(): void {
    if (this.#disposables.isDisposed) return;
    this.#disposables.dispose();
    this.#runInBackground(() =>
      this.#change(async () => {
        try {
          await this.#serving.stop();
        } finally {
          this.#neighbourhood.dispose();
        }
      }),
    );
  }

  /** Resolves when everything that was begun has ended and locks and files are free. */
  async closed(): Promise<void> {
    await this.#sources.closed();
    await this.#changing;
  }

  // ---- what they share ----

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

  async #neighboursChanged(): Promise<void> {
    if (this.#disposables.isDisposed) return;
    await this.#decisions.read();
    if (!this.#isStoppedByPerson) await this.#serving.follow();
    this.#tellStatus();
  }

  async #refusalToJoin(libraryId: LibraryId): Promise<Outcome | undefined> {
    const other = await this.#neighbourhood.folderInTheWay(libraryId);
    if (other === undefined) return undefined;
    const where = other.length < this.folder.length ? 'inside' : 'around';
    return notDone(
      'folder-inside-another',
      `This folder lies ${where} ${basename(other)}, which is kept in step with the same library already.`,
      `Work in ${basename(other)}, or leave there first.`,
    );
  }

  async #heldDocument(docId: DocId): Promise<HeldDocument | undefined> {
    return this.#sources.hasConflictsOf(docId)
      ? this.#sources.heldDocument(docId)
      : this.#serving.replica?.heldDocument(docId);
  }

  async #setPaused(isPaused: boolean): Promise<void> {
    const { replica, replicaId } = this.#serving;
    if (replica === undefined || replicaId === undefined) return;
    if (isPaused) replica.pause();
    else replica.resume();
    // So that it stays so over a reload.
    await this.#change(() => this.#decisions.setPaused(replicaId, isPaused));
  }

  /** What was chosen last is taken back first. */
  get #isSourceUndoNext(): boolean {
    const hasOther = this.#serving.replica?.canUndoResolution ?? false;
    return this.#sources.canUndoResolution && (this.#wasLastChoiceOfSource || !hasOther);
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
const notJoined = notDone('not-joined', 'This folder is not kept in step.');
