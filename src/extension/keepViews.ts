import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import { diffSplices } from '../core/merge/splices.ts';
import type { Splice } from '../core/merge/types.ts';
import type { Disposable } from '../core/ports.ts';
import { mapCaret, mapLine } from './editorSplices.ts';

/** What a person sees of a document in one visible editor. */
interface View {
  readonly editor: vscode.TextEditor;
  selections: readonly vscode.Selection[];
  topLine: number | undefined;
}

interface Expected {
  readonly document: vscode.TextDocument;
  readonly before: string;
  readonly after: string;
  /** An edit carries the carets along by itself, a reload does not; neither carries what is seen. */
  readonly by: 'edit' | 'reload';
  views: View[];
}

/**
 * VS Code reloads a file that changed on disk as one replacement from the first to the last difference, and throws the
 * carets in between to its end. This puts carets and scroll of visible editors back to where the same text is now.
 */
export class KeepViews implements Disposable {
  readonly #store = new DisposableStore();
  readonly #expected = new Map<string, Expected>();

  constructor() {
    this.#store.add(vscode.workspace.onDidChangeTextDocument((event) => this.#changed(event)));
    this.#store.add(
      vscode.workspace.onDidCloseTextDocument((document) => this.#expected.delete(document.uri.toString())),
    );
    this.#store.add(
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) =>
        this.#remember(textEditor, (view) => (view.selections = textEditor.selections)),
      ),
    );
    this.#store.add(
      vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor }) =>
        this.#remember(textEditor, (view) => (view.topLine = topLineOf(textEditor))),
      ),
    );
  }

  /** Says that the document is about to become `after`; dispose what comes back if it does not. */
  expect(document: vscode.TextDocument, after: string, by: 'edit' | 'reload'): Disposable {
    const key = document.uri.toString();
    const expected: Expected = { document, before: document.getText(), after, by, views: viewsOf(document) };
    this.#expected.set(key, expected);
    return {
      dispose: () => {
        if (this.#expected.get(key) === expected) this.#expected.delete(key);
      },
    };
  }

  dispose(): void {
    this.#expected.clear();
    this.#store.dispose();
  }

  /** Until the change comes, the person may move on. */
  #remember(editor: vscode.TextEditor, update: (view: View) => void): void {
    const expected = this.#expected.get(editor.document.uri.toString());
    if (expected === undefined || editor.document.getText() !== expected.before) return;
    const view = expected.views.find((one) => one.editor === editor);
    if (view === undefined) expected.views = viewsOf(expected.document);
    else update(view);
  }

  #changed(event: vscode.TextDocumentChangeEvent): void {
    const { document } = event;
    const key = document.uri.toString();
    const expected = this.#expected.get(key);
    if (expected === undefined || event.contentChanges.length === 0) return;
    this.#expected.delete(key);
    // Somebody typed first, or the file was written again: their carets are right as they are.
    if (document.getText() !== expected.after) return;
    const splices = diffSplices(expected.before, expected.after);
    for (const view of expected.views) {
      if (!vscode.window.visibleTextEditors.includes(view.editor)) continue;
      if (expected.by === 'reload') restoreSelections(view, expected, splices);
      restoreScroll(view, expected, splices);
    }
  }
}

function restoreSelections(view: View, { document, before }: Expected, splices: readonly Splice[]): void {
  const move = (position: vscode.Position): vscode.Position =>
    document.positionAt(mapCaret(offsetIn(before, position), splices));
  view.editor.selections = view.selections.map(
    (selection) => new vscode.Selection(move(selection.anchor), move(selection.active)),
  );
}

/** VS Code keeps the distance from the top of the file; a person looks at a text. */
function restoreScroll(view: View, { before }: Expected, splices: readonly Splice[]): void {
  if (view.topLine === undefined) return;
  const topLine = mapLine(view.topLine, before, splices);
  if (topLine === view.topLine) return;
  const line = new vscode.Position(Math.max(0, topLine + linesKeptAbove(view.editor)), 0);
  view.editor.revealRange(new vscode.Range(line, line), vscode.TextEditorRevealType.AtTop);
}

/** VS Code reveals a line with room for sticky lines above it, even "at the top". */
function linesKeptAbove(editor: vscode.TextEditor): number {
  const settings = vscode.workspace.getConfiguration('editor', editor.document);
  const stickyLines = settings.get<boolean>('stickyScroll.enabled', true)
    ? settings.get('stickyScroll.maxLineCount', 5)
    : 0;
  const wanted = Math.max(stickyLines, settings.get('cursorSurroundingLines', 0));
  const [range] = editor.visibleRanges;
  return range === undefined ? wanted : Math.min(wanted, Math.floor((range.end.line - range.start.line) / 2));
}

function viewsOf(document: vscode.TextDocument): View[] {
  return vscode.window.visibleTextEditors
    .filter((editor) => editor.document === document)
    .map((editor) => ({ editor, selections: editor.selections, topLine: topLineOf(editor) }));
}

function topLineOf(editor: vscode.TextEditor): number | undefined {
  return editor.visibleRanges[0]?.start.line;
}

function offsetIn(text: string, position: vscode.Position): number {
  let start = 0;
  for (let line = 0; line < position.line; line++) {
    const lineFeed = text.indexOf('\n', start);
    if (lineFeed < 0) return text.length;
    start = lineFeed + 1;
  }
  return Math.min(start + position.character, text.length);
}
