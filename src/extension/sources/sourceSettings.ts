import * as vscode from 'vscode';
import { checkLiveSources, type LiveSourceConfig } from '../../core/sources/liveSourceConfig.ts';
import { settingIds } from '../settings.ts';

export interface FolderSourceSettings {
  /** Undefined where what stands there cannot be used: then nothing of it runs. */
  readonly sources: readonly LiveSourceConfig[] | undefined;
  /** What is wrong, in plain sentences. */
  readonly warnings: readonly string[];
}

/** The sources that the settings of a workspace folder name, checked. @param folder as the editor names it. */
export function readSourceSettings(folder: vscode.Uri, folderName: string): FolderSourceSettings {
  const { value, isFromUser } = rawSources(folder);
  if (isFromUser) {
    const warning = `The setting ${settingIds.sources} counts in the settings of a folder or workspace only: in your user settings it would write into every folder that you open.`;
    return { sources: [], warnings: [warning] };
  }
  if (value === undefined) return { sources: [], warnings: [] };
  const checked = checkLiveSources(value);
  if (checked.value !== undefined) return { sources: checked.value, warnings: [] };
  const reasons = checked.problems.map(({ message }) => message).join(' ');
  return {
    sources: undefined,
    warnings: [
      `The setting ${settingIds.sources} of ${folderName} cannot be used, so none of its sources runs. ${reasons}`,
    ],
  };
}

/** Adds a source to the folder's settings, as it was given: defaults are not written. Rejects where they cannot be written. */
export async function addToSettings(folder: vscode.Uri, source: object): Promise<void> {
  const { value, target } = rawSources(folder);
  const list: unknown[] = Array.isArray(value) ? (value as unknown[]) : [];
  await configuration(folder).update(settingIds.sources, [...list, source], target);
}

/** Takes the source with this id out of the folder's settings. */
export async function removeFromSettings(folder: vscode.Uri, sourceId: string): Promise<void> {
  const { value, target } = rawSources(folder);
  if (!Array.isArray(value)) return;
  const rest = (value as unknown[]).filter((one) => idOf(one) !== sourceId);
  await configuration(folder).update(settingIds.sources, rest.length === 0 ? undefined : rest, target);
}

/** Opens the settings where a source stands. */
export async function openSourceSettings(folder: vscode.Uri, sourceId: string | undefined): Promise<void> {
  const { target } = rawSources(folder);
  if (target === vscode.ConfigurationTarget.Workspace && vscode.workspace.workspaceFile !== undefined) {
    await vscode.commands.executeCommand('workbench.action.openWorkspaceConfigFile');
  } else {
    const file = vscode.Uri.joinPath(folder, '.vscode', 'settings.json');
    const isThere = await vscode.workspace.fs.stat(file).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      await vscode.commands.executeCommand('workbench.action.openWorkspaceSettings', { query: settingIds.sources });
      return;
    }
    await vscode.window.showTextDocument(file);
  }
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) return;
  const text = editor.document.getText();
  const start = text.indexOf(settingIds.sources);
  const own = sourceId === undefined ? -1 : text.indexOf(JSON.stringify(sourceId), start);
  const at = editor.document.positionAt(Math.max(0, own === -1 ? start : own));
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function rawSources(folder: vscode.Uri): {
  readonly value: unknown;
  readonly target: vscode.ConfigurationTarget;
  readonly isFromUser: boolean;
} {
  const inspected = configuration(folder).inspect<unknown>(settingIds.sources);
  const ofFolder = inspected?.workspaceFolderValue;
  const ofWorkspace = inspected?.workspaceValue;
  const isFromUser = ofFolder === undefined && ofWorkspace === undefined && inspected?.globalValue !== undefined;
  const isOfWorkspace = ofFolder === undefined && ofWorkspace !== undefined;
  return {
    value: ofFolder ?? ofWorkspace,
    target: isOfWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.WorkspaceFolder,
    isFromUser,
  };
}

function configuration(folder: vscode.Uri): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(undefined, folder);
}

function idOf(source: unknown): unknown {
  if (typeof source !== 'object' || source === null) return undefined;
  const { id, target } = source as { readonly id?: unknown; readonly target?: unknown };
  return id ?? target;
}
