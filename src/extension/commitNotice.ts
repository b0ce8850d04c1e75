import * as vscode from 'vscode';
import type { Logger } from '../core/ports.ts';
import type { CommitNotice } from '../peer/folderSession.ts';
import { settingIds } from './settings.ts';
import { commitSentence } from './sentences.ts';

const neverLabel = "Don't Show Again";

/** Tells a person once whose uncommitted changes go along with a commit of theirs. */
export function showCommitNotice(notice: CommitNotice, logger: Logger): void {
  vscode.window.showInformationMessage(commitSentence(notice), neverLabel).then(
    async (label) => {
      if (label !== neverLabel) return;
      const target = vscode.ConfigurationTarget.Global;
      await vscode.workspace.getConfiguration().update(settingIds.noticeCommits, false, target);
    },
    (error: unknown) => logger.error('A notice could not be shown.', { error: String(error) }),
  );
}
