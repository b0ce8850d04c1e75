import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { FolderSession, HeldConflict, Outcome } from '../peer/folderSession.ts';
import type { Decision, HostToPanel, PanelToHost } from '../protocol/conflictPanel.ts';
import { readPanelToHost } from '../protocol/conflictPanel.ts';
import { conflictPanelViewType } from './commandTable.ts';
import { ConflictDocuments } from './conflictDocuments.ts';
import { conflictPanelHtml } from './conflictPanelHtml.ts';
import { conflictFingerprint, conflictKey, emptyText, readConflictKey, toConflictViews } from './conflictViewModel.ts';
import { FolderPaths } from './folderPaths.ts';
import type { OpenFolder } from './folderSessions.ts';
import { problemSentence } from './problems.ts';
import { count } from './words.ts';

export interface ConflictPanelOptions {
  readonly extensionUri: vscode.Uri;
  readonly folders: () => readonly OpenFolder[];
  /** False until the folders were opened for the first time. */
  readonly isReady: () => boolean;
  readonly logger: Logger;
  readonly onDidChangeVisibility: () => void;
}

interface FoundConflict {
  readonly session: FolderSession;
  readonly held: HeldConflict;
  readonly paths: FolderPaths;
}

const title = 'API Conflicts';
/** Longer than a merge of the largest documents takes. */
const MERGE_PATIENCE_MS = 5000;

/** The one conflict panel of a window. Opening it changes nothing; it shows what is held and settles what is applied. */
export class ConflictPanel implements Disposable {
  readonly #options: ConflictPanelOptions;
  readonly #store = new DisposableStore();
  readonly #documents: ConflictDocuments;
  #panel: vscode.WebviewPanel | undefined;
  #panelStore = new DisposableStore();
  /** The state that the panel's page has. */
  #sent = '';

