import * as vscode from 'vscode';
import { DisposableStore } from '../../core/disposableStore.ts';
import type { Disposable } from '../../core/ports.ts';
import { changeSentence } from '../../core/sources/elementChange.ts';
import { sourceAddress } from '../../core/sources/liveSourceConfig.ts';
import type { SourceState, SyncStatus } from '../../peer/sources/liveSyncService.ts';
import type { OpenFolder } from '../folderSessions.ts';
import { count } from '../words.ts';
import type { SourcePlace } from './sourceNotice.ts';
import { agoWords, stateWords } from './sourceWords.ts';

export const sourcesViewId = 'apiLiveSync.sources';
/** "40 s ago" is only true for a while. */
const AGO_REFRESH_MS = 10_000;
/** Events come in bursts. */
const REFRESH_DELAY_MS = 100;
const MAX_TOOLTIP_CHANGES = 20;

const icons: { readonly [state in SourceState]: readonly [icon: string, color?: string] } = {
  new: ['circle-outline'],
  syncing: ['sync'],
  inStep: ['check', 'testing.iconPassed'],
  changesWaiting: ['diff', 'editorInfo.foreground'],
  waiting: ['clock'],
  held: ['warning', 'list.warningForeground'],
  failed: ['error', 'list.errorForeground'],
  paused: ['debug-pause'],
  elsewhere: ['multiple-windows'],
  atLeader: ['multiple-windows'],
};

/** A row of the view; also what its menu's commands are called with. */
interface Row extends SourcePlace {
  readonly folderName: string;
  readonly status: SyncStatus;
}

export interface SourcesViewOptions {
  readonly folders: () => readonly OpenFolder[];
  /** How many sources wait for a yes. */
  readonly waitingCount: () => number;
}

/** The live sources of this window's folders: what each does, since when, and what to do where it cannot. */
export class SourcesView implements Disposable {
  readonly #store = new DisposableStore();
  readonly #options: SourcesViewOptions;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #view: vscode.TreeView<Row>;
  #timer: NodeJS.Timeout | undefined;
  #agoTimer: NodeJS.Timeout | undefined;

  constructor(options: SourcesViewOptions) {
    this.#options = options;
    this.#store.add(this.#changed);
    this.#view = this.#store.add(
      vscode.window.createTreeView<Row>(sourcesViewId, {
        treeDataProvider: {
          onDidChangeTreeData: this.#changed.event,
          getChildren: (row) => (row === undefined ? this.#rows() : []),
          getTreeItem: (row) => toItem(row, Date.now(), options.folders().length > 1),
        },
      }),
    );
    this.#store.add(this.#view.onDidChangeVisibility(() => this.#followVisibility()));
    this.#store.add({
      dispose: () => {
        clearTimeout(this.#timer);
        clearInterval(this.#agoTimer);
      },
    });
    this.#followVisibility();
  }

  refreshSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#refresh();
    }, REFRESH_DELAY_MS);
  }

  dispose(): void {
    this.#store.dispose();
  }

  #refresh(): void {
    const rows = this.#rows();
    const failed = rows.filter(({ status }) => status.state === 'failed' || status.state === 'held').length;
    this.#view.badge =
      failed === 0 ? undefined : { value: failed, tooltip: `${count(failed, 'live source')} to look at` };
    const waiting = this.#options.waitingCount();
    this.#view.message = waiting === 0 ? '' : `${count(waiting, 'source')} of the settings waits for your yes.`;
    this.#changed.fire(undefined);
  }

  #rows(): Row[] {
    return this.#options
      .folders()
      .flatMap(({ path, name, session }) =>
        session.sources
          .getAllSourceStatuses()
          .map((status) => ({ folder: path, folderName: name, sourceId: status.sourceId, status })),
      );
  }

  #followVisibility(): void {
    clearInterval(this.#agoTimer);
    if (!this.#view.visible) return;
    this.#agoTimer = setInterval(() => this.#changed.fire(undefined), AGO_REFRESH_MS);
    this.refreshSoon();
  }
}

function toItem(row: Row, now: number, isOneOfSeveralFolders: boolean): vscode.TreeItem {
  const { status } = row;
  const { config, state } = status;
  const item = new vscode.TreeItem(isOneOfSeveralFolders ? `${row.folderName}/${config.target}` : config.target);
  item.id = JSON.stringify([row.folder, row.sourceId]);
  item.description = stateWords(status, now);
  const [icon, color] = icons[state];
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  item.contextValue = `source.${state}`;
  item.accessibilityInformation = { label: `${config.target}, from ${sourceAddress(config)}, ${item.description}` };
  item.tooltip = tooltipOf(status, now);
  const uri = vscode.Uri.joinPath(vscode.Uri.file(row.folder), ...config.target.split('/'));
  item.command = { command: 'vscode.open', title: 'Open', arguments: [uri] };
  return item;
}

function tooltipOf(status: SyncStatus, now: number): vscode.MarkdownString {
  const { config, problem, changes, lastChangeAt, durationMs } = status;
  const text = new vscode.MarkdownString();
  // Names come from other people's servers: as text, never as markup.
  text.appendText(`${sourceAddress(config)} → ${config.target}\n\n`);
  if (problem !== undefined) text.appendText(`${problem.message} ${problem.remedy ?? ''} [${problem.code}]\n\n`);
  if (durationMs !== undefined) text.appendText(`Answered and merged in ${Math.round(durationMs)} ms.\n\n`);
  if (changes.length > 0) {
    const when =
      status.state === 'changesWaiting'
        ? 'Would change'
        : `Changed ${lastChangeAt === undefined ? '' : agoWords(now - lastChangeAt)}`;
    text.appendText(`${when}:\n\n`);
    text.appendText(changes.slice(0, MAX_TOOLTIP_CHANGES).map(changeSentence).join('\n\n'));
  }
  return text;
}
