import type * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { UserProblem } from '../peer/folderSession.ts';
import { AiAdvisors } from './aiAdvisors.ts';
import { AiRequests } from './aiRequests.ts';
import { ConflictActions } from './conflictActions.ts';
import { ConflictDocuments } from './conflictDocuments.ts';
import { ConflictDrafts } from './conflictDrafts.ts';
import { ConflictFinder, isMerging } from './conflictFinder.ts';
import { ConflictMarks } from './conflictMarks.ts';
import { ConflictNotice } from './conflictNotice.ts';
import { ConflictPanel } from './conflictPanel.ts';
import { ConflictProposals } from './conflictProposals.ts';
import { ConflictTree } from './conflictTree.ts';
import type { OpenFolder } from './folderSessions.ts';

export interface ConflictCenterOptions {
  readonly context: vscode.ExtensionContext;
  readonly folders: () => readonly OpenFolder[];
  /** False until the folders were opened for the first time. */
  readonly isReady: () => boolean;
  readonly logger: Logger;
  readonly onDidChangeVisibility: () => void;
}

/** Everything of a window that is about conflicts: shows them, asks about them and settles them. */
export class ConflictCenter implements Disposable {
  readonly #store = new DisposableStore();
  readonly #advisors: AiAdvisors;
  readonly #panel: ConflictPanel;
  readonly #notice: ConflictNotice;
  readonly #tree: ConflictTree;
  readonly #marks: ConflictMarks;
  readonly #finder: ConflictFinder;

  constructor({ context, folders, logger, ...options }: ConflictCenterOptions) {
    const finder = new ConflictFinder(folders);
    this.#finder = finder;
    const documents = this.#store.add(new ConflictDocuments(finder));
    const drafts = this.#store.add(new ConflictDrafts({ finder, memento: context.workspaceState, logger }));
    const requests = this.#store.add(new AiRequests(context.globalState));
    this.#advisors = new AiAdvisors(context, logger);
    const proposals = this.#store.add(
      new ConflictProposals({ finder, advisors: this.#advisors, requests, memento: context.workspaceState, logger }),
    );
    const actions = new ConflictActions({ finder, proposals, drafts, documents, logger });
    this.#panel = this.#store.add(
      new ConflictPanel({
        ...options,
        extensionUri: context.extensionUri,
        finder,
        documents,
        drafts,
        proposals,
        actions,
        logger,
      }),
    );
    this.#tree = this.#store.add(new ConflictTree());
    this.#marks = this.#store.add(new ConflictMarks());
    this.#notice = this.#store.add(
      new ConflictNotice({
        storage: context.workspaceState,
        find: () => finder.all(),
        isMerging: () => finder.folders.some(({ session }) => isMerging(session)),
        isPanelVisible: () => this.#panel.isVisible,
        show: () => this.show(),
        logger,
      }),
    );
  }

  /** Opens the panel, or brings it to the front. @param key the conflict to select. */
  show(key?: string): void {
    this.#panel.show(key);
  }

  /** What is held changed. */
  refresh(): void {
    const found = this.#finder.all();
    this.#panel.refresh();
    this.#tree.refresh(found);
    this.#marks.refresh(found);
    this.#notice.update(found);
  }

  /** Asks for the key of the AI service that is set. True where one was entered or taken away. */
  askForAiKey(): Promise<boolean | UserProblem> {
    return this.#advisors.askForKey();
  }

  dispose(): void {
    this.#store.dispose();
  }
}
