import type { DocumentState, FolderStatus, UserProblem } from '../peer/folderSession.ts';
import { folderState, type ShownState, worstOf } from './statusSeverity.ts';
import { folderTooltip, type TooltipLine } from './statusTooltip.ts';
import { count } from './words.ts';

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

export interface StatusBarView {
  /** With a codicon in front, as the status bar wants it. */
  readonly text: string;
  readonly accessibilityLabel: string;
  readonly tooltip: readonly TooltipLine[];
  readonly background: 'none' | 'warning' | 'error';
  /** Something is under way that is usually over before anybody has read it. */
  readonly isPassing: boolean;
}

/** What the worst of all folders is doing. */
interface Summary {
  readonly icon: string;
  readonly words: string;
  readonly background: 'none' | 'warning' | 'error';
}

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
  const worst = worstOf(awake.map((folder) => folderState(folder.status))) ?? 'inStep';
  const summary = describe(worst, awake);
  const role = roleWords(awake);
  return {
    text: `$(${summary.icon}) API: ${summary.words}${role.short}`,
    accessibilityLabel: `API Live Sync: ${summary.words}${role.long}`,
    tooltip: awake.flatMap(({ status, folderName }) =>
      folderTooltip(status, input.folders.length > 1 ? folderName : undefined),
    ),
    background: summary.background,
    isPassing: worst === 'syncing',
  };
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

function describe(state: ShownState, folders: readonly FolderView[]): Summary {
  const statuses = folders.map((folder) => folder.status);
  const documents = statuses.flatMap((status) => status.documents);
  const inState = (wanted: DocumentState): number => documents.filter((document) => document.state === wanted).length;
  const conflictCount = statuses.reduce((sum, status) => sum + status.conflictCount, 0);
  const summary = (icon: string, words: string, background: Summary['background'] = 'none'): Summary => ({
    icon,
    words,
    background,
  });
  switch (state) {
    case 'failed':
      return summary('error', 'sync failed', 'error');
    case 'held':
      return summary('warning', count(conflictCount, 'conflict'), 'warning');
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
