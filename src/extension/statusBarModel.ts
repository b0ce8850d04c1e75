import type { DocumentState, DocumentStatus, FolderStatus, UserProblem } from '../peer/folderSession.ts';
import type { CommandId } from './commandTable.ts';
import { commandIds } from './commandTable.ts';
import { baseName, count, listNames } from './words.ts';

/** One workspace folder as the status bar sees it. */
export interface FolderView {
  readonly folderName: string;
  readonly status: FolderStatus;
  readonly canUndoResolution: boolean;
  /** A neighbour has the same API and nobody answered yet. */
  readonly hasOffer: boolean;
}

/** Everything that the status bar is made of. */
export interface StatusBarInput {
  /** False in Restricted Mode: nothing runs. */
  readonly isTrusted: boolean;
  /** Whether the window has a folder at all. */
  readonly hasFolder: boolean;
  readonly folders: readonly FolderView[];
  /** Whether the person looks at an API description now: then a folder that is not in step says so. */
  readonly isApiInView: boolean;
  /** Why nothing can run at all. */
  readonly problem?: UserProblem;
}

export type TooltipLine =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'item'; readonly text: string };

export interface StatusBarView {
  /** With a codicon in front, as the status bar wants it. */
  readonly text: string;
  readonly accessibilityLabel: string;
  readonly tooltip: readonly TooltipLine[];
  readonly background: 'none' | 'warning' | 'error';
  /** Something is under way that is usually over before anybody has read it. */
  readonly isPassing: boolean;
}

/** A row of the list that opens on a click. */
export interface StatusAction {
  readonly label: string;
  readonly icon: string;
  readonly description?: string;
  readonly run: { readonly command: CommandId } | { readonly openFile: string } | { readonly decideAbout: string };
}

/** What the worst of all folders is doing. */
interface Summary {
  readonly icon: string;
  readonly words: string;
  readonly background: 'none' | 'warning' | 'error';
}

/** A tooltip is to be read at a glance; the rest is in the list that opens on a click. */
const MAX_TOOLTIP_DOCUMENTS = 10;

/** The worst first: what needs a person comes before what only takes time. */
const severity = [
  'failed',
  'held',
  'unwritable',
  'invalid',
  'missing',
  'misnamed',
  'behind',
  'waiting',
  'offline',
  'observing',
  'paused',
  'starting',
  'syncing',
  'inStep',
  'attached',
  'asleep',
] as const;

type State = (typeof severity)[number];

/** What stands in the status bar; undefined where there is nothing to say. */
export function statusBarView(input: StatusBarInput): StatusBarView | undefined {
  if (!input.isTrusted) {
    if (!input.hasFolder) return undefined;
    return plain('$(shield) API Live Sync: restricted', 'API Live Sync: Restricted Mode, nothing is sent or written', [
      'This folder is not trusted: nothing is sent or written. Trust the folder to keep its API files in step.',
    ]);
  }
  if (input.problem !== undefined) {
    return {
      ...plain('$(error) API Live Sync', `API Live Sync: ${input.problem.message}`, [
        input.problem.message,
        ...(input.problem.remedy === undefined ? [] : [input.problem.remedy]),
      ]),
      background: 'error',
    };
  }
  const awake = input.folders.filter((folder) => folder.status.phase !== 'asleep');
  if (awake.length === 0) return asleepView(input);
  const states = awake.map((folder) => folderState(folder.status));
  const worst = severity.find((state) => states.includes(state)) ?? 'inStep';
  const summary = describe(worst, awake);
  const role = roleWords(awake);
  return {
    text: `$(${summary.icon}) API: ${summary.words}${role.short}`,
    accessibilityLabel: `API Live Sync: ${summary.words}${role.long}`,
    tooltip: awake.flatMap((folder) => folderTooltip(folder, input.folders.length > 1)),
    background: summary.background,
    isPassing: worst === 'syncing',
  };
}

