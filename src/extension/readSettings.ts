import * as vscode from 'vscode';
import type { AutoStart, CheckedSettings } from './settings.ts';
import { checkSettings, settingIds } from './settings.ts';

/** What stands in the settings now, checked. */
export function readSettings(): CheckedSettings {
  const configuration = vscode.workspace.getConfiguration();
  return checkSettings((id) => configuration.get<unknown>(id));
}

/** `autoStart` for a folder, and whether the person set it themself: a repository must not switch it on for them. */
export function autoStartRule(folder: string): { readonly autoStart: AutoStart; readonly isFromUser: boolean } {
  const configuration = vscode.workspace.getConfiguration(undefined, vscode.Uri.file(folder));
  const inspected = configuration.inspect<unknown>(settingIds.autoStart);
  const { autoStart } = checkSettings((id) => configuration.get<unknown>(id)).settings;
  const isFromUser = inspected?.workspaceValue === undefined && inspected?.workspaceFolderValue === undefined;
  return { autoStart, isFromUser };
}

/** Whether an event touches any setting of ours. */
export function affectsSettings(event: vscode.ConfigurationChangeEvent): boolean {
  return Object.values(settingIds).some((id) => event.affectsConfiguration(id));
}
