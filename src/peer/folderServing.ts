import type { LibraryLink } from '../core/replication/libraryLink.ts';
import { basename, relative, sep } from 'node:path';
import { DisposableStore } from '../core/disposableStore.ts';
import { Emitter, type Event } from '../core/event.ts';
import type { LibraryId, PeerId, ReplicaId, RevisionHash } from '../core/ids.ts';
import type { Disposable } from '../core/ports.ts';
import type { UserProblem } from '../core/workingFiles.ts';
import type { ReplicaRecord } from '../node/folders/folderRecord.ts';
import { readPersonName } from '../node/git/gitIdentity.ts';
import type { GitCheckout } from '../node/git/gitCheckout.ts';
import { GitCommand } from '../node/git/gitCommand.ts';
import type { FolderGuard } from '../node/git/folderGuard.ts';
import { PreparedCommits } from '../node/git/preparedCommit.ts';
import { readLibrary } from '../node/libraryDirectory.ts';
import type { ExclusiveLock } from '../node/lock/exclusiveLock.ts';
import { replicaDirectory, type FolderDecisions } from './folderDecisions.ts';
import { CheckedOutBranch } from './checkedOutBranch.ts';
import { CommitNotices } from './commitNotices.ts';
import type {
  AppliedBulk,
  AppliedChange,
  CommitNotice,
  FolderDiagnostics,
  FolderPhase,
  FolderStatus,
  Outcome,
} from './folderSession.ts';
import { folderDiagnostics } from './folderDiagnostics.ts';
import { LastingHindrance } from './lastingHindrance.ts';
import type { Neighbourhood, Place } from './neighbourhood.ts';
import { peerNames } from './peerNames.ts';
import { notDone } from './replica/documentProblems.ts';
import type { Replica } from './replica/replica.ts';
import { servingProblem } from './servingProblem.ts';
import type { ServingReplica } from './servingReplica.ts';
import { servedLibrary } from './sources/servedLibrary.ts';
import type { SourceLibrary } from './sources/sourceLibrary.ts';
import type { WorkspaceFolderOptions } from './workspaceFolder.ts';

export interface FolderServingOptions extends WorkspaceFolderOptions {
  readonly folder: string;
  readonly peerId: PeerId;
  readonly neighbourhood: Neighbourhood;
  readonly decisions: FolderDecisions;
  /** Whether this window pulls at the moment. */
  readonly isPulling: () => boolean;
  /** Runs a step when no other one is under way that changes what is served; nobody waits for it. See `start` for the signal. */
  readonly changeInBackground: (step: (signal: AbortSignal) => Promise<unknown>) => void;
}

/** A replica whose lock this window has got, and does not serve yet. */
interface HeldReplica {
  readonly replicaId: ReplicaId;
  readonly lock: ExclusiveLock;
}

/**
 * Serves the replica of the branch that is checked out, or waits for the moment when it may. Its methods are called
 * one after the other; `changeInBackground` is how it gets in line itself.
 */
export class FolderServing implements Disposable {
  readonly #options: FolderServingOptions;
  readonly #changed: Emitter<void>;
  readonly #appliedChange: Emitter<AppliedChange>;
  readonly #commitNoticed: Emitter<CommitNotice>;
  readonly #appliedBulk: Emitter<AppliedBulk>;
  readonly #putAside: Emitter<UserProblem>;
  readonly #hindrance: LastingHindrance;
  readonly #branch: CheckedOutBranch;
  /** What belongs to the present start: watches on git and on the replica. */
  #attempt = new DisposableStore();
  #retry: Disposable | undefined;
  #phase: FolderPhase = 'asleep';
  #problem: UserProblem | undefined;
  #loggedReason: string | undefined;
  /** Of the branch that was served before. */
  #carried: ReadonlyMap<string, RevisionHash> | undefined;
  #library: { readonly libraryId: LibraryId; readonly name: string } | undefined;
  /** The replica that is served here, or (attached) by another window. */
  #record: ReplicaRecord | undefined;
  #serving: ServingReplica | undefined;
  /** The replica whose state has called itself damaged. */
  #suspect: ReplicaId | undefined;
  #isDisposed = false;

  constructor(options: FolderServingOptions) {
    const { scheduler, logger } = options.ambient;
    const onError = (error: unknown): void =>
      logger.error('A listener of the folder failed.', { error: String(error) });
    this.#options = options;
    this.#branch = new CheckedOutBranch({ ...options, heartbeatMs: options.settings.heartbeatMs });
    this.#changed = new Emitter<void>(onError);
    this.#appliedChange = new Emitter<AppliedChange>(onError);
    this.#appliedBulk = new Emitter<AppliedBulk>(onError);
    this.#putAside = new Emitter<UserProblem>(onError);
    this.#hindrance = new LastingHindrance(scheduler, () => this.#tellChanged());
    this.#commitNoticed = new Emitter<CommitNotice>(onError);
  }

