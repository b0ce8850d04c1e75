import { realpath } from 'node:fs/promises';
import type { AdviceContext } from '../core/advice/adviceContext.ts';
import { DisposableStore } from '../core/disposableStore.ts';
import { Emitter, type Event } from '../core/event.ts';
import type { DocId, LibraryId, PeerId, ProposalId } from '../core/ids.ts';
import type { HistoryTexts } from '../core/history/historyTexts.ts';
import type { Ambient, Merger } from '../core/ports.ts';
import type { UserProblem, WorkingFiles } from '../core/workingFiles.ts';
import type { SourceTexts } from '../core/sources/sourceTexts.ts';
import type { DocumentFinder } from '../node/documents/workerMerger.ts';
import { FolderConflicts } from './folderConflicts.ts';
import { FolderDecisions } from './folderDecisions.ts';
import { FolderMembership } from './folderMembership.ts';
import { type DocumentHistory, ServedHistory } from './documentHistory.ts';
import { FolderPulls } from './folderPulls.ts';
import { FolderServing } from './folderServing.ts';
import type {
  AppliedBulk,
  AppliedChange,
  BrokenReference,
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
import { FolderSteps } from './folderSteps.ts';
import { Neighbourhood } from './neighbourhood.ts';
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
  readonly #disposables = new DisposableStore();
  readonly #neighbourhood: Neighbourhood;
  readonly #decisions: FolderDecisions;
  readonly #membership: FolderMembership;
  readonly history: DocumentHistory;
  readonly #serving: FolderServing;
  readonly #sources: FolderSources;
  readonly #statusChanged: Emitter<FolderStatus>;
  readonly #conflictsChanged: Emitter<readonly HeldConflict[]>;
  readonly #conflicts: FolderConflicts;
  readonly #pulls: FolderPulls;
  readonly #steps: FolderSteps;
  #isStoppedByPerson = false;

  private constructor(folder: string, options: WorkspaceFolderOptions, decisions: FolderDecisions) {
    const { ambient, stateDir, files, finder } = options;
    const onError = (error: unknown): void =>
      ambient.logger.error('A listener of the folder failed.', { error: String(error) });
    this.folder = folder;
    this.#decisions = decisions;
    this.#steps = new FolderSteps(ambient.logger);
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
        isPulling: () => this.#pulls.isUnderWay,
        neighbourhood: this.#neighbourhood,
        changeInBackground: (step) => this.#steps.runInBackground(step),
      }),
    );
    const serving = this.#serving;
    this.#membership = new FolderMembership({
      folder,
      stateDir,
      decisions,
      neighbourhood: this.#neighbourhood,
      served: {
        stop: () => serving.stop(),
        start: (signal) => serving.start(signal),
        get isAsleep() {
          return serving.status.phase === 'asleep';
        },
        get peerFolders() {
          return serving.status.peers.map((peer) => peer.folderName);
        },
      },
    });
    this.history = new ServedHistory({ serving: this.#serving, texts: options.texts, hashText: ambient.hashText });
    this.#sources = new FolderSources({
      ...options,
      folder,
      library: () => this.#serving.sourceLibrary(),
      hasRevision: (path, hash) => this.#serving.hasRevision(path, hash),
      expectChange: (...change) => this.#serving.replica?.expectSourceChange(...change),
    });
    this.#disposables.add(this.#sources);
    this.#conflicts = new FolderConflicts({
      serving,
      sources: this.#sources,
      merger: options.merger,
      infoVersion: options.settings.infoVersion,
    });
    this.#pulls = new FolderPulls({
      neighbourhood: this.#neighbourhood,
      decisions,
      serving,
      gitPath: options.gitPath,
      ambient,
    });
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
      this.#neighbourhood.onDidChange(() => this.#steps.runInBackground((signal) => this.#neighboursChanged(signal))),
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

  get onDidPutAside(): Event<UserProblem> {
    return this.#serving.onDidPutAside;
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
    return this.#conflicts.all;
  }

  get brokenReferences(): readonly BrokenReference[] {
    return this.#serving.replica?.brokenReferences ?? [];
  }

  get canUndoResolution(): boolean {
    return this.#conflicts.canUndo;
  }

  get sources(): LiveSyncService {
    return this.#sources;
  }

  // ---- before consent ----

  async findDocuments(): Promise<readonly string[]> {
    return (await this.#neighbourhood.discover()).map((document) => document.path);
  }

  findOffer(): Promise<JoinOffer | undefined> {
    return this.#membership.findOffer();
  }

  keepInStep(): Promise<Outcome> {
    return this.#steps.run(async (signal) => {
      this.#isStoppedByPerson = false;
      try {
        const refusal = await this.#membership.keepInStep(signal);
        if (refusal === undefined) await this.#serving.joinInner();
        return refusal ?? (await this.#serving.start(signal));
      } catch (error) {
        if (signal.aborted) return this.#serving.notServing;
        throw error;
      }
    });
  }

  listLibraries(): Promise<readonly LibraryChoice[]> {
    return this.#membership.listLibraries();
  }

  join(libraryId: LibraryId, pairs: readonly DocumentPair[]): Promise<Outcome> {
    return this.#steps.endWith(async (signal) => {
      const refusal = await this.#membership.join(libraryId, pairs);
      if (refusal !== undefined) return refusal;
      this.#isStoppedByPerson = false;
      return this.#serving.start(signal);
    });
  }

  leave(): Promise<Outcome> {
    return this.#steps.endWith(() => this.#membership.leave());
  }

  async forgetLibrary(): Promise<Outcome> {
    const outcome = await this.#steps.endWith((signal) => this.#membership.forgetLibrary(signal));
    if (outcome.isDone) this.#tellStatus();
    return outcome;
  }

  async neverHere(): Promise<void> {
    await this.#steps.run(() => this.#decisions.neverHere());
    this.#tellStatus();
  }

  // ---- serving ----

  start(): Promise<Outcome> {
    return this.#steps.run(async (signal) => {
      this.#isStoppedByPerson = false;
      await this.#decisions.read();
      if (!this.#decisions.hasConsent)
        return notDone('no-consent', 'This folder is not kept in step yet.', 'Choose "Keep in Step" or "Join…".');
      return this.#serving.start(signal);
    });
  }

  async stop(): Promise<void> {
    await this.#steps.endWith(async () => {
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

  resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    return this.#conflicts.resolve(docId, resolutions);
  }

  checkResolutions(docId: DocId, resolutions: Resolutions): Promise<ResolutionPreview | undefined> {
    return this.#conflicts.check(docId, resolutions);
  }

  adviceContext(docId: DocId, conflictIds: readonly string[]): Promise<AdviceContext | undefined> {
    return this.#conflicts.adviceContext(docId, conflictIds);
  }

  undoResolution(): Promise<Outcome> {
    return this.#conflicts.undo();
  }

  async takeBackBulk(id: ProposalId, signal: AbortSignal): Promise<Outcome> {
    return (await this.#serving.replica?.bulkTakeBack.takeBack(id, signal)) ?? this.#serving.notServing;
  }

  async mergeNow(file: string): Promise<Outcome> {
    return (await this.#serving.replica?.choices.mergeNow(file)) ?? this.#serving.notServing;
  }

  async leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return (await this.#serving.replica?.choices.leaveBehind(file, choice)) ?? this.#serving.notServing;
  }

  async bringBack(docId: DocId): Promise<Outcome> {
    return (await this.#serving.replica?.choices.bringBack(docId)) ?? this.#serving.notServing;
  }

  pullSyncedChanges(request: PullRequest = {}): Promise<PullResult> {
    return this.#pulls.pull(request);
  }

  canMoveTo(commit: string): Promise<boolean> {
    return this.#pulls.canMoveTo(commit);
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
    this.#steps.end(async () => {
      try {
        await this.#serving.stop();
      } finally {
        this.#neighbourhood.dispose();
      }
    });
  }

  /** Resolves when everything that was begun has ended and locks and files are free. */
  async closed(): Promise<void> {
    await this.#sources.closed();
    await this.#steps.ended();
  }

  // ---- what they share ----

  async #neighboursChanged(signal: AbortSignal): Promise<void> {
    if (this.#disposables.isDisposed) return;
    await this.#decisions.read();
    if (!this.#isStoppedByPerson) await this.#serving.follow(signal);
    this.#tellStatus();
  }

  async #setPaused(isPaused: boolean): Promise<void> {
    const { replica, replicaId } = this.#serving;
    if (replica === undefined || replicaId === undefined) return;
    if (isPaused) replica.pause();
    else replica.resume();
    // So that it stays so over a reload.
    await this.#steps.run(() => this.#decisions.setPaused(replicaId, isPaused));
  }

  #tellStatus(): void {
    this.#statusChanged.fire(this.status);
    this.#conflictsChanged.fire(this.conflicts);
  }
}

const done: Outcome = { isDone: true };
