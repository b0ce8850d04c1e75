import { relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import { isCandidateName } from '../node/files/diskFiles.ts';
import { createIgnoreRules } from '../node/files/ignoreRules.ts';
import type { FolderStatus } from '../peer/folderSession.ts';
import { FolderPaths } from './folderPaths.ts';
import type { FolderSessions, OpenFolder } from './folderSessions.ts';
import { readSettings } from './readSettings.ts';
import { baseName } from './words.ts';

/**
 * Tells a folder's session of files that appear, for as long as it is awake; before consent nothing is watched. Files
 * that are ignored are not told: a search would not find them either.
 */
export function watchFolder(folder: OpenFolder, sessions: FolderSessions): Disposable {
  const store = new DisposableStore();
  let watching: DisposableStore | undefined;
  const { session } = folder;
  const paths = new FolderPaths(folder.path, session.folder);

  const look = ({ hasConsent, phase }: FolderStatus): void => {
    const shouldWatch = hasConsent && phase !== 'asleep' && phase !== 'failed';
    if (shouldWatch === (watching !== undefined)) return;
    watching?.dispose();
    watching = shouldWatch ? watch(folder.path, (file) => session.fileAppeared(paths.toReal(file))) : undefined;
    watching?.add(
      vscode.workspace.onDidRenameFiles(({ files }) => {
        for (const { oldUri, newUri } of files)
          if (paths.contains(oldUri.fsPath) && paths.contains(newUri.fsPath))
            session.fileRenamed(paths.toReal(oldUri.fsPath), paths.toReal(newUri.fsPath));
      }),
    );
  };

  store.add({ dispose: () => watching?.dispose() });
  store.add(session.onDidChangeStatus(look));
  store.add(
    sessions.onDidChange(() => {
      if (!sessions.folders.some((open) => open.session === session)) store.dispose();
    }),
  );
  look(session.status);
  return store;
}

function watch(folder: string, report: (file: string) => void): DisposableStore {
  const store = new DisposableStore();
  const pattern = new vscode.RelativePattern(vscode.Uri.file(folder), '**/*.{yaml,yml,json}');
  // Changes and deletions are the peer's own business: it watches the folders of its documents.
  const watcher = store.add(vscode.workspace.createFileSystemWatcher(pattern, false, true, true));
  // Other settings are another session, with a watcher of its own.
  const isIgnored = createIgnoreRules(readSettings().settings.ignore);
  store.add(
    watcher.onDidCreate(({ fsPath }) => {
      const path = relative(folder, fsPath).split(sep).join('/');
      if (isCandidateName(baseName(fsPath)) && !isIgnored(path)) report(fsPath);
    }),
  );
  return store;
}
