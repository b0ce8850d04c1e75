import * as vscode from 'vscode';
import { DisposableStore } from '../core/disposableStore.ts';
import { diffSplices } from '../core/merge/splices.ts';
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
        this.#remember(textEditor, (view) => (view.topLine = textEditor.visibleRanges[0]?.start.line)),
      ),
    );
  }

  /** Says that the document is about to be reloaded as `after`; dispose what comes back if it is not. */
  expect(document: vscode.TextDocument, after: string): Disposable {
    const key = document.uri.toString();
    const expected: Expected = { document, before: document.getText(), after, views: viewsOf(document) };
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

  /** Until the reload comes, the person may move on. */
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
    if (document.isDirty || document.getText() !== expected.after) return;
    const splices = diffSplices(expected.before, expected.after);
    for (const view of expected.views) {
      if (!vscode.window.visibleTextEditors.includes(view.editor)) continue;
      view.editor.selections = view.selections.map((selection) => {
        const move = (position: vscode.Position): vscode.Position =>
          document.positionAt(mapCaret(offsetIn(expected.before, position), splices));
        return new vscode.Selection(move(selection.anchor), move(selection.active));
      });
      const topLine = view.topLine === undefined ? undefined : mapLine(view.topLine, expected.before, splices);
      // Revealing puts the line to the very top: only where the text above grew or shrank.
      if (topLine === undefined || topLine === view.topLine) continue;
      const top = new vscode.Position(Math.max(0, topLine), 0);
      view.editor.revealRange(new vscode.Range(top, top), vscode.TextEditorRevealType.AtTop);
    }
  }
}

function viewsOf(document: vscode.TextDocument): View[] {
  return vscode.window.visibleTextEditors
    .filter((editor) => editor.document === document)
    .map((editor) => ({ editor, selections: editor.selections, topLine: editor.visibleRanges[0]?.start.line }));
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
