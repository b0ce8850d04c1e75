import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable, Logger } from '../core/ports.ts';
import type { FolderSession, FolderStatus, Outcome, UserProblem } from '../peer/folderSession.ts';
import { askToTakeBack } from './bulkTakeBack.ts';
import type { CommandId, SourceCommandId } from './commandTable.ts';
import { commandIds, viewIds } from './commandTable.ts';
import type { Environment } from './diagnosticsText.ts';
import { diagnosticsText } from './diagnosticsText.ts';
import { canForget, canKeepInStep, canStart, canStop } from './folderConditions.ts';
import type { OpenFolder } from './folderSessions.ts';
import type { RestoreOutcome } from './historyRestore.ts';
import type { ElementRow, Version } from './historyRows.ts';
import type { HistoryView } from './historyView.ts';
import { joinByHand } from './joinFlow.ts';
import { pullSyncedChanges } from './pullCommand.ts';
import { problems } from './problems.ts';
import { readySentence } from './sentences.ts';
import type { StatusAction } from './statusActions.ts';
import type { UserMessages } from './userMessages.ts';
import { count } from './words.ts';

/**
 * How a command ended. Every command answers, also where it makes no sense: `declined` is said as a plain sentence,
 * `cancelled` by the person is not said at all. Commands return this, so that a caller sees it too.
 */
export type Answer =
  | { readonly kind: 'done'; readonly sentence?: string }
  | { readonly kind: 'declined'; readonly sentence: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly problem: UserProblem };

export interface CommandsOptions {
  /** Opens the sessions if that has not happened yet; the reason in a sentence where they cannot be had. */
  readonly folders: () => Promise<readonly OpenFolder[] | string>;
  /** A file of a session, as the editor names it. */
  readonly editorPath: (file: string) => string;
  readonly statusActions: () => readonly StatusAction[];
  /** See `statusReason`. */
  readonly statusReason: () => string | undefined;
  /** @param key the conflict to select. */
  readonly showConflicts: (key: string | undefined) => void;
  readonly history: HistoryView;
  /** True where a key was entered or taken away. */
  readonly askForAiKey: () => Promise<boolean | UserProblem>;
  /** Asks again what to do with a file that something outside set back. */
  readonly decideAbout: (file: string) => void;
  readonly showLog: () => void;
  /** What the commands of live sources do; called with what the view hands over. */
  readonly sources: { readonly [id in SourceCommandId]: Handler };
  /** The sessions that are open, also where none may be: nothing is opened for diagnostics. */
  readonly openSessions: () => readonly FolderSession[];
  readonly environment: Environment;
  readonly setUpMergeDriver: () => Promise<Answer>;
  readonly messages: UserMessages;
  readonly logger: Logger;
}

/** @param argument what the command was called with: by whom ever, so it is looked at before it is used. */
type Handler = (argument: unknown) => Answer | Promise<Answer>;

const done: Answer = { kind: 'done' };
const cancelled: Answer = { kind: 'cancelled' };
const declined = (sentence: string): Answer => ({ kind: 'declined', sentence });

/** Registers every command of the table. */
export function registerCommands(options: CommandsOptions): Disposable {
  const store = new DisposableStore();
  const handlers: { readonly [id in CommandId]: Handler } = {
    ...options.sources,
    [commandIds.keepInStep]: () => withFolders(options, keepInStep),
    [commandIds.join]: () => withFolders(options, join),
    [commandIds.leave]: () => withFolders(options, leave),
    [commandIds.forgetLibrary]: () => withFolders(options, forgetLibrary),
    [commandIds.start]: () => withFolders(options, start),
    [commandIds.stop]: () => withFolders(options, stop),
    [commandIds.pause]: () => withFolders(options, pause),
    [commandIds.resume]: () => withFolders(options, resume),
    [commandIds.syncNow]: () => withFolders(options, syncNow),
    [commandIds.pullSyncedChanges]: () => withFolders(options, (folders) => pull(folders, options.logger)),
    [commandIds.mergeNow]: () => withFolders(options, (folders) => mergeNow(folders, options.editorPath)),
    [commandIds.undoResolution]: () => withFolders(options, undoResolution),
    [commandIds.setUpMergeDriver]: () => options.setUpMergeDriver(),
    [commandIds.showStatus]: () => showStatus(options),
    [commandIds.showConflicts]: (key) => {
      options.showConflicts(typeof key === 'string' ? key : undefined);
      return done;
    },
    [commandIds.setAiKey]: () => setAiKey(options),
    [commandIds.showHistory]: async () => {
      await vscode.commands.executeCommand(`${viewIds.history}.focus`);
      return done;
    },
    // Called by the view, with what it made.
    [commandIds.showChange]: async (version) => {
      await options.history.showChange(version as Version);
      return done;
    },
    [commandIds.restoreVersion]: async (version) => toRestoreAnswer(await options.history.restore(version as Version)),
    [commandIds.restoreElement]: async (row) =>
      toRestoreAnswer(await options.history.restoreElement(row as ElementRow)),
    [commandIds.takeBackBulk]: async (version) => toRestoreAnswer(await askToTakeBack(version as Version)),
    [commandIds.showLog]: () => {
      options.showLog();
      return done;
    },
    [commandIds.copyDiagnostics]: () => copyDiagnostics(options),
  };
  for (const [id, handler] of Object.entries(handlers)) {
    store.add(vscode.commands.registerCommand(id, (argument: unknown) => run(options, id, () => handler(argument))));
  }
  return store;
}