  constructor(options: ConflictPanelOptions) {
    this.#options = options;
    this.#documents = this.#store.add(new ConflictDocuments((key) => this.#find(key)?.held));
    this.#store.add(
      vscode.window.registerWebviewPanelSerializer(conflictPanelViewType, {
        deserializeWebviewPanel: (panel) => {
          this.#adopt(panel);
          return Promise.resolve();
        },
      }),
    );
  }

  get isVisible(): boolean {
    return this.#panel?.visible === true;
  }

  /** Opens the panel, or brings it to the front. */
  show(): void {
    if (this.#panel !== undefined) {
      this.#panel.reveal();
      return;
    }
    this.#adopt(vscode.window.createWebviewPanel(conflictPanelViewType, title, vscode.ViewColumn.Active));
  }

  /** What is held changed. */
  refresh(): void {
    this.#documents.refresh();
    this.#sendState();
  }

  dispose(): void {
    this.#panel?.dispose();
    this.#panelStore.dispose();
    this.#store.dispose();
  }

  #adopt(panel: vscode.WebviewPanel): void {
    this.#panel?.dispose();
    this.#panelStore.dispose();
    this.#panel = panel;
    const store = new DisposableStore();
    this.#panelStore = store;
    const { extensionUri } = this.#options;
    const roots = [vscode.Uri.joinPath(extensionUri, 'dist', 'webview'), vscode.Uri.joinPath(extensionUri, 'media')];
    panel.webview.options = { enableScripts: true, localResourceRoots: roots };
    store.add(
      panel.webview.onDidReceiveMessage((raw: unknown) => {
        const message = readPanelToHost(raw);
        if (message === undefined)
          this.#options.logger.warn('The conflict panel sent something that is no message of its.');
        else void this.#handle(message).catch((error: unknown) => this.#failed(error));
      }),
    );
    store.add(panel.onDidChangeViewState(() => this.#options.onDidChangeVisibility()));
    store.add(
      panel.onDidDispose(() => {
        if (this.#panel !== panel) return;
        this.#panel = undefined;
        store.dispose();
        this.#options.onDidChangeVisibility();
      }),
    );
    panel.webview.html = this.#html(panel.webview);
  }

  #html(webview: vscode.Webview): string {
    const address = (...path: string[]): string =>
      webview.asWebviewUri(vscode.Uri.joinPath(this.#options.extensionUri, ...path)).toString();
    return conflictPanelHtml({
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString('base64url'),
      script: address('dist', 'webview', 'conflictPanel.js'),
      stylesheet: address('media', 'conflictPanel.css'),
      codicons: address('dist', 'webview', 'codicon.css'),
    });
  }

  async #handle(message: PanelToHost): Promise<void> {
    switch (message.type) {
      case 'ready':
        this.#sent = '';
        this.#sendState();
        break;
      case 'apply':
        await this.#answer(this.#apply(message.decisions));
        break;
      case 'undo':
        await this.#answer(this.#undo());
        break;
      case 'openDiff':
        await this.#documents.openDiff(message.key);
        break;
      case 'openFile':
        await this.#openFile(message.key);
        break;
    }
  }

  /** The new state first, so that the answer is about what is shown. */
  async #answer(work: Promise<HostToPanel>): Promise<void> {
    const outcome = await work;
    this.#sendState();
    this.#post(outcome);
  }

  async #apply(decisions: readonly Decision[]): Promise<HostToPanel> {
    let appliedCount = 0;
    const refusals: string[] = [];
    for (const decision of decisions) {
      const found = await this.#findWhenMerged(decision.key);
      if (found === undefined) continue; // Settled meanwhile, by somebody else or by equal edits.
      if (conflictFingerprint(found.held) !== decision.fingerprint) {
        refusals.push(`${found.held.conflict.label} has changed meanwhile. Look at it again.`);
        continue;
      }
      const outcome = await this.#resolve(found.session, found.held, decision);
      if (outcome.isDone) appliedCount++;
      else refusals.push(problemSentence(outcome.problem));
    }
    const [refusal] = refusals;
    if (refusal !== undefined) return { type: 'outcome', isDone: false, sentence: refusal };
    const sentence = appliedCount === 0 ? 'It was settled meanwhile.' : `${count(appliedCount, 'conflict')} settled.`;
    return { type: 'outcome', isDone: true, sentence };
  }

  async #resolve(session: FolderSession, held: HeldConflict, decision: Decision): Promise<Outcome> {
    try {
      return await session.resolveConflict(held.docId, held.conflict.id, decision.choice);
    } finally {
      this.#options.logger.info('A conflict was decided.', { choice: decision.choice, document: held.path });
    }
  }

  async #undo(): Promise<HostToPanel> {
    const folder = this.#options.folders().find(({ session }) => session.canUndoResolution);
    if (folder === undefined) return { type: 'outcome', isDone: false, sentence: 'There is no choice to take back.' };
    const outcome = await folder.session.undoResolution();
    return outcome.isDone
      ? { type: 'outcome', isDone: true, sentence: 'The last choice was taken back.' }
      : { type: 'outcome', isDone: false, sentence: problemSentence(outcome.problem) };
  }

  async #openFile(key: string): Promise<void> {
    const found = this.#find(key);
    if (found === undefined) return;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(found.paths.toEditor(found.held.file)));
    const editor = await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preview: true,
    });
    const piece = found.held.conflict.ours;
    if (piece === undefined) return;
    const range = rangeOf(document, piece.start, piece.end);
    const { firstNonWhitespaceCharacterIndex } = document.lineAt(range.start.line);
    const start = range.start.with({ character: Math.max(range.start.character, firstNonWhitespaceCharacterIndex) });
    editor.selection = new vscode.Selection(start, start);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  #sendState(): void {
    if (this.#panel === undefined) return;
    const folders = this.#options.folders();
    const views = toConflictViews(
      folders.map(({ path, name, session }) => ({ folder: path, folderName: name, conflicts: session.conflicts })),
    );
    this.#panel.title = views.length === 0 ? title : `${title} (${views.length})`;
    const state: HostToPanel = {
      type: 'state',
      isReady: this.#options.isReady(),
      emptyText: emptyText(folders.map(({ session }) => session.status.phase)),
      canUndo: folders.some(({ session }) => session.canUndoResolution),
      conflicts: views,
    };
    // Statuses change with every save; the panel is sent only what is news to it.
    const key = JSON.stringify(state);
    if (key === this.#sent) return;
    this.#sent = key;
    this.#post(state);
  }

  #post(message: HostToPanel): void {
    // A panel that is hidden has no page; it asks again when it has one.
    void this.#panel?.webview.postMessage(message);
  }

  #find(key: string): FoundConflict | undefined {
    for (const { path, session } of this.#options.folders()) {
      const held = session.conflicts.find((one) => conflictKey(path, one) === key);
      if (held !== undefined) return { session, held, paths: new FolderPaths(path, session.folder) };
    }
    return undefined;
  }

  /** While a document is merged anew (each decision does that), its conflicts may not be there for a moment. */
  async #findWhenMerged(key: string): Promise<FoundConflict | undefined> {
    const found = this.#find(key);
    const place = readConflictKey(key);
    const session = this.#options.folders().find((folder) => folder.path === place?.folder)?.session;
    if (found !== undefined || place === undefined || session === undefined) return found;
    await untilMerged(session, place.docId);
    return this.#find(key);
  }

  #failed(error: unknown): void {
    this.#options.logger.error('The conflict panel failed.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#post({ type: 'outcome', isDone: false, sentence: 'That did not work. The log says more.' });
  }
}

/** Resolves when the document is not on its way to anything any more, or after a while in any case. */
async function untilMerged(session: FolderSession, docId: string): Promise<void> {
  const isMerging = (): boolean =>
    session.status.documents.some((document) => document.docId === docId && document.state === 'syncing');
  if (!isMerging()) return;
  const store = new DisposableStore();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, MERGE_PATIENCE_MS);
    store.add({ dispose: () => clearTimeout(timer) });
    store.add(session.onDidChangeStatus(() => (isMerging() ? undefined : resolve())));
  });
  store.dispose();
}

/** Pieces are measured in the revision, with LF: in a buffer with CRLF each line before counts one more. */
function rangeOf(document: vscode.TextDocument, start: number, end: number): vscode.Range {
  if (document.eol === vscode.EndOfLine.LF)
    return new vscode.Range(document.positionAt(start), document.positionAt(end));
  const text = document.getText().replaceAll('\r\n', '\n');
  const position = (offset: number): vscode.Position => {
    const before = text.slice(0, offset).split('\n');
    return new vscode.Position(before.length - 1, before.at(-1)?.length ?? 0);
  };
  return new vscode.Range(position(start), position(end));
}