/** The rows of the list that opens on a click, the most useful first. */
export function statusActions(input: StatusBarInput): readonly StatusAction[] {
  const actions: StatusAction[] = [];
  const add = (label: string, icon: string, command: CommandId, description?: string): void => {
    actions.push({ label, icon, run: { command }, ...(description === undefined ? {} : { description }) });
  };
  const statuses = input.isTrusted ? input.folders.map((folder) => folder.status) : [];
  const has = (test: (status: FolderStatus) => boolean): boolean => statuses.some(test);
  const conflictCount = sum(statuses, (status) => status.conflictCount);
  if (conflictCount > 0) add('Show Conflicts', 'git-merge', commandIds.showConflicts, count(conflictCount, 'conflict'));
  if (has((status) => documentsIn(status, 'waiting').length > 0)) {
    add('Merge Now', 'fold', commandIds.mergeNow, 'Take waiting changes into the unsaved file');
  }
  if (input.folders.some((folder) => folder.canUndoResolution))
    add('Undo Last Resolution', 'discard', commandIds.undoResolution);
  if (has(canKeepInStep)) {
    add('Keep in Step', 'sync', commandIds.keepInStep, 'With windows that have the same repository and branch');
    add('Join…', 'link', commandIds.join, 'Another repository, branch or path on this machine');
  }
  if (has(canStart)) add('Start', 'play', commandIds.start);
  if (has((status) => status.phase === 'paused'))
    add('Resume', 'debug-continue', commandIds.resume, 'Send and receive again');
  if (has((status) => status.phase === 'running'))
    add('Sync Now', 'sync', commandIds.syncNow, 'Read all files again and catch up');
  for (const { folderName, status } of input.isTrusted ? input.folders : []) {
    for (const document of status.documents
      .filter((one) => needsAttention(one.state))
      .slice(0, MAX_TOOLTIP_DOCUMENTS)) {
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

/** Whether Keep in Step and Join… make sense. */
export function canKeepInStep(status: FolderStatus): boolean {
  return !status.hasConsent && (status.phase === 'asleep' || status.phase === 'failed');
}

/** Whether Start makes sense. */
export function canStart(status: FolderStatus): boolean {
  return status.hasConsent && (status.phase === 'asleep' || status.phase === 'failed');
}

/** Whether Stop and Sync Now make sense. Where another window keeps the folder in step, they are that one's. */
export function canStop(status: FolderStatus): boolean {
  return status.phase !== 'asleep' && status.phase !== 'failed' && status.phase !== 'attached';
}

/** Whether Forget This Library makes sense: while another window keeps the folder in step, it is in use. */
export function canForget(status: FolderStatus): boolean {
  return status.hasConsent && status.phase !== 'attached';
}

/** What one document is doing, for a person. */
export function documentWords(document: DocumentStatus): string {
  switch (document.state) {
    case 'inStep':
      return 'in step';
    case 'syncing':
      return 'syncing';
    case 'waiting': {
      const names = listNames(document.waitingFor);
      return `${names === '' ? 'changes' : `changes from ${names}`} wait until you save`;
    }
    case 'held':
      return count(document.conflictCount, 'conflict');
    case 'invalid':
      return document.problem?.message ?? 'cannot be read; nothing is sent until it is mended';
    case 'behind':
      return 'was set back to an older version by something outside';
    case 'missing':
      return 'the file is gone';
    case 'misnamed':
      return document.problem?.message ?? 'has two names';
    case 'unwritable':
      return document.problem?.message ?? 'cannot be written';
  }
}

function asleepView(input: StatusBarInput): StatusBarView | undefined {
  const stopped = input.folders.some((folder) => folder.status.hasConsent);
  if (stopped) {
    return plain('$(circle-slash) API: stopped', 'API Live Sync: stopped in this window', [
      'Stopped in this window. Click for actions.',
    ]);
  }
  const hasOffer = input.folders.some((folder) => folder.hasOffer);
  if (input.folders.length === 0 || (!hasOffer && !input.isApiInView)) return undefined;
  return plain('$(sync) API: Keep in Step?', 'API Live Sync: keep the API files of this folder in step?', [
    hasOffer
      ? 'Another window has this API. Click to keep them in step.'
      : 'Keep the API files of this folder in step with other windows.',
  ]);
}

function plain(text: string, accessibilityLabel: string, lines: readonly string[]): StatusBarView {
  return {
    text,
    accessibilityLabel,
    tooltip: [
      { kind: 'heading', text: 'API Live Sync' },
      ...lines.map((line) => ({ kind: 'text' as const, text: line })),
    ],
    background: 'none',
    isPassing: false,
  };
}

function folderState(status: FolderStatus): State {
  if (status.phase === 'failed' || status.phase === 'asleep') return status.phase;
  const worstDocument = severity.find((state) => status.documents.some((document) => document.state === state));
  const ownState: State = phaseState(status);
  if (worstDocument === undefined) return ownState;
  return severity.indexOf(worstDocument) <= severity.indexOf(ownState) ? worstDocument : ownState;
}

function phaseState(status: FolderStatus): State {
  if (status.conflictCount > 0) return 'held';
  if (status.phase === 'running') {
    if (status.connection === 'offline') return 'offline';
    if (status.connection === 'connecting') return 'starting';
    // Documents that are still to come are not in the list yet.
    return status.isCaughtUp ? 'inStep' : 'syncing';
  }
  return status.phase;
}

function describe(state: State, folders: readonly FolderView[]): Summary {
  const statuses = folders.map((folder) => folder.status);
  const inState = (wanted: DocumentState): number => sum(statuses, (status) => documentsIn(status, wanted).length);
  const summary = (icon: string, words: string, background: Summary['background'] = 'none'): Summary => ({
    icon,
    words,
    background,
  });
  switch (state) {
    case 'failed':
      return summary('error', 'sync failed', 'error');
    case 'held':
      return summary(
        'warning',
        count(
          sum(statuses, (status) => status.conflictCount),
          'conflict',
        ),
        'warning',
      );
    case 'unwritable':
      return summary('error', `${count(inState(state), 'file')} not writable`, 'warning');
    case 'invalid':
      return summary('warning', inState(state) === 1 ? 'invalid file' : count(inState(state), 'invalid file'));
    case 'missing':
      return summary('question', `${count(inState(state), 'file')} gone`);
    case 'misnamed':
      return summary('question', `${count(inState(state), 'file')} with two names`);
    case 'behind':
      return summary('history', `${count(inState(state), 'file')} behind`);
    case 'waiting':
      return summary('save', 'waiting for your save');
    case 'offline':
      return summary('debug-disconnect', 'offline');
    case 'observing':
      return summary('eye', 'observing');
    case 'paused':
      return summary('debug-pause', 'paused');
    case 'starting':
      return summary('sync~spin', 'connecting');
    case 'syncing':
      return summary('sync~spin', 'syncing');
    case 'inStep':
      return summary('check', 'in step');
    case 'attached':
      return summary('link', 'another window keeps this folder in step');
    case 'asleep':
      return summary('circle-slash', 'stopped');
  }
}

/** The role and the number of peers, over all folders that are connected; a window is no peer of itself. */
function roleWords(folders: readonly FolderView[]): { readonly short: string; readonly long: string } {
  const connected = folders
    .map((folder) => folder.status)
    .filter((status) => status.phase === 'running' && status.role !== undefined);
  if (connected.length === 0) return { short: '', long: '' };
  const own = new Set(folders.map(({ status }) => status.peerId));
  const others = connected.flatMap(({ peers }) => peers.map(({ peerId }) => peerId)).filter((id) => !own.has(id));
  const peerCount = new Set(others).size;
  const roles = new Set(connected.map((status) => status.role));
  const role = roles.size === 1 ? ` · ${String(connected[0]?.role)}` : '';
  return {
    short: `${role} · ${count(peerCount, 'peer')}`,
    long: `${role.replace(' · ', ', ')}, ${count(peerCount, 'peer')}`,
  };
}

function folderTooltip({ folderName, status }: FolderView, isOneOfMany: boolean): TooltipLine[] {
  const title = status.library === undefined ? 'API Live Sync' : `API Live Sync: ${status.library.name}`;
  const lines: TooltipLine[] = [{ kind: 'heading', text: isOneOfMany ? `${title} (${folderName})` : title }];
  const say = (text: string): number => lines.push({ kind: 'text', text });
  if (status.problem !== undefined)
    say([status.problem.message, status.problem.remedy].filter((part) => part !== undefined).join(' '));
  switch (status.phase) {
    case 'asleep':
      say('Stopped in this window.');
      break;
    case 'starting':
      say('Starting.');
      break;
    case 'running':
      say(connectionWords(status));
      break;
    case 'paused':
      say('Paused: nothing is sent or written until you resume.');
      break;
    case 'observing':
      say(`Observing, nothing is sent or written: ${status.observing ?? 'this branch has not joined'}.`);
      break;
    case 'attached':
      say('Another window keeps this folder in step.');
      break;
    case 'failed':
      break;
  }
  // What needs a person comes first, so that it is not among "and 12 more".
  const documents = [...status.documents].sort((a, b) => severity.indexOf(a.state) - severity.indexOf(b.state));
  for (const document of documents.slice(0, MAX_TOOLTIP_DOCUMENTS)) {
    lines.push({ kind: 'item', text: `${document.path}: ${documentWords(document)}` });
  }
  if (documents.length > MAX_TOOLTIP_DOCUMENTS) {
    lines.push({
      kind: 'item',
      text: `and ${(documents.length - MAX_TOOLTIP_DOCUMENTS).toLocaleString('en-US')} more`,
    });
  }
  return lines;
}

function connectionWords(status: FolderStatus): string {
  if (status.connection === 'connecting') return 'Connecting to the other windows.';
  if (status.connection === 'offline') return 'Offline: no other window answers. Your changes are kept and sent later.';
  // Some peers carry the folder in their name, to be told apart from another window of the same person.
  const names = status.peers.map(({ name, folderName }) =>
    name.includes(`(${folderName})`) ? name : `${name} (${folderName})`,
  );
  const role = status.role === 'leader' ? 'This window leads' : 'This window follows';
  return names.length === 0 ? `${role}. Nobody else is here now.` : `${role}. With ${listNames(names, 6)}.`;
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

function documentsIn(status: FolderStatus, state: DocumentState): readonly DocumentStatus[] {
  return status.documents.filter((document) => document.state === state);
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

/** Name of a workspace folder from its path. */
export function folderNameOf(folder: string): string {
  return baseName(folder);
}
