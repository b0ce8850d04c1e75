import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { DocId } from '../core/ids.ts';
import { diffSplices } from '../core/merge/splices.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import { toRawSplices, workingText } from '../core/workingText.ts';
import type { FolderSession, HistoryEntry, UserProblem } from '../peer/folderSession.ts';
import { commandIds, viewIds } from './commandTable.ts';
import { FolderPaths } from './folderPaths.ts';
import type { OpenFolder } from './folderSessions.ts';
import { historyDetail, historyLabel } from './historyViewModel.ts';
import { baseName } from './words.ts';

/** Scheme of the read-only documents that show an earlier version. */
const SCHEME = 'api-live-sync-version';
/** Further back is further than anybody scrolls. */
const MAX_ENTRIES = 200;

/** The document whose history is shown. */
interface Place {
  readonly session: FolderSession;
  readonly docId: DocId;
  /** As the editor names it. */
  readonly file: string;
}

/** One change in the history, with the version that it was made to. */
export interface Version extends Place {
  readonly entry: HistoryEntry;
  /** The version before it; undefined for the first that is known. */
  readonly before: HistoryEntry | undefined;
  readonly isNewest: boolean;
}

export interface HistoryViewOptions {
  readonly folders: () => readonly OpenFolder[];
  readonly logger: Logger;
}

/** Who changed the file in the active editor, when and what, as far back as the library knows; each version can be brought back. */
export class HistoryView implements Disposable {
  readonly #options: HistoryViewOptions;
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new vscode.EventEmitter<void>());
  readonly #view: vscode.TreeView<Version>;
  #shown = '';

  constructor(options: HistoryViewOptions) {
    this.#options = options;
    this.#view = this.#store.add(
      vscode.window.createTreeView<Version>(viewIds.history, {
        treeDataProvider: {
          onDidChangeTreeData: this.#changed.event,
          getChildren: (node) => (node === undefined ? this.#versions() : []),
          getTreeItem: toItem,
        },
      }),
    );
    this.#store.add(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        provideTextDocumentContent: (uri) => this.#textOf(uri),
      }),
    );
    this.#store.add(vscode.window.onDidChangeActiveTextEditor(() => this.refresh()));
  }

  /** Something was committed, or another file is looked at. */
  refresh(): void {
    const place = this.#place();
    const status = place?.session.status;
    const shown = JSON.stringify([place?.file, status?.phase, status?.connection, status?.lastIndex]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#view.message = place === undefined ? 'Open a file that is kept in step to see its history.' : '';
    this.#view.description = place === undefined ? '' : baseName(place.file);
    this.#changed.fire();
  }

  /** Compares a version with the one before it. */
  async showChange(version: Version): Promise<void> {
    const { entry, before, file } = version;
    const title = `${baseName(file)}: ${historyLabel(entry)}`;
    await vscode.commands.executeCommand(
      'vscode.diff',
      versionUri(version, before),
      versionUri(version, entry),
      title,
      {
        preview: true,
      },
    );
  }

  /** Makes an earlier version the newest one, as an edit of the person: Undo in the editor takes it back. */
  async restore({ session, docId, file, entry }: Version): Promise<UserProblem | 'done' | 'cancelled'> {
    const { hash } = entry;
    const text = hash === undefined ? undefined : await session.revisionText(docId, hash);
    if (hash === undefined || text === undefined) return versionGone;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
    if (isUnsaved(document)) return fileUnsaved(file);
    if (session.conflicts.some((held) => held.docId === docId)) return hasConflicts(file);
    const question = `Restore ${baseName(file)} as it was after this change by ${entry.authorName}?`;
    const detail =
      'What was changed since then is taken back for everybody, as a change of yours. Undo in the editor brings it back.';
    if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, 'Restore')) !== 'Restore')
      return 'cancelled';
    await vscode.window.showTextDocument(document);
    const working = workingText(document.getText());
    const edit = new vscode.WorkspaceEdit();
    for (const { offset, deleteCount, insert } of toRawSplices(working, diffSplices(working.text, text))) {
      const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + deleteCount));
      edit.replace(document.uri, range, insert);
    }
    // The question has taken its time.
    if (isUnsaved(document) || !(await vscode.workspace.applyEdit(edit))) return fileUnsaved(file);
    session.expectVersion(docId, hash);
    // Saved by the person, so it is sent like anything they typed; and no formatter changes the version.
    await vscode.commands.executeCommand('workbench.action.files.saveWithoutFormatting');
    this.#options.logger.info('An earlier version was restored.', { index: entry.index });
    return 'done';
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** The document in the active editor, if it is kept in step. */
  #place(): Place | undefined {
    const uri = vscode.window.activeTextEditor?.document.uri;
    if (uri?.scheme !== 'file') return undefined;
    for (const { path, session } of this.#options.folders()) {
      const paths = new FolderPaths(path, session.folder);
      const document = session.status.documents.find(({ file }) => paths.toEditor(file) === uri.fsPath);
      if (document !== undefined) return { session, docId: document.docId, file: uri.fsPath };
    }
    return undefined;
  }

  async #versions(): Promise<Version[]> {
    const place = this.#place();
    if (place === undefined) return [];
    const entries = await place.session.history(place.docId, MAX_ENTRIES);
    return entries.map((entry, at) => ({ ...place, entry, before: entries[at + 1], isNewest: at === 0 }));
  }

  async #textOf(uri: vscode.Uri): Promise<string> {
    const [folder, docId, hash] = JSON.parse(uri.query) as [string, DocId, HistoryEntry['hash'] | null];
    const session = this.#options.folders().find((one) => one.session.folder === folder)?.session;
    if (session === undefined || hash === null || hash === undefined) return '';
    return (await session.revisionText(docId, hash)) ?? '(This version is not there any more.)\n';
  }
}

function versionUri({ session, docId, file }: Version, entry: HistoryEntry | undefined): vscode.Uri {
  const query = JSON.stringify([session.folder, docId, entry?.hash ?? null]);
  return vscode.Uri.from({ scheme: SCHEME, path: vscode.Uri.file(file).path, query });
}

function toItem(version: Version): vscode.TreeItem {
  const { entry, isNewest } = version;
  const item = new vscode.TreeItem(historyLabel(entry));
  item.description = historyDetail(entry, Date.now());
  item.tooltip = [`${entry.authorName}, ${new Date(entry.at).toLocaleString()}`, ...entry.changes].join('\n');
  item.iconPath = new vscode.ThemeIcon(entry.kind === 'resolve' ? 'check' : 'git-commit');
  item.contextValue = isNewest || entry.hash === undefined ? 'newest' : 'earlier';
  item.command = { command: commandIds.showChange, title: 'Show Change', arguments: [version] };
  return item;
}

function isUnsaved(document: vscode.TextDocument): boolean {
  return document.isDirty;
}

const versionGone: UserProblem = {
  code: 'version-gone',
  message: 'This version is not there any more.',
  remedy: 'Choose a newer one.',
};

function fileUnsaved(file: string): UserProblem {
  return {
    code: 'file-unsaved',
    message: `${baseName(file)} has unsaved changes.`,
    remedy: 'Save it, then restore the version.',
  };
}

function hasConflicts(file: string): UserProblem {
  return {
    code: 'file-in-conflict',
    message: `${baseName(file)} has conflicts that are not settled.`,
    remedy: 'Settle them, then restore the version.',
  };
}
