import * as vscode from 'vscode';
import type { ProposalId } from '../core/ids.ts';
import type { FolderSession, Outcome } from '../peer/folderSession.ts';
import type { RestoreOutcome } from './historyRestore.ts';
import type { Version } from './historyRows.ts';
import { bulkSentence } from './sentences.ts';
import { count } from './words.ts';

/** Takes all that a bulk changed back, with progress and a way out. */
export async function takeBackBulk(session: FolderSession, id: ProposalId): Promise<Outcome> {
  const location = vscode.ProgressLocation.Notification;
  const options = { location, title: 'API Live Sync: taking back', cancellable: true };
  return await vscode.window.withProgress(options, (_, token) => {
    const stopping = new AbortController();
    token.onCancellationRequested(() => stopping.abort());
    return session.takeBackBulk(id, stopping.signal);
  });
}

/** The same from the history of one of its documents, after a question: the person sees that one only. */
export async function askToTakeBack({ session, entry }: Version): Promise<RestoreOutcome> {
  const { bulk, authorName } = entry;
  if (bulk === undefined) return 'cancelled';
  const question = `Take back ${count(bulk.documentCount, 'document')} for everybody?`;
  const detail = [
    `${bulkSentence({ authorName, ...bulk })}.`,
    'This takes all of it back, as a change of yours. What was changed since in other places stays; a file that was changed since in the same places stays as it is.',
  ].join('\n\n');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, 'Take Back')) !== 'Take Back')
    return 'cancelled';
  const outcome = await takeBackBulk(session, bulk.id);
  return outcome.isDone ? 'done' : outcome.problem;
}
