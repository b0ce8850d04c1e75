import type { DocumentState, FolderStatus } from '../peer/folderSession.ts';
import type { CommandId } from './commandTable.ts';
import { commandIds } from './commandTable.ts';
import { documentWords } from './documentWords.ts';
import { canForget, canKeepInStep, canStart, canStop } from './folderConditions.ts';
import type { StatusBarInput } from './statusBarModel.ts';
import { count } from './words.ts';

/** A row of the list that opens on a click. */
export interface StatusAction {
  readonly label: string;
  readonly icon: string;
  readonly description?: string;
  readonly run: { readonly command: CommandId } | { readonly openFile: string } | { readonly decideAbout: string };
}

/** More files than these are not listed one by one: the tooltip says how many there are. */
const MAX_LISTED_DOCUMENTS = 10;

/** The rows of the list that opens on a click, the most useful first. */
export function statusActions(input: StatusBarInput): readonly StatusAction[] {
  const actions: StatusAction[] = [];
  const add = (label: string, icon: string, command: CommandId, description?: string): void => {
    actions.push({ label, icon, run: { command }, ...(description === undefined ? {} : { description }) });
  };
  const statuses = input.isTrusted ? input.folders.map((folder) => folder.status) : [];
  const has = (test: (status: FolderStatus) => boolean): boolean => statuses.some(test);
  const conflictCount = statuses.reduce((sum, status) => sum + status.conflictCount, 0);
  if (conflictCount > 0) add('Show Conflicts', 'git-merge', commandIds.showConflicts, count(conflictCount, 'conflict'));
  if (has(({ documents }) => documents.some(({ state }) => state === 'waiting'))) {
    add('Merge Now', 'fold', commandIds.mergeNow, 'Take waiting changes into the unsaved file');
  }
  if (input.folders.some((folder) => folder.canUndoResolution))
    add('Undo Last Resolution', 'discard', commandIds.undoResolution);
  if (has(canKeepInStep)) {
    const branch = statuses.find(({ unjoinedBranch }) => unjoinedBranch !== undefined)?.unjoinedBranch;
    const where = branch === undefined ? 'the same repository and branch' : `branch ${branch} of the same repository`;
    add('Keep in Step', 'sync', commandIds.keepInStep, `With windows that have ${where}`);
    add('Join…', 'link', commandIds.join, 'Another repository, branch or path on this machine');
  }
  if (has(canStart)) add('Start', 'play', commandIds.start);
  if (has((status) => status.phase === 'paused'))
    add('Resume', 'debug-continue', commandIds.resume, 'Send and receive again');
  if (has((status) => status.phase === 'running'))
    add('Sync Now', 'sync', commandIds.syncNow, 'Read all files again and catch up');
  for (const { folderName, status } of input.isTrusted ? input.folders : []) {
    for (const document of status.documents.filter((one) => needsAttention(one.state)).slice(0, MAX_LISTED_DOCUMENTS)) {
      actions.push({
        label: document.path,
        icon: documentIcon(document.state),
        description: `${documentWords(document)}${input.folders.length > 1 ? ` · ${folderName}` : ''}`,
        run: isAskedAbout(document.state) ? { decideAbout: document.file } : { openFile: document.file },
      });
    }
  }
  if (has((status) => status.phase === 'running'))
    add('Pause', 'debug-pause', commandIds.pause, 'Nothing is sent or written until Resume');
  if (has(canStop)) add('Stop', 'debug-stop', commandIds.stop, 'In this window, until Start or a reload');
  if (has((status) => status.hasConsent)) add('Leave', 'sign-out', commandIds.leave, 'This folder goes its own way');
  if (has(canForget))
    add('Forget This Library', 'trash', commandIds.forgetLibrary, 'Delete its history from this machine');
  add('Show Log', 'output', commandIds.showLog);
  return actions;
}

/** What stands above the list: why nothing is sent or written; undefined where nothing is in the way. */
export function statusReason(input: StatusBarInput): string | undefined {
  for (const { folderName, status } of input.isTrusted ? input.folders : []) {
    const { phase, observing, problem } = status;
    const reason =
      phase === 'observing' && observing !== undefined ? `Nothing is sent or written: ${observing}.` : undefined;
    const words = reason ?? (phase === 'failed' ? problem?.message : undefined);
    if (words !== undefined) return input.folders.length > 1 ? `${folderName}: ${words}` : words;
  }
  return undefined;
}

function documentIcon(state: DocumentState): string {
  switch (state) {
    case 'held':
    case 'invalid':
      return 'warning';
    case 'unwritable':
      return 'error';
    case 'waiting':
      return 'save';
    case 'behind':
      return 'history';
    case 'missing':
    case 'misnamed':
      return 'question';
    case 'inStep':
    case 'syncing':
      return 'check';
  }
}

function isAskedAbout(state: DocumentState): boolean {
  return state === 'behind' || state === 'missing' || state === 'misnamed';
}

function needsAttention(state: DocumentState): boolean {
  return state !== 'inStep' && state !== 'syncing';
}