  get onDidChange(): Event<void> {
    return this.#changed.event;
  }

  get onDidApplyChange(): Event<AppliedChange> {
    return this.#appliedChange.event;
  }

  get onDidNoticeCommit(): Event<CommitNotice> {
    return this.#commitNoticed.event;
  }

  get onDidApplyBulk(): Event<AppliedBulk> {
    return this.#appliedBulk.event;
  }

  get onDidPutAside(): Event<UserProblem> {
    return this.#putAside.event;
  }

  get replica(): Replica | undefined {
    return this.#serving?.replica;
  }

  /** The way to the library; undefined where this window does not serve the folder. */
  get link(): LibraryLink | undefined {
    return this.#serving?.link;
  }

  /** Which one `replica` is. */
  get replicaId(): ReplicaId | undefined {
    return this.#serving === undefined ? undefined : this.#record?.replicaId;
  }

  /** Why something that only a served replica can do is not done. */
  get notServing(): Outcome {
    return this.#phase === 'attached'
      ? notDone('served-elsewhere', 'Another window keeps this folder in step.', 'Do it in that window.')
      : notDone('not-running', 'Keeping in step is not running in this window.', 'Choose "Start".');
  }

  get status(): Omit<FolderStatus, 'hasConsent'> {
    const serving = this.#serving;
    const documents = serving?.replica.documents ?? [];
    const link = serving?.link.status;
    const phase = this.#shownPhase();
    const unjoinedBranch = this.#branch.notJoined;
    return {
      phase,
      ...(this.#library === undefined ? {} : { library: this.#library }),
      ...(link?.role === undefined ? {} : { role: link.role }),
      connection: link?.connection ?? 'connecting',
      isCaughtUp: serving?.replica.isCaughtUp ?? false,
      peerId: this.#options.peerId,
      peers: link?.peers ?? [],
      documents,
      ...(link === undefined ? {} : { lastIndex: link.lastIndex }),
      conflictCount: documents.reduce((sum, document) => sum + document.conflictCount, 0),
      ...(phase === 'observing'
        ? { observing: this.#hindranceWords, ...(unjoinedBranch === undefined ? {} : { unjoinedBranch }) }
        : {}),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  /** What the folder's sources know of its library; another window that serves the folder is no leader to them. */
  async sourceLibrary(): Promise<SourceLibrary> {
    const record = this.#record;
    if (this.#phase === 'starting') return { kind: 'starting' };
    if (record === undefined || (this.#serving === undefined && this.#phase !== 'attached')) return { kind: 'none' };
    const { stateDir, peerId } = this.#options;
    return await servedLibrary({ stateDir, peerId, record, serving: () => this.#serving });
  }

  /** Whether the library has, or had, a file of the folder as a text with this hash. */
  async hasRevision(path: string, hash: RevisionHash): Promise<boolean> {
    const { replica, link } = this.#serving ?? {};
    const docId = replica?.documents.find((document) => document.path === path)?.docId;
    return docId !== undefined && (await link?.fetchRevision(docId, hash)) !== undefined;
  }

  get diagnostics(): FolderDiagnostics {
    return folderDiagnostics(this.status, this.#serving);
  }

  /**
   * Serves what was decided for the branch that is checked out; a failure is shown until the next start.
   * @param signal aborted where that is given up meanwhile.
   */
  async start(signal: AbortSignal): Promise<Outcome> {
    if (await this.#isOfAnotherReplica()) {
      this.#carried = this.#serving?.replica.agreedHashes;
      await this.stop();
    }
    return this.#start(signal, undefined);
  }

  /** A person wants what is checked out now, also in the repositories inside of the folder. */
  async joinInner(): Promise<void> {
    await this.#branch.joinInner();
  }

  async stop(): Promise<void> {
    const serving = this.#serving;
    this.#serving = undefined;
    this.#letGo();
    this.#setPhase('asleep');
    await serving?.close();
  }

  /** Another window came, went or decided something; what was decided has been read again. */
  async follow(signal: AbortSignal): Promise<void> {
    const { replicas } = this.#options.decisions.record;
    const served = this.#record?.replicaId;
    const isWithdrawn = served !== undefined && !replicas.some((replica) => replica.replicaId === served);
    if (isWithdrawn || (replicas.length === 0 && this.#phase !== 'asleep')) await this.stop();
    if (replicas.length === 0) return;
    if (this.#phase === 'asleep') await this.#start(signal, undefined);
    else if (await this.#isOfAnotherReplica()) await this.start(signal);
    else if (this.#phase === 'attached') await this.#tryTakeOver(signal);
  }

  /** Ends the events; `stop` lets go of the replica. */
  dispose(): void {
    this.#isDisposed = true;
    this.#branch.dispose();
    this.#retry?.dispose();
    this.#hindrance.dispose();
    this.#changed.dispose();
    this.#appliedChange.dispose();
    this.#commitNoticed.dispose();
    this.#appliedBulk.dispose();
    this.#putAside.dispose();
  }

  async #start(signal: AbortSignal, held: HeldReplica | undefined): Promise<Outcome> {
    if (this.#serving !== undefined || this.#isDisposed) {
      held?.lock.dispose();
      return this.#serving === undefined ? this.notServing : done;
    }
    this.#letGo();
    try {
      return await this.#startOnBranch(signal, held);
    } catch (error) {
      held?.lock.dispose();
      this.#letGo();
      if (signal.aborted) {
        this.#setPhase('asleep');
        return this.notServing;
      }
      this.#options.ambient.logger.error('The folder could not be served.', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      const problem = servingProblem(error);
      this.#setPhase('failed', problem);
      return { isDone: false, problem };
    }
  }

  async #startOnBranch(signal: AbortSignal, held: HeldReplica | undefined): Promise<Outcome> {
    const { neighbourhood, decisions, stateDir } = this.#options;
    // Before the record is read, so that no decision is missed in between.
    neighbourhood.follow();
    await decisions.read();
    const place = await neighbourhood.place();
    const record = decisions.replicaOn(place.branch);
    const attempt = this.#attempt;
    const guard = attempt.add(await this.#branch.guard(place, record));
    attempt.add(
      guard.onMayHaveChanged(() => this.#options.changeInBackground((signal) => this.#branchMayHaveChanged(signal))),
    );
    if (held !== undefined && held.replicaId !== record?.replicaId) held.lock.dispose();
    if (record === undefined) {
      // Joined on another branch: nothing is served here, but coming back is noticed.
      this.#branch.setNotJoined(place);
      this.#setPhase('observing');
      this.#branch.announce(place);
      return done;
    }
    if (held === undefined) this.#setPhase('starting');
    const { libraryId, name } = await readLibrary(stateDir, record.libraryId);
    this.#library = { libraryId, name };
    this.#record = record;
    const { takeReplicaLock } = await import('./servingReplica.ts');
    const directory = replicaDirectory(stateDir, record.replicaId);
    const person = this.#options.settings.displayName ?? (await readPersonName(place.checkout, process.env));
    const lock = held?.lock.isHeld === true ? held.lock : takeReplicaLock(directory);
    if (lock === undefined) {
      this.#attach();
      return done;
    }
    await this.#serve(record, place, guard, person, lock, signal);
    this.#setPhase('running');
    this.#branch.announce(place);
    return done;
  }

  async #serve(
    record: ReplicaRecord,
    place: Place,
    guard: FolderGuard,
    person: string,
    lock: ExclusiveLock,
    signal: AbortSignal,
  ): Promise<void> {
    const { folder, peerId, neighbourhood, stateDir } = this.#options;
    const attempt = this.#attempt;
    const isStateSuspect = this.#suspect === record.replicaId;
    this.#suspect = undefined;
    const { serveReplica } = await import('./servingReplica.ts');
    const serving = await serveReplica({
      ...this.#options,
      record,
      guard,
      lock,
      signal,
      checkout: place.checkout,
      carried: this.#carried,
      peer: { peerId, ...peerNames(person, basename(folder)) },
      replicaDirectory: replicaDirectory(stateDir, record.replicaId),
      isStateSuspect,
      onStateDamaged: () => {
        this.#suspect = record.replicaId;
        this.#options.changeInBackground((again) => this.#serveAnew(again));
      },
      onPutAside: (problem) => this.#putAside.fire(problem),
      discover: async () => (await neighbourhood.discover()).map((document) => document.file),
      inspect: (file) => this.#options.finder.inspectFile(folder, file),
    });
    this.#serving = serving;
    const changed = (): void => {
      this.#hindrance.update(serving.replica.hindrance, guard.otherBranch !== undefined);
      this.#tellChanged();
    };
    attempt.add(serving.replica.onDidChange(changed));
    attempt.add(serving.link.onDidChangeStatus(() => this.#changed.fire()));
    attempt.add(serving.replica.onDidApplyChange((change) => this.#appliedChange.fire(change)));
    attempt.add(serving.replica.onDidApplyBulk((bulk) => this.#appliedBulk.fire(bulk)));
    this.#hindrance.update(serving.replica.hindrance, guard.otherBranch !== undefined);
    if (place.checkout !== undefined) this.#noticeCommits(serving.replica, place.checkout, guard);
  }

  /** The state is read as a whole before it is relied on again. */
  async #serveAnew(signal: AbortSignal): Promise<void> {
    if (this.#suspect === undefined || this.#phase === 'asleep') return;
    await this.stop();
    await this.#start(signal, undefined);
  }

  #noticeCommits(replica: Replica, checkout: GitCheckout, guard: FolderGuard): void {
    const { folder, gitPath, ambient } = this.#options;
    const notices = new CommitNotices({
      prepared: new PreparedCommits(new GitCommand(checkout.root, gitPath)),
      foreignAuthors: (file, text, after) => replica.foreignAuthors(file, text, after),
      pathOf: (file) => relative(folder, file).split(sep).join('/'),
      isPulling: this.#options.isPulling,
      onMayHaveChanged: guard.onMayHaveChanged,
      logger: ambient.logger,
    });
    this.#attempt.add(notices);
    this.#attempt.add(notices.onDidNotice((notice) => this.#commitNoticed.fire(notice)));
  }

  // ---- attached ----

  #attach(): void {
    this.#setPhase('attached');
    this.#retryLater();
  }

  #retryLater(): void {
    this.#retry?.dispose();
    const { ambient, settings } = this.#options;
    // Who leaves in order says so; for one that was killed, an idle window wakes no more often than it does anyway.
    this.#retry = ambient.scheduler.after(settings.heartbeatMs, () =>
      this.#options.changeInBackground((signal) => this.#tryTakeOver(signal)),
    );
  }

  /** Serves the replica if the window that did is gone; else nothing changes. */
  async #tryTakeOver(signal: AbortSignal): Promise<void> {
    const record = this.#record;
    if (this.#phase !== 'attached' || record === undefined || this.#isDisposed) return;
    this.#retryLater();
    const { takeReplicaLock } = await import('./servingReplica.ts');
    const lock = takeReplicaLock(replicaDirectory(this.#options.stateDir, record.replicaId));
    if (lock === undefined) return;
    await this.#start(signal, { replicaId: record.replicaId, lock });
    // Whoever served it has left for good.
    if (!this.#options.decisions.hasConsent) await this.stop();
  }

  /** Another branch that has joined is another replica. */
  async #branchMayHaveChanged(signal: AbortSignal): Promise<void> {
    if (this.#isDisposed || this.#phase === 'asleep') return;
    const place = await this.#options.neighbourhood.place();
    if (await this.#isOfAnotherReplica()) {
      await this.start(signal);
      return;
    }
    if (this.#serving === undefined && this.#record === undefined) {
      this.#branch.setNotJoined(place);
      this.#changed.fire();
    }
    this.#branch.announceIfNew(place);
  }

  /** Whether the branch that is checked out has joined, and not with the replica that is served or shown here. */
  async #isOfAnotherReplica(): Promise<boolean> {
    const { branch } = await this.#options.neighbourhood.place();
    const replica = this.#options.decisions.replicaOn(branch);
    return this.#phase !== 'asleep' && replica !== undefined && replica.branch !== this.#record?.branch;
  }

  // ---- status ----

  /** Why nothing is sent or written while that lasts. */
  get #hindranceWords(): string {
    return this.#serving?.replica.hindrance ?? this.#branch.notJoinedWords ?? 'git is at work';
  }

  #tellChanged(): void {
    // Not by the whole status, which asks each of some thousand documents.
    const observing = this.#shownPhase() === 'observing' ? this.#hindranceWords : undefined;
    if (observing !== this.#loggedReason) {
      const { logger } = this.#options.ambient;
      if (observing === undefined) logger.info('Changes are sent and written again.');
      else logger.info('Nothing is sent or written for now.', { reason: observing });
      this.#loggedReason = observing;
    }
    this.#changed.fire();
  }

  #shownPhase(): FolderPhase {
    const replica = this.#serving?.replica;
    if (this.#phase !== 'running' || replica === undefined) return this.#phase;
    if (replica.isPaused) return 'paused';
    return this.#hindrance.isLasting ? 'observing' : 'running';
  }

  #letGo(): void {
    this.#retry?.dispose();
    this.#retry = undefined;
    this.#attempt.dispose();
    this.#attempt = new DisposableStore();
    this.#hindrance.update(undefined, false);
    this.#branch.letGo();
    this.#record = undefined;
  }

  #setPhase(phase: FolderPhase, problem?: UserProblem): void {
    this.#phase = phase;
    this.#problem = problem;
    this.#changed.fire();
  }
}

const done: Outcome = { isDone: true };
