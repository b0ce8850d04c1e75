import * as vscode from 'vscode';
import type { Logger } from '../core/ports.ts';
import type { Answer } from './commands.ts';
import type { OpenFolder } from './folderSessions.ts';
import { repositoryFetch } from './gitExtension.ts';
import { pulledSentence } from './sentences.ts';

/**
 * Pulls for one folder, with progress and a way out until git begins to write.
 * @param commit the one to come to; absent: the newest.
 */
export async function pullSyncedChanges(
  { path, session }: OpenFolder,
  logger: Logger,
  commit?: string,
): Promise<Answer> {
  const location = vscode.ProgressLocation.Notification;
  const options = { location, title: 'API Live Sync: pulling', cancellable: true };
  return await vscode.window.withProgress(options, async (_, token): Promise<Answer> => {
    const cancelling = new AbortController();
    token.onCancellationRequested(() => cancelling.abort());
    const repository = await repositoryFetch(path);
    const fetch = repository === undefined ? undefined : () => fetchWith(repository, logger);
    const result = await session.pullSyncedChanges({ commit, fetch, signal: cancelling.signal });
    if (result.isDone) return { kind: 'done', sentence: pulledSentence(result) };
    return cancelling.signal.aborted ? { kind: 'cancelled' } : { kind: 'failed', problem: result.problem };
  });
}

async function fetchWith(repository: () => Promise<void>, logger: Logger): Promise<boolean> {
  try {
    await repository();
    return true;
  } catch (error) {
    // The editor's git has its own log with what the remote said.
    logger.warn('The editor could not fetch.', { error: error instanceof Error ? error.message : String(error) });
    return false;
  }
}
