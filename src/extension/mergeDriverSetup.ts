import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { installMergeDriver, MergeDriverError, planMergeDriver } from '../node/git/mergeDriver.ts';
import {
  launcherCommand,
  type MergeDriverProgram,
  refreshLauncher,
  writeLauncher,
} from '../node/git/mergeDriverLauncher.ts';
import { stateDirectory } from '../node/stateDirectory.ts';
import type { Answer } from './commands.ts';
import { readSettings } from './readSettings.ts';
import { count } from './words.ts';

const MAX_SHOWN_LINES = 8;

/** Lets git use this merge in a workspace folder's repository, and keeps that working over updates of the editor. */
export class MergeDriverSetup {
  readonly #program: MergeDriverProgram;
  readonly #stateDir = stateDirectory(process.env, process.platform);

  constructor(extensionUri: vscode.Uri) {
    this.#program = { runtime: process.execPath, cli: vscode.Uri.joinPath(extensionUri, 'dist', 'cli.js').fsPath };
  }

  /** Shows what would be written, asks, and writes it. */
  async run(): Promise<Answer> {
    if (!vscode.workspace.isTrusted)
      return declined(
        'This folder is not trusted, so nothing is written. Trust it first (Workspaces: Manage Workspace Trust).',
      );
    const folder = await pickWorkspaceFolder();
    if (folder === 'none') return declined('Open a folder of a git repository first.');
    if (folder === undefined) return { kind: 'cancelled' };
    try {
      const { infoVersion } = readSettings().settings;
      const plan = await planMergeDriver(folder.uri.fsPath, [], launcherCommand(this.#stateDir), infoVersion);
      const detail = [
        plan.lines.length === 0
          ? '.gitattributes has all its lines already.'
          : `To .gitattributes, which your team shares:\n${shorten(plan.lines)}`,
        `To this repository's own git configuration:\nmerge.api-live-sync.driver = ${plan.driver}`,
        'Who does not have API Live Sync merges as before.',
      ].join('\n\n');
      const button = 'Set Up';
      const message = `Let git merge the OpenAPI files of ${folder.name} by their elements?`;
      if ((await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) !== button)
        return { kind: 'cancelled' };
      await writeLauncher(this.#stateDir, this.#program);
      await installMergeDriver(plan);
      return {
        kind: 'done',
        sentence: `git now merges ${count(plan.patternCount, 'OpenAPI file')} of ${folder.name} by their elements.`,
      };
    } catch (error) {
      if (!(error instanceof MergeDriverError)) throw error;
      return declined(`The git merge driver was not set up: ${error.message.replaceAll(homedir(), '~')}.`);
    }
  }

  /** After an update the old program is gone. */
  async refresh(): Promise<void> {
    await refreshLauncher(this.#stateDir, this.#program);
  }
}

const declined = (sentence: string): Answer => ({ kind: 'declined', sentence });

function shorten(lines: readonly string[]): string {
  const shown = lines.slice(0, MAX_SHOWN_LINES);
  return [...shown, ...(shown.length < lines.length ? [`… and ${lines.length - shown.length} more`] : [])].join('\n');
}

async function pickWorkspaceFolder(): Promise<vscode.WorkspaceFolder | 'none' | undefined> {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const [first] = folders;
  if (first === undefined) return 'none';
  if (folders.length === 1) return first;
  const items = folders.map((folder) => ({ label: folder.name, description: folder.uri.fsPath, folder }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'In the repository of which folder?' }))?.folder;
}
