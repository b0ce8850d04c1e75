import type { AdviceContext } from '../../../src/core/advice/adviceContext.ts';
import { Emitter } from '../../../src/core/event.ts';
import type { DocId, LibraryId, PeerId } from '../../../src/core/ids.ts';
import type { MergeConflict } from '../../../src/core/merge/types.ts';
import type { DocumentHistory } from '../../../src/peer/documentHistory.ts';
import type {
  AppliedBulk,
  AppliedChange,
  BrokenReference,
  CommitNotice,
  DocumentState,
  DocumentStatus,
  FolderDiagnostics,
  FolderSession,
  FolderStatus,
  HeldConflict,
  JoinOffer,
  Outcome,
  PullResult,
  ResolutionPreview,
  Resolutions,
  UserProblem,
} from '../../../src/peer/folderSession.ts';
import { FakeSources } from './fakeSources.ts';

const done: Outcome = { isDone: true };

/** A folder's session that does what a test tells it to, and notes what it was asked to do. */
export class FakeSession implements FolderSession {
  readonly folder: string;
  readonly calls: string[] = [];
  readonly #status = new Emitter<FolderStatus>(rethrow);
  readonly #conflictsEmitter = new Emitter<readonly HeldConflict[]>(rethrow);
  readonly #applied = new Emitter<AppliedChange>(rethrow);
  readonly onDidChangeStatus = this.#status.event;
  readonly onDidChangeConflicts = this.#conflictsEmitter.event;
  readonly onDidApplyChange = this.#applied.event;
  readonly #commits = new Emitter<CommitNotice>(rethrow);
  readonly onDidNoticeCommit = this.#commits.event;
  readonly #appliedBulk = new Emitter<AppliedBulk>(rethrow);
  readonly onDidApplyBulk = this.#appliedBulk.event;
  readonly #putAside = new Emitter<UserProblem>(rethrow);
  readonly onDidPutAside = this.#putAside.event;
  status: FolderStatus = folderStatus({});
  conflicts: readonly HeldConflict[] = [];
  brokenReferences: readonly BrokenReference[] = [];
  canUndoResolution = false;
  diagnostics: FolderDiagnostics = {
    phase: 'asleep',
    connection: 'connecting',
    isHindered: false,
    peerCount: 0,
    conflictCount: 0,
    documents: [],
  };
  readonly sources = new FakeSources();
  readonly history: DocumentHistory = {
    entries: () => Promise.resolve([]),
    textOf: () => Promise.resolve(undefined),
    changedPlaces: () => Promise.resolve(undefined),
    restoreElement: () => Promise.resolve(undefined),
    splices: () => Promise.resolve([]),
    expect: (docId) => this.calls.push(`expect ${docId}`),
  };
  isDisposed = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  setStatus(status: Partial<FolderStatus>): void {
    this.status = { ...this.status, ...status };
    this.#status.fire(this.status);
  }

  findDocuments(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
  findOffer(): Promise<JoinOffer | undefined> {
    return Promise.resolve(undefined);
  }
  listLibraries(): Promise<readonly []> {
    return Promise.resolve([]);
  }
  keepInStep(): Promise<Outcome> {
    return this.#note('keepInStep');
  }
  async neverHere(): Promise<void> {
    await this.#note('neverHere');
  }
  join(): Promise<Outcome> {
    return this.#note('join');
  }
  leave(): Promise<Outcome> {
    return this.#note('leave');
  }
  forgetLibrary(): Promise<Outcome> {
    return this.#note('forgetLibrary');
  }
  start(): Promise<Outcome> {
    return this.#note('start');
  }
  async stop(): Promise<void> {
    await this.#note('stop');
  }
  async pause(): Promise<void> {
    await this.#note('pause');
  }
  async resume(): Promise<void> {
    await this.#note('resume');
  }
  syncNow(): Promise<Outcome> {
    return this.#note('syncNow');
  }
  resolveConflicts(docId: DocId, resolutions: Resolutions): Promise<Outcome> {
    return this.#note(`resolve ${docId} ${[...resolutions].map(([id, { choice }]) => `${id} ${choice}`).join(', ')}`);
  }
  checkResolutions(): Promise<ResolutionPreview | undefined> {
    return Promise.resolve(undefined);
  }
  adviceContext(): Promise<AdviceContext | undefined> {
    return Promise.resolve(undefined);
  }
  takeBackBulk(): Promise<Outcome> {
    return this.#note('takeBackBulk');
  }

  undoResolution(): Promise<Outcome> {
    return this.#note('undoResolution');
  }
  mergeNow(file: string): Promise<Outcome> {
    return this.#note(`mergeNow ${file}`);
  }
  leaveBehind(file: string, choice: 'bringBack' | 'keepMine'): Promise<Outcome> {
    return this.#note(`leaveBehind ${file} ${choice}`);
  }
  bringBack(docId: string): Promise<Outcome> {
    return this.#note(`bringBack ${docId}`);
  }
  fileRenamed(from: string, to: string): void {
    this.calls.push(`fileRenamed ${from} ${to}`);
  }
  async pullSyncedChanges(): Promise<PullResult> {
    await this.#note('pullSyncedChanges');
    return { isDone: true, commitCount: 0, held: [], changedSince: [] };
  }
  canMoveTo(): Promise<boolean> {
    return Promise.resolve(false);
  }
  fileAppeared(file: string): void {
    this.calls.push(`fileAppeared ${file}`);
  }
  dispose(): void {
    this.isDisposed = true;
  }

  #note(call: string): Promise<Outcome> {
    this.calls.push(call);
    return Promise.resolve(done);
  }
}

export function folderStatus(status: Partial<FolderStatus>): FolderStatus {
  return {
    phase: 'asleep',
    hasConsent: false,
    connection: 'connected',
    isCaughtUp: true,
    peerId: 'peer-own' as PeerId,
    peers: [],
    documents: [],
    conflictCount: 0,
    ...status,
  };
}

export function documentStatus(path: string, state: DocumentState, more: Partial<DocumentStatus> = {}): DocumentStatus {
  return {
    docId: `doc-${path}` as DocId,
    file: `/work/petstore/${path}`,
    path,
    state,
    conflictCount: 0,
    waitingFor: [],
    ...more,
  };
}

export function peer(name: string, folderName = 'backend'): FolderStatus['peers'][number] {
  return { peerId: `peer-${name}` as PeerId, name, folderName };
}

export function heldConflict(conflict: Partial<MergeConflict>, more: Partial<HeldConflict> = {}): HeldConflict {
  return {
    docId: 'doc' as DocId,
    file: '/work/petstore/openapi.yaml',
    path: 'openapi.yaml',
    theirsName: 'alice',
    theirsAt: 1000,
    conflict: {
      id: 'conflict',
      kind: 'edit-edit',
      pointer: '/paths/~1pets/get/summary',
      label: 'GET /pets · summary',
      base: { text: 'base', start: 0, end: 4 },
      ours: { text: 'ours', start: 0, end: 4 },
      theirs: { text: 'theirs', start: 0, end: 6 },
      canTakeBoth: false,
      ...conflict,
    },
    ...more,
  };
}

export const libraryId = 'library' as LibraryId;

function rethrow(error: unknown): void {
  throw error;
}
