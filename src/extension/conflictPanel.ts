import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { Decision, HostToPanel, PanelToHost } from '../protocol/conflictPanel.ts';
import { readPanelToHost } from '../protocol/conflictPanel.ts';
import { conflictPanelViewType } from './commandTable.ts';
import type { ActionOutcome, ConflictActions } from './conflictActions.ts';
import type { ConflictDocuments } from './conflictDocuments.ts';
import type { ConflictDrafts } from './conflictDrafts.ts';
import type { ConflictFinder } from './conflictFinder.ts';
import { openAtConflict } from './conflictPlace.ts';
import type { ConflictProposals } from './conflictProposals.ts';
import { conflictPanelHtml } from './conflictPanelHtml.ts';
import { emptyText, toConflictViews } from './conflictViewModel.ts';

export interface ConflictPanelOptions {
  readonly extensionUri: vscode.Uri;
  readonly finder: ConflictFinder;
  readonly actions: ConflictActions;
  readonly documents: ConflictDocuments;
  readonly proposals: ConflictProposals;
  readonly drafts: ConflictDrafts;
  /** False until the folders were opened for the first time. */
  readonly isReady: () => boolean;
  readonly logger: Logger;
  readonly onDidChangeVisibility: () => void;
}

const title = 'API Conflicts';

/** The one conflict panel of a window. Opening it changes nothing; it shows what is held and settles what is applied. */
export class ConflictPanel implements Disposable {
  readonly #options: ConflictPanelOptions;
  readonly #store = new DisposableStore();
  #panel: vscode.WebviewPanel | undefined;
  #panelStore = new DisposableStore();
  /** The state that the panel's page has. */
  #sent = '';
  #sentExtras = '';
  /** The conflict that somebody wants to see, until the page has heard of it. */
  #toSelect: string | undefined;

  constructor(options: ConflictPanelOptions) {
    this.#options = options;
    this.#store.add(options.proposals.onDidChange(() => this.#sendExtras()));
    this.#store.add(options.drafts.onDidChange(() => this.#sendExtras()));
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

  /** Opens the panel, or brings it to the front. @param key the conflict to select. */
  show(key?: string): void {
    this.#toSelect = key;
    if (this.#panel !== undefined) {
      const hasPage = this.#panel.visible;
      this.#panel.reveal();
      // A panel that was hidden loads its page anew and asks.
      if (hasPage) this.#sendSelection();
      return;
    }
    this.#adopt(vscode.window.createWebviewPanel(conflictPanelViewType, title, vscode.ViewColumn.Active));
  }

  /** What is held changed. */
  refresh(): void {
    this.#options.documents.refresh();
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
        this.#sentExtras = '';
        this.#sendState();
        this.#sendSelection();
        break;
      case 'apply':
        await this.#answer(this.#options.actions.apply(message.decisions));
        break;
      case 'takeAll':
        await this.#answer(this.#options.actions.takeAll(message.documentKey, message.choice));
        break;
      case 'undo':
        await this.#answer(this.#options.actions.undo());
        break;
      case 'preview':
        await this.#preview(message.decisions);
        break;
      case 'ask':
        await this.#ask(message.keys);
        break;
      case 'cancelAsk':
        this.#options.proposals.cancel();
        break;
      case 'showRequest':
        await this.#options.proposals.showRequest(message.key);
        break;
      case 'edit':
        await this.#edit(message.key);
        break;
      case 'openDiff':
        await this.#options.documents.openDiff(message.key, message.sides);
        break;
      case 'openFile':
        await this.#openFile(message.key);
        break;
    }
  }

  /** The new state first, so that the answer is about what is shown. */
  async #answer(work: Promise<ActionOutcome | undefined>): Promise<void> {
    const outcome = await work;
    this.#sendState();
    // The person stopped: then there is nothing to say, but the panel waits for an answer.
    this.#post({ type: 'outcome', isDone: outcome?.isDone ?? false, sentence: outcome?.sentence ?? '' });
  }

  async #ask(keys: readonly string[]): Promise<void> {
    const sentence = await this.#options.proposals.ask(keys);
    if (sentence !== undefined) this.#post({ type: 'outcome', isDone: false, sentence });
  }

  async #preview(decisions: readonly Decision[]): Promise<void> {
    const outcome = await this.#options.actions.preview(decisions);
    if (outcome !== undefined) this.#post({ type: 'outcome', ...outcome });
  }

  async #edit(key: string): Promise<void> {
    const found = this.#options.finder.find(key);
    if (found !== undefined) await this.#options.drafts.open(found);
  }

  async #openFile(key: string): Promise<void> {
    const found = this.#options.finder.find(key);
    if (found !== undefined) await openAtConflict(found);
  }

  #sendState(): void {
    if (this.#panel === undefined) return;
    const { folders } = this.#options.finder;
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
    if (key !== this.#sent) {
      this.#sent = key;
      this.#post(state);
    }
    // Which of them still fit depends on the conflicts.
    this.#sendExtras();
  }

  #sendSelection(): void {
    if (this.#toSelect !== undefined) this.#post({ type: 'select', key: this.#toSelect });
    this.#toSelect = undefined;
  }

  #sendExtras(): void {
    const proposals = this.#options.proposals.views();
    const drafts = this.#options.drafts.views();
    const extras = [...new Set([...proposals.keys(), ...drafts.keys()])].map((key) => {
      const [proposal, draft] = [proposals.get(key), drafts.get(key)];
      return { key, ...(proposal === undefined ? {} : { proposal }), ...(draft === undefined ? {} : { draft }) };
    });
    const message: HostToPanel = { type: 'extras', isAsking: this.#options.proposals.isAsking, extras };
    const sent = JSON.stringify(message);
    if (sent === this.#sentExtras) return;
    this.#sentExtras = sent;
    this.#post(message);
  }

  #post(message: HostToPanel): void {
    // A panel that is hidden has no page; it asks again when it has one.
    void this.#panel?.webview.postMessage(message);
  }

  #failed(error: unknown): void {
    this.#options.logger.error('The conflict panel failed.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    this.#post({ type: 'outcome', isDone: false, sentence: 'That did not work. The log says more.' });
  }
}
