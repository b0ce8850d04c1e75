import * as vscode from 'vscode';
import type { RestoredElement } from '../core/history/restoreElement.ts';
import type { Logger } from '../core/ports.ts';
import { toRawSplices, workingText } from '../core/workingText.ts';
import type { UserProblem } from '../peer/folderSession.ts';
import type { ElementRow, Place, Version } from './historyRows.ts';
import { elementDetail, elementRestores, versionGone } from './historyViewModel.ts';
import { baseName } from './words.ts';

export type RestoreOutcome = UserProblem | 'done' | 'cancelled';

/**
 * Makes an earlier version the newest one, as an edit of the person: sent like anything they typed, and one Undo in the editor
 * takes it back.
 */
export async function restoreVersion(version: Version, logger: Logger): Promise<RestoreOutcome> {
  const { session, docId, file, entry } = version;
  const text = entry.hash === undefined ? undefined : await session.history.textOf(docId, entry.hash);
  if (text === undefined) return versionGone;
  const document = await openUndisturbed(version);
  if ('code' in document) return document;
  const question = `Restore ${baseName(file)} as it was after this change by ${entry.authorName}?`;
  const detail =
    'What was changed since then is taken back for everybody, as a change of yours. Undo in the editor brings it back.';
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, 'Restore')) !== 'Restore')
    return 'cancelled';
  const outcome = await write(document, version, workingText(document.getText()).text, text);
  if (outcome === 'done') logger.info('An earlier version was restored.', { index: entry.index });
  return outcome;
}

/** The same for one element, which the person may have as it was before the change or after it. */
export async function restoreElement(row: ElementRow, logger: Logger): Promise<RestoreOutcome> {
  const { version, place } = row;
  const { session, docId, file, entry, before } = version;
  const document = await openUndisturbed(version);
  if ('code' in document) return document;
  const current = workingText(document.getText()).text;
  const [was, is] = await Promise.all(
    [before?.hash, entry.hash].map(async (hash): Promise<RestoredElement | undefined> =>
      hash === undefined ? undefined : session.history.restoreElement(docId, current, hash, place.path),
    ),
  );
  const restores = elementRestores(was, is, place);
  if ('code' in restores) return restores;
  const chosen = await vscode.window.showWarningMessage(
    `Restore ${place.label} in ${baseName(file)}?`,
    { modal: true, detail: elementDetail(restores, entry.authorName) },
    ...restores.map(({ button }) => button),
  );
  const restore = restores.find(({ button }) => button === chosen);
  if (restore === undefined) return 'cancelled';
  const outcome = await write(document, version, current, restore.text);
  if (outcome === 'done') logger.info('An element of an earlier version was restored.', { index: entry.index });
  return outcome;
}

/** The document, unless somebody is at work in it. */
async function openUndisturbed({ session, docId, file }: Place): Promise<vscode.TextDocument | UserProblem> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  if (document.isDirty) return fileUnsaved(file);
  return session.conflicts.some((held) => held.docId === docId) ? hasConflicts(file) : document;
}

/** @param current what the person was asked about; the question has taken its time. */
async function write(
  document: vscode.TextDocument,
  { session, docId, file }: Place,
  current: string,
  text: string,
): Promise<UserProblem | 'done'> {
  const splices = await session.history.splices(current, text);
  await vscode.window.showTextDocument(document);
  if (document.isDirty) return fileUnsaved(file);
  const working = workingText(document.getText());
  if (working.text !== current) return changedMeanwhile(file);
  const edit = new vscode.WorkspaceEdit();
  for (const { offset, deleteCount, insert } of toRawSplices(working, splices)) {
    const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + deleteCount));
    edit.replace(document.uri, range, insert);
  }
  if (!(await vscode.workspace.applyEdit(edit))) return changedMeanwhile(file);
  session.history.expect(docId, text);
  // Saved by the person, so it is sent like anything they typed; and no formatter changes the version.
  await vscode.commands.executeCommand('workbench.action.files.saveWithoutFormatting');
  return 'done';
}

function fileUnsaved(file: string): UserProblem {
  return {
    code: 'file-unsaved',
    message: `${baseName(file)} has unsaved changes.`,
    remedy: 'Save it, then restore.',
  };
}

function changedMeanwhile(file: string): UserProblem {
  return {
    code: 'file-changed',
    message: `${baseName(file)} has changed meanwhile.`,
    remedy: 'Look at it, then restore again.',
  };
}

function hasConflicts(file: string): UserProblem {
  return {
    code: 'file-in-conflict',
    message: `${baseName(file)} has conflicts that are not settled.`,
    remedy: 'Settle them, then restore.',
  };
}