async function run(options: CommandsOptions, id: string, handler: () => Answer | Promise<Answer>): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await handler();
  } catch (error) {
    options.logger.error('A command failed.', {
      command: id,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    answer = { kind: 'failed', problem: problems.unexpected() };
  }
  options.logger.debug('A command ended.', { command: id, outcome: answer.kind });
  tellAnswer(answer, options.messages);
  return answer;
}

/** Says how something ended that the person asked for, where that is to be said. */
export function tellAnswer(answer: Answer, messages: UserMessages): void {
  if (answer.kind === 'failed') messages.showProblem(answer.problem);
  else if (answer.kind !== 'cancelled' && answer.sentence !== undefined) messages.answer(answer.sentence);
}

async function withFolders(
  options: CommandsOptions,
  handler: (folders: readonly OpenFolder[]) => Promise<Answer>,
): Promise<Answer> {
  const folders = await options.folders();
  if (typeof folders === 'string') return declined(folders);
  if (folders.length === 0) return declined('Open a folder with an OpenAPI file first.');
  return await handler(folders);
}

async function keepInStep(folders: readonly OpenFolder[]): Promise<Answer> {
  const folder = await pickFolder(folders, canKeepInStep, 'Which folder should be kept in step?');
  if (folder === 'none') return declined(alreadyInStep(folders));
  if (folder === undefined) return cancelled;
  const { session } = folder;
  const { unjoinedBranch } = session.status;
  const onBranch = unjoinedBranch === undefined ? '' : ` on branch ${unjoinedBranch}`;
  const offer = await session.findOffer();
  const documents = offer === undefined ? await session.findDocuments() : [];
  if (offer === undefined && documents.length === 0) {
    return declined(`There is no OpenAPI file in ${folder.name} yet. Add one, then choose Keep in Step again.`);
  }
  const outcome = await session.keepInStep();
  if (!outcome.isDone) return { kind: 'failed', problem: outcome.problem };
  if (offer !== undefined)
    return { kind: 'done', sentence: `${folder.name} is now kept in step with ${offer.neighbour}${onBranch}.` };
  return {
    kind: 'done',
    sentence: readySentence(folder.name, documents.length, unjoinedBranch),
  };
}

async function join(folders: readonly OpenFolder[]): Promise<Answer> {
  const folder = await pickFolder(folders, canKeepInStep, 'Which folder should join?');
  if (folder === 'none') return declined(alreadyInStep(folders));
  if (folder === undefined) return cancelled;
  const result = await joinByHand(folder);
  switch (result.kind) {
    case 'joined':
      return { kind: 'done', sentence: `${folder.name} is now kept in step with ${result.libraryName}.` };
    case 'noLibrary':
      return declined(
        'There is nothing to join on this machine yet. Open the other folder in a window and choose Keep in Step there first.',
      );
    case 'cancelled':
      return cancelled;
    case 'failed':
      return { kind: 'failed', problem: result.problem };
  }
}

async function leave(folders: readonly OpenFolder[]): Promise<Answer> {
  const folder = await pickFolder(folders, (status) => status.hasConsent, 'Which folder should leave?');
  if (folder === 'none') return declined('No folder of this window is kept in step, so there is nothing to leave.');
  if (folder === undefined) return cancelled;
  const name = folder.session.status.library?.name ?? 'the library';
  const isSure = await confirm(
    `Leave ${name}?`,
    [
      `Stays: the files in ${folder.name} as they are now, and everything on the side of the others.`,
      'Goes: changes are no longer sent or received here.',
      openConflictsSentence(folder.session.status),
    ],
    'Leave',
  );
  return isSure ? toAnswer(await folder.session.leave(), `${folder.name} has left ${name}.`) : cancelled;
}

async function forgetLibrary(folders: readonly OpenFolder[]): Promise<Answer> {
  const folder = await pickFolder(folders, canForget, 'The library of which folder should be forgotten?');
  if (folder === 'none')
    return declined(servedElsewhere(folders) ?? 'No folder of this window has a library that could be forgotten.');
  if (folder === undefined) return cancelled;
  const name = folder.session.status.library?.name ?? 'the library';
  const isSure = await confirm(
    `Forget ${name}?`,
    [
      `Stays: the files in ${folder.name} as they are now.`,
      `Goes: the history of ${name} on this machine, with all earlier versions of its files. This cannot be undone.`,
      openConflictsSentence(folder.session.status),
    ],
    'Forget',
  );
  return isSure ? toAnswer(await folder.session.forgetLibrary(), `${name} is forgotten on this machine.`) : cancelled;
}

async function start(folders: readonly OpenFolder[]): Promise<Answer> {
  if (folders.every(({ session }) => !session.status.hasConsent)) {
    return declined('Nobody said yes for this folder yet. Choose Keep in Step or Join… first.');
  }
  return await forEach(folders, canStart, 'It is started already.', (session) => session.start());
}

async function stop(folders: readonly OpenFolder[]): Promise<Answer> {
  const whyNot = servedElsewhere(folders) ?? 'Nothing runs in this window, so there is nothing to stop.';
  return await forEach(folders, canStop, whyNot, (session) => isDone(session.stop()));
}

async function pause(folders: readonly OpenFolder[]): Promise<Answer> {
  const whyNot = folders.some(({ session }) => session.status.phase === 'paused')
    ? 'It is paused already.'
    : (servedElsewhere(folders) ?? 'Nothing runs in this window that could be paused.');
  return await forEach(
    folders,
    (status) => status.phase === 'running',
    whyNot,
    (session) => isDone(session.pause()),
  );
}

async function resume(folders: readonly OpenFolder[]): Promise<Answer> {
  return await forEach(
    folders,
    (status) => status.phase === 'paused',
    'Nothing is paused.',
    (session) => isDone(session.resume()),
  );
}

async function syncNow(folders: readonly OpenFolder[]): Promise<Answer> {
  if (folders.some(({ session }) => session.status.phase === 'paused'))
    return declined('It is paused. Choose Resume first.');
  const title = 'API Live Sync: catching up';
  const whyNot = servedElsewhere(folders) ?? 'Nothing runs in this window. Choose Keep in Step or Start first.';
  return await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, async () =>
    forEach(folders, canStop, whyNot, (session) => session.syncNow()),
  );
}

