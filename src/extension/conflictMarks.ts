import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import type { Disposable } from '../core/ports.ts';
import { commandIds } from './commandTable.ts';
import type { FoundConflict } from './conflictFinder.ts';
import { conflictRange } from './conflictPlace.ts';
import { kindText } from './conflictViewModel.ts';
import { count } from './words.ts';

const files: vscode.DocumentSelector = { scheme: 'file', pattern: '**/*.{yaml,yml,json}' };

/** Marks what is held where people look anyway: in the file tree, and at its place in the editor with a way to settle it. */
export class ConflictMarks implements Disposable {
  readonly #store = new DisposableStore();
  readonly #filesChanged = this.#store.add(new vscode.EventEmitter<vscode.Uri[]>());
  readonly #lensesChanged = this.#store.add(new vscode.EventEmitter<void>());
  readonly #highlight = this.#store.add(
    vscode.window.createTextEditorDecorationType({
      isWholeLine: true,
      backgroundColor: new vscode.ThemeColor('merge.currentContentBackground'),
      overviewRulerColor: new vscode.ThemeColor('editorOverviewRuler.currentContentForeground'),
      overviewRulerLane: vscode.OverviewRulerLane.Full,
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    }),
  );
  /** By file, as the editor names it. */
  #held: ReadonlyMap<string, readonly FoundConflict[]> = new Map();

  constructor() {
    this.#store.add(
      vscode.window.registerFileDecorationProvider({
        onDidChangeFileDecorations: this.#filesChanged.event,
        provideFileDecoration: (uri) => this.#decorate(uri),
      }),
    );
    this.#store.add(
      vscode.languages.registerCodeLensProvider(files, {
        onDidChangeCodeLenses: this.#lensesChanged.event,
        provideCodeLenses: (document) => this.#placed(document).map(({ found, range }) => toLens(found, range)),
      }),
    );
    this.#store.add(
      vscode.languages.registerCodeActionsProvider(
        files,
        {
          provideCodeActions: (document, range) =>
            this.#placed(document)
              .filter((one) => one.range.intersection(range) !== undefined)
              .map(({ found }) => toQuickFix(found)),
        },
        { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
      ),
    );
    this.#store.add(
      vscode.languages.registerHoverProvider(files, {
        provideHover: (document, position) => {
          const [first] = this.#placed(document).filter(({ range }) => range.contains(position));
          return first === undefined ? undefined : toHover(first.found, document.languageId, first.range);
        },
      }),
    );
    this.#store.add(vscode.window.onDidChangeVisibleTextEditors(() => this.#show()));
    this.#store.add(vscode.workspace.onDidChangeTextDocument(() => this.#show()));
  }

  /** What is held changed. */
  refresh(found: readonly FoundConflict[]): void {
    const before = this.#held;
    this.#held = Map.groupBy(found, ({ held, paths }) => paths.toEditor(held.file));
    const names = new Set([...before.keys(), ...this.#held.keys()]);
    const changed = [...names].filter((name) => before.get(name)?.length !== this.#held.get(name)?.length);
    if (changed.length > 0) this.#filesChanged.fire(changed.map((name) => vscode.Uri.file(name)));
    if (names.size === 0) return;
    this.#lensesChanged.fire();
    this.#show();
  }

  dispose(): void {
    this.#store.dispose();
  }

  #decorate(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const held = uri.scheme === 'file' ? this.#held.get(uri.fsPath) : undefined;
    if (held === undefined) return undefined;
    const tooltip = `${count(held.length, 'conflict')} with what others changed`;
    const decoration = new vscode.FileDecoration('!', tooltip, new vscode.ThemeColor('list.warningForeground'));
    decoration.propagate = true;
    return decoration;
  }

  /** Conflicts with their places. While somebody types, only those whose text still stands where it was. */
  #placed(document: vscode.TextDocument): readonly { readonly found: FoundConflict; readonly range: vscode.Range }[] {
    const held = document.uri.scheme === 'file' ? this.#held.get(document.uri.fsPath) : undefined;
    return (held ?? []).flatMap((found) => {
      const range = conflictRange(document, found);
      return range === undefined || !isStillThere(document, range, found) ? [] : [{ found, range }];
    });
  }

  #show(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.scheme !== 'file') continue;
      const placed = this.#placed(editor.document);
      editor.setDecorations(
        this.#highlight,
        placed.map(({ range }) => range),
      );
    }
  }
}

function isStillThere(document: vscode.TextDocument, range: vscode.Range, { held }: FoundConflict): boolean {
  const firstLine = held.conflict.ours?.text.split('\n', 1)[0]?.trim() ?? '';
  return document.getText(range).split(/\r?\n/, 1)[0]?.trim() === firstLine;
}

function toCommand({ key }: FoundConflict, title: string): vscode.Command {
  return { command: commandIds.showConflicts, title, arguments: [key] };
}

function toLens(found: FoundConflict, range: vscode.Range): vscode.CodeLens {
  return new vscode.CodeLens(range, toCommand(found, `Resolve: ${kindText(found.held)}`));
}

function toQuickFix(found: FoundConflict): vscode.CodeAction {
  const title = `Resolve Conflict: ${found.held.conflict.label}`;
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.command = toCommand(found, title);
  return action;
}

/** What others wrote is shown as text and as code, never as Markdown of its own. */
function toHover({ held }: FoundConflict, languageId: string, range: vscode.Range): vscode.Hover {
  const { conflict, theirsName } = held;
  const text = new vscode.MarkdownString();
  text.appendText(`${kindText(held)}.\n\n`);
  if (conflict.explanation !== undefined) text.appendText(`${conflict.explanation}\n\n`);
  if (conflict.theirs === undefined) text.appendText(`${theirsName} deleted this.`);
  else text.appendText(`From ${theirsName}:`).appendCodeblock(conflict.theirs.text, languageId);
  return new vscode.Hover(text, range);
}
