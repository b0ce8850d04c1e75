import * as vscode from 'vscode';
import type { Disposable } from '../core/ports.ts';
import { commandIds } from './commandTable.ts';
import type { StatusBarView } from './statusBarModel.ts';
import type { TooltipLine } from './statusTooltip.ts';

/** Keeps its place among the items on the left, next to the source control's. */
const PRIORITY = 40;

/** The extension's one item in the status bar. */
export interface StatusBar extends Disposable {
  show(view: StatusBarView | undefined): void;
}

/** A save is sent and acknowledged well within this: showing each as "syncing" would only flicker. */
const PASSING_DELAY_MS = 400;

/** Makes the item; it stays hidden until there is something to say. */
export function createStatusBar(): StatusBar {
  const item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Left, PRIORITY);
  item.name = 'API Live Sync';
  item.command = commandIds.showStatus;
  let shown = '';
  let waiting: NodeJS.Timeout | undefined;

  const showNow = (view: StatusBarView | undefined): void => {
    clearTimeout(waiting);
    waiting = undefined;
    const key = JSON.stringify(view) as string | undefined;
    // Setting the tooltip again would close the one that the person is reading.
    if (key === shown) return;
    shown = key ?? '';
    if (view === undefined) {
      item.hide();
      return;
    }
    item.text = view.text;
    item.tooltip = toMarkdown(view.tooltip);
    item.accessibilityInformation = { label: view.accessibilityLabel, role: 'button' };
    item.backgroundColor = background(view);
    item.show();
  };

  return {
    show: (view) => {
      if (view?.isPassing !== true || shown === '') showNow(view);
      else waiting ??= setTimeout(() => showNow(view), PASSING_DELAY_MS);
    },
    dispose: () => {
      clearTimeout(waiting);
      item.dispose();
    },
  };
}

function background(view: StatusBarView): vscode.ThemeColor | undefined {
  return view.background === 'none' ? undefined : new vscode.ThemeColor(`statusBarItem.${view.background}Background`);
}

/** Names and paths come from other people: everything goes in as text, never as markup. */
function toMarkdown(lines: readonly TooltipLine[]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  lines.forEach((line, at) => {
    if (at > 0) markdown.appendMarkdown(line.kind === 'item' && lines[at - 1]?.kind === 'item' ? '\n' : '\n\n');
    switch (line.kind) {
      case 'heading':
        markdown.appendMarkdown('**').appendText(line.text).appendMarkdown('**');
        break;
      case 'text':
        markdown.appendText(line.text);
        break;
      case 'item':
        markdown.appendMarkdown('- ').appendText(line.text);
        break;
    }
  });
  return markdown;
}
