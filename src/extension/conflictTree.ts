import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import { commandIds, viewIds } from './commandTable.ts';
import type { FoundConflict } from './conflictFinder.ts';
import { compare, kindText } from './conflictViewModel.ts';
import { baseName, count } from './words.ts';

/** A file with what is held in it, or one conflict. */
type Node = { readonly file: string; readonly members: readonly FoundConflict[] } | FoundConflict;

/** The conflicts as a view of their own, with their number as a badge. */
export class ConflictTree implements Disposable {
  readonly #store = new DisposableStore();
  readonly #changed = this.#store.add(new vscode.EventEmitter<void>());
  readonly #view: vscode.TreeView<Node>;
  #found: readonly FoundConflict[] = [];
  #shown = '';

  constructor() {
    this.#view = this.#store.add(
      vscode.window.createTreeView<Node>(viewIds.conflicts, {
        treeDataProvider: {
          onDidChangeTreeData: this.#changed.event,
          getChildren: (node) => (node === undefined ? this.#files() : 'members' in node ? [...node.members] : []),
          getTreeItem: toItem,
        },
      }),
    );
  }

  /** What is held changed. */
  refresh(found: readonly FoundConflict[]): void {
    this.#found = found;
    const shown = JSON.stringify(found.map(({ key, held }) => [key, kindText(held)]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const { length } = found;
    this.#view.badge = length === 0 ? undefined : { value: length, tooltip: count(length, 'API conflict') };
    this.#changed.fire();
  }

  dispose(): void {
    this.#store.dispose();
  }

  #files(): Node[] {
    const files = Map.groupBy(this.#found.toSorted(byPlace), ({ held, paths }) => paths.toEditor(held.file));
    return [...files].map(([file, members]) => ({ file, members }));
  }
}

/** The order of the panel's list. */
function byPlace({ held: a }: FoundConflict, { held: b }: FoundConflict): number {
  return compare(a.path, b.path) || compare(a.file, b.file) || compare(a.conflict.label, b.conflict.label);
}

function toItem(node: Node): vscode.TreeItem {
  if ('members' in node) {
    const item = new vscode.TreeItem(vscode.Uri.file(node.file), vscode.TreeItemCollapsibleState.Expanded);
    item.label = baseName(node.file);
    item.description = node.members[0]?.folder.name ?? '';
    item.iconPath = vscode.ThemeIcon.File;
    return item;
  }
  const { conflict } = node.held;
  const item = new vscode.TreeItem(conflict.label);
  item.description = kindText(node.held);
  item.tooltip = conflict.explanation ?? `${conflict.label}: ${kindText(node.held)}`;
  item.iconPath = new vscode.ThemeIcon(icons[conflict.kind]);
  item.command = { command: commandIds.showConflicts, title: 'Resolve', arguments: [node.key] };
  return item;
}

const icons = {
  'edit-edit': 'diff-modified',
  'edit-delete': 'diff-removed',
  'add-add': 'diff-added',
  'move-move': 'arrow-swap',
  semantic: 'warning',
} as const;