async function pull(folders: readonly OpenFolder[], logger: Logger): Promise<Answer> {
  const folder = await pickFolder(folders, canForget, 'In which folder?');
  if (folder === 'none')
    return declined(servedElsewhere(folders) ?? 'No folder of this window is kept in step. Pull with git as usual.');
  return folder === undefined ? cancelled : pullSyncedChanges(folder, logger);
}

async function mergeNow(folders: readonly OpenFolder[], editorPath: (file: string) => string): Promise<Answer> {
  const waiting = folders.flatMap(({ session }) =>
    session.status.documents
      .filter((document) => document.state === 'waiting')
      .map((document) => ({ session, document })),
  );
  if (waiting.length === 0) return declined('No change waits for a save.');
  const active = vscode.window.activeTextEditor?.document.uri.fsPath;
  const items = waiting.map((one) => ({ label: one.document.path, ...one }));
  const chosen =
    items.length === 1
      ? items[0]
      : (items.find(({ document }) => editorPath(document.file) === active) ??
        (await vscode.window.showQuickPick(items, { placeHolder: 'Merge into which unsaved file?' })));
  if (chosen === undefined) return cancelled;
  return toAnswer(await chosen.session.mergeNow(chosen.document.file));
}

async function undoResolution(folders: readonly OpenFolder[]): Promise<Answer> {
  const folder = await pickFolder(folders, (_, session) => session.canUndoResolution, 'In which folder?');
  if (folder === 'none') return declined('There is no choice to take back.');
  if (folder === undefined) return cancelled;
  return toAnswer(await folder.session.undoResolution());
}

