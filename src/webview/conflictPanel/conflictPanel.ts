import type { Choice, DiffSides, HostToPanel, PanelToHost } from '../../protocol/conflictPanel.ts';
import { readHostToPanel, readSavedPanelState } from '../../protocol/conflictPanel.ts';
import { BulkView } from './bulkView.ts';
import { DetailView } from './detailView.ts';
import { element } from './dom.ts';
import { HeaderView } from './headerView.ts';
import { KeysAhead } from './keysAhead.ts';
import { ListView } from './listView.ts';
import type { PanelState } from './panelState.ts';
import {
  choose,
  decisionsOf,
  decisionsToApply,
  decisionsToPreview,
  initialState,
  keysToAsk,
  receiveExtras,
  receiveOutcome,
  receiveState,
  select,
  selectBy,
  selectedConflict,
  skip,
  startUndo,
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
const keysAhead = new KeysAhead();

const header = new HeaderView({
  previous: () => update(selectBy(state, -1)),
  next: () => update(selectBy(state, 1)),
  undo,
  askAll: () => ask(keysToAsk(state)),
  cancelAsk,
  applyAll: () => apply('all'),
});
const list = new ListView((key) => update(select(state, key)), onListKey);
const bulk = new BulkView((choice) => {
  const documentKey = selectedConflict(state)?.documentKey;
  if (documentKey === undefined || state.isBusy) return;
  update(startWork(state, decisionsOf(state, documentKey)));
  vscode.postMessage({ type: 'takeAll', documentKey, choice });
});
const detail = new DetailView({
  choose: chooseSelected,
  apply: () => apply('selected'),
  skip: () => update(skip(state)),
  edit: () => postForSelected('edit'),
  ask: askForSelected,
  cancelAsk,
  showRequest: () => postForSelected('showRequest'),
  preview,
  select: (key) => update(select(state, key)),
  openDiff,
  openFile: () => postForSelected('openFile'),
});
const empty = element('p', { class: 'empty' });
const body = element(
  'div',
  { class: 'body' },
  element('div', { class: 'list-pane' }, bulk.root, list.root),
  detail.root,
);
document.querySelector('#app')?.append(element('main', { class: 'panel' }, header.root, empty, body));

window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const message = readHostToPanel(event.data);
  if (message === undefined) return;
  const isFirst = !state.isReady;
  update(receive(message));
  // Opened by a person: the keys work at once. What they focused themselves stays.
  if (isFirst && state.conflicts.length > 0 && document.activeElement === document.body) list.focus();
  // What Undo brings back is what the keys after it are about: while it is not there they would hit another one.
  if (message.type === 'outcome') keysAhead.answered(message.isDone && !state.isUndoing, () => state.isBusy);
});
document.addEventListener('keydown', onKey);
window.addEventListener('resize', () => list.reveal());
setInterval(() => detail.tick(selectedConflict(state)), TIME_REFRESH_MS);
render();
vscode.postMessage({ type: 'ready' });

function receive(message: HostToPanel): PanelState {
  switch (message.type) {
    case 'state':
      return receiveState(state, message);
    case 'outcome':
      return receiveOutcome(state, message);
    case 'extras':
      return receiveExtras(state, message);
    case 'select':
      return select(state, message.key);
  }
}

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
  bulk.show(state);
  list.show(state);
  detail.show(state);
  // What had the focus is gone, as a button with its conflict and the list while it was empty: the keys must go on working.
  if (!isEmpty && document.hasFocus() && document.activeElement === document.body) list.focus();
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
  update(startUndo(state));
  vscode.postMessage({ type: 'undo' });
}

function ask(keys: readonly string[]): void {
  if (keys.length > 0 && !state.isAsking) vscode.postMessage({ type: 'ask', keys });
}

function askForSelected(): void {
  if (state.selectedKey !== undefined) ask([state.selectedKey]);
}

function cancelAsk(): void {
  vscode.postMessage({ type: 'cancelAsk' });
}

function preview(): void {
  const decisions = decisionsToPreview(state);
  if (decisions.length > 0) vscode.postMessage({ type: 'preview', decisions });
}

function openDiff(sides: DiffSides): void {
  if (state.selectedKey !== undefined) vscode.postMessage({ type: 'openDiff', key: state.selectedKey, sides });
}

function postForSelected(type: 'openFile' | 'edit' | 'showRequest'): void {
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
  move(step);
}

/** One can look around while an answer is awaited, unless what was pressed before waits for it. */
function move(step: number): void {
  if (keysAhead.isEmpty) update(selectBy(state, step));
  else keysAhead.wait(() => update(selectBy(state, step)));
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Enter' && event.target instanceof HTMLButtonElement) return;
  if (event.key === 'F7') {
    move(event.shiftKey ? -1 : 1);
    event.preventDefault();
    return;
  }
  const actions: Readonly<Record<string, () => void>> = {
    1: () => chooseSelected('ours'),
    2: () => chooseSelected('theirs'),
    3: () => chooseSelected('both'),
    4: () => chooseSelected('ai'),
    a: askForSelected,
    d: () => openDiff('oursTheirs'),
    e: () => postForSelected('edit'),
    p: preview,
    s: () => update(skip(state)),
    u: undo,
    enter: () => apply(event.shiftKey ? 'all' : 'selected'),
  };
  const action = actions[event.key] ?? actions[event.key.toLowerCase()];
  if (action === undefined) return;
  if (state.isBusy) keysAhead.wait(action);
  else action();
  event.preventDefault();
}
