import type { Choice, PanelToHost } from '../../protocol/conflictPanel.ts';
import { readHostToPanel, readSavedPanelState } from '../../protocol/conflictPanel.ts';
import { DetailView } from './detailView.ts';
import { element } from './dom.ts';
import { HeaderView } from './headerView.ts';
import { ListView } from './listView.ts';
import type { PanelState } from './panelState.ts';
import {
  choose,
  decisionsToApply,
  initialState,
  receiveOutcome,
  receiveState,
  select,
  selectBy,
  selectedConflict,
  startWork,
  toSavedState,
} from './panelState.ts';

/** What VS Code gives to a webview's page; it can be asked for once. */
interface WebviewApi {
  postMessage(message: PanelToHost): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): WebviewApi;

/** "5 minutes ago" is written anew this often. */
const TIME_REFRESH_MS = 30_000;
/** How far Page Up and Page Down go in the list. */
const PAGE_ROWS = 10;

const vscode = acquireVsCodeApi();
let state: PanelState = initialState(readSavedPanelState(vscode.getState()));

const header = new HeaderView({
  previous: () => update(selectBy(state, -1)),
  next: () => update(selectBy(state, 1)),
  undo,
  applyAll: () => apply('all'),
});
const list = new ListView((key) => update(select(state, key)), onListKey);
const detail = new DetailView({
  choose: chooseSelected,
  apply: () => apply('selected'),
  openDiff: () => postForSelected('openDiff'),
  openFile: () => postForSelected('openFile'),
});
const empty = element('p', { class: 'empty' });
const body = element('div', { class: 'body' }, list.root, detail.root);
document.querySelector('#app')?.append(element('main', { class: 'panel' }, header.root, empty, body));

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const message = readHostToPanel(event.data);
  if (message === undefined) return;
  const isFirst = !state.isReady;
  update(message.type === 'state' ? receiveState(state, message) : receiveOutcome(state, message));
  // Opened by a person: the keys work at once. What they focused themselves stays.
  if (isFirst && state.conflicts.length > 0 && document.activeElement === document.body) list.focus();
});
document.addEventListener('keydown', onKey);
setInterval(() => detail.tick(selectedConflict(state)), TIME_REFRESH_MS);
render();
vscode.postMessage({ type: 'ready' });

function update(next: PanelState): void {
  if (next === state) return;
  state = next;
  vscode.setState(toSavedState(state));
  render();
}

function render(): void {
  const isEmpty = state.conflicts.length === 0;
  body.hidden = isEmpty;
  empty.hidden = !isEmpty;
  empty.textContent = state.isReady ? state.emptyText : 'Loading…';
  header.show(state);
  list.show(state);
  detail.show(state);
}

function chooseSelected(choice: Choice): void {
  if (state.selectedKey !== undefined) update(choose(state, state.selectedKey, choice));
}

function apply(which: 'selected' | 'all'): void {
  const decisions = decisionsToApply(state, which);
  if (decisions.length === 0) return;
  update(startWork(state, decisions));
  vscode.postMessage({ type: 'apply', decisions });
  // The button that was pressed may go away with the conflict: the keys must go on working.
  list.focus();
}

function undo(): void {
  if (!state.canUndo || state.isBusy) return;
  update(startWork(state));
  vscode.postMessage({ type: 'undo' });
}

function postForSelected(type: 'openDiff' | 'openFile'): void {
  if (state.selectedKey !== undefined) vscode.postMessage({ type, key: state.selectedKey });
}

function onListKey(event: KeyboardEvent): void {
  const steps: Readonly<Record<string, number>> = {
    ArrowUp: -1,
    ArrowDown: 1,
    PageUp: -PAGE_ROWS,
    PageDown: PAGE_ROWS,
    Home: -Infinity,
    End: Infinity,
  };
  const step = steps[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  update(selectBy(state, step));
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isOnButton = event.target instanceof HTMLButtonElement;
  if (event.key === 'F7') update(selectBy(state, event.shiftKey ? -1 : 1));
  else if (event.key === '1') chooseSelected('ours');
  else if (event.key === '2') chooseSelected('theirs');
  else if (event.key === 'Enter' && !isOnButton) apply('selected');
  else return;
  event.preventDefault();
}