async function setAiKey({ askForAiKey }: CommandsOptions): Promise<Answer> {
  const outcome = await askForAiKey();
  if (typeof outcome !== 'boolean') return { kind: 'failed', problem: outcome };
  return outcome ? done : cancelled;
}

async function showStatus(options: CommandsOptions): Promise<Answer> {
  const items = options.statusActions().map((action) => ({ ...action, label: `$(${action.icon}) ${action.label}` }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: 'API Live Sync',
    placeHolder: options.statusReason() ?? 'What would you like to do?',
    matchOnDescription: true,
  });
  if (chosen === undefined) return cancelled;
  if ('openFile' in chosen.run)
    await vscode.window.showTextDocument(vscode.Uri.file(options.editorPath(chosen.run.openFile)));
  else if ('decideAbout' in chosen.run) options.decideAbout(chosen.run.decideAbout);
  else await vscode.commands.executeCommand(chosen.run.command);
  return done;
}

async function copyDiagnostics({ openSessions, environment }: CommandsOptions): Promise<Answer> {
  const sessions = openSessions();
  await vscode.env.clipboard.writeText(diagnosticsText(environment, sessions));
  return {
    kind: 'done',
    sentence: `Copied: versions, states and figures of ${count(sessions.length, 'folder')}. No names, paths or file contents are in it.`,
  };
}

/** Does something with every folder it makes sense for. */
async function forEach(
  folders: readonly OpenFolder[],
  test: (status: FolderStatus) => boolean,
  whyNot: string,
  act: (session: FolderSession) => Promise<Outcome>,
): Promise<Answer> {
  const suitable = folders.filter(({ session }) => test(session.status));
  if (suitable.length === 0) return declined(whyNot);
  const outcomes = await Promise.all(suitable.map(({ session }) => act(session)));
  const failed = outcomes.find((outcome) => !outcome.isDone);
  return failed?.isDone === false ? { kind: 'failed', problem: failed.problem } : done;
}

async function isDone(work: Promise<void>): Promise<Outcome> {
  await work;
  return { isDone: true };
}

/** The one folder that is meant: the only one, else the one of the active editor, else the one that is picked. */
async function pickFolder(
  folders: readonly OpenFolder[],
  test: (status: FolderStatus, session: FolderSession) => boolean,
  placeHolder: string,
): Promise<OpenFolder | 'none' | undefined> {
  const suitable = folders.filter(({ session }) => test(session.status, session));
  if (suitable.length <= 1) return suitable[0] ?? 'none';
  const active = vscode.window.activeTextEditor?.document.uri;
  const activeFolder = active === undefined ? undefined : vscode.workspace.getWorkspaceFolder(active);
  const ofEditor = suitable.find((folder) => folder.path === activeFolder?.uri.fsPath);
  if (ofEditor !== undefined) return ofEditor;
  const items = suitable.map((folder) => ({ label: folder.name, description: folder.path, folder }));
  return (await vscode.window.showQuickPick(items, { placeHolder }))?.folder;
}

async function confirm(message: string, details: readonly string[], button: string): Promise<boolean> {
  const detail = details.filter((line) => line !== '').join('\n\n');
  return (await vscode.window.showWarningMessage(message, { modal: true, detail }, button)) === button;
}

function openConflictsSentence(status: FolderStatus): string {
  if (status.conflictCount === 0) return '';
  return `${count(status.conflictCount, 'conflict')} not settled yet: your version stays in the file.`;
}

function toAnswer(outcome: Outcome, sentence?: string): Answer {
  if (!outcome.isDone) return { kind: 'failed', problem: outcome.problem };
  return sentence === undefined ? done : { kind: 'done', sentence };
}

function toRestoreAnswer(outcome: RestoreOutcome): Answer {
  if (typeof outcome !== 'string') return { kind: 'failed', problem: outcome };
  return outcome === 'done' ? done : cancelled;
}

function servedElsewhere(folders: readonly OpenFolder[]): string | undefined {
  return folders.some(({ session }) => session.status.phase === 'attached')
    ? 'Another window keeps this folder in step. Do it in that window.'
    : undefined;
}

function alreadyInStep(folders: readonly OpenFolder[]): string {
  const folder = folders.find(({ session }) => session.status.hasConsent);
  const name = folder?.session.status.library?.name;
  return name === undefined
    ? 'This folder is kept in step already.'
    : `${folder?.name ?? 'This folder'} is kept in step with ${name} already.`;
}
