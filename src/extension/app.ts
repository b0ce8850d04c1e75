import { realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import { detectOpenApi } from '../core/openapi/detectOpenApi.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import { createDiskFiles } from '../node/files/diskFiles.ts';
import type { AppliedChange, FolderSession, PeerSettings, UserProblem } from '../peer/folderSession.ts';
import type { ExtensionApi } from './api.ts';
import { BulkNotices } from './bulkNotices.ts';
import { contextKeys } from './commandTable.ts';
import type { ContextKey } from './commandTable.ts';
import { registerCommands } from './commands.ts';
import { showCommitNotice } from './commitNotice.ts';
import { ConflictCenter } from './conflictCenter.ts';
import { Consent } from './consent.ts';
import { contextKeyValues, type SourceFacts } from './contextKeys.ts';
import type { Environment } from './diagnosticsText.ts';
import { EditorFiles } from './editorFiles.ts';
import { behindQuestion, FileQuestion, type FolderLook, misnamedQuestion, missingQuestion } from './fileQuestion.ts';
import type { Folder, OpenFolder } from './folderSessions.ts';
import { FolderSessions } from './folderSessions.ts';
import { FolderPaths } from './folderPaths.ts';
import { watchFolder } from './folderWatcher.ts';
import { gitPath } from './gitExtension.ts';
import { HistoryView } from './historyView.ts';
import { loadPeer } from './loadPeer.ts';
import { FormattingNotice } from './formattingNotice.ts';
import { createChannelLogger } from './logChannel.ts';
import { MergeDriverSetup } from './mergeDriverSetup.ts';
import { problems } from './problems.ts';
import { ReferenceProblems } from './referenceProblems.ts';
import { affectsSettings, autoStartRule, readSettings } from './readSettings.ts';
import { appliedSentence, deletedSentence } from './sentences.ts';
import { LiveSources } from './sources/liveSources.ts';
import { toPeerSettings } from './settings.ts';
import { statusActions, statusReason } from './statusActions.ts';
import type { StatusBar } from './statusBar.ts';
import { createStatusBar } from './statusBar.ts';
import type { FolderView, StatusBarInput, StatusBarView } from './statusBarModel.ts';
import { statusBarView } from './statusBarModel.ts';
import type { UserMessages } from './userMessages.ts';
import { createUserMessages } from './userMessages.ts';

/** Statuses come in bursts (a bulk of 300 documents); what a person sees follows at most this often. */
const REFRESH_DELAY_MS = 40;
/** How long a note about a peer's change stays in the status bar. */
const APPLIED_NOTE_MS = 5000;
/** An API description says so near its beginning; longer texts are not searched while somebody only looks around. */
const DETECTION_LENGTH = 20_000;

function describeEnvironment({ extension }: vscode.ExtensionContext): Environment {
  const { version } = extension.packageJSON as { readonly version: string };
  return {
    extension: version,
    editor: `${vscode.env.appHost} ${vscode.version}`,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    remote: vscode.env.remoteName,
    isTrusted: vscode.workspace.isTrusted,
  };
}

/** Everything of one window, put together: the composition root of the extension's process. */
export class App implements Disposable {
  readonly #store = new DisposableStore();
  readonly #logger: Logger;
  readonly #messages: UserMessages;
  readonly #sessions: FolderSessions;
  readonly #statusBar: StatusBar;
  readonly #conflicts: ConflictCenter;
  readonly #history: HistoryView;
  readonly #references: ReferenceProblems;
  readonly #fileQuestions: readonly FileQuestion[];
  readonly #bulkNotices: BulkNotices;
  readonly #formatting: FormattingNotice;
  readonly #consent: Consent;
  readonly #liveSources: LiveSources;
  readonly #context: vscode.ExtensionContext;
  readonly #contextValues = new Map<ContextKey, boolean>();
  #problem: UserProblem | undefined;
  #peerSettings = '';
  #isReady = false;
  #ready: Promise<void> = Promise.resolve();
  readonly #mergeDriver: MergeDriverSetup;
  #refreshTimer: NodeJS.Timeout | undefined;

  constructor(context: vscode.ExtensionContext) {
    this.#context = context;
    const channel = this.#store.add(vscode.window.createOutputChannel('API Live Sync', { log: true }));
    this.#logger = createChannelLogger(channel);
    this.#messages = createUserMessages(this.#logger);
    this.#statusBar = this.#store.add(createStatusBar());
    this.#sessions = this.#store.add(this.#createSessions());
    this.#liveSources = this.#store.add(
      new LiveSources({
        context,
        sessions: this.#sessions,
        folders: () => this.#openFoldersForCommand(),
        logger: this.#logger,
        onDidChange: () => this.#refreshSoon(),
      }),
    );
    this.#consent = this.#store.add(
      new Consent(this.#sessions, this.#messages, this.#logger, () => this.#refreshSoon()),
    );
    this.#history = this.#store.add(new HistoryView({ folders: () => this.#sessions.folders, logger: this.#logger }));
    this.#references = this.#store.add(
      new ReferenceProblems(() => this.#sessions.folders, context.workspaceState, this.#logger),
    );
    this.#conflicts = this.#store.add(
      new ConflictCenter({
        context,
        folders: () => this.#sessions.folders,
        isReady: () => this.#isReady && !this.#sessions.folders.some((folder) => this.#consent.isStarting(folder)),
        logger: this.#logger,
        onDidChangeVisibility: () => this.#refreshSoon(),
      }),
    );
    this.#bulkNotices = this.#store.add(new BulkNotices(this.#messages, this.#logger));
    this.#fileQuestions = [behindQuestion, missingQuestion, misnamedQuestion].map((question) =>
      this.#store.add(new FileQuestion(question, this.#messages, this.#logger)),
    );
    this.#formatting = new FormattingNotice(context.workspaceState, this.#logger);
    this.#mergeDriver = new MergeDriverSetup(context.extensionUri);
    this.#store.add(
      registerCommands({
        folders: () => this.#openFoldersForCommand(),
        editorPath: (file) => this.#editorPath(file),
        statusActions: () => statusActions(this.#statusInput(this.#look())),
        statusReason: () => statusReason(this.#statusInput(this.#look())),
        showConflicts: (key) => this.#conflicts.show(key),
        history: this.#history,
        askForAiKey: () => this.#conflicts.askForAiKey(),
        decideAbout: (file) => {
          for (const question of this.#fileQuestions) question.askAgain(this.#look(), file);
        },
        showLog: () => channel.show(),
        sources: this.#liveSources.handlers,
        openSessions: () => this.#sessionList(),
        environment: describeEnvironment(context),
        setUpMergeDriver: () => this.#mergeDriver.run(),
        messages: this.#messages,
        logger: this.#logger,
      }),
    );
    this.#store.add(this.#sessions.onDidOpen((folder) => this.#folderOpened(folder)));
    this.#store.add(this.#sessions.onDidChange(() => this.#refreshSoon()));
    this.#store.add(vscode.window.onDidChangeActiveTextEditor(() => this.#refreshSoon()));
    this.#store.add({ dispose: () => clearTimeout(this.#refreshTimer) });
    this.#followWorkspace();
  }

  /** Resolves when all locks and files are let go of; meaningful after `dispose`. */
  get closed(): Promise<void> {
    return this.#sessions.closed;
  }

  api(activationMs: number): ExtensionApi {
    return {
      activationMs,
      hasLoadedPeer: () => this.#sessions.hasLoadedPeer,
      ready: () => this.#ready,
      sessions: () => this.#sessionList(),
      sources: () => this.#sessionList().map(({ sources }) => sources),
      statusBar: () => this.#statusView(),
    };
  }

  /** Goes on after `activate` has returned: opens the folders that may be opened by themselves. */
  startUp(activationMs: number): void {
    this.#logger.info('Activated.', {
      milliseconds: Math.round(activationMs * 10) / 10,
      trusted: vscode.workspace.isTrusted,
    });
    const { warnings } = readSettings();
    for (const warning of warnings) void vscode.window.showWarningMessage(warning);
    this.#ready = this.#startWhatMay();
    this.#mergeDriver.refresh().catch((error: unknown) => {
      // git still merges by lines then; the command mends it.
      this.#logger.warn('The git merge driver could not be brought up to date.', { error: String(error) });
    });
  }

  dispose(): void {
    this.#store.dispose();
  }

  async #startWhatMay(): Promise<void> {
    try {
      const folders = workspaceFolders().filter((folder) => autoStartRule(folder.path).autoStart !== 'off');
      if (vscode.workspace.isTrusted && folders.length > 0) await this.#open(folders);
    } catch (error) {
      this.#logger.error('Starting failed.', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      this.#problem = problems.peerNotLoaded();
    } finally {
      this.#isReady = true;
      this.#refreshSoon();
    }
  }

  /** Opens sessions, if this editor can have any. */
  async #open(folders: readonly Folder[]): Promise<void> {
    // Asking does not load it: before somebody said yes, SQLite stays out of the process.
    if (!isBuiltin('node:sqlite')) {
      const isNews = this.#problem === undefined;
      this.#problem = problems.sqliteMissing(process.versions.node);
      if (isNews) this.#messages.showProblem(this.#problem);
      return;
    }
    await this.#sessions.setFolders(folders);
  }

  async #openFoldersForCommand(): Promise<readonly OpenFolder[] | string> {
    if (!vscode.workspace.isTrusted) {
      return 'This folder is not trusted, so nothing is sent or written. Trust it first (Workspaces: Manage Workspace Trust).';
    }
    await this.#ready;
    await this.#open(workspaceFolders());
    if (this.#problem !== undefined)
      return [this.#problem.message, this.#problem.remedy].filter((part) => part !== undefined).join(' ');
    return this.#sessions.folders;
  }

  #createSessions(): FolderSessions {
    return new FolderSessions({
      loadPeer,
      peerOptions: () => ({
        logger: this.#logger,
        settings: this.#takePeerSettings(),
        gitPath,
        readSecret: (origin, name) => this.#liveSources.readSecret(origin, name),
        workers: {
          log: this.#bundle('logWorker'),
          replica: this.#bundle('replicaWorker'),
          documents: this.#bundle('documentWorker'),
        },
      }),
      createFiles: (folder) => {
        const { ignore } = readSettings().settings;
        const paths = folderPaths(folder.path);
        const disk = createDiskFiles({ folder: paths.realFolder, ignore, logger: this.#logger });
        return new EditorFiles({ paths, disk, ignore, logger: this.#logger });
      },
      logger: this.#logger,
      onProblem: (problem) => this.#messages.showProblem(problem),
    });
  }

  #takePeerSettings(): PeerSettings {
    const settings = toPeerSettings(readSettings().settings);
    this.#peerSettings = JSON.stringify(settings);
    return settings;
  }

  #editorPath(file: string): string {
    const names = this.#sessions.folders.map(({ path, session }) =>
      new FolderPaths(path, session.folder).toEditor(file),
    );
    return names.find((name) => name !== file) ?? file;
  }

  #bundle(name: string): string {
    return vscode.Uri.joinPath(this.#context.extensionUri, 'dist', `${name}.cjs`).fsPath;
  }

  #followWorkspace(): void {
    this.#store.add(
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        this.#ready = this.#ready.then(() => this.#startWhatMay());
      }),
    );
    this.#store.add(
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        this.#ready = this.#ready.then(() => this.#startWhatMay());
      }),
    );
    this.#store.add(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (!affectsSettings(event)) return;
        const { warnings } = readSettings();
        for (const warning of warnings) void vscode.window.showWarningMessage(warning);
        if (!this.#sessions.hasLoadedPeer || !this.#hasNewPeerSettings()) return;
        this.#ready = this.#ready.then(() => this.#restart());
      }),
    );
  }

  /** Compared with what the running peer was made with: `autoStart` alone is no reason to start anew. */
  #hasNewPeerSettings(): boolean {
    const now = JSON.stringify(toPeerSettings(readSettings().settings));
    return now !== this.#peerSettings;
  }

  async #restart(): Promise<void> {
    this.#isReady = false;
    try {
      await this.#sessions.restart();
    } catch (error) {
      this.#logger.error('Starting again with new settings failed.', { error: String(error) });
      this.#messages.showProblem(problems.peerNotLoaded());
    } finally {
      this.#isReady = true;
      this.#refreshSoon();
    }
  }

  #folderOpened(folder: OpenFolder): void {
    const { session } = folder;
    this.#store.add(watchFolder(folder, this.#sessions));
    this.#store.add(
      session.onDidApplyChange((change) => {
        // A file that went away is said in any case: the notice is also how it comes back.
        if (change.isDeletion) this.#offerBringBack(session, change);
        if (!readSettings().settings.noticeChanges) return;
        vscode.window.setStatusBarMessage(`$(arrow-down) ${appliedSentence(change)}`, APPLIED_NOTE_MS);
      }),
    );
    this.#store.add(
      session.onDidNoticeCommit((notice) => {
        if (readSettings().settings.noticeCommits) showCommitNotice(notice, this.#logger);
      }),
    );
    this.#store.add(session.onDidPutAside((problem) => this.#messages.showProblem(problem)));
    // Said in any case: the notice is also how the changes are taken back.
    this.#store.add(session.onDidApplyBulk((bulk) => this.#bulkNotices.tell(folder, bulk)));
  }

  /** A file that others deleted can come back in one step (I12). */
  #offerBringBack(session: FolderSession, change: AppliedChange): void {
    vscode.window.showInformationMessage(deletedSentence(change), 'Bring Back for Everybody').then(
      async (label) => {
        if (label !== undefined && !this.#store.isDisposed)
          this.#messages.report(await session.bringBack(change.docId));
      },
      (error: unknown) => this.#logger.error('Bringing a file back failed.', { error: String(error) }),
    );
  }

  #refreshSoon(): void {
    this.#refreshTimer ??= setTimeout(() => {
      this.#refreshTimer = undefined;
      this.#refresh();
    }, REFRESH_DELAY_MS);
  }

  #refresh(): void {
    const folders = this.#look();
    this.#statusBar.show(statusBarView(this.#statusInput(folders)));
    this.#conflicts.refresh();
    this.#references.refresh();
    this.#history.refresh();
    for (const question of this.#fileQuestions) question.update(folders);
    this.#formatting.update(folders);
    const values = contextKeyValues(this.#isReady, folders, this.#sourceFacts());
    for (const key of Object.values(contextKeys)) {
      const value = values.get(key) ?? false;
      if (this.#contextValues.get(key) === value) continue;
      this.#contextValues.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }

  #sourceFacts(): SourceFacts {
    const all = this.#sessionList().map(({ sources }) => ({
      isPaused: sources.isPaused,
      count: sources.getAllSourceStatuses().length,
    }));
    const countOf = (isPaused: boolean): number =>
      all.reduce((sum, one) => sum + (one.isPaused === isPaused ? one.count : 0), 0);
    return {
      runningCount: countOf(false),
      pausedCount: countOf(true),
      toAllowCount: this.#liveSources.waitingCount,
    };
  }

  #sessionList(): readonly FolderSession[] {
    return this.#sessions.folders.map(({ session }) => session);
  }

  /** What the folders are doing now. A status lists all documents of its folder: it is read once for all who show it. */
  #look(): readonly (FolderView & FolderLook)[] {
    return this.#sessions.folders.map((folder) => ({
      session: folder.session,
      folderName: folder.name,
      status: folder.session.status,
      canUndoResolution: folder.session.canUndoResolution,
      hasOffer: this.#consent.hasOffer(folder),
    }));
  }

  #statusInput(folders: readonly FolderView[]): StatusBarInput {
    return {
      isTrusted: vscode.workspace.isTrusted,
      hasFolder: workspaceFolders().length > 0,
      folders,
      isApiInView: isApiInView(),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  #statusView(): StatusBarView | undefined {
    return statusBarView(this.#statusInput(this.#look()));
  }
}

function folderPaths(folder: string): FolderPaths {
  return new FolderPaths(folder, realpathSync.native(folder));
}

function workspaceFolders(): readonly Folder[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter((folder) => folder.uri.scheme === 'file')
    .map((folder) => ({ path: folder.uri.fsPath, name: folder.name }));
}

function isApiInView(): boolean {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.uri.scheme !== 'file' || !['yaml', 'json', 'jsonc'].includes(document.languageId)) return false;
  return detectOpenApi(document.getText().slice(0, DETECTION_LENGTH)) !== undefined;
}
