import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { DocId } from '../core/ids.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { FolderStatus, HistoryEntry } from '../peer/folderSession.ts';
import { commandIds, viewIds } from './commandTable.ts';
import { FolderPaths } from './folderPaths.ts';
import type { OpenFolder } from './folderSessions.ts';
import { restoreElement, type RestoreOutcome, restoreVersion } from './historyRestore.ts';
import type { ElementRow, HistoryRow, Place, Version } from './historyRows.ts';
import {
  changeWord,
  historyContext,
  historyDetail,
  historyIcon,
  historyLabel,
  historyTooltip,
  leftOutSentence,
  noElements,
} from './historyViewModel.ts';
import { baseName } from './words.ts';

/** Scheme of the read-only documents that show an earlier version. */
const SCHEME = 'api-live-sync-version';
/** Further back is further than anybody scrolls. */
const MAX_ENTRIES = 200;

export interface HistoryViewOptions {
  readonly folders: () => readonly OpenFolder[];
  readonly logger: Logger;
}

/**
 * Who changed the file in the active editor, when and what, as far back as the library knows. Each change opens into the elements
 * that it touched; a version, and each element by itself, can be brought back.
 */
export class HistoryView implements Disposable {
  readonly #options: HistoryViewOptions;
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new vscode.EventEmitter<void>());
  readonly #view: vscode.TreeView<HistoryRow>;
  #shown = '';

  constructor(options: HistoryViewOptions) {
    this.#options = options;
    this.#view = this.#store.add(
      vscode.window.createTreeView<HistoryRow>(viewIds.history, {
        treeDataProvider: {
          onDidChangeTreeData: this.#changed.event,
          getChildren: (row) => (row === undefined ? this.#versions() : row.kind === 'version' ? elementsOf(row) : []),
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
    const { place, status } = this.#look() ?? {};
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
    const [old, now] = [versionUri(version, before), versionUri(version, entry)];
    await vscode.commands.executeCommand('vscode.diff', old, now, title, { preview: true });
  }

  /** Makes an earlier version the newest one, after a question. */
  async restore(version: Version): Promise<RestoreOutcome> {
    return restoreVersion(version, this.#options.logger);
  }

  /** The same for one element. */
  async restoreElement(row: ElementRow): Promise<RestoreOutcome> {
    return restoreElement(row, this.#options.logger);
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** The document in the active editor, if it is kept in step, and what its folder is doing. */
  #look(): { readonly place: Place; readonly status: FolderStatus } | undefined {
    const uri = vscode.window.activeTextEditor?.document.uri;
    if (uri?.scheme !== 'file') return undefined;
    for (const { path, session } of this.#options.folders()) {
      const paths = new FolderPaths(path, session.folder);
      if (!paths.contains(uri.fsPath)) continue;
      const { status } = session;
      const file = paths.toReal(uri.fsPath);
      const document = status.documents.find((one) => one.file === file);
      if (document !== undefined) return { place: { session, docId: document.docId, file: uri.fsPath }, status };
    }
    return undefined;
  }

  async #versions(): Promise<Version[]> {
    const place = this.#look()?.place;
    if (place === undefined) return [];
    const entries = await place.session.history.entries(place.docId, MAX_ENTRIES);
    return entries.map((entry, at): Version => {
      return { kind: 'version', ...place, entry, before: entries[at + 1], isNewest: at === 0 };
    });
  }

  async #textOf(uri: vscode.Uri): Promise<string> {
    const [folder, docId, hash] = JSON.parse(uri.query) as [string, DocId, HistoryEntry['hash'] | null];
    const session = this.#options.folders().find((one) => one.session.folder === folder)?.session;
    if (session === undefined || hash === null || hash === undefined) return '';
    return (await session.history.textOf(docId, hash)) ?? '(This version is not there any more.)\n';
  }
}

async function elementsOf(version: Version): Promise<HistoryRow[]> {
  const { session, docId, before, entry } = version;
  if (before?.hash === undefined || entry.hash === undefined) return [];
  const changed = await session.history.changedPlaces(docId, before.hash, entry.hash);
  const note = (text: string): HistoryRow => ({ kind: 'note', version, text });
  if (changed === undefined || changed.places.length === 0) return [note(noElements(changed))];
  const rows: HistoryRow[] = changed.places.map((place) => ({ kind: 'element', version, place }));
  return changed.leftOut === 0 ? rows : [...rows, note(leftOutSentence(changed.leftOut))];
}

function versionUri({ session, docId, file }: Version, entry: HistoryEntry | undefined): vscode.Uri {
  const query = JSON.stringify([session.folder, docId, entry?.hash ?? null]);
  return vscode.Uri.from({ scheme: SCHEME, path: vscode.Uri.file(file).path, query });
}

function toItem(row: HistoryRow): vscode.TreeItem {
  const version = row.kind === 'version' ? row : row.version;
  const item =
    row.kind === 'version'
      ? versionItem(row)
      : row.kind === 'element'
        ? elementItem(row)
        : new vscode.TreeItem(row.text);
  // What is open stays open when something is committed.
  item.id = [
    version.docId,
    version.entry.index,
    row.kind === 'element' ? JSON.stringify(row.place.path) : row.kind,
  ].join(' ');
  item.command = { command: commandIds.showChange, title: 'Show Change', arguments: [version] };
  return item;
}

function versionItem({ entry, before, isNewest }: Version): vscode.TreeItem {
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  const hasElements = entry.hash !== undefined && before?.hash !== undefined;
  const item = new vscode.TreeItem(historyLabel(entry), hasElements ? Collapsed : None);
  item.description = historyDetail(entry, Date.now());
  item.tooltip = historyTooltip(entry, new Date(entry.at).toLocaleString());
  item.iconPath = new vscode.ThemeIcon(historyIcon(entry));
  item.contextValue = historyContext(entry, isNewest);
  return item;
}

function elementItem({ place }: ElementRow): vscode.TreeItem {
  const item = new vscode.TreeItem(place.label);
  item.description = changeWord(place.kind);
  item.iconPath = new vscode.ThemeIcon(
    { added: 'diff-added', removed: 'diff-removed', changed: 'diff-modified' }[place.kind],
  );
  item.contextValue = 'element';
  return item;
}
