import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import { FolderPaths } from './folderPaths.ts';
import type { FolderSessions, OpenFolder } from './folderSessions.ts';

/** Tells a folder's session of files that appear or vanish, for as long as it is awake; before consent nothing is watched. */
export function watchFolder(folder: OpenFolder, sessions: FolderSessions): Disposable {
  const store = new DisposableStore();
  let watching: DisposableStore | undefined;
  const { session } = folder;
  const paths = new FolderPaths(folder.path, session.folder);

  const look = (): void => {
    const shouldWatch =
      session.status.hasConsent && session.status.phase !== 'asleep' && session.status.phase !== 'failed';
    if (shouldWatch === (watching !== undefined)) return;
    watching?.dispose();
    watching = shouldWatch ? watch(folder.path, (file) => session.fileAppeared(paths.toReal(file))) : undefined;
  };

  store.add({ dispose: () => watching?.dispose() });
  store.add(session.onDidChangeStatus(look));
  store.add(
    sessions.onDidChange(() => {
      if (!sessions.folders.some((open) => open.session === session)) store.dispose();
    }),
  );
  look();
  return store;
}

function watch(folder: string, report: (file: string) => void): DisposableStore {
  const store = new DisposableStore();
  const pattern = new vscode.RelativePattern(vscode.Uri.file(folder), '**/*.{yaml,yml,json}');
  // Changes are the peer's own business: it watches the folders of its documents.
  const watcher = store.add(vscode.workspace.createFileSystemWatcher(pattern, false, true, false));
  const tell = (uri: vscode.Uri): void => {
    if (!/[\\/](node_modules|\.git)[\\/]/.test(uri.fsPath)) report(uri.fsPath);
  };
  store.add(watcher.onDidCreate(tell));
  store.add(watcher.onDidDelete(tell));
  return store;
}
